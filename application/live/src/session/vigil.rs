//! Watches over a viewer: whether it still may, and whether it still reads.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use processor_domain::Viewer;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Desk;
use crate::doorkeeper::Unknown;
use crate::epoch::random;
use crate::message::Close;

/// Events asked about at the same time.
const ASKED_AT_ONCE: usize = 8;

/// However it is set, nobody is asked without a pause.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// Watches until there is a reason to close, or the viewer is gone.
pub(super) async fn keep(desk: Arc<Desk>, viewer: Viewer, stopping: CancellationToken) {
    let why = tokio::select! {
        () = desk.left.cancelled() => return,
        () = stopping.cancelled() => Close::GoingAway,
        () = loses_patience(&desk) => Close::TooSlow,
        why = loses_rights(&desk, &viewer) => why,
    };
    desk.close(why);
}

async fn loses_patience(desk: &Desk) {
    loop {
        let left = desk.patience_left();
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left).await;
    }
}

async fn loses_rights(desk: &Desk, viewer: &Viewer) -> Close {
    let grace = desk.settings.grace;
    // Often enough that one check that fails does not use up the grace.
    let at_most = if grace.is_zero() { desk.settings.recheck_every } else { grace / 2 };
    let every = desk.settings.recheck_every.min(at_most).max(SHORTEST_PAUSE);
    let mut confirmed = Instant::now();
    loop {
        // The last check is made when the grace ends.
        let pause = match grace.saturating_sub(confirmed.elapsed()) {
            Duration::ZERO => spread(every),
            left => spread(every).min(left),
        };
        tokio::time::sleep(pause).await;
        match check(desk, viewer).await {
            Ok(None) => confirmed = Instant::now(),
            Ok(Some(why)) => return why,
            Err(Unknown { .. }) if confirmed.elapsed() >= grace => return Close::SessionEnded,
            Err(Unknown { .. }) => {}
        }
    }
}

/// `None` if the viewer still is who it was and may see all that it watches.
async fn check(desk: &Desk, viewer: &Viewer) -> Result<Option<Close>, Unknown> {
    if desk.door.identify(&desk.credential).await?.as_ref() != Some(viewer) {
        return Ok(Some(Close::SessionEnded));
    }
    let watched = desk.watched();
    let ask = |event| async move { desk.door.may_see(&desk.credential, &event).await };
    let mut answers = futures::stream::iter(watched).map(ask).buffer_unordered(ASKED_AT_ONCE);
    let mut unknown = None;
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(true) => {}
            Ok(false) => return Ok(Some(Close::AccessWithdrawn)),
            Err(error) => unknown = Some(error),
        }
    }
    unknown.map_or(Ok(None), Err)
}

/// Between half of `time` and all of it, so that those who came together do not ask together.
fn spread(time: Duration) -> Duration {
    let half = time / 2;
    half + Duration::from_micros(random() % (u64::try_from(half.as_micros()).unwrap_or(u64::MAX) + 1))
}
