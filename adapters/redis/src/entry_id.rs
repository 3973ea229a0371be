//! Entry ids as the server writes and reads them.

use processor_domain::EntryId;

use crate::wire::ProtocolError;

/// Longest id as text: two numbers of 64 bits and the hyphen.
const LONGEST: usize = 41;

/// Before every entry.
pub(crate) const START: EntryId = EntryId { millis: 0, sequence: 0 };

/// Reads `<milliseconds>-<sequence>`.
pub(crate) fn parse(text: &[u8]) -> Result<EntryId, ProtocolError> {
    let mut numbers = [0_u64; 2];
    let (mut part, mut digits) = (0, 0);
    for byte in text {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                numbers[part] = numbers[part]
                    .checked_mul(10)
                    .and_then(|tens| tens.checked_add(u64::from(byte - b'0')))
                    .ok_or(ProtocolError::MalformedNumber)?;
            }
            b'-' if part == 0 && digits > 0 => (part, digits) = (1, 0),
            _ => return Err(ProtocolError::MalformedNumber),
        }
    }
    if part == 0 || digits == 0 {
        return Err(ProtocolError::MalformedNumber);
    }
    Ok(EntryId { millis: numbers[0], sequence: numbers[1] })
}

/// An id as text, without an allocation: thousands of them go into one acknowledgement.
#[derive(Debug, Default)]
pub(crate) struct Text {
    bytes: Vec<u8>,
}

impl Text {
    pub(crate) fn of(&mut self, id: EntryId) -> &[u8] {
        self.bytes.clear();
        self.bytes.reserve(LONGEST);
        self.bytes.extend_from_slice(itoa::Buffer::new().format(id.millis).as_bytes());
        self.bytes.push(b'-');
        self.bytes.extend_from_slice(itoa::Buffer::new().format(id.sequence).as_bytes());
        &self.bytes
    }
}

/// The id just before `id`: reading after it starts with `id`.
pub(crate) const fn before(id: EntryId) -> EntryId {
    match (id.millis, id.sequence) {
        (0, 0) => START,
        (millis, 0) => EntryId { millis: millis - 1, sequence: u64::MAX },
        (millis, sequence) => EntryId { millis, sequence: sequence - 1 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_and_back_is_the_same_id(millis in any::<u64>(), sequence in any::<u64>()) {
            let id = EntryId { millis, sequence };
            let mut text = Text::default();
            let displayed = id.to_string();
            prop_assert_eq!(text.of(id), displayed.as_bytes());
            prop_assert_eq!(parse(text.of(id)), Ok(id));
            prop_assert!(id == START || before(id) < id);
        }

        #[test]
        fn any_text_is_an_id_or_an_error(text in "[0-9-]{0,24}") {
            if let Ok(id) = parse(text.as_bytes()) {
                prop_assert_eq!(text.parse(), Ok(id));
            }
        }
    }

    #[test]
    fn half_an_id_is_none() {
        for text in ["", "-", "1", "1-", "-1", "1-2-3", "1-x", "18446744073709551616-0"] {
            assert_eq!(parse(text.as_bytes()), Err(ProtocolError::MalformedNumber), "{text}");
        }
    }

    #[test]
    fn before_the_first_of_a_millisecond_is_the_last_of_the_one_before() {
        assert_eq!(before(EntryId { millis: 7, sequence: 0 }), EntryId { millis: 6, sequence: u64::MAX });
        assert_eq!(before(EntryId { millis: 7, sequence: 3 }), EntryId { millis: 7, sequence: 2 });
        assert_eq!(before(START), START);
    }
}
