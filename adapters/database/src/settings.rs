use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// How to reach the database and how long to wait for it.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// `postgres://…` or `sqlite:…`. May hold a password; it is never shown. Of PostgreSQL the server itself, or
    /// a pooler that keeps a session for a client: sessions have settings and prepared statements.
    pub url: String,
    /// Connections that write, each one batch at a time. SQLite has one in any case.
    pub writers: NonZeroU32,
    /// How long to wait for a connection.
    pub acquire_timeout: Duration,
    /// How long the server may work on one statement.
    pub statement_timeout: Duration,
    /// How long a statement may wait for another one's lock.
    pub lock_timeout: Duration,
}

impl DatabaseSettings {
    /// The database at `url` with three writers and times that suit a server nearby: 5 s for a connection, 10 s
    /// for a statement, 5 s for a lock.
    #[must_use]
    pub fn of(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            writers: const { NonZeroU32::new(3).expect("not zero") },
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(5),
        }
    }

    /// How long one commit may take in all: the server may be gone without saying so, and nothing else ends
    /// the wait for an answer then. Nothing else that is asked of it may take longer.
    #[must_use]
    pub fn commit_deadline(&self) -> Duration {
        self.acquire_timeout + 3 * self.statement_timeout
    }
}

impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.url.split_once(':').map_or("", |(scheme, _)| scheme);
        out.debug_struct("DatabaseSettings")
            .field("url", &format_args!("{scheme}:…"))
            .field("writers", &self.writers)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("lock_timeout", &self.lock_timeout)
            .finish()
    }
}
