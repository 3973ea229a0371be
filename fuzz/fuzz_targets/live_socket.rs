//! Whatever a viewer sends, the socket does not panic, and all that it says is what is promised: whole frames of JSON
//! text, pings and pongs, and at the end perhaps a close with a code that has a meaning.
//!
//! The first byte of an input says whether the rest is sent as it is, or is lines of which each is sent as a message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use processor_web::fuzzing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Codes that the server closes with by itself.
const CODES: [u16; 9] = [1001, 1002, 1007, 1009, 4400, 4401, 4403, 4408, 4429];

fuzz_target!(|input: &[u8]| {
    let Some((how, rest)) = input.split_first() else { return };
    let raw = how % 2 == 0;
    let sent: Vec<u8> =
        if raw { rest.to_vec() } else { rest.split(|byte| *byte == b'\n').flat_map(message).collect() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    check(&runtime.expect("a runtime").block_on(answer(&sent)), raw);
});

/// A frame of text, under a mask that changes nothing.
fn message(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let mut frame = vec![0x81, 0xFE];
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(&text[..usize::from(length)]);
    frame
}

async fn answer(sent: &[u8]) -> Vec<u8> {
    let (mut ours, theirs) = tokio::io::duplex(1 << 20);
    let serving = tokio::spawn(fuzzing::serve(theirs));
    // The socket may have ended before it was all sent.
    ours.write_all(sent).await.ok();
    // Answers that take time are heard too.
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    ours.shutdown().await.ok();
    let mut answer = Vec::new();
    ours.read_to_end(&mut answer).await.ok();
    serving.await.expect("it does not panic");
    answer
}

/// Whoever sends raw bytes may close with a code of its own, which is answered with the same, or without any.
fn check(mut said: &[u8], may_close: bool) {
    while let Some((opcode, payload, rest)) = frame(said) {
        match opcode {
            1 => {
                let message: serde_json::Value = serde_json::from_slice(payload).expect("text is JSON");
                let kind = message["type"].as_str().expect("it has a type");
                assert!(["subscribed", "unsubscribed", "pong", "error"].contains(&kind), "{message}");
            }
            8 => {
                let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                let theirs = may_close && (1000..5000).contains(&code);
                assert!(CODES.contains(&code) || theirs, "closed with {code}");
                assert!(rest.is_empty(), "nothing follows a close");
            }
            9 | 10 => {}
            other => panic!("a frame of kind {other}"),
        }
        said = rest;
    }
    assert!(said.is_empty(), "a frame is not whole: {said:?}");
}

/// The first frame, which the server does not mask: its kind, its payload, and what follows it.
fn frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (first, short) = (*bytes.first()?, usize::from(*bytes.get(1)?));
    assert_eq!(first & 0xF0, 0x80, "every message is one frame");
    let long = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let head = 2 + long;
    let read = |length, byte: &u8| length << 8 | usize::from(*byte);
    let length = if long == 0 { short } else { bytes.get(2..head)?.iter().fold(0, read) };
    Some((first & 15, bytes.get(head..head + length)?, &bytes[head + length..]))
}
