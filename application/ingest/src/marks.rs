//! What operators say, heard again and again, for positions to be judged by.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use processor_domain::ports::{Changes, MarkError, Marks, StoreError};
use processor_domain::{DeviceId, Revision, Rulings, Span};
use processor_tasks::{Outage, chain};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ingest::Shared;

/// What was heard of marks and the judge does not know yet.
pub(crate) struct News {
    /// There is something, to be looked at without a lock.
    there: AtomicBool,
    heard: Mutex<Heard>,
    begun: watch::Sender<bool>,
}

#[derive(Default)]
struct Heard {
    rulings: Arc<Rulings>,
    devices: Vec<DeviceId>,
}

impl Default for News {
    fn default() -> Self {
        Self { there: AtomicBool::default(), heard: Mutex::default(), begun: watch::Sender::new(false) }
    }
}

impl News {
    /// Waits until the marks have been heard of for the first time.
    pub(crate) async fn begun(&self) {
        let mut begun = self.begun.subscribe();
        // The sender is here, so there is nothing to fail.
        drop(begun.wait_for(|begun| *begun).await);
    }

    fn tell(&self, rulings: &Rulings, devices: Vec<DeviceId>) {
        if !devices.is_empty() {
            let heard = &mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.rulings = Arc::new(rulings.clone());
            heard.devices.extend(devices);
            self.there.store(true, Ordering::Release);
        }
        self.begun.send_replace(true);
    }

    /// What operators say now, and of which devices they said something new; `None` if they have not.
    pub(crate) fn take(&self) -> Option<(Arc<Rulings>, Vec<DeviceId>)> {
        if !self.there.swap(false, Ordering::Acquire) {
            return None;
        }
        let heard = &mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        Some((Arc::clone(&heard.rulings), std::mem::take(&mut heard.devices)))
    }
}

/// Asks for marks until told to stop.
///
/// A position that was judged before a mark was heard of may reach the store after the mark was made. So the
/// positions of each new mark are brought in line once more, when all that had been judged by then is written.
pub(crate) async fn hear(
    marks: Arc<dyn Marks>,
    news: Arc<News>,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let mut outage = Outage::of("the store, for marks,", shared.settings.retry_at_most);
    let (mut revision, mut rulings) = (Revision::default(), Rulings::default());
    let mut begun = false;
    let mut due: VecDeque<(Instant, DeviceId, Span)> = VecDeque::new();
    while !stop.is_cancelled() {
        match changes(&*marks, revision).await {
            Ok(changes) => {
                outage.over();
                revision = changes.revision;
                let when = Instant::now() + shared.settings.align_after;
                let mut devices = Vec::with_capacity(changes.marks.len());
                for mark in &changes.marks {
                    rulings.take(mark);
                    devices.push(mark.said.device_id);
                    if begun {
                        due.push_back((when, mark.said.device_id, mark.said.span));
                    }
                }
                news.tell(&rulings, devices);
                begun = true;
                align(&*marks, &mut due).await;
                stop.run_until_cancelled(tokio::time::sleep(shared.settings.marks_every)).await;
            }
            Err(error) => {
                outage.wait(&error, &stop).await;
            }
        }
    }
}

/// All changes there are.
async fn changes(marks: &dyn Marks, after: Revision) -> Result<Changes, StoreError> {
    let mut all = Changes { marks: Vec::new(), revision: after };
    loop {
        let changes = marks.changes(all.revision).await?;
        if changes.marks.is_empty() {
            return Ok(all);
        }
        all.revision = changes.revision;
        all.marks.extend(changes.marks);
    }
}

/// Brings in line what is due. What cannot be now is tried again the next time.
async fn align(marks: &dyn Marks, due: &mut VecDeque<(Instant, DeviceId, Span)>) {
    while let Some((when, device, span)) = due.front()
        && *when <= Instant::now()
    {
        match marks.align(device, *span).await {
            Ok(0) => {}
            Ok(positions) => {
                tracing::info!(%device, positions, "brought in line with a mark what was judged before it was heard of");
            }
            Err(MarkError::Store(error)) => {
                tracing::debug!(error = chain(&error), "positions are not brought in line with marks now");
                return;
            }
            Err(error) => {
                tracing::warn!(%device, error = chain(&error), "positions are not brought in line with a mark");
            }
        }
        due.pop_front();
    }
}
