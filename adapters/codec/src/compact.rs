//! Records without white space, which is how programs write them: well-formed or not, and where the fields are, in
//! one pass.
//!
//! That is half of what reading such a record costs otherwise. What has white space, an escaped character, an
//! exponent or a fault is not understood here, and left to the JSON parser; what is understood here means the
//! same to both.

use crate::wire::WireRecord;

/// Deepest nesting that is understood.
const MAX_DEPTH: u32 = 8;

/// The bytes that the text of a string ends at or cannot have as they are.
const ENDS_TEXT: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = byte < 0x20 || byte == b'"' as usize || byte == b'\\' as usize;
        byte += 1;
    }
    table
};

/// The fields of a record, if all of the text is understood.
pub(crate) fn record(text: &str) -> Option<WireRecord<'_>> {
    let mut record = WireRecord::default();
    let end = object(text.as_bytes(), 0, MAX_DEPTH, |name, value| {
        if let Some(place) = record.place(&text[name.0..name.1]) {
            let value = &text[value.0..value.1];
            if value != "null" {
                *place = Some(value);
            }
        }
    });
    (end? == text.len()).then_some(record)
}

/// From where to where: a name without its quotes, a value.
type Span = (usize, usize);

/// Where the object that begins here ends.
fn object(json: &[u8], at: usize, depth: u32, mut entry: impl FnMut(Span, Span)) -> Option<usize> {
    sequence(json, at, [b'{', b'}'], |at| {
        let colon = string(json, at)?;
        let from = (json.get(colon) == Some(&b':')).then_some(colon + 1)?;
        let to = value(json, from, depth)?;
        entry((at + 1, colon - 1), (from, to));
        Some(to)
    })
}

/// Where a sequence between these brackets ends; `item` says where an item ends.
fn sequence(
    json: &[u8],
    at: usize,
    [open, close]: [u8; 2],
    mut item: impl FnMut(usize) -> Option<usize>,
) -> Option<usize> {
    let mut at = (json.get(at) == Some(&open)).then_some(at + 1)?;
    if json.get(at) == Some(&close) {
        return Some(at + 1);
    }
    loop {
        at = item(at)?;
        match *json.get(at)? {
            b',' => at += 1,
            byte if byte == close => return Some(at + 1),
            _ => return None,
        }
    }
}

/// Where the value that begins here ends.
fn value(json: &[u8], at: usize, depth: u32) -> Option<usize> {
    match json.get(at)? {
        b'"' => string(json, at),
        b'-' | b'0'..=b'9' => number(json, at),
        b'{' => object(json, at, depth.checked_sub(1)?, |_, _| {}),
        b'[' => {
            let depth = depth.checked_sub(1)?;
            sequence(json, at, [b'[', b']'], |at| value(json, at, depth))
        }
        b't' => word(json, at, b"true"),
        b'f' => word(json, at, b"false"),
        b'n' => word(json, at, b"null"),
        _ => None,
    }
}

/// Where the string that begins here ends.
fn string(json: &[u8], at: usize) -> Option<usize> {
    let content = (json.get(at) == Some(&b'"')).then(|| json.get(at + 1..)).flatten()?;
    let length = content.iter().position(|byte| ENDS_TEXT[usize::from(*byte)])?;
    (content[length] == b'"').then_some(at + length + 2)
}

/// Where the number that begins here ends.
fn number(json: &[u8], at: usize) -> Option<usize> {
    let first = at + usize::from(json[at] == b'-');
    let whole = digits(json, first);
    if whole == first || (json[first] == b'0' && whole > first + 1) {
        return None;
    }
    if json.get(whole) != Some(&b'.') {
        return Some(whole);
    }
    let fraction = digits(json, whole + 1);
    (fraction > whole + 1).then_some(fraction)
}

/// Where the digits that begin here end.
fn digits(json: &[u8], at: usize) -> usize {
    let rest = json.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}

fn word(json: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    json[at..].starts_with(word).then_some(at + word.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_programs_write_is_understood() {
        for text in [
            "{}",
            r#"{"device_id":"356307042441013","latitude":-54.7146368,"speed":0,"attributes":{}}"#,
            r#"{"imei":1,"course":10.25,"speed":null,"attributes":{"1":[1,{"2":true}],"3":false,"4":"é"}}"#,
            r#"{"latitude":1,"latitude":2,"latitude":null,"other":[[],{}]}"#,
        ] {
            assert_eq!(record(text), Some(serde_json::from_str(text).unwrap()), "{text}");
        }
        let fields =
            record(r#"{"latitude":1,"latitude":2.5,"latitude":null,"attributes":{"1":[0]}}"#).unwrap();
        assert_eq!((fields.latitude, fields.attributes), (Some("2.5"), Some(r#"{"1":[0]}"#)));
    }

    #[test]
    fn the_rest_is_left_to_the_parser() {
        for text in [
            "",
            "{",
            "[]",
            "null",
            "{} ",
            r#"{"a" :1}"#,
            r#"{"a":1e5}"#,
            r#"{"a":"\n"}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":01}"#,
            r#"{"a":-}"#,
            r#"{"a":1.}"#,
            r#"{"a":1.2.3}"#,
            r#"{"a":.5}"#,
            r#"{"a":tru}"#,
            r#"{"a":1,}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[1}"#,
            r#"{"a":{"b"}}"#,
            r#"{"a":1}}"#,
            r#"{"a":[[[[[[[[[1]]]]]]]]]}"#,
        ] {
            assert_eq!(record(text), None, "{text}");
        }
    }

    /// Text that is nearly a record.
    fn nearly() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            " ",
            "0",
            "12",
            "-",
            ".",
            "e",
            "null",
            "true",
            "false",
            "é",
            "\"latitude\"",
            "\"imei\"",
            "\"course\":",
            "\"a\":1",
            "\u{1}",
        ]);
        prop::collection::vec(piece, 0..24).prop_map(|pieces| format!("{{{}", pieces.concat()))
    }

    proptest! {
        #[test]
        fn what_is_understood_means_the_same_to_the_parser(text in nearly()) {
            if let Some(understood) = record(&text) {
                prop_assert_eq!(Some(understood), serde_json::from_str(&text).ok());
            }
        }
    }
}
