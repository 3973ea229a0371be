//! Positions in TimescaleDB, in plain PostgreSQL and in SQLite.
//!
//! [`Database::connect`] chooses by the scheme of the URL and hands out the ports:
//!
//! | port | PostgreSQL | SQLite |
//! |---|---|---|
//! | `PositionStore` | [`TimescalePositionStore`] | [`SqlitePositionStore`] |
//! | `DeviceMemory` | [`TimescaleDeviceMemory`] | [`SqliteDeviceMemory`] |
//! | `LastPositions` | [`TimescaleLastPositions`] | [`SqliteLastPositions`] |
//! | `RosterSource` | [`TimescaleRosterSource`] | [`SqliteRosterSource`] |
//! | `DeviceRecords` | [`TimescaleDeviceRecords`] | [`SqliteDeviceRecords`] |
//! | `Enrolments` | [`TimescaleEnrolments`] | [`SqliteEnrolments`] |
//! | `History` | [`TimescaleHistory`] | [`SqliteHistory`] |
//! | `Marks` | [`DatabaseMarks`] | the same |
//! | `DeadLetters` | [`DatabaseDeadLetters`] | the same |
//! | `DeadLetterQueue` | [`DatabaseDeadLetterQueue`] | the same |
//!
//! The tables are made by the migrations; [`entity`] has them for SeaORM. Those of the roster belong to the CMS.

mod database;
mod dead_letter_queue;
mod dead_letters;
pub mod entity;
mod kept_row;
mod layers;
mod marks;
mod paging;
mod remembered;
mod roster;
mod ruled;
mod settings;
mod sqlite;
mod storable;
mod stored;
mod timescale;

pub use database::{ConnectError, Database};
pub use dead_letter_queue::DatabaseDeadLetterQueue;
pub use dead_letters::{DatabaseDeadLetters, EncodeRecord};
pub use marks::DatabaseMarks;
pub use settings::DatabaseSettings;
pub use sqlite::{
    SqliteDeviceMemory, SqliteDeviceRecords, SqliteEnrolments, SqliteHistory, SqliteLastPositions,
    SqlitePositionStore, SqliteRosterSource,
};
pub use timescale::{
    TimescaleDeviceMemory, TimescaleDeviceRecords, TimescaleEnrolments, TimescaleHistory,
    TimescaleLastPositions, TimescalePositionStore, TimescaleRosterSource,
};
