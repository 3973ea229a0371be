//! Follows the stream: only what is new, and each entry once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use processor_codec::RecordCodec;
use processor_domain::Record;
use processor_domain::ports::{Clock, Observed};
use tokio::time::Instant;

use crate::connection::{Commands, Connection};
use crate::endpoint::Endpoint;
use crate::entries::Entries;
use crate::error::RedisFailure;
use crate::feed_settings::RedisFeedSettings;
use crate::group_read::GroupRead;
use crate::live_group;
use crate::place::Place;
use crate::portion::Portion;
use crate::stale_groups;

/// What is followed, and how.
pub(crate) struct Source {
    pub(crate) settings: RedisFeedSettings,
    pub(crate) endpoint: Endpoint,
    /// The name of this instance's group.
    pub(crate) group: String,
    pub(crate) codec: RecordCodec,
    pub(crate) clock: Arc<dyn Clock>,
    /// Entries that nobody saw here.
    pub(crate) passed_over: AtomicU64,
}

/// The one who follows, on a connection of its own: a read that blocks would hold up all else on it.
pub(crate) struct Follower {
    /// `None` after every failure.
    connection: Option<Connection>,
    /// What was seen; where the group stands on the server may be farther on.
    place: Place,
    portion: Portion,
    /// The last answer was too large.
    oversized: bool,
    next_sweep: Instant,
}

impl Follower {
    /// Connects, and begins with what is new from now on.
    pub(crate) async fn begin(source: &Source) -> Result<Self, RedisFailure> {
        let settings = &source.settings;
        let mut connection = source.connect().await?;
        let place = Place::end_of(&live_group::stream_info(&mut connection, &settings.stream).await?);
        source.stand_at(place, &mut connection).await?;
        let mut follower = Self {
            connection: None,
            place,
            portion: Portion::new(settings.batch_size, settings.batch_bytes),
            oversized: false,
            next_sweep: Instant::now(),
        };
        follower.sweep(&mut connection, source).await?;
        follower.connection = Some(connection);
        Ok(follower)
    }

    /// What came since the last call; nothing if nothing came in time.
    ///
    /// After a failure, or if the future was dropped, nothing is known of what the server did: it may have
    /// counted entries as read in an answer that was lost. So the connection is given up, and the next call
    /// moves the group back to what was seen.
    pub(crate) async fn follow(&mut self, source: &Source) -> Result<Vec<Observed>, RedisFailure> {
        let mut connection = match self.connection.take() {
            Some(connection) if source.endpoint.is_current(&connection).await => connection,
            _ => self.go_on(source).await?,
        };
        if self.next_sweep <= Instant::now() {
            self.sweep(&mut connection, source).await?;
        }
        let observed = self.read(&mut connection, source).await;
        match &observed {
            Ok(_) => self.connection = Some(connection),
            Err(RedisFailure::TooLarge { .. }) => {
                self.portion.halve();
                self.oversized = true;
            }
            Err(_) => {}
        }
        observed
    }

    /// Takes the group away.
    pub(crate) async fn close(&mut self, source: &Source) -> Result<(), RedisFailure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => source.connect().await?,
        };
        live_group::destroy(&mut connection, &source.settings.stream, &source.group).await
    }

    /// Connects anew, and goes on with what came in the meantime if that is not too much.
    async fn go_on(&mut self, source: &Source) -> Result<Connection, RedisFailure> {
        let (stream, instance) = (&*source.settings.stream, &*source.settings.instance);
        let mut connection = source.connect().await?;
        let info = live_group::stream_info(&mut connection, stream).await?;
        let (mut place, behind) = self.place.found_again(&info);
        let passes_over = self.oversized || behind > source.settings.catch_up;
        if passes_over {
            place = Place::end_of(&info);
        }
        if source.stand_at(place, &mut connection).await? {
            tracing::warn!(stream, instance, "the group of the live feed was gone; created it anew");
        }
        if passes_over {
            source.passed_over.fetch_add(behind, Ordering::Relaxed);
            tracing::warn!(
                stream,
                instance,
                entries = behind,
                "the live feed was too far behind; it begins again with what is new"
            );
        }
        self.place = place;
        self.oversized = false;
        Ok(connection)
    }

    async fn read(
        &mut self,
        connection: &mut Connection,
        source: &Source,
    ) -> Result<Vec<Observed>, RedisFailure> {
        let settings = &source.settings;
        let mut commands = Commands::default();
        let read = GroupRead {
            stream: &settings.stream,
            group: &source.group,
            consumer: &settings.instance,
            after: GroupRead::NEW,
            count: self.portion.count(),
            block: Some(settings.block),
            acknowledged: true,
        };
        read.push(&mut commands);
        let mut replies = connection.ask_blocking(&commands, settings.block).await?;

        let bytes = replies.remaining();
        let entries = Entries::of_read(&mut replies)?;
        let seen = entries.left();
        let (mut observed, mut last) = (Vec::with_capacity(seen.min(read.count)), None);
        let now = source.clock.now();
        for entry in entries {
            let entry = entry?;
            last = Some(entry.id);
            if let Record::Position(position) = entry.record(&source.codec, now) {
                observed.push(Observed { entry_id: entry.id, position });
            }
        }
        if let Some(last) = last {
            self.place.pass(seen, last);
        }
        self.portion.weigh(seen, bytes);
        Ok(observed)
    }

    /// Takes away the groups of instances that are gone. A server that does not let it be done is followed all
    /// the same.
    async fn sweep(&mut self, connection: &mut Connection, source: &Source) -> Result<(), RedisFailure> {
        let RedisFeedSettings { stream, gone_after, unused_after, sweep_every, .. } = &source.settings;
        let limits = stale_groups::Limits { gone_after: *gone_after, unused_after: *unused_after };
        self.next_sweep = Instant::now() + *sweep_every;
        match stale_groups::remove(connection, stream, &source.group, limits).await {
            Ok(0) => Ok(()),
            Ok(groups) => {
                tracing::info!(stream, groups, "took away the live groups of instances that are gone");
                Ok(())
            }
            Err(failure) if failure.refusal().is_some() => {
                let error = failure.to_string();
                tracing::warn!(stream, error, "live groups of instances that are gone cannot be taken away");
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }
}

impl Source {
    async fn connect(&self) -> Result<Connection, RedisFailure> {
        self.endpoint.open(&format!("{}:feed", self.settings.instance)).await
    }

    async fn stand_at(&self, place: Place, connection: &mut Connection) -> Result<bool, RedisFailure> {
        let RedisFeedSettings { stream, instance, .. } = &self.settings;
        live_group::stand_after(connection, stream, &self.group, instance, place.after).await
    }
}
