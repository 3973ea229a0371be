use async_trait::async_trait;
use processor_domain::ports::{Enrolments, StoreError};
use processor_domain::{DeviceId, Enrolment, RosterSchema};
use sea_orm::{DatabaseConnection, DbBackend, DbErr, FromQueryResult, Statement, Value};

use super::failure::Failure;
use super::roster_source::naming;
use crate::roster::{EntryOfDevice, Naming};

/// What the tables of the CMS have of one device, if they are in the same file.
#[derive(Debug, Clone)]
pub struct SqliteEnrolments {
    readers: DatabaseConnection,
}

#[derive(FromQueryResult)]
struct EntryRow {
    entry: Option<String>,
    event: Option<String>,
    registered: i32,
}

impl SqliteEnrolments {
    pub(crate) const fn new(readers: DatabaseConnection) -> Self {
        Self { readers }
    }

    async fn read(&self, device: &DeviceId) -> Result<Enrolment, DbErr> {
        let Ok(naming) = naming(&self.readers).await? else { return Ok(Enrolment::absent()) };
        let values: [Value; 1] = [device.as_str().into()];
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, naming.entries(), values);
        let rows = EntryRow::find_by_statement(statement).all(&self.readers).await?;
        let entry = |EntryRow { entry, event, registered }| EntryOfDevice {
            entry,
            event,
            registered: registered != 0,
        };
        Ok(naming.enrolment(&rows.into_iter().map(entry).collect::<Vec<_>>()))
    }
}

#[async_trait]
impl Enrolments for SqliteEnrolments {
    async fn enrolment(&self, device: &DeviceId) -> Result<Enrolment, StoreError> {
        self.read(device).await.map_err(|error| Failure::from(error).into_store_error())
    }

    async fn schema(&self) -> Result<RosterSchema, StoreError> {
        let naming = naming(&self.readers).await.map_err(|error| Failure::from(error).into_store_error())?;
        Ok(naming.map_or(RosterSchema::Absent, Naming::schema))
    }
}
