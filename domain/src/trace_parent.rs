use std::fmt;

/// Bytes of a `traceparent` of version 00; one of a later version begins with as many that mean the same.
const LENGTH: usize = 55;

/// Longest that is looked at, in bytes. A later version may have more than 55.
const LONGEST: usize = 128;

/// Where in a trace something was sent: the header `traceparent` of W3C Trace Context, level 2.
///
/// It says which span was at work when a record was put onto its stream, so that whoever works on the record can
/// point back at it. Nothing else is taken over from a sender: no `tracestate`, no baggage, and what it decided about
/// sampling is no order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TraceParent {
    /// The trace; not all zero.
    pub trace_id: [u8; 16],
    /// The span in it; not all zero.
    pub span_id: [u8; 8],
    /// Whether the sender may have recorded the span.
    pub sampled: bool,
}

impl TraceParent {
    /// Reads what was sent; `None` if it is malformed, which is no reason to treat a record differently.
    ///
    /// Allocates nothing, and looks at 128 bytes at most.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (head, rest) = text.split_at_checked(LENGTH)?;
        let [version] = hex(&head[..2])?;
        let well_formed = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.first().is_none_or(|byte| *byte == b'-') && text.len() <= LONGEST,
        };
        if !well_formed || [head[2], head[35], head[52]] != *b"---" {
            return None;
        }
        let (trace_id, span_id) = (hex::<16>(&head[3..35])?, hex::<8>(&head[36..52])?);
        let [flags] = hex(&head[53..])?;
        let some = trace_id != [0; 16] && span_id != [0; 8];
        some.then_some(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }
}

/// Bytes from lower case hexadecimal digits, two each; capitals are not allowed.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    const fn value(digit: u8) -> Option<u8> {
        match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        }
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

/// As version 00 of the header.
impl fmt::Display for TraceParent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace_id, span_id) = (u128::from_be_bytes(self.trace_id), u64::from_be_bytes(self.span_id));
        write!(out, "00-{trace_id:032x}-{span_id:016x}-{:02x}", u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn parse(text: &str) -> Option<TraceParent> {
        TraceParent::parse(text.as_bytes())
    }

    #[test]
    fn a_header_says_trace_span_and_whether_it_was_sampled() {
        let parent = parse(GOOD).unwrap();
        assert_eq!(u128::from_be_bytes(parent.trace_id), 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert_eq!(u64::from_be_bytes(parent.span_id), 0xb7ad_6b71_6920_3331);
        assert!(parent.sampled);
        assert_eq!(parent.to_string(), GOOD);
        // Other flags are for later, and the one that is known is read all the same.
        for (flags, sampled) in [("00", false), ("02", false), ("03", true), ("ff", true)] {
            let parent = parse(&GOOD.replace("-01", &format!("-{flags}"))).unwrap();
            assert_eq!(parent.sampled, sampled, "{flags}");
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = GOOD.replacen("00", "cc", 1);
        assert_eq!(parse(&later), parse(GOOD));
        assert_eq!(parse(&format!("{later}-what-comes")), parse(GOOD));
        assert_eq!(parse(&format!("{later}.what-comes")), None);
        assert_eq!(parse(&format!("{later}-{}", "x".repeat(72))), parse(GOOD));
        assert_eq!(parse(&format!("{later}-{}", "x".repeat(73))), None);
    }

    #[test]
    fn what_is_malformed_is_none() {
        let table = [
            String::new(),
            "00".to_owned(),
            GOOD.to_uppercase(),
            GOOD.replacen("00", "ff", 1),
            GOOD.replacen("00", "0x", 1),
            GOOD.replace('-', "_"),
            format!("{GOOD}-"),
            format!("{GOOD}-01"),
            format!(" {GOOD}"),
            format!("{GOOD}\n"),
            GOOD[..54].to_owned(),
            GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            GOOD.replace("b7ad6b7169203331", &"0".repeat(16)),
            GOOD.replace("-01", "-0g"),
            GOOD.replace("b7ad6b71", "b7ad-b71"),
            GOOD.replace("b7ad", "é7é"),
        ];
        for text in table {
            assert_eq!(parse(&text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(trace_id: [u8; 16], span_id: [u8; 8], sampled: bool) {
            prop_assume!(trace_id != [0; 16] && span_id != [0; 8]);
            let parent = TraceParent { trace_id, span_id, sampled };
            prop_assert_eq!(parse(&parent.to_string()), Some(parent));
        }

        #[test]
        fn any_bytes_are_read_or_not_and_what_is_read_is_some_trace(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..300),
                "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.{0,99})?".prop_map(String::into_bytes),
            ],
        ) {
            if let Some(parent) = TraceParent::parse(&bytes) {
                prop_assert!(bytes.len() <= LONGEST);
                prop_assert_eq!(parent.to_string().as_bytes()[2..52].to_vec(), bytes[2..52].to_vec());
                prop_assert!(parent.trace_id != [0; 16] && parent.span_id != [0; 8]);
            }
        }

        #[test]
        fn one_byte_that_is_none_of_the_alphabet_spoils_it(at in 0..LENGTH, byte: u8) {
            prop_assume!(!byte.is_ascii_hexdigit() && byte != b'-');
            let mut bytes = GOOD.as_bytes().to_vec();
            bytes[at] = byte;
            prop_assert_eq!(TraceParent::parse(&bytes), None);
        }
    }
}
