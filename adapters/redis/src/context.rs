//! What the parts of one stream share.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use processor_codec::RecordCodec;
use processor_domain::ports::Clock;
use processor_domain::{Delivery, EntryId};
use tokio::sync::Mutex;

use crate::connection::{Commands, Connection};
use crate::endpoint::Endpoint;
use crate::entry_id;
use crate::error::RedisFailure;
use crate::in_flight::InFlight;
use crate::settings::RedisStreamSettings;
use crate::trimmed::TrimmedUnread;
use crate::wire::ProtocolError;

pub(crate) struct Context {
    pub(crate) settings: RedisStreamSettings,
    pub(crate) endpoint: Endpoint,
    pub(crate) codec: RecordCodec,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) in_flight: InFlight,
    pub(crate) trimmed: TrimmedUnread,
    pub(crate) group_recreated: AtomicU64,
    /// Entries may be pending here that were never seen: the answer that brought them got lost.
    pub(crate) unseen: AtomicBool,
    /// Held from looking at what is in flight until what was found is noted as in flight: else two who look
    /// through pending entries would both deliver what both have found.
    pub(crate) recovery: Mutex<()>,
}

/// How often an entry was delivered.
pub(crate) type Deliveries = (EntryId, u32);

impl Context {
    pub(crate) async fn connect(&self, purpose: &str) -> Result<Connection, RedisFailure> {
        self.endpoint.open(&format!("{}:{purpose}", self.settings.consumer)).await
    }

    /// The connection, if it still leads to where the stream is.
    pub(crate) async fn current(&self, connection: Option<Connection>) -> Option<Connection> {
        let connection = connection?;
        self.endpoint.is_current(&connection).await.then_some(connection)
    }

    /// Notes a batch that is about to be delivered; its ids ascend.
    pub(crate) fn note_in_flight(&self, batch: &[Delivery]) {
        self.in_flight.deliver(batch.iter().map(|delivery| delivery.receipt.entry_id()).collect());
    }

    /// The entries from `first` on that are pending with this consumer, at most `count`. Asking changes
    /// nothing: neither how often they were delivered nor how long they have been idle.
    pub(crate) async fn own_pending(
        &self,
        connection: &mut Connection,
        first: &str,
        count: usize,
    ) -> Result<Vec<Deliveries>, RedisFailure> {
        let RedisStreamSettings { stream, group, consumer, .. } = &self.settings;
        let mut commands = Commands::default();
        commands.push(&["XPENDING", stream, group, first, "+", &count.to_string(), consumer]);
        let mut replies = connection.ask(&commands).await?;
        let mut pending = Vec::new();
        for _ in 0..replies.array_or_nothing()? {
            replies.array_of(4)?;
            let id = entry_id::parse(replies.bytes()?)?;
            replies.skip()?;
            replies.skip()?;
            let deliveries = replies.count()?.ok_or(ProtocolError::Unexpected)?;
            pending.push((id, u32::try_from(deliveries).unwrap_or(u32::MAX)));
        }
        Ok(pending)
    }

    /// How often the entries from `first` to `last` were delivered that are pending with this consumer.
    pub(crate) async fn deliveries_between(
        &self,
        connection: &mut Connection,
        first: EntryId,
        last: EntryId,
    ) -> Result<HashMap<EntryId, u32>, RedisFailure> {
        let (mut found, mut next) = (HashMap::new(), first.to_string());
        loop {
            let page = self.own_pending(connection, &next, self.settings.batch_size).await?;
            let end = page.last().map(|(id, _)| *id).filter(|id| *id < last);
            found.extend(page);
            match end {
                Some(end) => next = format!("({end}"),
                None => return Ok(found),
            }
        }
    }
}
