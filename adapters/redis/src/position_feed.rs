use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use processor_codec::RecordCodec;
use processor_domain::ports::{Clock, Observed, PositionFeed, StreamError};
use tokio::sync::Mutex;

use crate::endpoint::Endpoint;
use crate::error::ConnectError;
use crate::feed_settings::RedisFeedSettings;
use crate::follower::{Follower, Source};
use crate::live_group;

/// A Redis stream, followed by this instance for itself.
///
/// It reads in a group of its own, `live-broadcast-{instance}`, with `NOACK`: an entry counts as acknowledged
/// as it is read, and none is ever pending. So the group costs the server a few hundred bytes, whatever becomes
/// of the instance.
///
/// It remembers the last entry it has seen. When the connection broke, or the group has vanished, it goes on
/// from there: a viewer misses nothing and sees nothing twice. Only if more came in the meantime than
/// [`RedisFeedSettings::catch_up`], or an answer was larger than [`RedisFeedSettings::reply_bytes`], it begins
/// again with what is new. After a start it always does.
///
/// A group is destroyed by [`close`](PositionFeed::close). Groups of instances that ended without it are looked
/// for here, at the start and every [`RedisFeedSettings::sweep_every`], and destroyed; no other groups are
/// touched.
pub struct RedisPositionFeed {
    source: Source,
    follower: Mutex<Follower>,
}

impl RedisPositionFeed {
    /// Connects, once; how long to try is for the caller to decide. From now on nothing is missed.
    ///
    /// # Errors
    /// [`ConnectError`]: what is wrong with the settings, or why the server will not do.
    pub async fn connect(
        settings: RedisFeedSettings,
        codec: RecordCodec,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConnectError> {
        settings.check()?;
        let endpoint = Endpoint::new(&settings.url, &settings.stream, settings.limits())?;
        let group = live_group::name(&settings.instance);
        let source = Source { settings, endpoint, group, codec, clock, passed_over: AtomicU64::new(0) };
        let follower = Follower::begin(&source).await.map_err(|failure| ConnectError::Failed {
            address: source.endpoint.servers().to_string().into(),
            failure,
        })?;
        Ok(Self { source, follower: Mutex::new(follower) })
    }

    /// The name of the stream.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.source.settings.stream
    }

    /// Entries passed over since it was connected, because it was too far behind or they were too large.
    #[must_use]
    pub fn passed_over(&self) -> u64 {
        self.source.passed_over.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl PositionFeed for RedisPositionFeed {
    /// A future that is dropped costs the connection, and nothing else: the next call goes on from what was
    /// seen.
    async fn follow(&self) -> Result<Vec<Observed>, StreamError> {
        Ok(self.follower.lock().await.follow(&self.source).await?)
    }

    /// Waits for a call of [`Self::follow`] that is under way. Following on afterwards would create the group
    /// anew.
    async fn close(&self) -> Result<(), StreamError> {
        Ok(self.follower.lock().await.close(&self.source).await?)
    }
}
