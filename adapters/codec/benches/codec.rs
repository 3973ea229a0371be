//! What reading and writing a record costs, beside what its bytes cost to copy.
#![allow(missing_docs, reason = "criterion's macros write undocumented functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use processor_codec::{Limits, RecordCodec};
use processor_domain::{Attributes, samples};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A usual record of a moving car.
const PLAIN: &str = concat!(
    r#"{"device_id":"356307042441013","timestamp":"2026-05-01T10:00:00.000Z","latitude":54.7146368,"#,
    r#""longitude":25.3032245,"altitude":111,"angle":214,"speed":45,"satellites":13,"priority":0,"#,
    r#""attributes":{"239":1,"240":1,"21":4,"66":12345,"67":4012,"16":123456789,"182":8,"69":1}}"#
);

/// The same with its attributes in the order of canonical ones.
const IN_ORDER: &str = concat!(
    r#"{"device_id":"356307042441013","timestamp":"2026-05-01T10:00:00.000Z","latitude":54.7146368,"#,
    r#""longitude":25.3032245,"altitude":111,"angle":214,"speed":45,"satellites":13,"priority":0,"#,
    r#""attributes":{"16":123456789,"21":4,"66":12345,"67":4012,"69":1,"182":8,"239":1,"240":1}}"#
);

/// The same with an IO value of 8 bytes.
const BIG_INTEGER: &str = concat!(
    r#"{"device_id":"356307042441013","timestamp":"2026-05-01T10:00:00.000Z","latitude":54.7146368,"#,
    r#""longitude":25.3032245,"altitude":111,"angle":214,"speed":45,"satellites":13,"priority":0,"#,
    r#""attributes":{"239":1,"240":1,"66":12345,"16":{"__bigint":"18446744073709551"},"69":1}}"#
);

/// The least that reading a record with `serde_json` can be: every number typed, nothing checked, nothing kept.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only made")]
struct Unchecked<'a> {
    device_id: &'a str,
    timestamp: &'a str,
    latitude: f64,
    longitude: f64,
    altitude: f32,
    angle: f32,
    speed: f32,
    satellites: u8,
    priority: u8,
    #[serde(borrow)]
    attributes: &'a RawValue,
}

fn decode(criterion: &mut Criterion) {
    let codec = RecordCodec::new(Limits::default());
    let now = samples::at("2026-05-01T10:00:01Z");
    let mut group = criterion.benchmark_group("decode");
    for (name, payload) in [("plain", PLAIN), ("in_order", IN_ORDER), ("big_integer", BIG_INTEGER)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| codec.decode(black_box(payload.as_bytes()), now, now));
        });
    }
    group.bench_function("plain_unchecked", |bencher| {
        bencher.iter(|| serde_json::from_slice::<Unchecked<'_>>(black_box(PLAIN.as_bytes())).is_ok());
    });
    group.bench_function("copy_of_plain", |bencher| {
        bencher.iter(|| Box::<[u8]>::from(black_box(PLAIN.as_bytes())));
    });
    group.finish();
}

fn encode(criterion: &mut Criterion) {
    let attributes = r#"{"239":1,"240":1,"21":4,"66":12345,"67":4012,"16":123456789,"182":8,"69":1}"#;
    let mut position = samples::position().build();
    position.attributes = Attributes::from_canonical_json(attributes);
    criterion.bench_function("encode", |bencher| bencher.iter(|| RecordCodec::encode(black_box(&position))));
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);
