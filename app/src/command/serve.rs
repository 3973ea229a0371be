//! `processor serve`: the service.

use crate::command::check_config::risks;
use crate::compose::Audience;
use crate::config::Config;
use crate::log::Levels;
use crate::run::{Ended, Service};

/// Runs until it is told to stop.
pub(crate) async fn serve(config: Config, levels: Levels) -> Ended {
    for risk in risks(&config) {
        tracing::warn!("{risk}");
    }
    if config.redis.is_none() {
        tracing::warn!(
            "REDIS_URL is not set: the stream is embedded and nothing puts records onto it; see `demo` and `replay`"
        );
    }
    let audience = config.live.directus.clone().map(Audience::Directus);
    if audience.is_none() {
        tracing::warn!("DIRECTUS_URL is not set: nobody can be let in, so there is no live socket");
    }
    match Service::start(config, audience, levels).await {
        Ok(service) => service.run().await,
        Err(ended) => ended,
    }
}
