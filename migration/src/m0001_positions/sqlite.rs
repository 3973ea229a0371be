use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr};

/// `ts` and `ingested_at` are microseconds since 1970, because SQLite has no type for a moment and text with a
/// varying number of digits neither sorts nor compares. `attributes` is JSON text. NaN becomes null, so it is
/// refused as well.
const CREATE: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS positions (
        device_id text NOT NULL,
        ts integer NOT NULL,
        latitude real NOT NULL,
        longitude real NOT NULL,
        altitude real,
        angle real,
        speed real,
        satellites integer,
        priority integer NOT NULL DEFAULT 0,
        attributes text NOT NULL DEFAULT '{}' CHECK (json_valid(attributes)),
        faulty boolean NOT NULL DEFAULT false,
        ingested_at integer NOT NULL DEFAULT (cast(unixepoch('subsec') * 1000000 AS integer)),
        faults integer,
        CONSTRAINT positions_place_finite CHECK (abs(latitude) < 9e999 AND abs(longitude) < 9e999)
    )",
    "CREATE UNIQUE INDEX IF NOT EXISTS positions_device_ts_idx ON positions (device_id, ts DESC)",
];

pub(super) async fn up(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    for statement in CREATE {
        db.execute_unprepared(statement).await?;
    }
    Ok(())
}

pub(super) async fn down(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    db.execute_unprepared("DROP TABLE IF EXISTS positions").await?;
    Ok(())
}
