//! The strings of JSON.

use std::borrow::Cow;

/// What stands for characters that a database does not take: NUL and halves of surrogate pairs.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// What is between the quotes, if the text of a JSON value is a string.
pub(crate) fn content(json: &str) -> Option<&str> {
    json.strip_prefix('"')?.strip_suffix('"')
}

/// Undoes the escapes of a JSON string. NUL and lone surrogates become U+FFFD.
pub(crate) fn unescape(content: &str) -> Cow<'_, str> {
    let Some(mut at) = memchr::memchr(b'\\', content.as_bytes()) else { return content.into() };
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    loop {
        out.push_str(&rest[..at]);
        let (char, length) = escape(&rest[at..]);
        out.push(char);
        rest = rest.get(at + length..).unwrap_or_default();
        match memchr::memchr(b'\\', rest.as_bytes()) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.push_str(rest);
    out.into()
}

/// The character that the escape at the start of `text` stands for, and the length of the escape in bytes.
fn escape(text: &str) -> (char, usize) {
    match text.as_bytes().get(1) {
        Some(b'u') => match (unit(text), text.get(6..).and_then(unit_of_escape)) {
            (Some(high @ 0xD800..=0xDBFF), Some(low @ 0xDC00..=0xDFFF)) => {
                let scalar = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                (char::from_u32(scalar).unwrap_or(REPLACEMENT), 12)
            }
            (Some(0) | None, _) => (REPLACEMENT, 6),
            (Some(single), _) => (char::from_u32(single).unwrap_or(REPLACEMENT), 6),
        },
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'n') => ('\n', 2),
        Some(b'r') => ('\r', 2),
        Some(b't') => ('\t', 2),
        Some(&other @ (b'"' | b'\\' | b'/')) => (char::from(other), 2),
        _ => (REPLACEMENT, 1),
    }
}

fn unit_of_escape(text: &str) -> Option<u32> {
    text.starts_with("\\u").then(|| unit(text)).flatten()
}

/// The code unit of the escape `\uXXXX` at the start of `text`.
fn unit(text: &str) -> Option<u32> {
    u32::from_str_radix(text.get(2..6)?, 16).ok()
}

/// Writes `text` as a JSON string: in the one way that there is if nothing is escaped that need not be.
pub(crate) fn push_quoted(out: &mut String, text: &str) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x8 => out.push_str("\\b"),
            0xc => out.push_str("\\f"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => {
                out.push_str("\\u00");
                out.push(HEX[usize::from(control >> 4)]);
                out.push(HEX[usize::from(control & 0xf)]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_database_does_not_take_is_replaced() {
        for (content, expected) in [
            ("plain é", "plain é"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"\u00e9\u0041", "éA"),
            (r"\ud83d\ude00!", "😀!"),
            (r"a\u0000b", "a\u{fffd}b"),
            (r"\ud83d", "\u{fffd}"),
            (r"\ud83dx", "\u{fffd}x"),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
            (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
            (r"\\u0000", "\\u0000"),
        ] {
            assert_eq!(unescape(content), expected, "{content}");
        }
    }

    proptest! {
        #[test]
        fn quoted_is_what_serde_writes(text in any::<String>()) {
            let mut quoted = String::new();
            push_quoted(&mut quoted, &text);
            prop_assert_eq!(&quoted, &serde_json::to_string(&text).unwrap());
            let content = content(&quoted).unwrap();
            prop_assert_eq!(unescape(content), text.replace('\0', "\u{fffd}"));
        }

        #[test]
        fn any_text_does_no_harm(text in "[\\\\u0dD8cé\"]{0,24}") {
            prop_assert!(!unescape(&text).contains('\0'));
        }
    }
}
