//! The attributes of a record in their canonical form.

use processor_domain::Attributes;

use crate::scan::{Cursor, Entries, Entry, Span};
use crate::tree::Tree;
use crate::{plain, text};

/// Deepest nesting that is kept as JSON. PostgreSQL and most readers of JSON take the depth of a value from
/// their stack; a value that is deeper is kept as text.
const MAX_DEPTH: usize = 32;

/// The name under which attributes are kept that are not an object.
const WHOLE: &str = "attributes";

/// Attributes as they came, in canonical form.
///
/// Those of most records are canonical already; that is found in one pass, and they are copied. Those that only are in
/// another order are put in order, and of the others each entry is written anew. How an entry is written depends on
/// nothing but the entry.
pub(crate) fn canonical(json: &str) -> Attributes {
    if !json.starts_with('{') {
        return whole(json);
    }
    let Some(mut entries) = plain::entries(json) else { return anew(json) };
    if entries.is_sorted_by(|one, next| rank(one.name) < rank(next.name)) {
        return Attributes::from_canonical_json(json);
    }
    let mut out = String::with_capacity(json.len());
    out.push('{');
    for entry in in_order(&mut entries, |entry| entry.name) {
        out.push_str(entry.text);
        out.push(',');
    }
    out.pop();
    out.push('}');
    Attributes::from_canonical_json(out)
}

fn anew(json: &str) -> Attributes {
    let mut entries: Vec<_> = Entries::of(json)
        .filter(|entry| entry.value.text != "null")
        .map(|Entry { name, value }| (text::unescape(text::content(name).unwrap_or(name)), value))
        .collect();
    let mut out = String::with_capacity(json.len());
    out.push('{');
    for (name, value) in in_order(&mut entries, |(name, _)| name) {
        push_entry(&mut out, name, value);
    }
    out.push('}');
    Attributes::from_canonical_json(out)
}

fn whole(json: &str) -> Attributes {
    let mut out = String::from("{");
    if let Some(value) = Cursor::new(json).value().filter(|value| value.text != "null") {
        push_entry(&mut out, WHOLE, &value);
    }
    out.push('}');
    Attributes::from_canonical_json(out)
}

/// The entries in the order of their names; of several with one name the last.
fn in_order<E>(entries: &mut [E], name: impl Fn(&E) -> &str) -> impl Iterator<Item = &E> {
    entries.sort_by(|one, other| rank(name(one)).cmp(&rank(name(other))));
    entries.chunk_by(move |one, next| name(one) == name(next)).filter_map(<[E]>::last)
}

/// What names are ordered by, in `jsonb` as here.
const fn rank(name: &str) -> (usize, &str) {
    (name.len(), name)
}

/// Writes one entry into the object that `out` is the beginning of.
fn push_entry(out: &mut String, name: &str, value: &Span<'_>) {
    if !out.ends_with('{') {
        out.push(',');
    }
    text::push_quoted(out, name);
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
