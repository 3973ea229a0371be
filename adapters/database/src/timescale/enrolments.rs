use std::time::Duration;

use async_trait::async_trait;
use processor_domain::ports::{Enrolments, StoreError};
use processor_domain::{DeviceId, Enrolment, RosterSchema};
use sea_orm::sqlx::postgres::PgRow;
use sea_orm::sqlx::{self, PgPool, Row};

use super::Lease;
use super::deadline::in_time;
use super::roster_source::COLUMNS;
use crate::roster::{Column, EntryOfDevice, Naming};

/// What the tables of the CMS in the same database have of one device.
#[derive(Debug, Clone)]
pub struct TimescaleEnrolments {
    readers: PgPool,
    deadline: Duration,
}

impl TimescaleEnrolments {
    pub(crate) const fn new(readers: PgPool, deadline: Duration) -> Self {
        Self { readers, deadline }
    }

    async fn read_schema(&self) -> Result<RosterSchema, sqlx::Error> {
        let mut connection = Lease::of(&self.readers).await?;
        let columns: Vec<Column> = sqlx::query_as(COLUMNS).fetch_all(&mut *connection).await?;
        connection.give_back();
        Ok(Naming::of(&columns).map_or(RosterSchema::Absent, Naming::schema))
    }

    async fn read(&self, device: &DeviceId) -> Result<Enrolment, sqlx::Error> {
        let mut connection = Lease::of(&self.readers).await?;
        let columns: Vec<Column> = sqlx::query_as(COLUMNS).fetch_all(&mut *connection).await?;
        let enrolment = match Naming::of(&columns) {
            Ok(naming) => {
                let rows =
                    sqlx::query(naming.entries()).bind(device.as_str()).fetch_all(&mut *connection).await?;
                naming.enrolment(&rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?)
            }
            Err(_) => Enrolment::absent(),
        };
        connection.give_back();
        Ok(enrolment)
    }
}

fn entry(row: &PgRow) -> Result<EntryOfDevice, sqlx::Error> {
    let registered: i32 = row.try_get(2)?;
    Ok(EntryOfDevice { entry: row.try_get(0)?, event: row.try_get(1)?, registered: registered != 0 })
}

#[async_trait]
impl Enrolments for TimescaleEnrolments {
    async fn enrolment(&self, device: &DeviceId) -> Result<Enrolment, StoreError> {
        in_time(self.deadline, self.read(device)).await
    }

    async fn schema(&self) -> Result<RosterSchema, StoreError> {
        in_time(self.deadline, self.read_schema()).await
    }
}
