//! From the feeds into the topics.

use std::sync::Arc;

use processor_domain::ports::{Clock, Observed, PositionFeed};
use tokio_util::sync::CancellationToken;

use crate::live::Shared;
use crate::standing::FeedState;
use crate::topics::Current;
use processor_tasks::{Outage, Pulse, chain};

/// Follows until told to stop, and then takes away what the feed left in the stream's keeping.
pub(crate) async fn follow(
    feed: Arc<dyn PositionFeed>,
    state: Arc<FeedState>,
    clock: Arc<dyn Clock>,
    pulse: Arc<Pulse>,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let mut outage = Outage::of("the feed of live positions", shared.settings.retry_at_most);
    while !stop.is_cancelled() {
        match feed.follow().await {
            Ok(observed) => {
                outage.over();
                let newest = observed.last().map(|observed| observed.entry_id.received_at());
                state.answered(newest, clock.now());
                pulse.busy();
                stage(&shared, observed);
                pulse.idle();
            }
            Err(error) => {
                state.is_away();
                outage.wait(&error, &stop).await;
            }
        }
    }
    if let Err(error) = feed.close().await {
        tracing::warn!(error = chain(&error), "the feed is left open in the stream until it is found stale");
    }
}

/// Judges first and looks only then which topics there are: a topic that begins in between finds in the judge's
/// memory what it is not given here.
fn stage(shared: &Shared, observed: Vec<Observed>) {
    let _judged_by_the_same = shared.staging.read();
    let sightings = shared.judge.judge(observed);
    let Current { topics, roster } = shared.topics.current();
    let (mut staged, mut orphans) = (false, 0);
    for sighting in sightings {
        let events = roster.as_ref().map_or(&[][..], |roster| roster.events_of(&sighting.device_id));
        orphans += u64::from(events.is_empty());
        for topic in events.iter().filter_map(|event| topics.get(event)) {
            staged |= topic.stage(sighting);
        }
    }
    shared.metrics.orphan.increment(orphans);
    if staged {
        shared.topics.staged.notify_one();
    }
}
