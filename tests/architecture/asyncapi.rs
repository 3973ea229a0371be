//! `docs/asyncapi.json` says what is on the wire: every golden frame is a message as it is written down there.

use serde_json::Value;

use super::root;

/// Why a value is not as its schema says; `None` if it is. Only the words of JSON Schema that the document uses.
fn fault(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointed = document.pointer(reference.trim_start_matches('#'));
        return fault(document, pointed.expect("a reference leads somewhere"), value, at);
    }
    if !schema["const"].is_null() && schema["const"] != *value {
        return Some(format!("{at} is {value}, not {}", schema["const"]));
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        return Some(format!("{at} is {value}"));
    }
    let is_a = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(other) => panic!("{at} has the type {other}"),
        None => true,
    };
    if !is_a {
        return Some(format!("{at} is {value}"));
    }
    let items = value.as_array().into_iter().flatten().enumerate();
    let mut faults =
        items.filter_map(|(index, item)| fault(document, &schema["items"], item, &format!("{at}[{index}]")));
    if let Some(fault) = faults.next() {
        return Some(fault);
    }
    let members = value.as_object().into_iter().flatten();
    let mut faults = members.filter_map(|(name, member)| {
        let known = &schema["properties"][name];
        match (known.is_null(), schema["additionalProperties"] == Value::Bool(false)) {
            (true, true) => Some(format!("{at}.{name} is not written down")),
            (true, false) => None,
            (false, _) => fault(document, known, member, &format!("{at}.{name}")),
        }
    });
    faults.next().or_else(|| {
        let required = schema["required"].as_array()?;
        let missing = required.iter().find(|name| value[name.as_str().unwrap_or_default()].is_null())?;
        Some(format!("{at} has no {missing}"))
    })
}

fn document() -> Value {
    let text =
        std::fs::read_to_string(root().join("docs/asyncapi.json")).expect("docs/asyncapi.json is there");
    serde_json::from_str(&text).expect("it is JSON")
}

#[test]
fn golden_frames_are_as_the_document_says() {
    let document = document();
    let folder = root().join("adapters/web/tests/golden");
    let mut seen = std::collections::BTreeSet::new();
    for file in std::fs::read_dir(&folder).expect("there are golden frames") {
        let path = file.expect("a file").path();
        if path.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        let kind = frame["type"].as_str().expect("a type").to_owned();
        let schema = &document["components"]["schemas"][&kind];
        assert!(schema.is_object(), "{} is of an unknown type", path.display());
        assert_eq!(fault(&document, schema, &frame, &kind), None, "{}", path.display());
        seen.insert(kind);
    }
    let told = document["operations"]["tell"]["messages"].as_array().expect("messages");
    assert_eq!(seen.len(), told.len(), "every message of the server has a golden frame: {seen:?}");
}

#[test]
fn a_frame_that_is_not_as_the_document_says_is_found() {
    let document = document();
    let schema = &document["components"]["schemas"]["positions"];
    let found = |frame: &str| fault(&document, schema, &serde_json::from_str(frame).expect("JSON"), "frame");
    assert_eq!(found(r#"{"type":"positions","topic":"event:1","seq":1,"positions":[]}"#), None);
    assert!(found(r#"{"type":"positions","topic":"event:1","positions":[]}"#).is_some());
    assert!(found(r#"{"type":"positions","topic":"event:1","seq":-1,"positions":[]}"#).is_some());
    assert!(found(r#"{"type":"positions","topic":"event:1","seq":1,"positions":[{}]}"#).is_some());
    assert!(found(r#"{"type":"positions","topic":"event:1","seq":1,"positions":[],"more":1}"#).is_some());
}
