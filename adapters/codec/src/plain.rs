//! What may stay as it is: the entries of an object, if all are canonical as they stand, found in one pass.
//!
//! What is written in an unusual way counts as not plain, though it may be canonical: then it is taken apart and
//! written anew, to the same text.

use smallvec::SmallVec;

use crate::number::SAFE_DIGITS;

/// An entry that may stay as it is.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry<'a> {
    /// The name, without its quotes; nothing in it is escaped.
    pub(crate) name: &'a str,
    /// The entry as it stands: name and value.
    pub(crate) text: &'a str,
}

/// As many entries as trackers send mostly; more than that take memory of their own.
pub(crate) type Entries<'a> = SmallVec<[Entry<'a>; 24]>;

/// The entries of the text of a well-formed JSON object, if all are plain, with no white space between them.
pub(crate) fn entries(object: &str) -> Option<Entries<'_>> {
    let json = object.as_bytes();
    let mut entries = Entries::new();
    let mut start = "{".len();
    if json.get(start) == Some(&b'}') {
        return Some(entries);
    }
    loop {
        let colon = name(json, start).filter(|&colon| json.get(colon) == Some(&b':'))?;
        let end = value(json, colon + 1)?;
        entries.push(Entry { name: object.get(start + 1..colon - 1)?, text: object.get(start..end)? });
        match json.get(end)? {
            b',' => start = end + 1,
            b'}' => return Some(entries),
            _ => return None,
        }
    }
}

/// Where the string that begins here ends, if no character of it is escaped.
fn name(json: &[u8], at: usize) -> Option<usize> {
    let content = (json.get(at) == Some(&b'"')).then(|| json.get(at + 1..)).flatten()?;
    let length = content.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    (content[length] == b'"').then_some(at + length + 2)
}

/// Whether the text of a value is plain.
pub(crate) fn is_value(json: &str) -> bool {
    value(json.as_bytes(), 0) == Some(json.len())
}

/// Where the plain value that begins here ends.
fn value(json: &[u8], at: usize) -> Option<usize> {
    match json.get(at)? {
        b'-' | b'0'..=b'9' => number(json, at),
        b'"' => string(json, at).filter(|&end| !looks_like_integer(&json[at..end])),
        b't' => Some(at + "true".len()),
        b'f' => Some(at + "false".len()),
        _ => None,
    }
}

/// Where the string that begins here ends, if no character is escaped that need not be.
fn string(json: &[u8], at: usize) -> Option<usize> {
    if json.get(at) != Some(&b'"') {
        return None;
    }
    let mut at = at + 1;
    loop {
        match json.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' if matches!(json.get(at + 1)?, b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => at += 2,
            b'\\' => return None,
            _ => at += 1,
        }
    }
}

/// Where the number that begins here ends, if it is short, has no exponent, and ends in a digit that counts.
fn number(json: &[u8], start: usize) -> Option<usize> {
    let mut at = start + usize::from(json[start] == b'-');
    let mut digits = 0;
    let mut fraction = false;
    loop {
        match json.get(at) {
            Some(b'0'..=b'9') => digits += 1,
            Some(b'.') => fraction = true,
            Some(b'e' | b'E') => return None,
            _ => break,
        }
        at += 1;
    }
    let trailing_zero = fraction && json[at - 1] == b'0';
    let minus_zero = &json[start..at] == b"-0";
    (digits <= SAFE_DIGITS && !trailing_zero && !minus_zero).then_some(at)
}

/// Whether this string, with its quotes, may be a big integer as some write it: `"123n"`.
fn looks_like_integer(quoted: &[u8]) -> bool {
    quoted.ends_with(b"n\"") && matches!(quoted.get(1), Some(b'-' | b'0'..=b'9'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_may_stay() {
        for (object, expected) in [
            ("{}", vec![]),
            (r#"{"1":1}"#, vec![("1", r#""1":1"#)]),
            (
                r#"{"b":"te,xt","1":true,"é":-0.25}"#,
                vec![("b", r#""b":"te,xt""#), ("1", r#""1":true"#), ("é", r#""é":-0.25"#)],
            ),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(name, text)| Entry { name, text }).collect();
            assert_eq!(entries(object).as_deref(), Some(expected.as_slice()), "{object}");
        }
        for object in [
            "{ }",
            r#"{"1":1, "2":2}"#,
            r#"{"1":1 ,"2":2}"#,
            r#"{"1":1,"2":null,"3":3}"#,
            r#"{"1":1,"2":{"__bigint":"5"}}"#,
            r#"{"1":1,"2" :2}"#,
            r#"{"1": 1}"#,
            r#"{"\"":1}"#,
            r#"{"\u0031":1}"#,
        ] {
            assert_eq!(entries(object), None, "{object}");
        }
    }

    #[test]
    fn values_that_may_stay() {
        for json in
            ["0", "-1", "999999999999999", "0.5", "-12.75", "true", "false", r#""""#, r#""n""#, r#""\n\"é""#]
        {
            assert!(is_value(json), "{json}");
        }
        for json in [
            "-0",
            "1.0",
            "1.50",
            "1e3",
            "1E3",
            "1234567890123456",
            "0.1234567890123456",
            "null",
            "[]",
            "{}",
            r#""5n""#,
            r#""-5n""#,
            r#""\u0041""#,
            r#""\/""#,
        ] {
            assert!(!is_value(json), "{json}");
        }
    }
}
