//! Reads a stream, ahead of what is being written.

use std::sync::Arc;

use processor_domain::ports::PositionStream;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use crate::batch::Read;
use crate::ingest::Shared;
use processor_tasks::{Outage, chain};

/// Reads until told to stop. A read under way is finished and passed on: its entries are ours.
///
/// When the queue is full it waits: the stream keeps what is not read.
pub(crate) async fn read(
    stream: Arc<dyn PositionStream>,
    queue: Sender<Read>,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let pulse = shared.health.pulses().of(format!("reader of {}", stream.name()));
    let traces = shared.settings.traces.as_ref();
    let mut outage = Outage::of("the stream", shared.settings.retry_at_most);
    while !stop.is_cancelled() {
        pulse.busy();
        match stream.next_batch().await {
            Ok(deliveries) => {
                outage.over();
                shared.health.stream_was_read(stream.name(), Ok(()));
                pulse.idle();
                if deliveries.is_empty() {
                    continue;
                }
                if queue.send(Read::new(&stream, deliveries, false, traces)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                shared.health.stream_was_read(stream.name(), Err(chain(&error)));
                pulse.idle();
                if !outage.wait(&error, &stop).await {
                    return;
                }
            }
        }
    }
}
