//! What is done by the clock or when there is need: telling, reading the roster, reading last known positions,
//! and sweeping.

use std::sync::Arc;
use std::time::Duration;

use processor_domain::ports::{LastPositions, RosterSource, StoreError};
use processor_domain::{DeviceId, Position};
use tokio::task::{JoinSet, unconstrained};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::live::Shared;
use crate::marks::Hearing;
use crate::outlet::Call;
use processor_tasks::{Outage, chain};

/// Devices asked for in one query at most.
const ASKED_AT_ONCE: usize = 10_000;

/// Viewers called by one task. Between two of them others have their turn, and those of a large topic are spread over
/// the threads that there are.
const ROW: usize = 64;

/// How often topics without viewers are looked for, and the age of the roster is shown.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// Tells what is staged: the first at once, and what comes within a tick after it together.
pub(crate) async fn tell(shared: Arc<Shared>, stop: CancellationToken) {
    let pulse = shared.pulses.of("teller");
    let mut next = Instant::now();
    while stop.run_until_cancelled(shared.topics.staged.notified()).await.is_some() {
        // A timer takes a millisecond even for a moment that has passed.
        if next > Instant::now() && stop.run_until_cancelled(tokio::time::sleep_until(next)).await.is_none() {
            return;
        }
        pulse.busy();
        shared.topics.tell();
        pulse.idle();
        next = Instant::now() + shared.settings.tick;
    }
}

/// Calls everybody for whom there is something new. What is told meanwhile they take together, the next time.
pub(crate) async fn call(shared: Arc<Shared>, stop: CancellationToken) {
    let pulse = shared.pulses.of("herald");
    while stop.run_until_cancelled(shared.topics.told.notified()).await.is_some() {
        pulse.busy();
        let mut rows = JoinSet::new();
        for viewers in shared.topics.to_be_called() {
            for begin in (0..viewers.len()).step_by(ROW) {
                let viewers = Arc::clone(&viewers);
                // A row is short enough to be finished in one go, whatever its sockets count as work.
                rows.spawn(unconstrained(async move {
                    viewers[begin..].iter().take(ROW).for_each(Call::make);
                }));
            }
        }
        rows.join_all().await;
        pulse.idle();
    }
}

/// Reads the roster again and again. When it cannot be read, the one read last stays.
pub(crate) async fn refresh_roster(
    source: Arc<dyn RosterSource>,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let mut outage = Outage::of("the roster", shared.settings.retry_at_most);
    while !stop.is_cancelled() {
        match source.read_roster().await {
            Ok(roster) => {
                outage.over();
                shared.topics.adopt(roster);
                shared.roster_was_read();
                let pause = tokio::time::sleep(shared.settings.roster_refresh);
                stop.run_until_cancelled(pause).await;
            }
            Err(error) => {
                outage.wait(&error, &stop).await;
            }
        }
    }
}

/// Asks the store for the last known positions of devices that have come into a topic: in one query for all that
/// are wanted at this moment, whoever wants them. And hears what operators say of them.
pub(crate) async fn seed(
    store: Arc<dyn LastPositions>,
    mut hearing: Hearing,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let mut outage = Outage::of("the store, for last known positions,", shared.settings.retry_at_most);
    let mut compare = tokio::time::interval(shared.settings.compare_every);
    compare.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut hear = tokio::time::interval(shared.settings.marks_every);
    hear.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.topics.wanted.notified() => {}
            _ = compare.tick() => compare_with_store(&*store, &shared).await,
            _ = hear.tick() => hear_of_marks(&*store, &mut hearing, &shared).await,
        }
        loop {
            let wanted = shared.topics.wanted(ASKED_AT_ONCE);
            if wanted.is_empty() {
                break;
            }
            match last_positions(&*store, &mut hearing, &wanted, &shared).await {
                Ok(known) => {
                    outage.over();
                    shared.judge.remember(&known);
                    shared.topics.seed(&wanted, &known);
                }
                Err(error) => {
                    shared.topics.answer_without_seed();
                    if !outage.wait(&error, &stop).await {
                        return;
                    }
                }
            }
        }
    }
}

/// What the store knows, as far as operators do not say otherwise.
async fn last_positions(
    store: &dyn LastPositions,
    hearing: &mut Hearing,
    wanted: &[DeviceId],
    shared: &Shared,
) -> Result<Vec<Position>, StoreError> {
    hearing.begin(shared).await?;
    Ok(shared.judge.standing(store.last_positions(wanted).await?))
}

/// Puts right what is shown of devices of which operators said something new.
async fn hear_of_marks(store: &dyn LastPositions, hearing: &mut Hearing, shared: &Shared) {
    let settled = match hearing.hear(shared).await {
        Ok(()) => hearing.settle(store, shared).await,
        Err(error) => Err(error),
    };
    if let Err(error) = settled {
        // It is said that the store is away when something is wanted of it.
        tracing::debug!(error = chain(&error), "it is not known what operators say");
    }
}

/// Moves forward what is behind the store: a feed may have skipped something, and what was in the stream before
/// the feed was opened reaches the store later than the first picture.
async fn compare_with_store(store: &dyn LastPositions, shared: &Shared) {
    let members = shared.topics.members();
    for devices in members.chunks(ASKED_AT_ONCE) {
        match store.last_positions(devices).await {
            Ok(known) => shared.topics.seed(devices, &shared.judge.standing(known)),
            // It is said that the store is away when something is wanted of it.
            Err(error) => {
                tracing::debug!(error = chain(&error), "the picture is not compared with the store");
                return;
            }
        }
    }
}

/// Drops topics that nobody watches any more, and shows how old the roster is.
pub(crate) async fn sweep(shared: Arc<Shared>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        shared.topics.sweep();
        shared.metrics.roster_age.set(shared.roster_age().as_secs_f64());
    }
}
