use std::sync::Arc;

use processor_domain::ports::{
    Cause, Clock, DeadLetterQueue, DeadLetters, DeviceMemory, DeviceRecords, Enrolments, History,
    LastPositions, Marks, PositionStore, RosterSource,
};
use sea_orm::{DatabaseConnection, sqlx};

use crate::dead_letter_queue::DatabaseDeadLetterQueue;
use crate::dead_letters::{DatabaseDeadLetters, EncodeRecord};
use crate::marks::DatabaseMarks;
use crate::{
    DatabaseSettings, SqliteDeviceMemory, SqliteDeviceRecords, SqliteEnrolments, SqliteHistory,
    SqliteLastPositions, SqlitePositionStore, SqliteRosterSource, TimescaleDeviceMemory,
    TimescaleDeviceRecords, TimescaleEnrolments, TimescaleHistory, TimescaleLastPositions,
    TimescalePositionStore, TimescaleRosterSource, sqlite, timescale,
};

/// A database, and the ports that it serves.
#[derive(Debug, Clone)]
pub struct Database {
    settings: DatabaseSettings,
    engine: Engine,
    connection: DatabaseConnection,
}

#[derive(Debug, Clone)]
enum Engine {
    Timescale(timescale::Pools),
    Sqlite(sqlite::Pools),
}

/// A database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL is of no database that is known here.
    #[error("a database URL begins with postgres:// or sqlite:")]
    Scheme,
    /// The URL cannot be read.
    #[error("the database URL cannot be read")]
    Url(#[source] Cause),
    /// It cannot be reached at the moment.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Cause),
}

impl Database {
    /// Connects to the database that `settings` names by its URL, and makes sure that it answers.
    ///
    /// It opens no more connections than the writers, two that read, two for operators who ask, two that export,
    /// two for marks and one that asks whether it is there.
    ///
    /// # Errors
    /// [`ConnectError::Unreachable`]: try again. The others stay.
    pub async fn connect(settings: DatabaseSettings) -> Result<Self, ConnectError> {
        let url = |error: sqlx::Error| ConnectError::Url(error.into());
        let scheme = settings.url.split_once(':').map_or("", |(scheme, _)| scheme);
        let database = match scheme {
            "postgres" | "postgresql" => {
                let pools = timescale::Pools::new(&settings).map_err(url)?;
                let connection = pools.readers.clone().into();
                Self { settings, engine: Engine::Timescale(pools), connection }
            }
            "sqlite" => {
                let pools = sqlite::Pools::new(&settings).map_err(url)?;
                let connection = pools.readers.clone();
                Self { settings, engine: Engine::Sqlite(pools), connection }
            }
            _ => return Err(ConnectError::Scheme),
        };
        match database.position_store().ping().await {
            Ok(()) => Ok(database),
            Err(error) => Err(ConnectError::Unreachable(error.into())),
        }
    }

    /// Where positions are kept. The schema must be there: see the migrations.
    #[must_use]
    pub fn position_store(&self) -> Arc<dyn PositionStore> {
        match &self.engine {
            Engine::Timescale(pools) => Arc::new(TimescalePositionStore::new(pools.clone(), &self.settings)),
            Engine::Sqlite(pools) => Arc::new(SqlitePositionStore::new(pools.clone())),
        }
    }

    /// What is remembered of devices; `clock` says what is the future.
    #[must_use]
    pub fn device_memory(&self, clock: Arc<dyn Clock>) -> Arc<dyn DeviceMemory> {
        match &self.engine {
            Engine::Timescale(pools) => Arc::new(TimescaleDeviceMemory::new(
                pools.readers.clone(),
                self.settings.commit_deadline(),
                clock,
            )),
            Engine::Sqlite(pools) => Arc::new(SqliteDeviceMemory::new(pools.readers.clone(), clock)),
        }
    }

    /// The last known picture.
    #[must_use]
    pub fn last_positions(&self) -> Arc<dyn LastPositions> {
        match &self.engine {
            Engine::Timescale(pools) => {
                Arc::new(TimescaleLastPositions::new(pools.readers.clone(), self.settings.commit_deadline()))
            }
            Engine::Sqlite(pools) => Arc::new(SqliteLastPositions::new(pools.readers.clone())),
        }
    }

