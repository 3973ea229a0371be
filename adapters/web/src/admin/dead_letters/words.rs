//! Dead letters in the words of the API.

use data_encoding::BASE64;
use poem_openapi::{Enum, Object};
use processor_admin::{DeadLetterId, DeadLetterListing, Discarded, Place, Redriven};
use processor_domain::{DeadLetterOrder, DeadLetterReason, KeptDeadLetter, OpenedDeadLetter};
use serde::de::IgnoredAny;

/// Where dead letters are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "DeadLetterPlace", rename_all = "snake_case")]
pub(super) enum PlaceName {
    /// On a stream beside the one that they came from
    Stream,
    /// In the table `dead_letters` of the database
    Table,
}

/// Which letters come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "DeadLetterOrder", rename_all = "snake_case")]
pub(super) enum Order {
    /// Those that were kept last
    Newest,
    /// Those that were kept first
    Oldest,
}

/// Why a record was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "DeadLetterReason", rename_all = "snake_case")]
pub(super) enum Reason {
    NoPayload,
    TooLarge,
    NotJson,
    InvalidDevice,
    InvalidTime,
    TimeOutOfSpan,
    InvalidCoordinates,
    InvalidField,
    RefusedByStore,
    TooManyDeliveries,
}

/// A dead letter, without its payload.
#[derive(Debug, Clone, Object)]
pub(super) struct DeadLetter {
    /// By which it is asked for
    id: String,
    /// Where it is kept
    place: PlaceName,
    /// The stream that the record came from
    stream: String,
    /// Where it stood there, if the letter says so
    #[oai(skip_serializing_if_is_none)]
    entry_id: Option<String>,
    /// When it was kept
    kept_at: String,
    /// Why it was set aside: one of the reasons here, or one of another version of the program
    reason: String,
    /// The same in words
    detail: String,
    /// How often it was delivered
    deliveries: u32,
    /// Which instance set it aside, if the letter says so
    #[oai(skip_serializing_if_is_none)]
    instance: Option<String>,
    /// How large the payload is
    payload_bytes: u64,
}

/// A page of the list of dead letters.
#[derive(Debug, Clone, Object)]
pub(super) struct DeadLetterPage {
    /// The letters, in the order asked for
    dead_letters: Vec<DeadLetter>,
    /// The `cursor` of the next page; not there on the last one
    #[oai(skip_serializing_if_is_none)]
    next: Option<String>,
}

/// A dead letter with its payload.
#[derive(Debug, Clone, Object)]
#[oai(rename = "OpenedDeadLetter")]
pub(super) struct OpenedLetter {
    /// All else of it
    dead_letter: DeadLetter,
    /// How the payload is written here
    encoding: Encoding,
    /// The payload
    payload: String,
}

/// How a payload is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "PayloadEncoding", rename_all = "snake_case")]
enum Encoding {
    /// As it is, for it is JSON
    Text,
    /// In base64 with padding
    Base64,
}

/// What became of dead letters that were to be redriven.
#[derive(Debug, Clone, Object)]
#[oai(rename = "RedrivenDeadLetters")]
pub(super) struct RedrivenLetters {
    /// How many records are on their stream again
    redriven: u64,
    /// How many letters stay where they are, by the reason why
    refused: Vec<RefusedLetters>,
    /// The `cursor` to go on with; not there if all is done
    #[oai(skip_serializing_if_is_none)]
    next: Option<String>,
}

/// Dead letters that cannot be redriven.
#[derive(Debug, Clone, Object)]
#[oai(rename = "RefusedDeadLetters")]
pub(super) struct RefusedLetters {
    /// Why, as in the problem of a single one
    code: String,
    /// The same in words
    detail: String,
    /// How many
    count: u64,
}

/// What became of dead letters that were to be discarded.
#[derive(Debug, Clone, Object)]
#[oai(rename = "DiscardedDeadLetters")]
pub(super) struct DiscardedLetters {
    /// How many are gone
    discarded: u64,
    /// The `cursor` to go on with; not there if all is done
    #[oai(skip_serializing_if_is_none)]
    next: Option<String>,
}

