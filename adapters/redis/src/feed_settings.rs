use std::fmt;
use std::time::Duration;

use crate::error::ConnectError;
use crate::servers::Limits;
use crate::settings::{check_block, check_counted, check_named};

/// How to follow one stream.
#[derive(Clone)]
pub struct RedisFeedSettings {
    /// Where the server is, as [`RedisUrl`](crate::RedisUrl) has it. May hold a password, so `Debug` leaves it out.
    pub url: String,
    /// Name of the stream.
    pub stream: String,
    /// Name of this instance, which names its group, `live-broadcast-{instance}`. It must be no other
    /// instance's: two of the same name would each see a part.
    pub instance: String,
    /// Most entries in a batch. Default 2000.
    pub batch_size: usize,
    /// What a batch should not exceed, in bytes; how many entries are asked for follows from the size of those
    /// seen before. Default 4 MiB.
    pub batch_bytes: usize,
    /// What an answer of the server must not exceed, in bytes. What an answer that does would have brought is
    /// passed over. Default 32 MiB.
    pub reply_bytes: usize,
    /// How long the server holds back the answer to a read when there is nothing to read. Default 1 s. It is
    /// also how long a stop may have to wait for a read under way.
    pub block: Duration,
    /// How many entries may have come by while the connection was away for them to be seen all the same. If
    /// there were more, the feed begins again with what is new. Default 10,000.
    pub catch_up: u64,
    /// How often to look for groups of instances that are gone. Default 10 minutes.
    pub sweep_every: Duration,
    /// How long an instance must not have asked for anything to count as gone. Default 1 h: a multiple of any
    /// outage after which it should find its group again, which it can do without.
    pub gone_after: Duration,
    /// How old the last entry that was read in a group must be for the group to be taken away if no consumer
    /// ever read in it. Default 24 h.
    pub unused_after: Duration,
    /// How long connecting may take. Default 5 s.
    pub connect_timeout: Duration,
    /// How long an answer may take, beyond [`Self::block`] for a read. Default 5 s.
    pub response_timeout: Duration,
}

impl RedisFeedSettings {
    /// The default settings for following `stream` as `instance`.
    #[must_use]
    pub fn new(url: impl Into<String>, stream: impl Into<String>, instance: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            stream: stream.into(),
            instance: instance.into(),
            batch_size: 2000,
            batch_bytes: 4 * 1024 * 1024,
            reply_bytes: 32 * 1024 * 1024,
            block: Duration::from_secs(1),
            catch_up: 10_000,
            sweep_every: Duration::from_mins(10),
            gone_after: Duration::from_hours(1),
            unused_after: Duration::from_hours(24),
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(5),
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConnectError> {
        check_named([("stream", &self.stream), ("instance", &self.instance)])?;
        check_counted([("batch_size", self.batch_size), ("batch_bytes", self.batch_bytes)])?;
        if self.reply_bytes < self.batch_bytes {
            return Err(ConnectError::invalid("reply_bytes", "it is less than batch_bytes"));
        }
        // One that waits for an entry asks for nothing else in the meantime.
        if self.gone_after <= self.block {
            return Err(ConnectError::invalid("gone_after", "it is not longer than block"));
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

impl fmt::Debug for RedisFeedSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, stream, instance, batch_size, batch_bytes, reply_bytes, block, .. } = self;
        let Self { catch_up, sweep_every, gone_after, unused_after, .. } = self;
        let Self { connect_timeout, response_timeout, .. } = self;
        out.debug_struct("RedisFeedSettings")
            .field("stream", stream)
            .field("instance", instance)
            .field("batch_size", batch_size)
            .field("batch_bytes", batch_bytes)
            .field("reply_bytes", reply_bytes)
            .field("block", block)
            .field("catch_up", catch_up)
            .field("sweep_every", sweep_every)
            .field("gone_after", gone_after)
            .field("unused_after", unused_after)
            .field("connect_timeout", connect_timeout)
            .field("response_timeout", response_timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound_and_senseless_values_are_not() {
        let sound = RedisFeedSettings::new("redis://:secret@localhost", "telemetry", "one");
        assert!(sound.check().is_ok());
        assert!(!format!("{sound:?}").contains("secret"));
        let senseless: [fn(&mut RedisFeedSettings); 7] = [
            |settings| settings.stream.clear(),
            |settings| settings.instance.clear(),
            |settings| settings.batch_size = 0,
            |settings| settings.batch_bytes = 0,
            |settings| settings.reply_bytes = 1,
            |settings| settings.block = Duration::ZERO,
            |settings| settings.gone_after = settings.block,
        ];
        for spoil in senseless {
            let mut settings = sound.clone();
            spoil(&mut settings);
            assert!(settings.check().is_err(), "{settings:?}");
        }
    }
}
