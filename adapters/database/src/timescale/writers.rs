use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, Connection, PgPool, Postgres};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::Lease;

/// A connection that was idle for longer is asked whether it is still there before it is used. One that was
/// just used is taken to be there: if it is not, the batch is written again, which happens anyhow.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// A connection is replaced when it is older, so that servers behind one name share the load in time.
const LIFETIME: Duration = Duration::from_mins(30);

/// The connections that write, kept open between batches.
///
/// A pool makes them. They do not go back into it after each batch: on the way back a pool ends whatever
/// transaction may be open and asks the server whether it is there, two round trips for each batch that say
/// nothing new, since a connection comes back here only after its transaction has ended well.
#[derive(Debug)]
pub(crate) struct Writers {
    pool: PgPool,
    /// One for each connection there may be.
    permits: Arc<Semaphore>,
    acquire_timeout: Duration,
    idle: Mutex<Vec<Kept>>,
}

/// A connection and its times.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(super) connection: PoolConnection<Postgres>,
    born: Instant,
    last_used: Instant,
}

impl Kept {
    pub(super) fn new(connection: PoolConnection<Postgres>) -> Self {
        let now = Instant::now();
        Self { connection, born: now, last_used: now }
    }

    /// Closes the connection without a word. The server ends what it was doing when it finds out.
    pub(super) fn drop_at_once(self) {
        drop(self.connection.detach());
    }
}

impl Writers {
    /// `pool` has room for `count` connections and nobody else uses it.
    pub(super) fn new(pool: PgPool, count: u32, acquire_timeout: Duration) -> Arc<Self> {
        let permits = Semaphore::new(usize::try_from(count).unwrap_or(Semaphore::MAX_PERMITS));
        Arc::new(Self { pool, permits: permits.into(), acquire_timeout, idle: Mutex::default() })
    }

    /// Opens as many connections as there may be and are not on loan.
    pub(crate) async fn open(self: &Arc<Self>) -> Result<(), sqlx::Error> {
        let leases = try_join_all((0..self.permits.available_permits()).map(|_| self.lease())).await?;
        leases.into_iter().for_each(Lease::give_back);
        Ok(())
    }

    /// A connection, when there is one.
    pub(crate) async fn lease(self: &Arc<Self>) -> Result<Lease, sqlx::Error> {
        let permit = Arc::clone(&self.permits).acquire_owned();
        let permit = timeout(self.acquire_timeout, permit).await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
        // Out of a `while let` the guard would live on.
        let next = || self.idle().pop();
        while let Some(mut kept) = next() {
            if kept.last_used.elapsed() < TRUSTED_IDLE || kept.connection.ping().await.is_ok() {
                return Ok(Lease::kept(kept, Arc::clone(self), permit));
            }
            kept.drop_at_once();
        }
        let kept = Kept::new(self.pool.acquire().await?);
        Ok(Lease::kept(kept, Arc::clone(self), permit))
    }

    /// Takes a connection back.
    pub(super) fn keep(&self, kept: Kept) {
        if self.permits.is_closed() || kept.born.elapsed() > LIFETIME {
            // The pool sees that it is to be closed.
            drop(kept);
        } else {
            self.idle().push(Kept { last_used: Instant::now(), ..kept });
        }
    }

    /// Closes all connections, those on loan when they are given back.
    pub(super) async fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        drop(idle);
        self.pool.close().await;
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pool would take them back on a task of a runtime, which may be gone.
impl Drop for Writers {
    fn drop(&mut self) {
        let idle = std::mem::take(self.idle.get_mut().unwrap_or_else(PoisonError::into_inner));
        idle.into_iter().for_each(Kept::drop_at_once);
    }
}
