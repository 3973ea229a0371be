//! Text that grows piece by piece, with the pieces that JSON needs.

use std::fmt::Display;
use std::io::Write as _;

use bytes::Bytes;

/// Room in front of a text for the head of the frame that it becomes.
const HEAD: usize = 10;

/// A text being written, of JSON or of something simpler. What is pushed must come in an order that makes sense;
/// nothing here looks after it.
///
/// There is room in front of it, so that a frame of it is one piece and goes out in one system call.
pub(crate) struct Text(Vec<u8>);

impl Text {
    /// Begins, with room for so many bytes.
    pub(crate) fn with_room(bytes: usize) -> Self {
        let mut text = Vec::with_capacity(HEAD + bytes);
        text.resize(HEAD, 0);
        Self(text)
    }

    /// The text.
    pub(crate) fn into_text(self) -> Bytes {
        Bytes::from(self.0).slice(HEAD..)
    }

    /// How long it is, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len() - HEAD
    }

    /// A whole frame of WebSocket with the text in it.
    pub(crate) fn into_frame(self) -> Bytes {
        self.into_start_of_frame(0)
    }

    /// The same, of which so many more bytes of text are not in here: they have to follow.
    pub(crate) fn into_start_of_frame(self, more: usize) -> Bytes {
        let mut frame = self.0;
        let length = frame.len() - HEAD + more;
        let head = &mut frame[..HEAD];
        // RFC 6455, section 5.2: the last frame of a message, which is text; the server masks nothing.
        let start = if let Ok(length @ ..126) = u8::try_from(length) {
            head[8..].copy_from_slice(&[0x81, length]);
            8
        } else if let Ok(length) = u16::try_from(length) {
            head[6..8].copy_from_slice(&[0x81, 126]);
            head[8..].copy_from_slice(&length.to_be_bytes());
            6
        } else {
            head[..2].copy_from_slice(&[0x81, 127]);
            head[2..].copy_from_slice(&(length as u64).to_be_bytes());
            0
        };
        Bytes::from(frame).slice(start..)
    }

    /// Text as it is: of JSON, what is JSON already.
    pub(crate) fn raw(&mut self, json: &str) -> &mut Self {
        self.0.extend_from_slice(json.as_bytes());
        self
    }

    /// A string, with its quotes.
    pub(crate) fn string(&mut self, text: &str) -> &mut Self {
        self.0.push(b'"');
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
            self.0.extend_from_slice(&rest.as_bytes()[..at]);
            self.escaped(rest.as_bytes()[at]);
            rest = &rest[at + 1..];
        }
        self.0.extend_from_slice(rest.as_bytes());
        self.0.push(b'"');
        self
    }

    fn escaped(&mut self, byte: u8) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        match byte {
            b'"' | b'\\' => {
                self.0.extend_from_slice(&[b'\\', byte]);
            }
            _ => {
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                self.0.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
        }
    }

    /// A string of what is shown, which must not need escaping.
    pub(crate) fn shown(&mut self, value: impl Display) -> &mut Self {
        write!(self.0, "\"{value}\"").expect("memory takes everything");
        self
    }

    /// What is shown, as it is shown.
    pub(crate) fn plain(&mut self, value: impl Display) -> &mut Self {
        write!(self.0, "{value}").expect("memory takes everything");
        self
    }

    /// A whole number.
    pub(crate) fn whole(&mut self, number: u64) -> &mut Self {
        self.raw(itoa::Buffer::new().format(number))
    }

    /// A number, as short as it can be told from its neighbours: `111` and not `111.0`. What is not finite is
    /// `null`, for JSON has no such numbers.
    pub(crate) fn number(&mut self, number: impl zmij::Float) -> &mut Self {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format(number);
        let finite = text.ends_with(|last: char| last.is_ascii_digit());
        self.raw(if finite { text.strip_suffix(".0").unwrap_or(text) } else { "null" })
    }

    /// True or false.
    pub(crate) fn bool(&mut self, value: bool) -> &mut Self {
        self.raw(if value { "true" } else { "false" })
    }

    /// These, with commas in between and without brackets.
    pub(crate) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut push: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.0.push(b',');
            }
            push(self, item);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(push: impl FnOnce(&mut Text)) -> String {
        let mut json = Text::with_room(0);
        push(&mut json);
        String::from_utf8(json.into_text().into()).unwrap()
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be_and_always_json() {
        let number = |number: f64| {
            written(|json| {
                json.number(number);
            })
        };
        assert_eq!(number(111.0), "111");
        assert_eq!(number(54.714_636_8), "54.7146368");
        assert_eq!(number(-0.5), "-0.5");
        assert_eq!(number(f64::NAN), "null");
        assert_eq!(number(f64::NEG_INFINITY), "null");
        assert_eq!(
            written(|json| {
                json.number(45.3_f32);
            }),
            "45.3"
        );
    }

    #[test]
    fn a_frame_says_how_long_it_is() {
        let frame = |length: usize, more: usize| {
            let mut json = Text::with_room(0);
            json.raw(&" ".repeat(length));
            let frame = json.into_start_of_frame(more);
            frame[..frame.len() - length].to_vec()
        };
        assert_eq!(frame(0, 0), [0x81, 0]);
        assert_eq!(frame(125, 0), [0x81, 125]);
        assert_eq!(frame(125, 1), [0x81, 126, 0, 126]);
        assert_eq!(frame(100, 65_435), [0x81, 126, 255, 255]);
        assert_eq!(frame(65_536, 0), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    proptest! {
        #[test]
        fn any_string_can_be_read_back(text in any::<String>()) {
            let json = written(|json| { json.string(&text); });
            prop_assert_eq!(serde_json::from_str::<String>(&json).ok(), Some(text));
        }

        #[test]
        fn any_finite_number_can_be_read_back(
            double in any::<f64>().prop_filter("finite", |number| number.is_finite()),
            single in any::<f32>().prop_filter("finite", |number| number.is_finite()),
        ) {
            let json = written(|json| { json.number(double); });
            prop_assert_eq!(json.parse::<f64>().ok(), Some(double), "{}", json);
            prop_assert!(serde_json::from_str::<serde_json::Number>(&json).is_ok(), "{}", json);
            let json = written(|json| { json.number(single); });
            prop_assert_eq!(json.parse::<f32>().ok(), Some(single), "{}", json);
        }
    }
}
