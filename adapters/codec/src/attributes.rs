//! The attributes of a record in their canonical form.

use processor_domain::Attributes;

use crate::scan::{Cursor, Entries, Entry, Span};
use crate::tree::Tree;
use crate::{plain, text};

/// Deepest nesting that is kept as JSON. PostgreSQL and most readers of JSON take the depth of a value from
/// their stack; a value that is deeper is kept as text.
const MAX_DEPTH: usize = 32;

/// The name, with its quotes, under which attributes are kept that are not an object.
const WHOLE: &str = "\"attributes\"";

/// Attributes as they came, in canonical form.
///
/// Those of most records are canonical already; that is found in one pass, and they are copied. From the first
/// entry that is not, each is written anew if it must be; how an entry is written depends on nothing but the
/// entry.
pub(crate) fn canonical(json: &str) -> Attributes {
    if !json.starts_with('{') {
        return whole(json);
    }
    let prefix = plain::prefix(json);
    if &json[prefix..] == "}" {
        return Attributes::from_canonical_json(json);
    }
    let mut out = String::with_capacity(json.len());
    out.push_str(&json[..prefix]);
    let read = if prefix == "{".len() { 0 } else { prefix };
    for Entry { name, value } in Entries::after(json, read) {
        push_entry(&mut out, name, &value);
    }
    out.push('}');
    Attributes::from_canonical_json(out)
}

fn whole(json: &str) -> Attributes {
    let mut out = String::from("{");
    if let Some(value) = Cursor::new(json).value() {
        push_entry(&mut out, WHOLE, &value);
    }
    out.push('}');
    Attributes::from_canonical_json(out)
}

/// Writes one entry into the object that `out` is the beginning of; nothing if its value is null.
fn push_entry(out: &mut String, name: &str, value: &Span<'_>) {
    if value.text == "null" {
        return;
    }
    if !out.ends_with('{') {
        out.push(',');
    }
    match text::content(name).filter(|_| !plain::is_name(name)) {
        Some(content) => text::push_quoted(out, &text::unescape(content)),
        None => out.push_str(name),
    }
    out.push(':');
    push_value(out, value);
}

fn push_value(out: &mut String, value: &Span<'_>) {
    if plain::is_value(value.text) {
        out.push_str(value.text);
    } else if value.depth > MAX_DEPTH {
        text::push_quoted(out, value.text);
    } else if let Some(tree) = Tree::of(value.text) {
        tree.write(out);
    } else {
        out.push_str("null");
    }
}
