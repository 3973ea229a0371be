use std::time::Duration;

/// How positions are to be stored.
#[derive(Debug, Clone)]
pub struct MigrationSettings {
    /// Span of time of one chunk of the hypertable; counts when the table is made. Indexes of the chunks being
    /// written should fit into a quarter of the server's memory.
    pub chunk_interval: Duration,
    /// Compress chunks older than this; `None` leaves compression as it is. Late positions are written more
    /// slowly into compressed chunks, so it should be longer than devices are ever out of reach.
    pub compress_after: Option<Duration>,
    /// How long to wait for another instance that is migrating.
    pub lock_timeout: Duration,
}

impl Default for MigrationSettings {
    /// Chunks of one week, no compression, a minute of waiting.
    fn default() -> Self {
        Self {
            chunk_interval: Duration::from_hours(7 * 24),
            compress_after: None,
            lock_timeout: Duration::from_mins(1),
        }
    }
}
