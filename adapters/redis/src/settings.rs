use std::fmt;
use std::time::Duration;

use crate::error::ConnectError;
use crate::live_group;
use crate::servers::Limits;

/// How to read one stream.
#[derive(Clone)]
pub struct RedisStreamSettings {
    /// Where the server is, as [`RedisUrl`](crate::RedisUrl) has it. May hold a password, so `Debug` leaves it out.
    pub url: String,
    /// Name of the stream.
    pub stream: String,
    /// Name of the durable group; it is created at the start of the stream if it does not exist. Default
    /// `processor`.
    pub group: String,
    /// Name of this consumer. It must be the same after a restart, and no other instance's: what a consumer
    /// left pending is found by it.
    pub consumer: String,
    /// Most entries in a batch. Default 2000: more makes nothing faster.
    pub batch_size: usize,
    /// What a batch should not exceed, in bytes; how many entries are asked for follows from the size of those
    /// seen before. Default 4 MiB.
    pub batch_bytes: usize,
    /// What an answer of the server must not exceed, in bytes, so that a few huge entries cannot take all
    /// memory. An answer that does is given up and asked for again in smaller parts. Default 32 MiB.
    pub reply_bytes: usize,
    /// How long the server holds back the answer to a read when there is nothing to read. Default 1 s. It is
    /// also how long a stop may have to wait for a read under way.
    pub block: Duration,
    /// How long an entry must have been pending with another consumer before it is taken over. Default 60 s: a
    /// multiple of what writing a batch may take at worst.
    pub claim_idle: Duration,
    /// How long connecting may take. Default 5 s.
    pub connect_timeout: Duration,
    /// How long an answer may take, beyond [`Self::block`] for a read. Default 5 s.
    pub response_timeout: Duration,
    /// How many connections there may be for acknowledgements and the like, beside the two that only read.
    /// Default 4.
    pub connections: usize,
}

impl RedisStreamSettings {
    /// The default settings for reading `stream` as `consumer`.
    #[must_use]
    pub fn new(url: impl Into<String>, stream: impl Into<String>, consumer: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            stream: stream.into(),
            group: "processor".into(),
            consumer: consumer.into(),
            batch_size: 2000,
            batch_bytes: 4 * 1024 * 1024,
            reply_bytes: 32 * 1024 * 1024,
            block: Duration::from_secs(1),
            claim_idle: Duration::from_mins(1),
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(5),
            connections: 4,
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConnectError> {
        check_named([("stream", &self.stream), ("group", &self.group), ("consumer", &self.consumer)])?;
        if self.group.starts_with(live_group::PREFIX) {
            return Err(ConnectError::invalid(
                "group",
                "groups of that name are of live feeds, and pass away",
            ));
        }
        check_counted([
            ("batch_size", self.batch_size),
            ("batch_bytes", self.batch_bytes),
            ("connections", self.connections),
        ])?;
        if self.reply_bytes < self.batch_bytes {
            return Err(ConnectError::invalid("reply_bytes", "it is less than batch_bytes"));
        }
        check_block(self.block)
    }

    pub(crate) const fn limits(&self) -> Limits {
        Limits {
            connect_timeout: self.connect_timeout,
            response_timeout: self.response_timeout,
            reply_bytes: self.reply_bytes,
        }
    }
}

impl fmt::Debug for RedisStreamSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, stream, group, consumer, batch_size, batch_bytes, reply_bytes, .. } = self;
        let Self { block, claim_idle, connect_timeout, response_timeout, connections, .. } = self;
        out.debug_struct("RedisStreamSettings")
            .field("stream", stream)
            .field("group", group)
            .field("consumer", consumer)
            .field("batch_size", batch_size)
            .field("batch_bytes", batch_bytes)
            .field("reply_bytes", reply_bytes)
            .field("block", block)
            .field("claim_idle", claim_idle)
            .field("connect_timeout", connect_timeout)
            .field("response_timeout", response_timeout)
            .field("connections", connections)
            .finish_non_exhaustive()
    }
}

pub(crate) fn check_named<const N: usize>(
    settings: [(&'static str, &String); N],
) -> Result<(), ConnectError> {
    match settings.into_iter().find(|(_, name)| name.is_empty()) {
        Some((setting, _)) => Err(ConnectError::invalid(setting, "it is empty")),
        None => Ok(()),
    }
}

pub(crate) fn check_counted<const N: usize>(
    settings: [(&'static str, usize); N],
) -> Result<(), ConnectError> {
    match settings.into_iter().find(|(_, count)| *count == 0) {
        Some((setting, _)) => Err(ConnectError::invalid(setting, "it is zero")),
        None => Ok(()),
    }
}

/// The server reads milliseconds, and takes 0 for "for ever".
pub(crate) fn check_block(block: Duration) -> Result<(), ConnectError> {
    if block < Duration::from_millis(1) {
        return Err(ConnectError::invalid("block", "it is less than a millisecond"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound_and_senseless_values_are_not() {
        let sound = RedisStreamSettings::new("redis://:secret@localhost", "telemetry", "one");
        assert!(sound.check().is_ok());
        assert!(!format!("{sound:?}").contains("secret"));
        let senseless: [fn(&mut RedisStreamSettings); 7] = [
            |settings| settings.group = "live-broadcast-1".into(),
            |settings| settings.consumer.clear(),
            |settings| settings.batch_size = 0,
            |settings| settings.batch_bytes = 0,
            |settings| settings.connections = 0,
            |settings| settings.reply_bytes = 1,
            |settings| settings.block = Duration::ZERO,
        ];
        for spoil in senseless {
            let mut settings = sound.clone();
            spoil(&mut settings);
            assert!(settings.check().is_err(), "{settings:?}");
        }
    }
}
