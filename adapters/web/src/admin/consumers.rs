//! Who reads the streams.

use std::sync::Arc;

use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use processor_admin::SeenConsumer;

use super::unavailable;
use crate::problem::Problem;

/// The consumers of all streams.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Consumers")]
struct Page {
    /// Stream by stream
    streams: Vec<StreamConsumers>,
}

/// The consumers of the durable group of one stream.
#[derive(Debug, Clone, Object)]
struct StreamConsumers {
    /// The name of the stream
    stream: String,
    /// Its consumers, by name
    consumers: Vec<Consumer>,
}

/// One consumer. One that holds nothing and has asked for nothing for `REDIS_CONSUMER_FORGET_HOURS` is removed.
#[derive(Debug, Clone, Object)]
struct Consumer {
    /// Its name in the group
    name: String,
    /// Whether it is the instance that answers
    own: bool,
    /// Entries delivered to it and not acknowledged
    pending: u64,
    /// How long ago it last asked for anything, in seconds
    idle_seconds: f64,
    /// The oldest entry that is pending with it
    #[oai(skip_serializing_if_is_none)]
    oldest_pending: Option<OldestPending>,
}

/// The oldest entry that is pending with a consumer.
#[derive(Debug, Clone, Object)]
struct OldestPending {
    /// Where it stands in the stream
    entry_id: String,
    /// How long ago the stream took it, in seconds
    age_seconds: f64,
}

#[derive(ApiResponse)]
enum Fault {
    /// `unavailable`: A stream cannot be reached at the moment
    #[oai(status = 503)]
    Unavailable(Problem),
}

pub(super) struct Consumers {
    consumers: Arc<processor_admin::Consumers>,
}

impl Consumers {
    pub(super) const fn new(consumers: Arc<processor_admin::Consumers>) -> Self {
        Self { consumers }
    }
}

#[OpenApi]
impl Consumers {
    /// Who reads the streams
    ///
    /// Every consumer of the durable group of each stream, with what is pending with it.
    #[oai(path = "/consumers", method = "get", operation_id = "consumers")]
    async fn consumers(&self) -> Result<Json<Page>, Fault> {
        let streams = self.consumers.list().await.map_err(|error| Fault::Unavailable(unavailable(&error)))?;
        let streams = streams.into_iter().map(|found| StreamConsumers {
            stream: found.stream.into(),
            consumers: found.consumers.into_iter().map(Consumer::from).collect(),
        });
        Ok(Json(Page { streams: streams.collect() }))
    }
}

impl From<SeenConsumer> for Consumer {
    fn from(SeenConsumer { consumer, oldest_age }: SeenConsumer) -> Self {
        let oldest = consumer.oldest_pending.zip(oldest_age);
        Self {
            name: consumer.name.into(),
            own: consumer.own,
            pending: consumer.pending,
            idle_seconds: consumer.idle.as_secs_f64(),
            oldest_pending: oldest
                .map(|(id, age)| OldestPending { entry_id: id.to_string(), age_seconds: age.as_secs_f64() }),
        }
    }
}
