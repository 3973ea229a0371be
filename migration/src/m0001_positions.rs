//! The table `positions`: one row for each device and moment of device time.

pub(crate) mod postgres;
mod sqlite;

use std::time::Duration;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

pub(crate) struct Positions {
    pub(crate) chunk_interval: Duration,
}

impl MigrationName for Positions {
    fn name(&self) -> &'static str {
        "m0001_positions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Positions {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DbBackend::Postgres => postgres::up(manager.get_connection(), self.chunk_interval).await,
            _ => sqlite::up(manager.get_connection()).await,
        }
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DbBackend::Postgres => postgres::down(manager.get_connection()).await,
            _ => sqlite::down(manager.get_connection()).await,
        }
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
