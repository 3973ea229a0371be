use async_trait::async_trait;
use processor_domain::Roster;
use processor_domain::ports::{RosterSource, StoreError};
use sea_orm::{DatabaseConnection, DbBackend, DbErr, FromQueryResult, Statement};

use super::failure::Failure;
use crate::roster::{Lacking, Naming, Pair, RosterClerk};

const COLUMNS: &str = "SELECT wanted.value AS owner, c.name, c.type AS kind
FROM json_each('[\"entry_devices\", \"entries\", \"devices\"]') wanted
JOIN pragma_table_info(wanted.value) c";

/// Which devices take part in which events, from the tables of the CMS if they are in the same file.
#[derive(Debug)]
pub struct SqliteRosterSource {
    readers: DatabaseConnection,
    clerk: RosterClerk,
}

#[derive(FromQueryResult)]
struct ColumnRow {
    owner: String,
    name: String,
    kind: String,
}

#[derive(FromQueryResult)]
struct PairRow {
    device: String,
    event: String,
}

impl SqliteRosterSource {
    pub(crate) fn new(readers: DatabaseConnection) -> Self {
        Self { readers, clerk: RosterClerk::default() }
    }

    async fn read_pairs(&self) -> Result<Result<Vec<Pair>, Lacking>, DbErr> {
        let naming = match naming(&self.readers).await? {
            Ok(naming) => naming,
            Err(lacking) => return Ok(Err(lacking)),
        };
        let statement = Statement::from_string(DbBackend::Sqlite, naming.pairs());
        let pairs = PairRow::find_by_statement(statement).all(&self.readers).await?;
        Ok(Ok(pairs.into_iter().map(|pair| (pair.device, pair.event)).collect()))
    }
}

/// How the tables name a device at this moment.
pub(super) async fn naming(readers: &DatabaseConnection) -> Result<Result<Naming, Lacking>, DbErr> {
    let statement = Statement::from_string(DbBackend::Sqlite, COLUMNS);
    let columns = ColumnRow::find_by_statement(statement).all(readers).await?;
    let columns: Vec<_> =
        columns.into_iter().map(|column| (column.owner, column.name, column.kind)).collect();
    Ok(Naming::of(&columns))
}

#[async_trait]
impl RosterSource for SqliteRosterSource {
    async fn read_roster(&self) -> Result<Roster, StoreError> {
        match self.read_pairs().await.map_err(|error| Failure::from(error).into_store_error())? {
            Ok(pairs) => Ok(self.clerk.roster(&pairs)),
            Err(lacking) => self.clerk.without_tables(lacking),
        }
    }
}
