//! What a tracker sent besides the position: IO values by id.

use std::fmt;
use std::sync::OnceLock;

use memchr::memmem::Finder;

/// The attributes of a position, as the text of one JSON object.
///
/// They are kept as text because the hot path only carries them: from the stream to the database, where the
/// column is `jsonb`. The text is *canonical*, which is what the codec promises of it:
///
/// - it is valid JSON: one object, with no white space between tokens;
/// - PostgreSQL takes it as `jsonb`: no NUL character, no lone surrogate, every number within range;
/// - it means the same to a reader that has only double precision numbers: integers beyond 2^53-1 are decimal
///   text, bytes are base64 text;
/// - its entries are in the order in which `jsonb` keeps them, shorter names first and names of one length by their
///   bytes, each name once: putting them in order takes the database longer than the codec.
///
/// [`Self::get`] reads one value without taking the rest apart.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// Empty text stands for `{}`, so that a position without attributes allocates nothing.
    json: Box<str>,
}

/// One attribute, whatever shape it had on the wire.
#[derive(Clone, PartialEq, Debug)]
pub enum AttributeValue {
    /// A whole number, exact.
    Int(i128),
    /// Any other number, finite.
    Float(f64),
    /// Text.
    Text(Box<str>),
    /// True or false.
    Bool(bool),
    /// Binary.
    Bytes(Box<[u8]>),
    /// A shape without a meaning of its own, kept as JSON text.
    Json(Box<str>),
}

impl Attributes {
    /// Takes text that is canonical as described at [`Attributes`]; the codec makes such text.
    ///
    /// Text that is not canonical does no harm in memory (a value may not be found), but the database will
    /// refuse the position.
    #[must_use]
    pub fn from_canonical_json(json: impl Into<Box<str>>) -> Self {
        let json = json.into();
        Self { json: if &*json == "{}" { Box::default() } else { json } }
    }

    /// The text of one JSON object.
    #[must_use]
    pub fn as_json(&self) -> &str {
        if self.json.is_empty() { "{}" } else { &self.json }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.json.is_empty()
    }

    /// Names and values as they stand in the text: a name without its quotes but with its escapes, a value as
    /// JSON text.
    #[must_use]
    pub fn entries(&self) -> Entries<'_> {
        Entries { rest: self.json.strip_prefix('{').unwrap_or_default() }
    }

    /// The value with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<AttributeValue> {
        self.entries().find(|(key, _)| *key == name).map(|(_, text)| AttributeValue::from_json(text))
    }

    /// The IO value with this id, if it is a whole number or text that is one.
    #[must_use]
    pub fn integer(&self, io_id: &IoId) -> Option<i128> {
        // Most records have no value of most ids, and searching is quicker than walking.
        let finder = io_id.finder();
        finder.find(self.json.as_bytes())?;
        let name = finder.needle().strip_prefix(b"\"")?.strip_suffix(b"\":")?;
        match self.get(std::str::from_utf8(name).ok()?)? {
            AttributeValue::Int(number) => Some(number),
            AttributeValue::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// Which IO value, to be looked for in many attributes.
///
/// Finding something in a text as short as attributes are takes less time than getting ready for it, so that is
/// done once: an id is best a `static`.
#[derive(Debug)]
pub struct IoId {
    number: u16,
    finder: OnceLock<Finder<'static>>,
}

impl IoId {
    /// The IO value with this number.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self { number, finder: OnceLock::new() }
    }

    /// Finds it as the name of an entry.
    fn finder(&self) -> &Finder<'static> {
        self.finder.get_or_init(|| Finder::new(&format!("\"{}\":", self.number)).into_owned())
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_json())
    }
}

impl AttributeValue {
    /// Reads one value of canonical JSON text.
    fn from_json(text: &str) -> Self {
        match text.as_bytes().first() {
            Some(b'"') => Self::Text(unescape(text.trim_matches('"')).into()),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'-' | b'0'..=b'9') => match (text.parse(), text.parse()) {
                (Ok(whole), _) => Self::Int(whole),
                (Err(_), Ok(number)) => Self::Float(number),
                (Err(_), Err(_)) => Self::Json(text.into()),
            },
            _ => Self::Json(text.into()),
        }
    }
}

