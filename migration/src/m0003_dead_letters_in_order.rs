use sea_orm_migration::prelude::*;

/// The index by which dead letters are looked through in the order in which they were kept.
pub(crate) struct DeadLettersInOrder;

impl MigrationName for DeadLettersInOrder {
    fn name(&self) -> &'static str {
        "m0003_dead_letters_in_order"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for DeadLettersInOrder {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let create = "CREATE INDEX IF NOT EXISTS dead_letters_kept_idx
            ON dead_letters (stream, kept_at, entry_id)";
        manager.get_connection().execute_unprepared(create).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP INDEX IF EXISTS dead_letters_kept_idx").await?;
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
