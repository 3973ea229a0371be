//! What can go wrong with a server, and what helps.

use std::time::Duration;
use std::{fmt, io};

use deadpool_redis::PoolError;
use processor_domain::ports::{DeadLetterQueueError, DeadLettersError, PublishError, StreamError};

use crate::wire::ProtocolError;

/// Why a server refuses a command: the first word of its answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// `NOGROUP`: the stream or the group does not exist.
    NoGroup,
    /// `UNBLOCKED`: what a blocked read waited for is gone, or the server is not the primary any more.
    Unblocked,
    /// `BUSYGROUP`: the group exists already.
    BusyGroup,
    /// `LOADING`: the server reads its data from disk.
    Loading,
    /// `READONLY`: the server is a replica.
    ReadOnly,
    /// `MASTERDOWN`: the server is a replica that has lost its primary.
    MasterDown,
    /// `MOVED`: another node of the cluster has the stream.
    Moved,
    /// `ASK`: the stream is on its way to another node of the cluster.
    Ask,
    /// `TRYAGAIN`: the cluster moves the stream.
    TryAgain,
    /// `CLUSTERDOWN`: the cluster does not serve the stream.
    ClusterDown,
    /// `CROSSSLOT`: one command names keys of several cluster slots.
    CrossSlot,
    /// `OOM`: the server's memory is full.
    OutOfMemory,
    /// `MISCONF`: the server cannot write to its disk and refuses changes.
    CannotPersist,
    /// `NOREPLICAS`: too few replicas are attached; they may have a new primary.
    NoReplicas,
    /// `BUSY`: the server runs a script that does not end.
    Busy,
    /// `NOAUTH`: a password is needed.
    NoPassword,
    /// `WRONGPASS`: user or password is wrong.
    WrongPassword,
    /// `NOPERM`: the user may not do this.
    NotPermitted,
    /// `WRONGTYPE`: the key of this name is no stream.
    WrongType,
    /// Any other word.
    Other,
}

/// What helps against a failure.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Remedy {
    /// Create the group anew, then go on.
    CreateGroup,
    /// Connect anew: this connection is of no more use, or leads to the wrong server.
    Reconnect,
    /// Wait; the connection is sound.
    Wait,
    /// Nothing but a change of configuration, here or at the server.
    Configure,
}

impl Refusal {
    /// The refusal that this error message of a server, or its first word, means.
    #[must_use]
    pub fn of(message: &str) -> Self {
        match message.split(' ').next().unwrap_or_default() {
            "NOGROUP" => Self::NoGroup,
            "UNBLOCKED" => Self::Unblocked,
            "BUSYGROUP" => Self::BusyGroup,
            "LOADING" => Self::Loading,
            "READONLY" => Self::ReadOnly,
            "MASTERDOWN" => Self::MasterDown,
            "MOVED" => Self::Moved,
            "ASK" => Self::Ask,
            "TRYAGAIN" => Self::TryAgain,
            "CLUSTERDOWN" => Self::ClusterDown,
            "CROSSSLOT" => Self::CrossSlot,
            "OOM" => Self::OutOfMemory,
            "MISCONF" => Self::CannotPersist,
            "NOREPLICAS" => Self::NoReplicas,
            "BUSY" => Self::Busy,
            "NOAUTH" => Self::NoPassword,
            "WRONGPASS" => Self::WrongPassword,
            "NOPERM" => Self::NotPermitted,
            "WRONGTYPE" => Self::WrongType,
            _ => Self::Other,
        }
    }

    /// What helps.
    #[must_use]
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::NoGroup | Self::Unblocked => Remedy::CreateGroup,
            Self::Loading
            | Self::ReadOnly
            | Self::MasterDown
            | Self::Moved
            | Self::Ask
            | Self::ClusterDown
            | Self::NoReplicas
            | Self::NoPassword => Remedy::Reconnect,
            Self::BusyGroup
            | Self::TryAgain
            | Self::OutOfMemory
            | Self::CannotPersist
            | Self::Busy
            | Self::Other => Remedy::Wait,
            Self::CrossSlot | Self::WrongPassword | Self::NotPermitted | Self::WrongType => Remedy::Configure,
        }
    }
}

