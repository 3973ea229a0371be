//! `processor simulate`: a synthetic rally onto the stream of a real Redis.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use processor_domain::ports::{Clock, PositionPublisher, SystemClock};
use processor_redis::{RedisConnectionLimits, RedisConnections, RedisPositionPublisher};
use processor_simulator::{Rally, RallySettings};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::run::{Ended, watch_signals};

/// Which rally is sent.
#[derive(Debug, Clone, Copy)]
pub struct SimulateOptions {
    /// How many cars take part.
    pub cars: u16,
    /// Which rally.
    pub seed: u64,
}

/// How often records are sent; trackers send about once a second.
const SEND_EVERY: Duration = Duration::from_millis(100);
/// Most records sent at once.
const BATCH: usize = 1_000;

/// Sends the records of a rally to Redis when they are due, until it is told to stop.
pub async fn simulate(config: Config, options: SimulateOptions) -> Ended {
    let Some(redis) = &config.redis else {
        eprintln!(
            "REDIS_URL is needed: where the records are to be sent. Without Redis there is `processor demo`"
        );
        return Ended::Misconfigured;
    };
    let cars = NonZeroU16::new(options.cars).unwrap_or(NonZeroU16::MIN);
    let settings =
        RallySettings { cars, seed: options.seed, ..RallySettings::starting_at(SystemClock.now()) };
    let connections = match RedisConnections::new(&redis.url, RedisConnectionLimits::default()) {
        Ok(connections) => connections,
        Err(error) => {
            tracing::error!(%error, "no stream");
            return Ended::Failed;
        }
    };
    let stream = redis.streams.first().map_or("", String::as_str);
    let publisher = Arc::new(RedisPositionPublisher::new(connections, stream));
    let stop = CancellationToken::new();
    let signals = tokio::spawn(watch_signals(stop.clone()));
    tracing::info!(stream, %cars, "sending one fix a second of each car");
    let sent = drive(Rally::new(settings), publisher, stop).await;
    signals.abort();
    match sent {
        Ok(()) => Ended::AsAsked,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "records could not be sent");
            Ended::Failed
        }
    }
}

/// Sends each record when it is due.
pub(super) async fn drive(
    mut rally: Rally,
    publisher: Arc<dyn PositionPublisher>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(SEND_EVERY);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let now = SystemClock.now();
        loop {
            let due: Vec<_> =
                std::iter::from_fn(|| rally.next_by(now)).take(BATCH).map(|sent| sent.payload).collect();
            if due.is_empty() {
                break;
            }
            publisher.publish(&due).await?;
        }
    }
    Ok(())
}
