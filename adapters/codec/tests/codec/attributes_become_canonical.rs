use processor_codec::RecordCodec;
use processor_domain::{AttributeValue, Attributes, IoId};
use proptest::prelude::*;

use crate::{canonical, canonical_of, json_text, position, record_with};

#[test]
fn canonical_text_stays_as_it_is() {
    for json in [
        "{}",
        r#"{"21":-5,"66":12345,"80":0,"239":1}"#,
        r#"{"on":true,"é":"\n\t\"\\ 😀","off":false,"vin":"WVWZZZ1KZ","hdop":0.8}"#,
        r#"{"8":-9007199254740991,"9":9007199254740991,"16":"18446744073709551615"}"#,
        r#"{"x":1e+21,"y":1.5e-7,"z":9007199254740992.0}"#,
        r#"{"list":[1,null,"a",{"b":[]}],"text":"12345","empty":{}}"#,
    ] {
        assert_eq!(canonical_of(json), json);
    }
}

#[test]
fn no_attributes_are_an_empty_object() {
    for json in ["", "null", "{}", "{ }", r#"{"1":null}"#, r#"{ "1" : null , "2":null }"#] {
        assert_eq!(
            position(record_with(&[("attributes", json)])).attributes,
            Attributes::default(),
            "{json}"
        );
    }
}

