use std::ops::{Deref, DerefMut};

use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, PgConnection, PgPool, Postgres};

/// A connection taken from a pool, which goes back only if it is given back.
///
/// A connection that is dropped in the middle of something, because a future was dropped or a deadline passed,
/// may be inside of a transaction that nobody will end: what the next user writes then looks written and is
/// gone when the connection closes. So it is closed instead.
pub(crate) struct Lease {
    connection: Option<PoolConnection<Postgres>>,
}

const HELD: &str = "a lease holds its connection until it is given back";

impl Lease {
    pub(crate) async fn of(pool: &PgPool) -> Result<Self, sqlx::Error> {
        Ok(Self { connection: Some(pool.acquire().await?) })
    }

    /// Puts the connection back into its pool: it is as it was taken.
    pub(crate) fn give_back(mut self) {
        drop(self.connection.take());
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect(HELD)
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect(HELD)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}
