use anyhow::Context;
use processor_domain::DeviceId;
use sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::connect_database;

/// The tables of the CMS that say whose car is where, in the database of a test.
#[derive(Debug)]
pub struct DirectusTables {
    database: DatabaseConnection,
    naming: DeviceNaming,
}

/// How `entry_devices` names a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceNaming {
    /// By the key of its row in `devices`; all keys are UUIDs.
    ByKey,
    /// By its IMEI, as in old fixtures; all keys are text, and there is no table `devices`.
    ByImei,
}

impl DirectusTables {
    /// Makes the tables, which are empty.
    ///
    /// # Errors
    /// If the database refuses, or has them.
    pub async fn create(database_url: &str, naming: DeviceNaming) -> anyhow::Result<Self> {
        let tables = Self { database: connect_database(database_url).await?, naming };
        let key = tables.key();
        if naming == DeviceNaming::ByKey {
            tables.run("CREATE TABLE devices (id uuid PRIMARY KEY, imei varchar(255))").await?;
        }
        tables
            .run(&format!(
                "CREATE TABLE events (id {key} PRIMARY KEY);
                 CREATE TABLE entries (id {key} PRIMARY KEY, event_id {key} REFERENCES events);
                 CREATE TABLE entry_devices (
                     id {key} PRIMARY KEY, entry_id {key} REFERENCES entries, device_id {key} NOT NULL
                 )"
            ))
            .await?;
        Ok(tables)
    }

    /// Enters devices for an event, whose id has to be a UUID: each with an entry of its own.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn enter(
        &self,
        event: &str,
        devices: impl IntoIterator<Item = DeviceId>,
    ) -> anyhow::Result<()> {
        let (key, of_devices) = (self.key(), device_list(devices));
        let device = self.device();
        let register = match self.naming {
            DeviceNaming::ByKey => format!(
                "INSERT INTO devices SELECT md5(imei)::uuid, imei FROM {of_devices} ON CONFLICT DO NOTHING;"
            ),
            DeviceNaming::ByImei => String::new(),
        };
        self.run(&format!(
            "{register}
             INSERT INTO events VALUES ('{event}') ON CONFLICT DO NOTHING;
             INSERT INTO entries
                 SELECT md5('{event}' || imei)::{key}, '{event}'::{key} FROM {of_devices} ON CONFLICT DO NOTHING;
             INSERT INTO entry_devices
                 SELECT md5('{event}' || imei)::{key}, md5('{event}' || imei)::{key}, {device} FROM {of_devices}"
        ))
        .await
    }

    /// Moves a device from one event to another, in one step.
    ///
    /// # Errors
    /// If the database refuses, or does not know the event that it moves to.
    pub async fn transfer(&self, device: DeviceId, from: &str, to: &str) -> anyhow::Result<()> {
        let (key, of_device) = (self.key(), device_list([device]));
        // Statements sent together are one transaction.
        self.run(&format!(
            "INSERT INTO entries SELECT md5('{to}' || imei)::{key}, '{to}'::{key} FROM {of_device} ON CONFLICT DO NOTHING;
             UPDATE entry_devices SET entry_id = md5('{to}' || imei)::{key} FROM {of_device}
                 WHERE entry_id = md5('{from}' || imei)::{key}"
        ))
        .await
    }

    const fn key(&self) -> &'static str {
        match self.naming {
            DeviceNaming::ByKey => "uuid",
            DeviceNaming::ByImei => "text",
        }
    }

    /// What stands for a device in `entry_devices`.
    const fn device(&self) -> &'static str {
        match self.naming {
            DeviceNaming::ByKey => "md5(imei)::uuid",
            DeviceNaming::ByImei => "imei",
        }
    }

    async fn run(&self, sql: &str) -> anyhow::Result<()> {
        self.database.execute_unprepared(sql).await.with_context(|| format!("refused: {sql}"))?;
        Ok(())
    }
}

/// Devices as a table with one column, `imei`.
fn device_list(devices: impl IntoIterator<Item = DeviceId>) -> String {
    let quoted: Vec<String> = devices.into_iter().map(|device| format!("'{device}'")).collect();
    format!("unnest(ARRAY[{}]::text[]) AS of_devices (imei)", quoted.join(","))
}
