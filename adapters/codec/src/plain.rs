//! What may stay as it is: the entries of an object that are canonical as they stand, found in one pass.
//!
//! What is written in an unusual way counts as not plain, though it may be canonical: then it is taken apart and
//! written anew, to the same text.

use crate::number::SAFE_DIGITS;

/// How much of the text of a well-formed JSON object is canonical: up to the end of the last of its first entries
/// that are plain, with no white space between them. All but the last brace if all are.
pub(crate) fn prefix(object: &str) -> usize {
    let json = object.as_bytes();
    let mut prefix = "{".len();
    loop {
        let after_value = string(json, prefix + usize::from(prefix > 1))
            .filter(|&colon| json.get(colon) == Some(&b':'))
            .and_then(|colon| value(json, colon + 1));
        match after_value.map(|end| (end, json.get(end))) {
            Some((end, Some(b','))) => prefix = end,
            Some((end, Some(b'}'))) => return end,
            _ => return prefix,
        }
    }
}

/// Whether the text of a value is plain.
pub(crate) fn is_value(json: &str) -> bool {
    value(json.as_bytes(), 0) == Some(json.len())
}

/// Whether a string, with its quotes, is plain as the name of an entry.
pub(crate) fn is_name(json: &str) -> bool {
    string(json.as_bytes(), 0) == Some(json.len())
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
    fn the_first_entries_may_stay() {
        for (object, expected) in [
            ("{}", "{"),
            ("{ }", "{"),
            (r#"{"1":1}"#, r#"{"1":1"#),
            (r#"{"1":1,"b":"text","c":true,"d":-0.25}"#, r#"{"1":1,"b":"text","c":true,"d":-0.25"#),
            (r#"{"1":1, "2":2}"#, r#"{"1":1"#),
            (r#"{"1":1 ,"2":2}"#, "{"),
            (r#"{"1":1,"2":null,"3":3}"#, r#"{"1":1"#),
            (r#"{"1":1,"2":{"__bigint":"5"}}"#, r#"{"1":1"#),
            (r#"{"1":1,"2" :2}"#, r#"{"1":1"#),
            (r#"{"1": 1}"#, "{"),
        ] {
            assert_eq!(&object[..prefix(object)], expected, "{object}");
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
