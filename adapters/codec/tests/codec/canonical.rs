//! Whether the text of attributes is canonical, found out in another way than the codec makes it so.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// 2^53-1.
const MAX_SAFE: i128 = 9_007_199_254_740_991;

/// What is wrong with this text as the canonical text of attributes.
pub(crate) fn check(json: &str) -> Result<(), String> {
    let whole: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let Value::Object(fields) = &whole else { return Err("not an object".into()) };
    if fields.values().any(Value::is_null) {
        return Err("an attribute is null".into());
    }
    let Names(names) = serde_json::from_str(json).map_err(|error| error.to_string())?;
    if !names.is_sorted_by_key(|name| (name.len(), name.clone())) || names.len() != fields.len() {
        return Err(format!("names not in order, or some twice: {names:?}"));
    }
    check_outside_of_strings(json)?;
    check_wrappers(json)?;
    check_value(&whole, 0)
}

/// The names of an object, in the order of the text.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Names;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = entries.next_entry()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// White space and numbers: what is between strings.
fn check_outside_of_strings(json: &str) -> Result<(), String> {
    // Once no quote is escaped, the pieces between quotes are outside and inside of strings by turns.
    let unescaped = json.replace(r"\\", "..").replace("\\\"", "..");
    for piece in unescaped.split('"').step_by(2) {
        if piece.contains(char::is_whitespace) {
            return Err(format!("white space in {piece:?}"));
        }
        for token in piece.split(['{', '}', '[', ']', ',', ':']) {
            if token.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
                check_number(token)?;
            }
        }
    }
    Ok(())
}

/// Big integers that are still wrapped. An unescaped quote behind a brace begins a name.
fn check_wrappers(json: &str) -> Result<(), String> {
    // The attributes as a whole are no wrapper, whatever their names.
    let inside = &json[1..];
    for wrapper in ["{\"__bigint\":\"", "{\"$bigint\":\"", "{\"$numberLong\":\""] {
        for (at, _) in inside.match_indices(wrapper) {
            let content = &inside[at + wrapper.len()..];
            let (text, after) = content.split_once('"').unwrap_or_default();
            if after.starts_with('}') && !text.contains('\\') {
                return Err(format!("a wrapper was left: {wrapper}{text}"));
            }
        }
    }
    Ok(())
}

fn check_number(token: &str) -> Result<(), String> {
    let whole = !token.contains(['.', 'e', 'E']);
    let fits = if whole {
        token.parse::<i128>().is_ok_and(|number| number.abs() <= MAX_SAFE)
    } else {
        token.parse::<f64>().is_ok_and(f64::is_finite) && token.len() <= 32
    };
    if fits { Ok(()) } else { Err(format!("the number {token}")) }
}

fn check_value(value: &Value, depth: usize) -> Result<(), String> {
    if depth > 33 {
        return Err("too deep".into());
    }
    match value {
        Value::String(text) => check_text(text),
        Value::Array(items) => items.iter().try_for_each(|item| check_value(item, depth + 1)),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            check_name(name)?;
            check_value(value, depth + 1)
        }),
        _ => Ok(()),
    }
}

fn check_name(name: &str) -> Result<(), String> {
    if name.contains('\0') { Err("NUL in a name".into()) } else { Ok(()) }
}

fn check_text(text: &str) -> Result<(), String> {
    let digits = text.strip_suffix('n').map(|number| number.strip_prefix('-').unwrap_or(number));
    let big = digits.is_some_and(|digits| {
        // With three more digits it would be the base64 text of bytes.
        (1..=20).contains(&digits.len())
            && digits.len() % 4 != 3
            && digits.bytes().all(|b| b.is_ascii_digit())
    });
    if text.contains('\0') || big { Err(format!("the text {text:?}")) } else { Ok(()) }
}

#[test]
fn the_check_finds_what_is_not_canonical() {
    for json in ["{}", r#"{"1":1,"c":[null,1.5,{"d":"12"}],"e":1e21,"a\"":"b \" , 9007199254740992"}"#] {
        assert_eq!(check(json), Ok(()), "{json}");
    }
    for json in [
        "[]",
        r#"{"1":null}"#,
        r#"{"1":1,"1":2}"#,
        r#"{"10":1,"2":2}"#,
        r#"{"1": 1}"#,
        r#"{"1":9007199254740992}"#,
        r#"{"1":[-9007199254740992]}"#,
        r#"{"1":"\u0000"}"#,
        r#"{"\u0000":1}"#,
        r#"{"1":"\ud83d"}"#,
        r#"{"1":"12n"}"#,
        r#"{"1":{"__bigint":"1"}}"#,
        r#"{"1":1e999}"#,
    ] {
        assert!(check(json).is_err(), "{json}");
    }
}
