use sea_orm_migration::sea_orm::sqlx::postgres::PgPoolOptions;
use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend};

use crate::MigrationError;

/// A connection to the same database that has time: `db` may limit the time of a statement to what is good for
/// writing positions, which is not enough for putting TimescaleDB into a database or for dropping a year.
///
/// Waiting for locks stays limited, because others wait behind the one who waits. To be closed in the end.
pub(crate) async fn unhurried(db: &DatabaseConnection) -> Result<DatabaseConnection, MigrationError> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(db.clone());
    }
    let pool = db.get_postgres_connection_pool();
    let options = pool.connect_options().as_ref().clone().options([("statement_timeout", "0")]);
    let limit = pool.options().get_acquire_timeout();
    let unhurried =
        PgPoolOptions::new().max_connections(1).acquire_timeout(limit).connect_with(options).await?;
    Ok(unhurried.into())
}

/// Ends a connection of [`unhurried`].
pub(crate) async fn close(connection: DatabaseConnection) {
    if connection.get_database_backend() == DbBackend::Postgres {
        connection.get_postgres_connection_pool().close().await;
    }
}
