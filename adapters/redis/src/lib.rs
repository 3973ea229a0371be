//! Redis Streams: where positions come from, and where records are set aside and put.
//!
//! | type | port |
//! |---|---|
//! | [`RedisPositionStream`] | [`PositionStream`](processor_domain::ports::PositionStream) |
//! | [`RedisDeadLetters`] | [`DeadLetters`](processor_domain::ports::DeadLetters) |
//! | [`RedisPositionPublisher`] | [`PositionPublisher`](processor_domain::ports::PositionPublisher) |
//!
//! Redis 7.0 or newer, or any Valkey; a single server, with or without TLS. Only commands of Redis 7.0 are
//! used.
//!
//! A batch goes through here so: [`RedisPositionStream`] asks its reader, which asks the server over a
//! connection of its own, finds the end of the reply in one pass over the bytes, walks over its entries, has
//! each one decoded where it lies, and notes the batch as in flight until it is acknowledged.

mod answer;
mod connection;
mod connections;
mod context;
mod dead_letters;
mod entries;
mod entry_id;
mod error;
mod group;
mod in_flight;
mod info;
mod position_publisher;
mod position_stream;
mod reader;
mod reclaim;
mod server;
mod settings;
mod side;
mod socket;
mod standing;
mod trimmed;
mod wire;

pub use connections::{RedisConnectionLimits, RedisConnections};
pub use dead_letters::RedisDeadLetters;
pub use error::{ConnectError, RedisFailure, Refusal, Remedy};
pub use position_publisher::RedisPositionPublisher;
pub use position_stream::RedisPositionStream;
pub use server::Durability;
pub use settings::RedisStreamSettings;
pub use wire::ProtocolError;