impl DeadLetter {
    fn new(id: &DeadLetterId, letter: KeptDeadLetter) -> Self {
        Self {
            id: id.to_string(),
            place: id.place.into(),
            stream: letter.stream.into(),
            entry_id: letter.entry_id.map(|id| id.to_string()),
            kept_at: letter.kept_at.to_string(),
            reason: letter.reason.into(),
            detail: letter.detail.into(),
            deliveries: letter.deliveries,
            instance: letter.instance.map(Into::into),
            payload_bytes: letter.payload_bytes,
        }
    }
}

impl OpenedLetter {
    pub(super) fn new(id: &DeadLetterId, opened: OpenedDeadLetter) -> Self {
        let (encoding, payload) = written(&opened.payload);
        Self { dead_letter: DeadLetter::new(id, opened.letter), encoding, payload }
    }
}

fn written(payload: &[u8]) -> (Encoding, String) {
    match std::str::from_utf8(payload) {
        Ok(text) if serde_json::from_str::<IgnoredAny>(text).is_ok() => (Encoding::Text, text.to_owned()),
        _ => (Encoding::Base64, BASE64.encode(payload)),
    }
}

impl From<DeadLetterListing> for DeadLetterPage {
    fn from(listing: DeadLetterListing) -> Self {
        let letters = listing.letters.into_iter();
        Self {
            dead_letters: letters.map(|listed| DeadLetter::new(&listed.id(), listed.letter)).collect(),
            next: listing.next.map(|next| next.to_string()),
        }
    }
}

impl RedrivenLetters {
    pub(super) const fn one() -> Self {
        Self { redriven: 1, refused: Vec::new(), next: None }
    }
}

impl From<Redriven> for RedrivenLetters {
    fn from(outcome: Redriven) -> Self {
        let refused = outcome.refused.into_iter().map(|(refusal, count)| RefusedLetters {
            code: refusal.code().to_owned(),
            detail: refusal.to_string(),
            count,
        });
        Self {
            redriven: outcome.redriven,
            refused: refused.collect(),
            next: outcome.next.map(|next| next.to_string()),
        }
    }
}

impl From<Discarded> for DiscardedLetters {
    fn from(outcome: Discarded) -> Self {
        Self { discarded: outcome.discarded, next: outcome.next.map(|next| next.to_string()) }
    }
}

impl From<PlaceName> for Place {
    fn from(place: PlaceName) -> Self {
        match place {
            PlaceName::Stream => Self::Stream,
            PlaceName::Table => Self::Table,
        }
    }
}

impl From<Place> for PlaceName {
    fn from(place: Place) -> Self {
        match place {
            Place::Stream => Self::Stream,
            Place::Table => Self::Table,
        }
    }
}

impl From<Order> for DeadLetterOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::Newest => Self::NewestFirst,
            Order::Oldest => Self::OldestFirst,
        }
    }
}

impl From<Reason> for DeadLetterReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::NoPayload => Self::NoPayload,
            Reason::TooLarge => Self::TooLarge,
            Reason::NotJson => Self::NotJson,
            Reason::InvalidDevice => Self::InvalidDevice,
            Reason::InvalidTime => Self::InvalidTime,
            Reason::TimeOutOfSpan => Self::TimeOutOfSpan,
            Reason::InvalidCoordinates => Self::InvalidCoordinates,
            Reason::InvalidField => Self::InvalidField,
            Reason::RefusedByStore => Self::RefusedByStore,
            Reason::TooManyDeliveries => Self::TooManyDeliveries,
        }
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::{ParseFromParameter, ToJSON};

    use super::*;

    #[test]
    fn reasons_have_the_names_that_letters_have() {
        for reason in DeadLetterReason::ALL {
            let word = Reason::parse_from_parameter(reason.name()).unwrap();
            assert_eq!(DeadLetterReason::from(word), reason);
        }
    }

    #[test]
    fn json_is_shown_as_it_is_and_all_else_as_base64() {
        let json = r#"{"device_id":"1","name":"ä\u0000"} "#;
        assert_eq!(written(json.as_bytes()), (Encoding::Text, json.to_owned()));
        for other in [&b"not JSON"[..], b"", b"\xFF", b"{\"a\":\"\xFF\"}", b"{}{}"] {
            assert_eq!(written(other), (Encoding::Base64, BASE64.encode(other)));
        }
        assert_eq!(Encoding::Base64.to_json(), Some("base64".into()));
    }
}
