use std::time::Duration;

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use crate::MigrationError;
use crate::storage::{ask_bool, timescale};

/// Marks a table as made here: only such a table is dropped again.
const COMMENT: &str = "Positions of devices, one row for each device and moment; made by processor";

const CREATE: &str = "CREATE TABLE positions (
    device_id text NOT NULL,
    ts timestamptz NOT NULL,
    latitude float8 NOT NULL,
    longitude float8 NOT NULL,
    altitude real,
    angle real,
    speed real,
    satellites smallint,
    priority smallint NOT NULL DEFAULT 0,
    attributes jsonb NOT NULL DEFAULT '{}',
    faulty boolean NOT NULL DEFAULT false,
    ingested_at timestamptz NOT NULL DEFAULT now(),
    faults integer,
    CONSTRAINT positions_place_finite CHECK (
        latitude > '-Infinity' AND latitude < 'Infinity' AND longitude > '-Infinity' AND longitude < 'Infinity'
    )
)";

/// Being unique it is also the key, so no primary key stands beside it: each index more costs a fifth of the
/// rate of writing.
const INDEX: &str =
    "CREATE UNIQUE INDEX IF NOT EXISTS positions_device_ts_idx ON positions (device_id, ts DESC)";

/// Columns that a table found may lack. Defaults that are not constant are set apart from adding the column,
/// which a hypertable with compression demands, and do not touch the rows that are there.
const ADD_MISSING: &str = "ALTER TABLE positions
    ADD COLUMN IF NOT EXISTS altitude real,
    ADD COLUMN IF NOT EXISTS angle real,
    ADD COLUMN IF NOT EXISTS speed real,
    ADD COLUMN IF NOT EXISTS satellites smallint,
    ADD COLUMN IF NOT EXISTS priority smallint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS attributes jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS faulty boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS faults integer";
const ADD_INGESTED_AT: [&str; 2] = [
    "ALTER TABLE positions ADD COLUMN ingested_at timestamptz",
    "ALTER TABLE positions ALTER COLUMN ingested_at SET DEFAULT now()",
];

/// Columns whose type statements depend on, with the types that will do.
const TYPES: [(&str, &[&str]); 3] = [
    ("device_id", &["text", "character varying"]),
    ("ts", &["timestamp with time zone"]),
    ("attributes", &["jsonb"]),
];
/// The other columns that every write fills; a value is cast to whatever type they have.
const OTHERS: [&str; 9] =
    ["latitude", "longitude", "altitude", "angle", "speed", "satellites", "priority", "faulty", "faults"];

pub(super) async fn up(db: &impl ConnectionTrait, chunk_interval: Duration) -> Result<(), DbErr> {
    if exists(db).await? {
        return adopt(db).await;
    }
    db.execute_unprepared(CREATE).await?;
    db.execute_unprepared(&format!("COMMENT ON TABLE positions IS '{COMMENT}'")).await?;
    if timescale(db).await?.is_some() {
        db.execute_unprepared(&format!(
            "SELECT create_hypertable('positions', 'ts', create_default_indexes => false, \
             chunk_time_interval => {}::bigint)",
            chunk_interval.as_micros()
        ))
        .await?;
    }
    db.execute_unprepared(INDEX).await?;
    Ok(())
}

/// A table that was there keeps all that it has; it gets what it lacks where that costs nothing.
async fn adopt(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    db.execute_unprepared(ADD_MISSING).await?;
    if !columns(db).await?.iter().any(|column| column.name == "ingested_at") {
        for statement in ADD_INGESTED_AT {
            db.execute_unprepared(statement).await?;
        }
    }
    // An index over the rows of years is not made on the way of a start; `verify` asks for it.
    if !has_key(db).await? && !ask_bool(db, "SELECT EXISTS (SELECT FROM positions)").await? {
        db.execute_unprepared("DROP INDEX IF EXISTS positions_device_ts_idx").await?;
        db.execute_unprepared(INDEX).await?;
    }
    Ok(())
}

pub(super) async fn down(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    if is_ours(db).await? {
        db.execute_unprepared("DROP TABLE positions").await?;
    }
    Ok(())
}

/// Makes sure that `positions` can be written as it will be written, whoever made it.
pub(crate) async fn verify(db: &impl ConnectionTrait) -> Result<(), MigrationError> {
    for Column { name, kind, mandatory } in columns(db).await? {
        let expected = TYPES.iter().find(|(column, _)| *column == name);
        if let Some((_, types)) = expected
            && !types.contains(&kind.as_str())
        {
            return Err(MigrationError::ColumnType { column: name, found: kind, expected: types[0] });
        }
        if mandatory && expected.is_none() && !OTHERS.contains(&name.as_str()) {
            return Err(MigrationError::UnknownMandatoryColumn(name));
        }
    }
    if has_key(db).await? { Ok(()) } else { Err(MigrationError::NoUniqueKey) }
}

/// Whether the table was made here.
pub(crate) async fn is_ours(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    ask_bool(db, &format!("SELECT obj_description(to_regclass('positions'), 'pg_class') = '{COMMENT}'")).await
}

async fn exists(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    ask_bool(db, "SELECT to_regclass('positions') IS NOT NULL").await
}

/// Whether there is a unique index on device and time and nothing else.
async fn has_key(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    ask_bool(
        db,
        "SELECT EXISTS (
            SELECT FROM pg_index i
            WHERE i.indrelid = to_regclass('positions') AND i.indisunique AND i.indisvalid
                AND i.indpred IS NULL AND i.indexprs IS NULL
                AND (
                    SELECT array_agg(a.attname::text ORDER BY a.attname)
                    FROM pg_attribute a
                    WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
                ) = ARRAY['device_id', 'ts']
        )",
    )
    .await
}

struct Column {
    name: String,
    kind: String,
    /// Not null, and nothing fills it if a row does not.
    mandatory: bool,
}

async fn columns(db: &impl ConnectionTrait) -> Result<Vec<Column>, DbErr> {
    let rows = db
        .query_all_raw(Statement::from_string(
            DbBackend::Postgres,
            "SELECT attname::text AS name, format_type(atttypid, NULL) AS kind,
                attnotnull AND NOT atthasdef AND attidentity = '' AS mandatory
             FROM pg_attribute
             WHERE attrelid = to_regclass('positions') AND attnum > 0 AND NOT attisdropped",
        ))
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Column {
                name: row.try_get("", "name")?,
                kind: row.try_get("", "kind")?,
                mandatory: row.try_get("", "mandatory")?,
            })
        })
        .collect()
}
