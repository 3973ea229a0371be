//! PostgreSQL, with TimescaleDB or without.

mod copy;
mod copy_backoff;
mod device_memory;
mod failure;
mod lease;
mod moment;
mod pools;
mod position_store;
mod unite;

pub use device_memory::TimescaleDeviceMemory;
pub use position_store::TimescalePositionStore;

pub(crate) use failure::Failure;
pub(crate) use lease::Lease;
pub(crate) use pools::Pools;
