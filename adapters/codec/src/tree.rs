//! A JSON value taken apart, and with it what it stands for.

use std::borrow::Cow;

use crate::scan::Cursor;
use crate::{number, shape, text};

/// A JSON value as it is written in canonical attributes, mostly borrowed from the text it was read from.
///
/// Not the tree of `serde_json`: that one has no whole numbers beyond 64 bits, refuses strings with half a
/// surrogate pair, and orders or hashes the fields of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree<'a> {
    Null,
    Bool(bool),
    /// Within ±(2^53-1).
    Integer(i64),
    /// Finite, and not a whole number that could be an [`Self::Integer`].
    Float(f64),
    /// Without NUL and lone surrogates. Whole numbers beyond 2^53-1 and numbers that double precision cannot hold
    /// are text, too. Text that is a big integer (`5n`) is written as that; until then it may turn out to be
    /// something else.
    Text(Cow<'a, str>),
    /// Bytes, in base64.
    Bytes(Box<str>),
    List(Vec<Tree<'a>>),
    /// None of the shapes of [`shape`].
    Object(Vec<Field<'a>>),
}

/// A name and a value.
pub(crate) type Field<'a> = (Cow<'a, str>, Tree<'a>);

impl<'a> Tree<'a> {
    /// Of the text of one well-formed JSON value. The stack that it takes grows with the depth of the value.
    ///
    /// Values are understood from the inside to the outside, so that what was written is understood in the same
    /// way when it is read again.
    pub(crate) fn of(json: &'a str) -> Option<Self> {
        Self::next(&mut Cursor::new(json))
    }

    /// A whole number, as text if readers with only double precision would take it for another one.
    pub(crate) fn integer(number: i128) -> Self {
        let safe = number.unsigned_abs() <= number::MAX_SAFE_INTEGER.unsigned_abs();
        match i64::try_from(number).ok().filter(|_| safe) {
            Some(number) => Self::Integer(number),
            None => Self::Text(itoa::Buffer::new().format(number).to_owned().into()),
        }
    }

    /// The text, if it is written as such.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(base64) => Some(base64),
            _ => None,
        }
    }

    /// Writes the value as canonical JSON.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Integer(number) => out.push_str(itoa::Buffer::new().format(*number)),
            Self::Float(number) => out.push_str(&serde_json::Value::from(*number).to_string()),
            Self::Text(text) => match shape::suffixed_integer(text) {
                Some(number) => Self::integer(number).write(out),
                None => text::push_quoted(out, text),
            },
            Self::Bytes(base64) => text::push_quoted(out, base64),
            Self::List(items) => {
                let mut before = '[';
                for item in items {
                    out.push(before);
                    item.write(out);
                    before = ',';
                }
                out.push_str(if items.is_empty() { "[]" } else { "]" });
            }
            Self::Object(fields) => {
                let mut before = '{';
                for (name, value) in fields {
                    out.push(before);
                    text::push_quoted(out, name);
                    out.push(':');
                    value.write(out);
                    before = ',';
                }
                out.push_str(if fields.is_empty() { "{}" } else { "}" });
            }
        }
    }

    fn next(cursor: &mut Cursor<'a>) -> Option<Self> {
        cursor.skip_space();
        match cursor.peek()? {
            b'{' => {
                Self::fields(cursor).map(|fields| shape::of_object(&fields).unwrap_or(Self::Object(fields)))
            }
            b'[' => Self::items(cursor).map(Self::List),
            _ => cursor.value().map(|span| Self::scalar(span.text)),
        }
    }

    fn scalar(json: &'a str) -> Self {
        match json.as_bytes().first() {
            Some(b'"') => Self::Text(text::unescape(text::content(json).unwrap_or_default())),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'n') => Self::Null,
            _ => Self::number(json),
        }
    }

    fn number(digits: &'a str) -> Self {
        let float = || number::float(digits).filter(|_| digits.contains(['.', 'e', 'E'])).map(Self::Float);
        number::whole(digits).map(Self::integer).or_else(float).unwrap_or(Self::Text(digits.into()))
    }

    fn items(cursor: &mut Cursor<'a>) -> Option<Vec<Self>> {
        let mut items = Vec::new();
        cursor.eat(b'[')?;
        cursor.skip_space();
        while cursor.eat(b']').is_none() {
            items.push(Self::next(cursor)?);
            cursor.skip_space();
            cursor.eat(b',');
            cursor.skip_space();
        }
        Some(items)
    }

    fn fields(cursor: &mut Cursor<'a>) -> Option<Vec<Field<'a>>> {
        let mut fields = Vec::new();
        cursor.eat(b'{')?;
        cursor.skip_space();
        while cursor.eat(b'}').is_none() {
            let name = text::unescape(text::content(cursor.string()?)?);
            cursor.skip_space();
            cursor.eat(b':')?;
            fields.push((name, Self::next(cursor)?));
            cursor.skip_space();
            cursor.eat(b',');
            cursor.skip_space();
        }
        Some(fields)
    }
}
