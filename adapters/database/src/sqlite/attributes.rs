//! Attributes without a database that knows JSON as PostgreSQL does.

use processor_domain::Attributes;
use sea_orm::prelude::Json;

/// What is wrong with attributes that PostgreSQL would refuse; SQLite takes them.
pub(super) fn fault(attributes: &Attributes) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let text = attributes.as_json();
    match text.parse::<Json>() {
        Err(error) => Some(format!("the attributes are no JSON: {error}")),
        // The escape may stand for the character or be escaped itself, so it is only a hint.
        Ok(json) if text.contains("\\u0000") && has_nul(&json) => {
            Some("the attributes have a NUL character".into())
        }
        Ok(_) => None,
    }
}

fn has_nul(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(has_nul),
        Json::Object(entries) => entries.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// `there` with what of `new` it has no name for; `None` if it has all names already.
pub(super) fn united(there: &str, new: &Attributes) -> Option<String> {
    let there = Attributes::from_canonical_json(there);
    let mut united = there.as_json().strip_suffix('}').unwrap_or("{").to_owned();
    let mut added = false;
    for (name, value) in new.entries() {
        if there.entries().any(|(known, _)| known == name) {
            continue;
        }
        if united.len() > 1 {
            united.push(',');
        }
        united.push('"');
        united.push_str(name);
        united.push_str("\":");
        united.push_str(value);
        added = true;
    }
    united.push('}');
    added.then_some(united)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(json: &str) -> Attributes {
        Attributes::from_canonical_json(json)
    }

    #[test]
    fn refuses_what_postgresql_refuses() {
        for good in ["{}", r#"{"1":1}"#, r#"{"a":"\\u0000"}"#, r#"{"a":"\ud83d\ude00"}"#] {
            assert_eq!(fault(&attributes(good)), None, "{good}");
        }
        for bad in [r#"{"a":"\u0000"}"#, r#"{"\u0000":1}"#, r#"{"a":["\u0000"]}"#, r#"{"a":\u0000"#] {
            assert!(fault(&attributes(bad)).is_some(), "{bad}");
        }
        assert!(fault(&attributes(r#"{"a":"\ud800"}"#)).is_some());
    }

    #[test]
    fn what_is_there_stays_and_what_is_new_is_added() {
        let unite = |there, new| united(there, &attributes(new));
        assert_eq!(unite("{}", r#"{"a":1}"#).as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(
            unite(r#"{"a":1}"#, r#"{"a":2,"b":{"c":"}"}}"#).as_deref(),
            Some(r#"{"a":1,"b":{"c":"}"}}"#)
        );
        assert_eq!(unite(r#"{"a":1}"#, r#"{"a":2}"#), None);
        assert_eq!(unite(r#"{"a":1}"#, "{}"), None);
        assert_eq!(unite(r#"{"o":{"x":{}}}"#, r#"{"b":1}"#).as_deref(), Some(r#"{"o":{"x":{}},"b":1}"#));
    }
}
