use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, PgConnection, PgPool, Postgres};
use tokio::sync::OwnedSemaphorePermit;

use super::writers::{Kept, Writers};

/// A connection on loan, which goes back only if it is given back.
///
/// A connection that is dropped in the middle of something, because a future was dropped or a deadline passed,
/// may be inside of a transaction that nobody will end: what the next user writes then looks written and is
/// gone when the connection closes. So it is closed instead.
pub(crate) struct Lease {
    /// `None` once it was given back.
    loan: Option<Loan>,
}

struct Loan {
    connection: Kept,
    /// Who keeps it between two loans; without one it goes back into its pool.
    keeper: Option<(Arc<Writers>, OwnedSemaphorePermit)>,
}

const HELD: &str = "a lease holds its connection until it is given back";

impl Lease {
    /// A connection of a pool.
    pub(crate) async fn of(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let connection = Kept::new(pool.acquire().await?);
        Ok(Self { loan: Some(Loan { connection, keeper: None }) })
    }

    /// A connection that `keeper` keeps; the permit is the right to one of them.
    pub(super) fn kept(connection: Kept, keeper: Arc<Writers>, permit: OwnedSemaphorePermit) -> Self {
        Self { loan: Some(Loan { connection, keeper: Some((keeper, permit)) }) }
    }

    /// Puts the connection back: it is as it was taken.
    pub(crate) fn give_back(mut self) {
        let Some(Loan { connection, keeper }) = self.loan.take() else { return };
        match keeper {
            // The permit goes after the connection is there for the next one.
            Some((keeper, permit)) => {
                keeper.keep(connection);
                drop(permit);
            }
            None => drop::<PoolConnection<Postgres>>(connection.connection),
        }
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.loan.as_ref().expect(HELD).connection.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.loan.as_mut().expect(HELD).connection.connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(loan) = self.loan.take() {
            loan.connection.drop_at_once();
        }
    }
}