#[test]
fn entries_are_in_the_order_in_which_jsonb_keeps_them() {
    for (json, expected) in [
        (r#"{"239":1,"66":2,"14":3,"16":4,"9":5}"#, r#"{"9":5,"14":3,"16":4,"66":2,"239":1}"#),
        (r#"{"b":1,"é":"é","aa":2,"B":3}"#, r#"{"B":3,"b":1,"aa":2,"é":"é"}"#),
        (r#"{"b":1, "a\"":2, "a":[ 3 ]}"#, r#"{"a":[3],"b":1,"a\"":2}"#),
        (r#"{"66":1,"\u0036":2}"#, r#"{"6":2,"66":1}"#),
    ] {
        assert_eq!(canonical_of(json), expected, "{json}");
    }
}

#[test]
fn of_several_with_one_name_the_last_is_kept() {
    for (json, expected) in [
        (r#"{"1":1,"1":2}"#, r#"{"1":2}"#),
        (r#"{"1":1,"0":[ ],"\u0031":2,"1":null}"#, r#"{"0":[],"1":2}"#),
        (r#"{"a":1,"b":2,"a":3,"b":4,"a":5}"#, r#"{"a":5,"b":4}"#),
    ] {
        assert_eq!(canonical_of(json), expected, "{json}");
    }
}

/// Reads one attribute and gives it back as canonical JSON.
fn value_of(json: &str) -> String {
    let text = canonical_of(&format!(r#"{{"first":1,"value":{json},"worse":2}}"#));
    let value =
        text.strip_prefix(r#"{"first":1,"value":"#).and_then(|rest| rest.strip_suffix(r#","worse":2}"#));
    value.unwrap_or_else(|| panic!("{json} gave {text}")).to_owned()
}

#[test]
fn big_integers_are_exact_in_every_shape() {
    for (json, expected) in [
        (r#"{"__bigint":"5"}"#, "5"),
        (r#"{"__bigint":"-5"}"#, "-5"),
        (r#"{"__bigint":"007"}"#, "7"),
        (r#"{"__bigint":"9007199254740991"}"#, "9007199254740991"),
        (r#"{"__bigint":"9007199254740992"}"#, r#""9007199254740992""#),
        (r#"{"__bigint":"-9007199254740991"}"#, "-9007199254740991"),
        (r#"{"__bigint":"-9007199254740992"}"#, r#""-9007199254740992""#),
        (r#"{ "__bigint" : "18446744073709551615" }"#, r#""18446744073709551615""#),
        (r#"{"__bigint":18446744073709551615}"#, r#""18446744073709551615""#),
        (r#"{"$bigint":"18446744073709551615"}"#, r#""18446744073709551615""#),
        (r#"{"$numberLong":"18446744073709551615"}"#, r#""18446744073709551615""#),
        (r#"{"__type":"BigInt","__value":"18446744073709551615"}"#, r#""18446744073709551615""#),
        (r#"{"__value":"12","__type":"BigInt"}"#, "12"),
        (r#""18446744073709551615n""#, r#""18446744073709551615""#),
        (r#""-12n""#, "-12"),
        (r#""99999999999999999999n""#, r#""99999999999999999999""#),
        ("9007199254740991", "9007199254740991"),
        ("9007199254740993", r#""9007199254740993""#),
        ("-9007199254740993", r#""-9007199254740993""#),
        ("18446744073709551616", r#""18446744073709551616""#),
        (
            r#"{"__bigint":"170141183460469231731687303715884105728"}"#,
            r#""170141183460469231731687303715884105728""#,
        ),
        ("170141183460469231731687303715884105728", r#""170141183460469231731687303715884105728""#),
        (r#"{"__bigint":"twelve"}"#, r#""twelve""#),
    ] {
        assert_eq!(value_of(json), expected, "{json}");
    }
}

#[test]
fn binary_values_are_base64_in_every_shape() {
    for (json, expected) in [
        (r#"{"__buffer_b64":"aGk="}"#, r#""aGk=""#),
        (r#"{"__buffer_b64":"aGk"}"#, r#""aGk=""#),
        (r#"{"__buffer_b64":"-_-_"}"#, r#""+/+/""#),
        (r#"{"__buffer_b64":"+\/+\/"}"#, r#""+/+/""#),
        (r#"{"__buffer_b64":""}"#, r#""""#),
        (r#"{"$binary":"aGk="}"#, r#""aGk=""#),
        (r#"{"$binary":{"base64":"aGk=","subType":"00"}}"#, r#""aGk=""#),
        (r#"{"$binary":"aGk=","$type":"00"}"#, r#""aGk=""#),
        (r#"{"type":"Buffer","data":[1,255]}"#, r#""Af8=""#),
        (r#"{"data":[104, 105],"type":"Buffer"}"#, r#""aGk=""#),
        (r#"{"type":"Buffer","data":[]}"#, r#""""#),
        (r#"{"0":104,"1":105}"#, r#""aGk=""#),
        (r#"{"0":104}"#, r#""aA==""#),
        (r#"{"$binary":"86438819239573119373n"}"#, r#""86438819239573119373""#),
        (
            r#"{"0":1,"1":2,"2":3,"3":4,"4":5,"5":6,"6":7,"7":8,"8":9,"9":10,"10":11}"#,
            r#""AQIDBAUGBwgJCgs=""#,
        ),
    ] {
        assert_eq!(value_of(json), expected, "{json}");
    }
}

#[test]
fn what_only_looks_like_a_shape_stays_json() {
    for json in [
        r#"{"__bigint":true}"#,
        r#"{"__bigint":"1","more":2}"#,
        r#"{"__buffer_b64":"not base64!"}"#,
        r#"{"__buffer_b64":5}"#,
        r#"{"type":"Buffer","data":[1,256]}"#,
        r#"{"type":"Buffer","data":[-1]}"#,
        r#"{"type":"Buffer","data":"aGk="}"#,
        r#"{"type":"Point","data":[1]}"#,
        r#"{"0":1,"2":3}"#,
        r#"{"1":1,"0":3}"#,
        r#"{"00":1}"#,
        r#"{"0":256}"#,
        r#""n""#,
        r#""-n""#,
        r#""1.5n""#,
        r#""123456789012345678901n""#,
        r#""5 min""#,
        "[1,2,3]",
    ] {
        assert_eq!(value_of(json), json);
    }
}

#[test]
fn what_a_database_does_not_take_is_replaced_or_kept_as_text() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let (deepest, too_deep) = (nested(32), nested(33));
    let quoted = format!("\"{too_deep}\"");
    for (json, expected) in [
        (r#""a\u0000b""#, "\"a\u{fffd}b\""),
        (r#""\ud83d""#, "\"\u{fffd}\""),
        (r#""\ud83d\ude00\u00e9\/""#, "\"😀é/\""),
        (r#""\u001F""#, r#""\u001f""#),
        (r#"{"\u0000":["\u0000"]}"#, "{\"\u{fffd}\":[\"\u{fffd}\"]}"),
        ("1e999", r#""1e999""#),
        ("-1e-999", r#""-1e-999""#),
        ("1e999999999999999999999", r#""1e999999999999999999999""#),
        ("[1e999]", r#"["1e999"]"#),
        ("1.50", "1.5"),
        ("1.0", "1"),
        ("1e3", "1000"),
        ("-0", "0"),
        ("0.1000000000000000055511151231257827", "0.1"),
        (deepest.as_str(), deepest.as_str()),
        (too_deep.as_str(), quoted.as_str()),
        (r#"[ 1 , { "a" : null } ]"#, r#"[1,{"a":null}]"#),
        (r#"[{"__bigint":"5"},"5n",{"type":"Buffer","data":[1]},{"0":1}]"#, r#"[5,5,"AQ==","AQ=="]"#),
    ] {
        assert_eq!(value_of(json), expected, "{json}");
    }
}

#[test]
fn names_are_written_in_one_way() {
    assert_eq!(canonical_of(r#"{"\u0032\u0033\u0039":1,"a\u0000\/":2}"#), "{\"239\":1,\"a\u{fffd}/\":2}");
    assert_eq!(canonical_of(r#"{"1":null,"2":2,"3":null}"#), r#"{"2":2}"#);
}

#[test]
fn attributes_that_are_not_an_object_are_kept_under_one_name() {
    for (json, expected) in [
        ("[1, 2]", r#"{"attributes":[1,2]}"#),
        ("5", r#"{"attributes":5}"#),
        (r#""5n""#, r#"{"attributes":5}"#),
        ("true", r#"{"attributes":true}"#),
    ] {
        assert_eq!(canonical_of(json), expected, "{json}");
    }
}

#[test]
fn values_are_found_in_the_canonical_text() {
    let read = position(record_with(&[(
        "attributes",
        r#"{"16":{"__bigint":"18446744073709551615"},"239":1.0,"b":{"type":"Buffer","data":[1,255]},"o":{"a":[1 ]}}"#,
    )]));
    assert_eq!(read.attributes.integer(&IoId::new(16)), Some(18_446_744_073_709_551_615));
    assert_eq!(read.attributes.integer(&IoId::new(239)), Some(1));
    assert_eq!(read.attributes.get("b"), Some(AttributeValue::Text("Af8=".into())));
    assert_eq!(read.attributes.get("o"), Some(AttributeValue::Json(r#"{"a":[1]}"#.into())));
}

proptest! {
    #[test]
    fn whatever_they_are(json in json_text::object()) {
        let once = canonical_of(&json);
        prop_assert_eq!(canonical::check(&once), Ok(()), "{} became {}", json, once);
    }

    #[test]
    fn and_stay_so(json in json_text::object()) {
        let once = position(record_with(&[("attributes", &json)]));
        prop_assert_eq!(position(RecordCodec::encode(&once)).attributes, once.attributes, "{}", json);
    }

    #[test]
    fn though_they_are_not_an_object(json in json_text::value()) {
        let once = canonical_of(&json);
        prop_assert_eq!(canonical::check(&once), Ok(()), "{} became {}", json, once);
    }

    #[test]
    fn each_for_itself(first in json_text::value(), second in json_text::value()) {
        let alone = |value: &str| canonical_of(&format!(r#"{{"v":{value}}}"#));
        let (a, b) = (alone(&first), alone(&second));
        let together = canonical_of(&format!(r#"{{"v":{first},"w":{second}}}"#));
        let joined = [&a, &b.replacen('v', "w", 1)].map(|text| text[1..text.len() - 1].to_owned());
        let expected: Vec<_> = joined.into_iter().filter(|entry| !entry.is_empty()).collect();
        prop_assert_eq!(together, format!("{{{}}}", expected.join(",")));
    }

    #[test]
    fn whole_numbers_are_exact(number in any::<i128>(), wrapped in any::<bool>()) {
        let json = if wrapped { format!(r#"{{"__bigint":"{number}"}}"#) } else { number.to_string() };
        let read = position(record_with(&[("attributes", &format!(r#"{{"16":{json}}}"#))]));
        prop_assert_eq!(read.attributes.integer(&IoId::new(16)), Some(number));
    }
}
