//! The tables of the CMS, as it makes them on each database.

use processor_database::Database;
use sea_orm::{ConnectionTrait, DbBackend};

/// The key with this number, as the CMS writes it.
pub(crate) fn key(number: u32) -> String {
    format!("0f1a7f8e-32ab-4f0e-9c7e-{number:012}")
}

/// Runs statements as the CMS would.
pub(crate) async fn run(database: &Database, sql: &str) -> anyhow::Result<()> {
    database.connection().execute_unprepared(sql).await?;
    Ok(())
}

/// Makes the tables with UUIDs for keys, which SQLite has no type for.
pub(crate) async fn make_tables(database: &Database) -> anyhow::Result<()> {
    let uuid = match database.connection().get_database_backend() {
        DbBackend::Postgres => "uuid",
        _ => "char(36)",
    };
    make_tables_with_keys(database, uuid).await
}

/// Makes the tables with keys of this type.
pub(crate) async fn make_tables_with_keys(database: &Database, key: &str) -> anyhow::Result<()> {
    run(
        database,
        &format!(
            "CREATE TABLE events (id {key} PRIMARY KEY, name varchar(255));
             CREATE TABLE entries (id {key} PRIMARY KEY, event_id {key} REFERENCES events);
             CREATE TABLE devices (id {key} PRIMARY KEY, imei varchar(255));
             CREATE TABLE entry_devices (
                 id {key} PRIMARY KEY, entry_id {key} REFERENCES entries, device_id {key} REFERENCES devices
             )"
        ),
    )
    .await
}

/// Makes the tables of the old fixtures, which name a device by its IMEI.
pub(crate) async fn make_old_tables(database: &Database) -> anyhow::Result<()> {
    run(
        database,
        "CREATE TABLE events (id text PRIMARY KEY);
         CREATE TABLE entries (id text PRIMARY KEY, event_id text NOT NULL);
         CREATE TABLE entry_devices (id text PRIMARY KEY, entry_id text NOT NULL, device_id text NOT NULL)",
    )
    .await
}

/// Adds an event with one entry, both with this number.
pub(crate) async fn add_event(database: &Database, number: u32) -> anyhow::Result<()> {
    let id = key(number);
    run(
        database,
        &format!(
            "INSERT INTO events (id, name) VALUES ('{id}', 'Rally');
             INSERT INTO entries VALUES ('{id}', '{id}')"
        ),
    )
    .await
}

/// Adds a device with this number, whose IMEI is the number too.
pub(crate) async fn add_device(database: &Database, number: u32) -> anyhow::Result<()> {
    run(database, &format!("INSERT INTO devices VALUES ('{}', '{number}')", key(number))).await
}

/// Gives the entry with this number a device.
pub(crate) async fn enter(database: &Database, entry: u32, device: u32) -> anyhow::Result<()> {
    let (id, entry, device) = (key(entry * 1_000 + device), key(entry), key(device));
    run(database, &format!("INSERT INTO entry_devices VALUES ('{id}', '{entry}', '{device}')")).await
}