/// A server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RedisFailure {
    /// There is no connection, or it broke.
    #[error("the connection failed")]
    Connection(#[source] io::Error),
    /// No answer came in time. Whether the command was carried out is not known.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The server said no.
    #[error("the server refuses: {message}")]
    Refused {
        /// Why.
        refusal: Refusal,
        /// The same in the server's words.
        message: Box<str>,
    },
    /// The answer is larger than is accepted in one piece.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The largest that is accepted.
        limit: usize,
    },
    /// The answer is not what the protocol or the command lead one to expect.
    #[error("the answer is not understood")]
    Protocol(#[source] ProtocolError),
    /// The server is older than all that is needed of it.
    #[error("the server is version {version}; 7.0 or newer is needed")]
    TooOld {
        /// As the server says it.
        version: Box<str>,
    },
    /// The server is a replica or a sentinel.
    #[error("the server is a {role}; a primary is needed")]
    NotPrimary {
        /// What it is instead.
        role: Box<str>,
    },
    /// Those who were asked know of no server that will do.
    #[error("there is no {what}")]
    NotFound {
        /// What there should be.
        what: &'static str,
    },
    /// The client library failed otherwise.
    #[error("the client failed")]
    Client(#[source] redis::RedisError),
}

impl RedisFailure {
    pub(crate) fn refused(message: &[u8]) -> Self {
        let message = String::from_utf8_lossy(message);
        Self::Refused { refusal: Refusal::of(&message), message: message.into() }
    }

    /// What helps.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Refused { refusal, .. } => refusal.remedy(),
            Self::TooOld { .. } => Remedy::Configure,
            _ => Remedy::Reconnect,
        }
    }

    /// Why the server refuses, if that is what happened.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            _ => None,
        }
    }
}

impl From<ProtocolError> for RedisFailure {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::TooLarge { limit } => Self::TooLarge { limit },
            other => Self::Protocol(other),
        }
    }
}

impl From<redis::RedisError> for RedisFailure {
    fn from(error: redis::RedisError) -> Self {
        // Only this finds the answer in the error of a pipeline, too.
        if let Some(first) = error.clone().into_server_errors().as_deref().and_then(<[_]>::first) {
            let (code, details) = (first.1.code(), first.1.details().unwrap_or_default());
            return Self::Refused { refusal: Refusal::of(code), message: format!("{code} {details}").into() };
        }
        if error.is_io_error() {
            return Self::Connection(io::Error::other(error));
        }
        Self::Client(error)
    }
}

impl From<PoolError> for RedisFailure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            other => Self::Connection(io::Error::other(other)),
        }
    }
}

impl From<RedisFailure> for StreamError {
    fn from(failure: RedisFailure) -> Self {
        Self::Unavailable(failure.into())
    }
}

impl From<RedisFailure> for DeadLettersError {
    fn from(failure: RedisFailure) -> Self {
        Self::Unavailable(failure.into())
    }
}

impl From<RedisFailure> for DeadLetterQueueError {
    fn from(failure: RedisFailure) -> Self {
        Self::Unavailable(failure.into())
    }
}

impl From<RedisFailure> for PublishError {
    fn from(failure: RedisFailure) -> Self {
        Self::Unavailable(failure.into())
    }
}

/// A stream cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A setting makes no sense; no server was asked.
    #[error("{setting}: {reason}")]
    InvalidSetting {
        /// Which.
        setting: &'static str,
        /// What is wrong with it. Never holds the value, which may be a secret.
        reason: Box<str>,
    },
    /// The server could not be reached, or is not one that will do.
    #[error("no Redis stream at {address}")]
    Failed {
        /// Host and port.
        address: Box<str>,
        /// What happened.
        #[source]
        failure: RedisFailure,
    },
}

impl ConnectError {
    pub(crate) fn invalid(setting: &'static str, reason: impl fmt::Display) -> Self {
        Self::InvalidSetting { setting, reason: reason.to_string().into() }
    }

