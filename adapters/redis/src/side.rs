//! The connection beside the reader's.

use std::sync::atomic::Ordering;

use processor_domain::{Delivery, EntryId, Standing};

use crate::connection::Connection;
use crate::context::Context;
use crate::entry_id::START;
use crate::error::{RedisFailure, Remedy};
use crate::server::Durability;
use crate::{reclaim, standing};

/// Asks what is to be asked while a read blocks, on a connection that is opened when it is first needed.
pub(crate) struct Side {
    connection: Option<Connection>,
    /// Whether the server that the connection leads to tells how it keeps what it confirms.
    tells_durability: bool,
    /// Where the search for entries to take over goes on.
    next: EntryId,
}

impl Side {
    pub(crate) fn new() -> Self {
        Self { connection: None, tells_durability: true, next: START }
    }

    /// What other consumers left pending for too long; at most one batch.
    pub(crate) async fn reclaim(&mut self, context: &Context) -> Result<Vec<Delivery>, RedisFailure> {
        let mut connection = self.take(context).await?;
        let reclaimed = reclaim::reclaim(&mut connection, context, &mut self.next).await;
        if reclaimed.is_err() {
            // What an answer that got lost has taken over is pending here, and nobody has seen it.
            context.unseen.store(true, Ordering::Relaxed);
        }
        self.put_back(connection, &reclaimed);
        reclaimed
    }

    /// How far the group is.
    pub(crate) async fn standing(&mut self, context: &Context) -> Result<Standing, RedisFailure> {
        let mut connection = self.take(context).await?;
        let standing = self.ask_standing(&mut connection, context).await;
        self.put_back(connection, &standing);
        standing
    }

    async fn ask_standing(
        &mut self,
        connection: &mut Connection,
        context: &Context,
    ) -> Result<Standing, RedisFailure> {
        let mut standing = standing::standing(connection, context).await?;
        if self.tells_durability {
            let durability = Durability::ask(connection).await?;
            standing.durable = durability.is_sound();
            // One that may not be asked is not asked again and again.
            self.tells_durability = durability != Durability::default();
        }
        Ok(standing)
    }

    /// Takes the connection out, so that it is gone if the future is dropped; then, too, there may be entries
    /// that nobody has seen.
    async fn take(&mut self, context: &Context) -> Result<Connection, RedisFailure> {
        if let Some(connection) = context.current(self.connection.take()).await {
            return Ok(connection);
        }
        context.unseen.store(true, Ordering::Relaxed);
        self.tells_durability = true;
        context.connect("side").await
    }

    /// A refusal is an answer: the connection is sound if it leads to the right server.
    fn put_back<T>(&mut self, connection: Connection, answer: &Result<T, RedisFailure>) {
        let sound = answer.as_ref().err().is_none_or(|failure| failure.remedy() != Remedy::Reconnect);
        self.connection = sound.then_some(connection);
    }
}
