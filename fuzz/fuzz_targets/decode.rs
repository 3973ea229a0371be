//! Whatever arrives, the codec does not panic, and what it takes for a position it would take for the same one
//! again, with attributes that a strict reader takes too. White space between its words changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use processor_codec::{Limits, RecordCodec};
use processor_domain::{Record, Timestamp};

/// 2026-05-01T10:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_777_629_600_000);

fuzz_target!(|payload: &[u8]| {
    let codec = RecordCodec::new(Limits::default());
    let Record::Position(position) = codec.decode(payload, NOW, NOW) else { return };

    let json = position.attributes.as_json();
    let read: serde_json::Value = serde_json::from_str(json).expect("attributes are JSON");
    assert!(read.is_object(), "attributes are an object: {json}");
    assert!(!json.contains('\0'), "no character is NUL: {json}");
    let escaped_nul = json
        .match_indices("\\u0000")
        .any(|(at, _)| json[..at].bytes().rev().take_while(|byte| *byte == b'\\').count().is_multiple_of(2));
    assert!(!escaped_nul, "no escape is NUL: {json}");

    // A record without white space is read in one pass, any other by the parser.
    if let Some(fields) = payload.strip_prefix(b"{") {
        let spaced = codec.decode(&[b"{ ", fields].concat(), NOW, NOW);
        assert_eq!(spaced, Record::Position(position.clone()), "white space means nothing");
    }

    let again = codec.decode(&RecordCodec::encode(&position), NOW, NOW);
    assert_eq!(again, Record::Position(position), "a position comes back as it was");
});