    /// Whether trying again can help while nobody changes a configuration.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::InvalidSetting { .. } => false,
            Self::Failed { failure, .. } => !matches!(failure.remedy(), Remedy::Configure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_remedy() {
        let table = [
            ("NOGROUP No such key 'x' or consumer group 'g'", Refusal::NoGroup, Remedy::CreateGroup),
            ("UNBLOCKED the stream key no longer exists", Refusal::Unblocked, Remedy::CreateGroup),
            ("BUSYGROUP Consumer Group name already exists", Refusal::BusyGroup, Remedy::Wait),
            ("LOADING Redis is loading the dataset in memory", Refusal::Loading, Remedy::Reconnect),
            ("READONLY You can't write against a read only replica.", Refusal::ReadOnly, Remedy::Reconnect),
            ("MASTERDOWN Link with MASTER is down", Refusal::MasterDown, Remedy::Reconnect),
            ("MOVED 3999 127.0.0.1:6381", Refusal::Moved, Remedy::Reconnect),
            ("ASK 3999 127.0.0.1:6381", Refusal::Ask, Remedy::Reconnect),
            ("CLUSTERDOWN The cluster is down", Refusal::ClusterDown, Remedy::Reconnect),
            ("NOAUTH Authentication required.", Refusal::NoPassword, Remedy::Reconnect),
            ("TRYAGAIN Multiple keys request during rehashing of slot", Refusal::TryAgain, Remedy::Wait),
            ("OOM command not allowed when used memory > 'maxmemory'.", Refusal::OutOfMemory, Remedy::Wait),
            ("MISCONF Redis is configured to save RDB snapshots", Refusal::CannotPersist, Remedy::Wait),
            ("NOREPLICAS Not enough good replicas to write.", Refusal::NoReplicas, Remedy::Reconnect),
            ("BUSY Redis is busy running a script.", Refusal::Busy, Remedy::Wait),
            ("ERR no such key", Refusal::Other, Remedy::Wait),
            ("", Refusal::Other, Remedy::Wait),
            ("CROSSSLOT Keys in request don't hash to the same slot", Refusal::CrossSlot, Remedy::Configure),
            ("WRONGPASS invalid username-password pair", Refusal::WrongPassword, Remedy::Configure),
            ("NOPERM this user has no permissions", Refusal::NotPermitted, Remedy::Configure),
            (
                "WRONGTYPE Operation against a key holding the wrong kind",
                Refusal::WrongType,
                Remedy::Configure,
            ),
        ];
        for (message, refusal, remedy) in table {
            let failure = RedisFailure::refused(message.as_bytes());
            assert_eq!((failure.refusal(), failure.remedy()), (Some(refusal), remedy), "{message}");
        }
    }

    #[test]
    fn a_failure_without_an_answer_costs_the_connection() {
        let broken = || io::Error::from(io::ErrorKind::ConnectionReset);
        for failure in [
            RedisFailure::Connection(broken()),
            RedisFailure::TimedOut(Duration::from_secs(5)),
            RedisFailure::TooLarge { limit: 1 },
            RedisFailure::from(ProtocolError::Unexpected),
            RedisFailure::from(redis::RedisError::from(broken())),
        ] {
            assert_eq!((failure.refusal(), failure.remedy()), (None, Remedy::Reconnect), "{failure}");
        }
    }

    #[test]
    fn the_library_s_errors_are_told_apart_by_the_server_s_words() {
        let error = redis::parse_redis_value(b"-OOM command not allowed\r\n")
            .and_then(redis::Value::extract_error)
            .unwrap_err();
        let failure = RedisFailure::from(error);
        assert_eq!(failure.refusal(), Some(Refusal::OutOfMemory));
        assert_eq!(failure.to_string(), "the server refuses: OOM command not allowed");
    }

    #[test]
    fn only_what_needs_a_change_of_configuration_does_not_pass() {
        let failed = |message: &str| ConnectError::Failed {
            address: "redis:6379".into(),
            failure: RedisFailure::refused(message.as_bytes()),
        };
        assert!(failed("LOADING Redis is loading the dataset in memory").may_pass());
        assert!(!failed("WRONGPASS invalid username-password pair").may_pass());
        assert!(!ConnectError::invalid("url", "it is empty").may_pass());
    }
}