    /// Positions of the past, on connections that nothing else uses.
    #[must_use]
    pub fn history(&self) -> Arc<dyn History> {
        match &self.engine {
            Engine::Timescale(pools) => {
                Arc::new(TimescaleHistory::new(pools.history.clone(), self.settings.commit_deadline()))
            }
            Engine::Sqlite(pools) => Arc::new(SqliteHistory::new(pools.history.clone())),
        }
    }

    /// What operators say of positions, on connections that nothing else uses.
    #[must_use]
    pub fn marks(&self) -> Arc<dyn Marks> {
        let connection = match &self.engine {
            Engine::Timescale(pools) => pools.marks.clone().into(),
            Engine::Sqlite(pools) => pools.marks.clone(),
        };
        Arc::new(DatabaseMarks::new(connection, self.settings.commit_deadline()))
    }

    /// Whose car is where, from the tables that the CMS has in this database.
    #[must_use]
    pub fn roster_source(&self) -> Arc<dyn RosterSource> {
        match &self.engine {
            Engine::Timescale(pools) => {
                Arc::new(TimescaleRosterSource::new(pools.readers.clone(), self.settings.commit_deadline()))
            }
            Engine::Sqlite(pools) => Arc::new(SqliteRosterSource::new(pools.readers.clone())),
        }
    }

    /// Where dead letters are kept that the stream cannot keep. `instance` names this process in each of them;
    /// `encode` writes the position of one that had been decoded.
    #[must_use]
    pub fn dead_letters(&self, instance: &str, encode: EncodeRecord) -> Arc<dyn DeadLetters> {
        let deadline = self.settings.commit_deadline();
        Arc::new(DatabaseDeadLetters::new(self.connection.clone(), deadline, instance, encode))
    }

    /// The same dead letters, for those who look through them.
    #[must_use]
    pub fn dead_letter_queue(&self) -> Arc<dyn DeadLetterQueue> {
        Arc::new(DatabaseDeadLetterQueue::new(self.connection.clone(), self.settings.commit_deadline()))
    }

    /// What there is of one device.
    #[must_use]
    pub fn device_records(&self) -> Arc<dyn DeviceRecords> {
        match &self.engine {
            Engine::Timescale(pools) => {
                Arc::new(TimescaleDeviceRecords::new(pools.readers.clone(), self.settings.commit_deadline()))
            }
            Engine::Sqlite(pools) => Arc::new(SqliteDeviceRecords::new(pools.readers.clone())),
        }
    }

    /// What the CMS has of one device.
    #[must_use]
    pub fn enrolments(&self) -> Arc<dyn Enrolments> {
        match &self.engine {
            Engine::Timescale(pools) => {
                Arc::new(TimescaleEnrolments::new(pools.readers.clone(), self.settings.commit_deadline()))
            }
            Engine::Sqlite(pools) => Arc::new(SqliteEnrolments::new(pools.readers.clone())),
        }
    }

    /// The same database for operators: all that reads does so on connections of its own, so that nobody who serves
    /// waits for whoever asks.
    #[must_use]
    pub fn for_operators(&self) -> Self {
        let mut database = self.clone();
        if let Engine::Timescale(pools) = &mut database.engine {
            pools.readers = pools.operators.clone();
            database.connection = pools.readers.clone().into();
        }
        database
    }

    /// A connection for reading and for migrations, apart from those that write positions.
    #[must_use]
    pub const fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Opens the connections that write and those that read, which are opened when they are needed otherwise: the first
    /// batches do not wait for them then.
    ///
    /// # Errors
    /// If not all can be had, with those that can kept for later or closed. The database is of as much use as before.
    pub async fn open(&self) -> Result<(), Cause> {
        match &self.engine {
            Engine::Timescale(pools) => Ok(pools.open().await?),
            // A file is open when it was pinged.
            Engine::Sqlite(_) => Ok(()),
        }
    }

    /// Closes all connections, those in use when they are given back.
    pub async fn close(self) {
        match self.engine {
            Engine::Timescale(pools) => pools.close().await,
            Engine::Sqlite(pools) => {
                if let Err(error) = pools.close().await {
                    tracing::debug!(%error, "SQLite did not close well");
                }
            }
        }
    }
}
