use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use async_trait::async_trait;
use processor_codec::RecordCodec;
use processor_domain::ports::{Clock, PositionStream, StreamError};
use processor_domain::{Delivery, Settled, Standing};
use tokio::sync::Mutex;

use crate::connection::Connection;
use crate::connections::{RedisConnectionLimits, RedisConnections};
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::entry_id::Text;
use crate::error::{ConnectError, RedisFailure};
use crate::group;
use crate::in_flight::InFlight;
use crate::reader::Reader;
use crate::server::Durability;
use crate::settings::RedisStreamSettings;
use crate::side::Side;
use crate::trimmed::TrimmedUnread;

/// Most ids in one command: a command holds up the server for as long as it takes.
const IDS_IN_A_COMMAND: usize = 2000;

/// A Redis stream, read as one consumer of a durable group.
///
/// Of the connections to the server, one only reads (a read blocks, and with it all else on its connection),
/// one asks what is asked now and then, and a few are for acknowledgements.
///
/// Two things are settled here that the server leaves open:
///
/// - An answer that gets lost may have delivered entries. After every failure the reader therefore starts over
///   with what is pending for this consumer, leaving out what is in the hands of this process.
/// - A stream, or its group, can vanish: by `FLUSHALL`, by a failover, by hand. The group is created anew at
///   the start of the stream.
pub struct RedisPositionStream {
    context: Context,
    reader: Mutex<Reader>,
    side: Mutex<Side>,
    connections: RedisConnections,
}

impl RedisPositionStream {
    /// Connects, once; how long to try is for the caller to decide. Creates the group if it does not exist.
    ///
    /// # Errors
    /// [`ConnectError`]: what is wrong with the settings, or why the server will not do.
    pub async fn connect(
        settings: RedisStreamSettings,
        codec: RecordCodec,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConnectError> {
        settings.check()?;
        let endpoint = Endpoint::new(&settings.url, &settings.stream, settings.limits())?;
        let limits = RedisConnectionLimits {
            connections: settings.connections,
            connect_timeout: settings.connect_timeout,
            response_timeout: settings.response_timeout,
        };
        let connections = RedisConnections::new(&settings.url, limits)?;
        let context = Context {
            settings,
            endpoint,
            codec,
            clock,
            in_flight: InFlight::default(),
            trimmed: TrimmedUnread::default(),
            group_recreated: AtomicU64::new(0),
            unseen: AtomicBool::new(false),
            recovery: Mutex::new(()),
        };
        let connection = begin(&context).await.map_err(|failure| ConnectError::Failed {
            address: context.endpoint.servers().to_string().into(),
            failure,
        })?;
        let reader = Mutex::new(Reader::new(connection, &context.settings));
        let side = Mutex::new(Side::new());
        Ok(Self { context, reader, side, connections })
    }

    /// The connections used for acknowledgements, for other short questions to the same server.
    #[must_use]
    pub const fn connections(&self) -> &RedisConnections {
        &self.connections
    }
}

async fn begin(context: &Context) -> Result<Connection, RedisFailure> {
    let mut connection = context.connect("reader").await?;
    Durability::ask(&mut connection).await?.warn(&context.settings.stream);
    group::create_first(&mut connection, context).await?;
    Ok(connection)
}

#[async_trait]
impl PositionStream for RedisPositionStream {
    fn name(&self) -> &str {
        &self.context.settings.stream
    }

    async fn next_batch(&self) -> Result<Vec<Delivery>, StreamError> {
        Ok(self.reader.lock().await.next(&self.context).await?)
    }

    /// Entries stay in flight until the server has confirmed, so one that could not be acknowledged is not
    /// delivered again while this process runs: acknowledge it once more.
    async fn acknowledge(&self, settled: &[Settled]) -> Result<(), StreamError> {
        let RedisStreamSettings { stream, group, .. } = &self.context.settings;
        let (mut commands, mut text) = (redis::pipe(), Text::default());
        for chunk in settled.chunks(IDS_IN_A_COMMAND) {
            let command = commands.cmd("XACK").arg(stream).arg(group);
            for entry in chunk {
                command.arg(text.of(entry.entry_id()));
            }
            command.ignore();
        }
        if !settled.is_empty() {
            self.connections.send(stream, &commands).await?;
            self.context.in_flight.settle(settled.iter().map(Settled::entry_id));
        }
        Ok(())
    }

    async fn reclaim(&self) -> Result<Vec<Delivery>, StreamError> {
        Ok(self.side.lock().await.reclaim(&self.context).await?)
    }

    /// Claims them for this consumer without their bodies, which makes them look just delivered and counts no
    /// delivery.
    async fn keep_in_flight(&self) -> Result<(), StreamError> {
        let RedisStreamSettings { stream, group, consumer, .. } = &self.context.settings;
        let in_flight = self.context.in_flight.ids();
        let (mut commands, mut text) = (redis::pipe(), Text::default());
        for chunk in in_flight.chunks(IDS_IN_A_COMMAND) {
            let command = commands.cmd("XCLAIM").arg(stream).arg(group).arg(consumer).arg(0);
            for id in chunk {
                command.arg(text.of(*id));
            }
            command.arg("JUSTID").ignore();
        }
        if !in_flight.is_empty() {
            self.connections.send(stream, &commands).await?;
        }
        Ok(())
    }

    async fn standing(&self) -> Result<Standing, StreamError> {
        Ok(self.side.lock().await.standing(&self.context).await?)
    }
}
