use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// The table `dead_letters`: records that could not become positions.
pub(crate) struct DeadLetters;

impl MigrationName for DeadLetters {
    fn name(&self) -> &'static str {
        "m0002_dead_letters"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for DeadLetters {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (bytes, moment, now) = match manager.get_database_backend() {
            DbBackend::Postgres => ("bytea", "timestamptz", "now()"),
            // Microseconds since 1970, as in `positions`.
            _ => ("blob", "integer", "(cast(unixepoch('subsec') * 1000000 AS integer))"),
        };
        // An entry has one key, and keeping it twice is keeping it once.
        let create = format!(
            "CREATE TABLE IF NOT EXISTS dead_letters (
                stream text NOT NULL,
                entry_id text NOT NULL,
                reason text NOT NULL,
                detail text NOT NULL,
                payload {bytes} NOT NULL,
                deliveries bigint NOT NULL,
                instance text NOT NULL,
                kept_at {moment} NOT NULL DEFAULT {now},
                PRIMARY KEY (stream, entry_id)
            )"
        );
        manager.get_connection().execute_unprepared(&create).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE IF EXISTS dead_letters").await?;
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
