use std::time::Duration;

use sea_orm_migration::sea_orm::sqlx::{self, Connection, PgConnection};
use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend};

use crate::MigrationError;
use crate::error::LOCK_NOT_AVAILABLE;

/// Known to every instance: the text "processo" as a number.
const KEY: i64 = 0x7072_6f63_6573_736f;

/// The right to migrate a PostgreSQL database; nobody else has it.
///
/// It is held by a session of its own, so that it is neither bound to one transaction nor to a connection of a
/// pool, and ends with the process whatever happens to it. An SQLite file belongs to one process and needs none.
pub(crate) struct MigrationLock {
    session: Option<PgConnection>,
}

impl MigrationLock {
    pub(crate) async fn take(db: &DatabaseConnection, timeout: Duration) -> Result<Self, MigrationError> {
        if db.get_database_backend() != DbBackend::Postgres {
            return Ok(Self { session: None });
        }
        let options = db.get_postgres_connection_pool().connect_options().as_ref().clone().options([
            ("lock_timeout", timeout.as_millis().to_string()),
            ("statement_timeout", "0".to_owned()),
        ]);
        let mut session = PgConnection::connect_with(&options).await?;
        let free: bool =
            sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(KEY).fetch_one(&mut session).await?;
        if !free {
            tracing::info!(?timeout, "another instance is migrating: waiting for it");
            match sqlx::query("SELECT pg_advisory_lock($1)").bind(KEY).execute(&mut session).await {
                Ok(_) => {}
                Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(LOCK_NOT_AVAILABLE) => {
                    return Err(MigrationError::Locked(timeout));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self { session: Some(session) })
    }

    pub(crate) async fn release(self) {
        if let Some(session) = self.session
            && let Err(error) = session.close().await
        {
            tracing::debug!(%error, "the session of the migration lock did not end well");
        }
    }
}
