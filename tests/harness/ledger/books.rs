use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use processor_domain::{DeviceId, EntryId, Timestamp};
use redis::streams::{StreamInfoGroupsReply, StreamPendingCountReply, StreamRangeReply};
use redis::{AsyncCommands, RedisResult};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::Key;
use crate::{RedisServer, connect_database};

/// What the servers hold of one stream at one moment.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// How often each key is in the table.
    pub(super) rows: BTreeMap<Key, i64>,
    /// Entries that are dead letters, on the stream of dead letters or in its table.
    pub(super) dead: BTreeSet<EntryId>,
    /// The first hundred that are pending.
    pub(super) pending: Vec<EntryId>,
    pub(super) last_delivered: EntryId,
}

impl Books {
    pub(super) async fn read(
        redis: &RedisServer,
        database_url: &str,
        stream: &str,
        group: &str,
    ) -> anyhow::Result<Self> {
        let mut connection = redis.connection_for(stream).await?;
        let groups: StreamInfoGroupsReply = connection.xinfo_groups(stream).await?;
        let found = groups.groups.into_iter().find(|found| found.name == group);
        let last_delivered = found.with_context(|| format!("no group {group}"))?.last_delivered_id.parse()?;
        let pending: StreamPendingCountReply =
            connection.xpending_count(stream, group, "-", "+", 100).await?;
        let pending = pending.ids.iter().map(|entry| entry.id.parse()).collect::<Result<_, _>>()?;
        let letters = format!("{stream}:dead");
        let letters: RedisResult<StreamRangeReply> =
            redis.connection_for(&letters).await?.xrange_all(&letters).await;
        let mut dead = BTreeSet::new();
        for letter in letters?.ids {
            let id: String = letter.get("entry_id").context("a dead letter without entry_id")?;
            dead.insert(id.parse()?);
        }

        let database = connect_database(database_url).await?;
        let rows = rows(&database).await?;
        dead.extend(letters_in_the_table(&database, stream).await?);
        database.close().await?;
        Ok(Self { rows, dead, pending, last_delivered })
    }
}

async fn rows(database: &DatabaseConnection) -> anyhow::Result<BTreeMap<Key, i64>> {
    let sql =
        "SELECT device_id, (extract(epoch FROM ts) * 1000000)::int8, count(*) FROM positions GROUP BY 1, 2";
    let found = database.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let row = |row: sea_orm::QueryResult| {
        let (device, micros, count): (String, i64, i64) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        anyhow::Ok(((DeviceId::parse(&device)?, Timestamp::from_micros(micros)), count))
    };
    found.into_iter().map(row).collect()
}

async fn letters_in_the_table(database: &DatabaseConnection, stream: &str) -> anyhow::Result<Vec<EntryId>> {
    let sql = "SELECT entry_id::text FROM dead_letters WHERE stream = $1";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [stream.into()]);
    let found = database.query_all_raw(statement).await?;
    found.into_iter().map(|row| Ok(row.try_get_by_index::<String>(0)?.parse()?)).collect()
}
