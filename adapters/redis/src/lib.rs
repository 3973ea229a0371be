//! Redis Streams: where positions come from and are watched, and where records are set aside and put.
//!
//! | type | port |
//! |---|---|
//! | [`RedisPositionStream`] | [`PositionStream`](processor_domain::ports::PositionStream) |
//! | [`RedisPositionFeed`] | [`PositionFeed`](processor_domain::ports::PositionFeed) |
//! | [`RedisConsumerGroup`] | [`ConsumerGroup`](processor_domain::ports::ConsumerGroup) |
//! | [`RedisDeadLetters`] | [`DeadLetters`](processor_domain::ports::DeadLetters) |
//! | [`RedisDeadLetterQueue`] | [`DeadLetterQueue`](processor_domain::ports::DeadLetterQueue) |
//! | [`RedisPositionPublisher`] | [`PositionPublisher`](processor_domain::ports::PositionPublisher) |
//!
//! Redis 7.0 or newer, or any Valkey; a single server, one that sentinels watch over, or a cluster, with or without
//! TLS: see [`RedisUrl`]. Only commands of Redis 7.0 are used, and none names two keys.
//!
//! A batch goes through here so: [`RedisPositionStream`] asks its reader, which asks the server over a
//! connection of its own, finds the end of the reply in one pass over the bytes, walks over its entries, has
//! each one decoded where it lies, and notes the batch as in flight until it is acknowledged.

mod answer;
mod cluster;
mod connection;
mod connections;
mod consumer_group;
mod context;
mod dead_letter_queue;
mod dead_letters;
mod endpoint;
mod entries;
mod entry_id;
mod error;
mod feed_settings;
mod follower;
mod group;
mod group_read;
mod guides;
mod in_flight;
mod info;
mod live_group;
mod place;
mod portion;
mod position_feed;
mod position_publisher;
mod position_stream;
mod reader;
mod reclaim;
mod redis_url;
mod route;
mod sentinels;
mod server;
mod servers;
mod settings;
mod side;
mod slot;
mod socket;
mod stale_groups;
mod standing;
mod trimmed;
mod wire;

pub use connections::{RedisConnectionLimits, RedisConnections};
pub use consumer_group::RedisConsumerGroup;
pub use dead_letter_queue::RedisDeadLetterQueue;
pub use dead_letters::RedisDeadLetters;
pub use error::{ConnectError, RedisFailure, Refusal, Remedy};
pub use feed_settings::RedisFeedSettings;
pub use position_feed::RedisPositionFeed;
pub use position_publisher::RedisPositionPublisher;
pub use position_stream::RedisPositionStream;
pub use redis_url::RedisUrl;
pub use settings::RedisStreamSettings;
pub use wire::ProtocolError;
