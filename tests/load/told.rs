//! What a frame of positions says, read as cheaply as it can be: the viewers share the machine with the program.

use processor_domain::Timestamp;

use crate::scene::EVENT;

/// The beginning of a frame of positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) seq: u64,
    /// It stands for several.
    pub(crate) conflated: bool,
    /// When the first position in it was measured, which is the one that waited longest.
    pub(crate) first: Option<Timestamp>,
}

/// What was sent as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    /// The answer to the subscription, as of this frame.
    Subscribed(u64),
    Positions(Told),
    Other,
}

pub(crate) fn read(text: &[u8]) -> Message {
    if let Some(rest) = text.strip_prefix(br#"{"type":"positions","topic":"event:"#)
        && let Some(rest) = rest.strip_prefix(EVENT.as_bytes())
        && let Some(rest) = rest.strip_prefix(br#"","seq":"#)
    {
        let conflated = rest[digits(rest)..].starts_with(br#","conflated":true"#);
        let first = after(rest, br#""ts":""#).and_then(|ts| {
            let end = ts.iter().position(|byte| *byte == b'"')?;
            Timestamp::parse_rfc3339(std::str::from_utf8(&ts[..end]).ok()?).ok()
        });
        return Message::Positions(Told { seq: number(rest), conflated, first });
    }
    if text.starts_with(br#"{"type":"subscribed""#)
        && let Some(seq) = after(text, br#""seq":"#)
    {
        return Message::Subscribed(number(seq));
    }
    Message::Other
}

fn after<'a>(text: &'a [u8], what: &[u8]) -> Option<&'a [u8]> {
    text.windows(what.len()).position(|window| window == what).map(|at| &text[at + what.len()..])
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn number(text: &[u8]) -> u64 {
    text[..digits(text)].iter().fold(0, |number, byte| number * 10 + u64::from(byte - b'0'))
}
