//! What a viewer says and what it is told. How it looks on the wire is the adapter's business.

use std::fmt;

use bytes::Bytes;
use processor_domain::EventId;

use crate::epoch::{Epoch, Since};

/// A text of a client is longer than this program repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("longer than {most} bytes")]
pub struct TooLong {
    /// The limit, in bytes.
    pub most: usize,
}

/// What a client calls a message of its own; the answer repeats it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Uid(Box<str>);

/// The name of a topic, as a client wrote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicName(Box<str>);

impl Uid {
    /// Longest one accepted, in bytes.
    pub const MAX_LENGTH: usize = 128;

    /// Keeps `text`, which may be any.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn new(text: &str) -> Result<Self, TooLong> {
        bounded(text, Self::MAX_LENGTH).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TopicName {
    /// Longest one accepted, in bytes: longer than that of any event.
    pub const MAX_LENGTH: usize = 128;

    const OF_EVENTS: &str = "event:";

    /// Keeps `text`, which may be any.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn new(text: &str) -> Result<Self, TooLong> {
        bounded(text, Self::MAX_LENGTH).map(Self)
    }

    /// The topic of an event.
    #[must_use]
    pub fn of(event: &EventId) -> Self {
        Self(format!("{}{event}", Self::OF_EVENTS).into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The event it is about.
    pub(crate) fn event(&self) -> Result<EventId, Denial> {
        let id = self.0.strip_prefix(Self::OF_EVENTS).ok_or(Denial::UnknownTopic)?;
        // An event that cannot exist is answered as one that does not.
        EventId::parse(id).map_err(|_| Denial::Forbidden)
    }
}

fn bounded(text: &str, most: usize) -> Result<Box<str>, TooLong> {
    if text.len() > most { Err(TooLong { most }) } else { Ok(text.into()) }
}

impl fmt::Display for TopicName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What a viewer asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClientMessage {
    /// To be told about a topic; one that is watched already begins anew.
    Subscribe {
        /// Which.
        topic: TopicName,
        /// Repeated in the answer.
        uid: Option<Uid>,
        /// How far it was when it was cut off.
        since: Option<Since>,
    },
    /// To be told no more about a topic.
    Unsubscribe {
        /// Which.
        topic: TopicName,
        /// Repeated in the answer.
        uid: Option<Uid>,
    },
    /// To be answered.
    Ping {
        /// Repeated in the answer.
        uid: Option<Uid>,
    },
}

/// What a viewer is to be sent next.
#[derive(Clone, PartialEq, Debug)]
pub enum Outgoing {
    /// These messages, in this order, best in one write; then [`crate::Session::written`] is to be called. Never
    /// empty.
    Messages(Vec<ServerMessage>),
    /// The end: close the socket with this code. Nothing comes after it.
    Close(Close),
}

/// A message to a viewer.
#[derive(Clone, PartialEq, Debug)]
pub enum ServerMessage {
    /// What a [`crate::FrameEncoder`] made of a frame, shared with other viewers.
    Positions(Bytes),
    /// A subscription begins. The viewer's picture of the topic is the snapshot, or if it is recovered the one
    /// it had; every frame after `seq`, or if it is recovered after the one it had, follows.
    Subscribed {
        /// The topic, as the client wrote it.
        topic: TopicName,
        /// That of the message answered.
        uid: Option<Uid>,
        /// In which life of the topic frames are numbered.
        epoch: Epoch,
        /// The number of the last frame told; of one that is recovered, it is yet to come.
        seq: u64,
        /// All frames missed follow, and the snapshot is empty.
        recovered: bool,
        /// What a [`crate::FrameEncoder`] made of the positions, shared with other viewers.
        snapshot: Bytes,
        /// Whether the last known position of every device is told. If not, those that are missing follow in a
        /// frame as soon as they can be read.
        snapshot_complete: bool,
    },
    /// A subscription has ended, or there was none.
    Unsubscribed {
        /// The topic, as the client wrote it.
        topic: TopicName,
        /// That of the message answered.
        uid: Option<Uid>,
    },
    /// The answer to a ping.
    Pong {
        /// That of the message answered.
        uid: Option<Uid>,
    },
    /// A subscription was not begun.
    Error {
        /// The topic, as the client wrote it.
        topic: TopicName,
        /// That of the message answered.
        uid: Option<Uid>,
        /// Why.
        denial: Denial,
    },
}

/// Why a subscription was not begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denial {
    /// There is no such event, or this viewer may not see it: which of both is not said.
    Forbidden,
    /// Whether this viewer may see it is not known at the moment.
    Unavailable,
    /// It is not the name of a topic.
    UnknownTopic,
    /// The socket watches as many topics as one may.
    TooManySubscriptions,
    /// The client itself unsubscribed, or subscribed again, before it was answered.
    Cancelled,
}

impl Denial {
    /// A stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Unavailable => "unavailable",
            Self::UnknownTopic => "unknown_topic",
            Self::TooManySubscriptions => "too_many_subscriptions",
            Self::Cancelled => "cancelled",
        }
    }

    /// The same for people.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Forbidden => "there is no such event, or you may not see it",
            Self::Unavailable => "whether you may see this event is not known at the moment, try again",
            Self::UnknownTopic => "there are only topics of the form event:<id>",
            Self::TooManySubscriptions => "unsubscribe from another topic first",
            Self::Cancelled => "you unsubscribed, or subscribed again, before this was answered",
        }
    }

    /// Whether the same message may be answered otherwise in a while.
    #[must_use]
    pub const fn temporary(self) -> bool {
        matches!(self, Self::Unavailable)
    }
}

/// Why a socket is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Close {
    /// This instance stops; reconnect, to another one perhaps.
    GoingAway,
    /// The client sent something that is no message.
    BadMessage,
    /// The session has ended, or it could not be confirmed for too long. Reconnect: whether to sign in is
    /// answered then.
    SessionEnded,
    /// The viewer may not see any more what it was watching.
    AccessWithdrawn,
    /// It did not take what it was sent; reconnect.
    TooSlow,
    /// It sent more than one may.
    TooMany,
}

impl Close {
    /// The close code of the socket.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::BadMessage => 4400,
            Self::SessionEnded => 4401,
            Self::AccessWithdrawn => 4403,
            Self::TooSlow => 4408,
            Self::TooMany => 4429,
        }
    }

    /// The same for people; short enough for a close frame.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::GoingAway => "going away",
            Self::BadMessage => "not a message",
            Self::SessionEnded => "session ended",
            Self::AccessWithdrawn => "access withdrawn",
            Self::TooSlow => "too slow",
            Self::TooMany => "too many messages",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_that_of_an_event_and_hostile_ones_look_absent() {
        let event = |text: &str| TopicName::new(text).unwrap().event();
        assert_eq!(event("event:42"), Ok(EventId::parse("42").unwrap()));
        for text in ["event:", "event:../users/me", "event:4 2", "event:4?x"] {
            assert_eq!(event(text), Err(Denial::Forbidden), "{text}");
        }
        for text in ["", "42", "events:42", "EVENT:42", "device:1"] {
            assert_eq!(event(text), Err(Denial::UnknownTopic), "{text}");
        }
        assert_eq!(TopicName::new(&"e".repeat(129)), Err(TooLong { most: 128 }));
        assert_eq!(TopicName::of(&EventId::parse("42").unwrap()).as_str(), "event:42");
    }
}
