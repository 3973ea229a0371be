use async_trait::async_trait;
use processor_domain::ports::{PositionPublisher, PublishError};

use crate::connections::RedisConnections;

/// Most records sent in one piece: beyond a thousand nothing gets faster.
const RECORDS_IN_A_PIECE: usize = 1000;

/// Appends records to a Redis stream as the platform's own ingestion does: one entry each, with the record in
/// the field `payload`.
#[derive(Clone, Debug)]
pub struct RedisPositionPublisher {
    connections: RedisConnections,
    stream: Box<str>,
    keep: Option<u64>,
}

impl RedisPositionPublisher {
    /// Appends to `stream`, which is never trimmed from here.
    #[must_use]
    pub fn new(connections: RedisConnections, stream: impl Into<Box<str>>) -> Self {
        Self { connections, stream: stream.into(), keep: None }
    }

    /// Trims the stream with every record to about its newest `entries`, read or not.
    #[must_use]
    pub fn keeping_about(mut self, entries: u64) -> Self {
        self.keep = Some(entries);
        self
    }
}

#[async_trait]
impl PositionPublisher for RedisPositionPublisher {
    async fn publish(&self, records: &[Box<[u8]>]) -> Result<(), PublishError> {
        for piece in records.chunks(RECORDS_IN_A_PIECE) {
            let mut commands = redis::pipe();
            for record in piece {
                let command = commands.cmd("XADD").arg(&*self.stream);
                if let Some(entries) = self.keep {
                    command.arg("MAXLEN").arg("~").arg(entries);
                }
                command.arg("*").arg("payload").arg(&record[..]).ignore();
            }
            self.connections.send(&self.stream, &commands).await?;
        }
        Ok(())
    }
}
