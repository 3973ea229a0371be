//! What is done by the clock: taking over what other consumers left, keeping what is ours, and looking how far
//! we are.

use std::sync::Arc;
use std::time::Duration;

use processor_domain::Standing;
use processor_domain::ports::{Clock, DeadLetterQueue, DeadLetterQueueError, PositionStore, PositionStream};
use tokio::sync::mpsc::Sender;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::batch::Read;
use crate::ingest::Shared;
use processor_tasks::chain;

/// Ticks at once and then every so often, until told to stop.
pub(crate) struct Ticks {
    interval: Interval,
    stop: CancellationToken,
}

impl Ticks {
    pub(crate) fn every(period: Duration, stop: &CancellationToken) -> Self {
        let mut interval = tokio::time::interval(period);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { interval, stop: stop.clone() }
    }

    /// Waits for the next tick; `false` when told to stop.
    pub(crate) async fn next(&mut self) -> bool {
        self.stop.run_until_cancelled(self.interval.tick()).await.is_some()
    }
}

/// Takes over entries that other consumers left pending.
pub(crate) async fn reclaim(
    stream: Arc<dyn PositionStream>,
    queue: Sender<Read>,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let mut ticks = Ticks::every(shared.settings.reclaim_every, &stop);
    while ticks.next().await {
        while !stop.is_cancelled() {
            match stream.reclaim().await {
                Ok(deliveries) if deliveries.is_empty() => break,
                Ok(deliveries) => {
                    tracing::info!(
                        stream = stream.name(),
                        entries = deliveries.len(),
                        "took over pending entries"
                    );
                    shared.metrics.reclaimed.increment(deliveries.len() as u64);
                    let traces = shared.settings.traces.as_ref();
                    if queue.send(Read::new(&stream, deliveries, true, traces)).await.is_err() {
                        return;
                    }
                }
                // The reader says when the stream is away.
                Err(error) => {
                    tracing::debug!(error = chain(&error), "nothing taken over");
                    break;
                }
            }
        }
    }
}

/// Keeps other consumers from taking over what is in flight here.
pub(crate) async fn keep(stream: Arc<dyn PositionStream>, shared: Arc<Shared>, stop: CancellationToken) {
    let mut ticks = Ticks::every(shared.settings.keep_every, &stop);
    while ticks.next().await {
        if let Err(error) = stream.keep_in_flight().await {
            tracing::debug!(error = chain(&error), "entries in flight are not kept");
        }
    }
}

/// Looks how far the group is with each stream and whether the store is there.
pub(crate) async fn sample(
    streams: Vec<Arc<dyn PositionStream>>,
    store: Arc<dyn PositionStore>,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let mut ticks = Ticks::every(shared.settings.sample_every, &stop);
    while ticks.next().await {
        let mut standings = Vec::with_capacity(streams.len());
        for stream in &streams {
            match stream.standing().await {
                Ok(standing) => {
                    shared.health.stream_was_asked(stream.name(), Ok(()));
                    standings.push(standing);
                }
                Err(error) => {
                    shared.health.stream_was_asked(stream.name(), Err(chain(&error)));
                    tracing::debug!(error = chain(&error), "the standing is not known");
                }
            }
        }
        if standings.len() == streams.len() {
            show(&shared, &standings, &*clock);
        }
        let there = store.ping().await;
        shared.health.store(there.is_ok());
    }
}

/// Looks how many dead letters there are. Apart from the rest, for an answer about them may take longer.
pub(crate) async fn count_dead_letters(
    places: [Arc<dyn DeadLetterQueue>; 2],
    streams: Vec<String>,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let mut ticks = Ticks::every(shared.settings.sample_every, &stop);
    while ticks.next().await {
        for (place, gauge) in places.iter().zip(&shared.metrics.dead_letters) {
            // No stop waits for an answer about them.
            let Some(count) = stop.run_until_cancelled(count_all(&**place, &streams)).await else { return };
            gauge.set(count.map_or_else(
                |error| {
                    tracing::debug!(error = chain(&error), "dead letters are not counted");
                    f64::NAN
                },
                |count| count as f64,
            ));
        }
    }
}

async fn count_all(place: &dyn DeadLetterQueue, streams: &[String]) -> Result<u64, DeadLetterQueueError> {
    /// Far more than anybody looks through one by one.
    const MOST: u64 = 10_000;
    let mut all = 0;
    for stream in streams {
        all += place.count(stream, MOST).await?;
    }
    Ok(all)
}

fn show(shared: &Shared, standings: &[Standing], clock: &dyn Clock) {
    let metrics = &shared.metrics;
    let lag: Option<u64> = standings.iter().map(|standing| standing.lag).sum();
    // Not a number stands for "not known": such a gauge is left out where the metrics are shown.
    metrics.lag.set(lag.map_or(f64::NAN, |lag| lag as f64));
    metrics.pending.set(standings.iter().map(|standing| standing.pending).sum::<u64>() as f64);
    metrics.durability_ok.set(match durable(standings) {
        Some(durable) => f64::from(u8::from(durable)),
        None => f64::NAN,
    });
    let oldest = standings.iter().filter_map(|standing| standing.oldest_unprocessed).min();
    let age = oldest.map_or(Duration::ZERO, |oldest| clock.now().since(oldest));
    metrics.oldest_unprocessed_age.set(age.as_secs_f64());
    metrics.trimmed_unread.absolute(standings.iter().map(|standing| standing.trimmed_unread).sum());
    metrics.group_recreated.absolute(standings.iter().map(|standing| standing.group_recreated).sum());
}

/// Whether all of them are; not, if one is not.
fn durable(standings: &[Standing]) -> Option<bool> {
    let known = || standings.iter().map(|standing| standing.durable);
    if known().any(|durable| durable == Some(false)) {
        return Some(false);
    }
    known().all(|durable| durable.is_some()).then_some(true)
}