/// Iterator of [`Attributes::entries`].
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let after_quote = self.rest.strip_prefix('"')?;
        let key_end = string_end(after_quote)?;
        let after_colon = after_quote.get(key_end + 1..)?.strip_prefix(':')?;
        let value_end = value_end(after_colon)?;
        self.rest = after_colon.get(value_end + 1..)?;
        Some((&after_quote[..key_end], &after_colon[..value_end]))
    }
}

/// Where the string that `text` begins inside of ends: the index of its closing quote.
fn string_end(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', &text.as_bytes()[from..])?;
        if text.as_bytes()[at] == b'"' {
            return Some(at);
        }
        from = at + 2;
        if from > text.len() {
            return None;
        }
    }
}

/// Where the value that `text` begins with ends: the index of the comma or brace behind it.
fn value_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_u32);
    loop {
        match bytes.get(at)? {
            b'"' => at += 1 + string_end(text.get(at + 1..)?)?,
            b'{' | b'[' => depth += 1,
            b',' | b'}' if depth == 0 => return Some(at),
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
    }
}

/// Undoes the escapes of a JSON string.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units = Vec::new();
    let mut chars = text.chars();
    let flush = |units: &mut Vec<u16>, out: &mut String| {
        out.push_str(&String::from_utf16_lossy(&std::mem::take(units)));
    };
    while let Some(char) = chars.next() {
        let escape = if char == '\\' { chars.next() } else { None };
        if escape == Some('u') {
            let digits: String = chars.by_ref().take(4).collect();
            units.push(u16::from_str_radix(&digits, 16).unwrap_or(0xFFFD));
            continue;
        }
        flush(&mut units, &mut out);
        out.push(match escape {
            None => char,
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some(other) => other,
        });
    }
    flush(&mut units, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attributes(json: &str) -> Attributes {
        Attributes::from_canonical_json(json)
    }

    #[test]
    fn none_is_an_empty_object() {
        assert_eq!(attributes("{}"), Attributes::default());
        assert_eq!(Attributes::default().as_json(), "{}");
        assert_eq!(Attributes::default().get("239"), None);
    }

    #[test]
    fn finds_each_kind_of_value() {
        let all = attributes(
            r#"{"239":1,"16":"18446744073709551615","a\"b":"x,}","f":-1.5e3,"t":true,"o":{"239":[7,"}"]},"s":"\u00e9\ud83d\ude00\n","n":null}"#,
        );
        assert_eq!(all.integer(&IoId::new(239)), Some(1));
        assert_eq!(all.integer(&IoId::new(16)), Some(18_446_744_073_709_551_615));
        assert_eq!(all.integer(&IoId::new(23)), None);
        assert_eq!(all.get(r#"a\"b"#), Some(AttributeValue::Text("x,}".into())));
        assert_eq!(all.get("f"), Some(AttributeValue::Float(-1500.0)));
        assert_eq!(all.get("t"), Some(AttributeValue::Bool(true)));
        assert_eq!(all.get("o"), Some(AttributeValue::Json(r#"{"239":[7,"}"]}"#.into())));
        assert_eq!(all.get("s"), Some(AttributeValue::Text("é😀\n".into())));
        assert_eq!(all.get("n"), Some(AttributeValue::Json("null".into())));
        assert_eq!(all.entries().count(), 8);
    }

    proptest! {
        #[test]
        fn any_text_does_no_harm(text in ".{0,64}", id in any::<u16>()) {
            let attributes = Attributes::from_canonical_json(text.clone());
            let found = attributes.integer(&IoId::new(id)).is_some();
            prop_assert!(attributes.entries().count() <= text.len());
            prop_assert!(!found || attributes.entries().count() > 0);
        }

        #[test]
        fn an_io_value_is_found_among_others(values in prop::collection::btree_map(any::<u16>(), any::<i64>(), 0..12)) {
            let text: Vec<_> = values.iter().map(|(id, value)| format!("\"{id}\":{value}")).collect();
            let attributes = Attributes::from_canonical_json(format!("{{{}}}", text.join(",")));
            for (id, value) in values {
                prop_assert_eq!(attributes.integer(&IoId::new(id)), Some(i128::from(value)));
            }
        }
    }
}
