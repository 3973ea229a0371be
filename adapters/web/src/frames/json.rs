//! JSON, written piece by piece into text that grows.

use std::fmt::{Display, Write as _};

use bytes::Bytes;

/// A JSON text being written. What is pushed must come in an order that makes sense; nothing here looks after it.
pub(super) struct Json(String);

impl Json {
    /// Begins, with room for so many bytes.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// What was written; it begins anew.
    pub(super) fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.0).into()
    }

    /// Text that is JSON already.
    pub(super) fn raw(&mut self, json: &str) -> &mut Self {
        self.0.push_str(json);
        self
    }

    /// A string, with its quotes.
    pub(super) fn string(&mut self, text: &str) -> &mut Self {
        self.0.push('"');
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
            self.0.push_str(&rest[..at]);
            self.escaped(rest.as_bytes()[at]);
            rest = &rest[at + 1..];
        }
        self.0.push_str(rest);
        self.0.push('"');
        self
    }

    fn escaped(&mut self, byte: u8) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        match byte {
            b'"' | b'\\' => {
                self.0.push('\\');
                self.0.push(char::from(byte));
            }
            _ => {
                self.0.push_str("\\u00");
                self.0.push(char::from(HEX[usize::from(byte >> 4)]));
                self.0.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }

    /// A string of what is shown, which must not need escaping.
    pub(super) fn shown(&mut self, value: impl Display) -> &mut Self {
        write!(self.0, "\"{value}\"").expect("text takes everything");
        self
    }

    /// A whole number.
    pub(super) fn whole(&mut self, number: u64) -> &mut Self {
        self.0.push_str(itoa::Buffer::new().format(number));
        self
    }

    /// A number, as short as it can be told from its neighbours: `111` and not `111.0`. What is not finite is
    /// `null`, for JSON has no such numbers.
    pub(super) fn number(&mut self, number: impl zmij::Float) -> &mut Self {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format(number);
        let finite = text.ends_with(|last: char| last.is_ascii_digit());
        self.0.push_str(if finite { text.strip_suffix(".0").unwrap_or(text) } else { "null" });
        self
    }

    /// True or false.
    pub(super) fn bool(&mut self, value: bool) -> &mut Self {
        self.raw(if value { "true" } else { "false" })
    }

    /// These, with commas in between and without brackets.
    pub(super) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut push: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.0.push(',');
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

    fn written(push: impl FnOnce(&mut Json)) -> String {
        let mut json = Json::with_room(0);
        push(&mut json);
        json.0
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
