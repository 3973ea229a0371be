//! A file of SQLite, in the same process.

mod attributes;
mod device_memory;
mod failure;
mod pools;
mod position_store;

pub use device_memory::SqliteDeviceMemory;
pub use position_store::SqlitePositionStore;

pub(crate) use pools::Pools;
