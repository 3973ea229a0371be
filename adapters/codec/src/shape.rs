//! The shapes that Node programs give to values which JSON does not have: big integers and binary.
//!
//! | shape | who writes it |
//! |---|---|
//! | `{"__bigint":"5"}`, `{"$bigint":"5"}`, `{"__type":"BigInt","__value":"5"}`, `"5n"` | a replacer for `BigInt` |
//! | `{"$numberLong":"5"}`, `{"$binary":{"base64":"AQ=="}}`, `{"$binary":"AQ==","$type":"00"}` | Extended JSON |
//! | `{"__buffer_b64":"AQ=="}` | a replacer for `Buffer` |
//! | `{"type":"Buffer","data":[1]}` | `Buffer` itself, before any replacer sees it |
//! | `{"0":1,"1":255}` | `Uint8Array` |

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD};

use crate::number;
use crate::tree::{Field, Tree};

/// What an object stands for, if it is one of the shapes.
pub(crate) fn of_object<'a>(fields: &[Field<'a>]) -> Option<Tree<'a>> {
    match fields {
        [(name, value)] => of_single(name, value).or_else(|| typed_array(fields)),
        [first, second] => {
            of_pair(first, second).or_else(|| of_pair(second, first)).or_else(|| typed_array(fields))
        }
        _ => typed_array(fields),
    }
}

/// The big integer that is written as this text: `^-?\d{1,20}n$`, as long as 64 bits can be.
pub(crate) fn suffixed_integer(text: &str) -> Option<i128> {
    let number = text.strip_suffix('n')?;
    let digits = number.strip_prefix('-').unwrap_or(number);
    let fits = (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| number::integer(number)).flatten()
}

fn of_single<'a>(name: &str, value: &Tree<'a>) -> Option<Tree<'a>> {
    match name {
        "__bigint" | "$bigint" | "$numberLong" => big_integer(value),
        "__buffer_b64" => base64(value.as_text()?),
        "$binary" => binary(value),
        _ => None,
    }
}

fn of_pair<'a>((name, value): &Field<'a>, (other_name, other): &Field<'a>) -> Option<Tree<'a>> {
    match (&**name, &**other_name, other) {
        ("__type", "__value", other) if value.as_text() == Some("BigInt") => big_integer(other),
        ("type", "data", Tree::List(items)) if value.as_text() == Some("Buffer") => bytes(items.iter()),
        ("$binary", "$type", other) if other.as_text().is_some() => binary(value),
        _ => None,
    }
}

/// Text that is no whole number within 128 bits stays text.
fn big_integer<'a>(value: &Tree<'a>) -> Option<Tree<'a>> {
    match value {
        Tree::Text(_) | Tree::Bytes(_) => {
            let number = value.as_text().and_then(number::integer);
            Some(number.map_or_else(|| value.clone(), Tree::integer))
        }
        Tree::Integer(_) | Tree::Float(_) => Some(value.clone()),
        _ => None,
    }
}

fn binary<'a>(value: &Tree<'a>) -> Option<Tree<'a>> {
    match value {
        Tree::Object(fields) => {
            fields.iter().find(|(name, _)| name == "base64")?.1.as_text().and_then(base64)
        }
        value => base64(value.as_text()?),
    }
}

/// Takes either alphabet, with or without padding; gives the standard one with padding.
fn base64<'a>(text: &str) -> Option<Tree<'a>> {
    let bytes = base64_bytes(text).or_else(|| match Tree::integer(suffixed_integer(text)?) {
        // What would be written, and then be read here, in the place of this text.
        Tree::Text(digits) => base64_bytes(&digits),
        _ => None,
    })?;
    Some(Tree::Bytes(BASE64.encode(&bytes).into()))
}

fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let alphabet = if digits.contains(['-', '_']) { BASE64URL_NOPAD } else { BASE64_NOPAD };
    alphabet.decode(digits.as_bytes()).ok()
}

/// The fields 0, 1, 2 and so on, each with one byte.
fn typed_array<'a>(fields: &[Field<'a>]) -> Option<Tree<'a>> {
    let in_place = |(index, (name, _)): (usize, &Field<'a>)| itoa::Buffer::new().format(index) == name;
    if fields.is_empty() || !fields.iter().enumerate().all(in_place) {
        return None;
    }
    bytes(fields.iter().map(|(_, value)| value))
}

fn bytes<'a, 't>(items: impl Iterator<Item = &'t Tree<'a>>) -> Option<Tree<'a>>
where
    'a: 't,
{
    let byte = |item: &Tree<'_>| match item {
        Tree::Integer(number) => u8::try_from(*number).ok(),
        Tree::Text(text) => suffixed_integer(text).and_then(|number| u8::try_from(number).ok()),
        _ => None,
    };
    items.map(byte).collect::<Option<Vec<_>>>().map(|bytes| Tree::Bytes(BASE64.encode(&bytes).into()))
}
