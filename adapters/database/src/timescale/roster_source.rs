use std::time::Duration;

use async_trait::async_trait;
use processor_domain::Roster;
use processor_domain::ports::{RosterSource, StoreError};
use sea_orm::sqlx::{self, PgPool};

use super::Lease;
use super::deadline::in_time;
use crate::roster::{Column, Lacking, Naming, Pair, RosterClerk};

/// The columns of the tables of the CMS, where the search path finds them. Not from `information_schema`, which
/// hides what one may not read: a right that is missing has to be an error, not an empty roster.
pub(super) const COLUMNS: &str = "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL)
FROM unnest(ARRAY['entry_devices', 'entries', 'devices']) AS wanted (name)
JOIN pg_class c ON c.oid = to_regclass(wanted.name)
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped";

/// Which devices take part in which events, from the tables that the CMS has in the same database.
#[derive(Debug)]
pub struct TimescaleRosterSource {
    readers: PgPool,
    deadline: Duration,
    clerk: RosterClerk,
}

impl TimescaleRosterSource {
    pub(crate) fn new(readers: PgPool, deadline: Duration) -> Self {
        Self { readers, deadline, clerk: RosterClerk::default() }
    }

    async fn read_pairs(&self) -> Result<Result<Vec<Pair>, Lacking>, sqlx::Error> {
        let mut connection = Lease::of(&self.readers).await?;
        let columns: Vec<Column> = sqlx::query_as(COLUMNS).fetch_all(&mut *connection).await?;
        let pairs = match Naming::of(&columns) {
            Ok(naming) => Ok(sqlx::query_as(naming.pairs()).fetch_all(&mut *connection).await?),
            Err(lacking) => Err(lacking),
        };
        connection.give_back();
        Ok(pairs)
    }
}

#[async_trait]
impl RosterSource for TimescaleRosterSource {
    /// One statement reads the whole roster, so it is one moment's. How the tables name a device is looked up
    /// each time before, which costs little: the CMS may come, or be made anew, while this program runs.
    async fn read_roster(&self) -> Result<Roster, StoreError> {
        match in_time(self.deadline, self.read_pairs()).await? {
            Ok(pairs) => Ok(self.clerk.roster(&pairs)),
            Err(lacking) => self.clerk.without_tables(lacking),
        }
    }
}
