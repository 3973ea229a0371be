//! The schema: made, found, shared and taken back.

mod adopted;
mod fresh;
mod retention;

use processor_database::{Database, DatabaseSettings};
use processor_tests::TimescaleServer;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

/// An empty database, without the schema, and its server.
async fn empty(server: &TimescaleServer) -> anyhow::Result<Database> {
    let url = server.create_database().await?;
    Ok(Database::connect(DatabaseSettings::of(url)).await?)
}

/// The first column of all rows, as text.
async fn texts(connection: &DatabaseConnection, sql: &str) -> anyhow::Result<Vec<String>> {
    let rows = connection.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}

/// The columns of `positions` with type, `!` for not null, and default.
async fn columns(connection: &DatabaseConnection) -> anyhow::Result<Vec<String>> {
    texts(
        connection,
        "SELECT a.attname || ' ' || format_type(a.atttypid, NULL) || CASE WHEN a.attnotnull THEN '!' ELSE '' END
            || coalesce(' ' || pg_get_expr(d.adbin, d.adrelid), '')
         FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = 'positions'::regclass AND a.attnum > 0 AND NOT a.attisdropped
         ORDER BY a.attnum",
    )
    .await
}

async fn indexes(connection: &DatabaseConnection) -> anyhow::Result<Vec<String>> {
    texts(connection, "SELECT indexdef FROM pg_indexes WHERE tablename = 'positions' ORDER BY indexname")
        .await
}
