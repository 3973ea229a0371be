//! Any JSON text, with a liking for what goes wrong.

use proptest::prelude::*;

fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[ !#-\\[\\]-~]{1,6}",
        1 => "[0-9]{1,21}n?",
        1 => "-?[0-9]{1,21}n",
        1 => "\\\\u[0-9a-fA-F]{4}",
        1 => "\\\\u[dD][89abAB][0-9a-f]{2}\\\\u[dD][c-fC-F][0-9a-f]{2}",
        1 => "\\\\[\"\\\\/bfnrt]",
        1 => Just("\\u0000".to_owned()),
        1 => Just("\\ud83d".to_owned()),
        1 => "[é😀\u{7f}\u{85}\u{202e}\u{ffff}]",
    ];
    prop::collection::vec(piece, 0..3).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<u16>().prop_map(|id| format!("\"{id}\"")),
        1 => string(),
        1 => prop::sample::select(vec!["\"__bigint\"", "\"type\"", "\"data\"", "\"0\"", "\"$binary\"", "\"__proto__\""])
            .prop_map(str::to_owned),
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<i32>().prop_map(|number| number.to_string()),
        2 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<i128>().prop_map(|number| number.to_string()),
        2 => any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|number| format!("{number:e}")),
        1 => any::<f32>().prop_filter("finite", |n| n.is_finite()).prop_map(|number| number.to_string()),
        2 => "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,7})?",
        1 => prop::sample::select(vec!["9007199254740991", "9007199254740992", "-9007199254740992", "-0", "1e308"])
            .prop_map(str::to_owned),
    ]
}

fn bytes() -> impl Strategy<Value = String> {
    prop::collection::vec(0_u16..258, 0..6).prop_map(|bytes| {
        let items: Vec<_> = bytes.iter().map(u16::to_string).collect();
        items.join(",")
    })
}

/// Whatever a Node program makes of big integers and of binary values, and what only looks like it.
fn shape() -> impl Strategy<Value = String> {
    let typed_array = prop::collection::vec(0_u16..258, 0..6).prop_map(|bytes| {
        let fields: Vec<_> = bytes.iter().enumerate().map(|(at, byte)| format!("\"{at}\":{byte}")).collect();
        format!("{{{}}}", fields.join(","))
    });
    prop_oneof![
        "-?[0-9]{1,45}".prop_map(|digits| format!("{{\"__bigint\":\"{digits}\"}}")),
        string().prop_map(|text| format!("{{\"$bigint\":{text}}}")),
        number().prop_map(|number| format!("{{\"$numberLong\":{number}}}")),
        string().prop_map(|text| format!("{{\"__type\":\"BigInt\",\"__value\":{text}}}")),
        "[A-Za-z0-9+/_-]{0,12}={0,2}".prop_map(|text| format!("{{\"__buffer_b64\":\"{text}\"}}")),
        "[A-Za-z0-9+/]{0,12}"
            .prop_map(|text| format!("{{\"$binary\":{{\"base64\":\"{text}\",\"subType\":\"00\"}}}}")),
        bytes().prop_map(|items| format!("{{\"type\":\"Buffer\",\"data\":[{items}]}}")),
        typed_array,
        (0_usize..80).prop_map(|depth| format!("{}0{}", "[".repeat(depth), "]".repeat(depth))),
        (0_usize..80).prop_map(|depth| format!(
            "{}\"\\u0000\"{}",
            "{\"a\": ".repeat(depth),
            "}".repeat(depth)
        )),
    ]
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![8 => Just(String::new()), 1 => "[ \n\t\r]{1,2}"]
}

fn fields(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop::collection::vec((name(), space(), space(), value, space()), 0..6).prop_map(|fields| {
        let fields: Vec<_> =
            fields.iter().map(|(name, a, b, value, c)| format!("{a}{name}{b}:{c}{value}{a}")).collect();
        format!("{{{}}}", fields.join(","))
    })
}

pub(crate) fn value() -> impl Strategy<Value = String> {
    let literal =
        prop::sample::select(vec!["null", "true", "false", "{}", "[]", "{ }"]).prop_map(str::to_owned);
    let leaf = prop_oneof![1 => literal, 3 => number(), 3 => string(), 3 => shape()];
    leaf.prop_recursive(6, 32, 4, |inner| {
        let items = prop::collection::vec((space(), inner.clone(), space()), 0..4).prop_map(|items| {
            let items: Vec<_> = items.iter().map(|(a, item, b)| format!("{a}{item}{b}")).collect();
            format!("[{}]", items.join(","))
        });
        prop_oneof![items, fields(inner)]
    })
}

pub(crate) fn object() -> impl Strategy<Value = String> {
    fields(value())
}
