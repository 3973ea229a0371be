//! What is counted. Every series is there from the start, with zero.

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use processor_domain::ports::StoreFailure;
use processor_domain::{Fault, Judged, Outcome};

/// Handles of the river's metrics, taken once from the recorder that is installed when they are made.
pub struct IngestMetrics {
    outcomes: [Counter; Outcome::ALL.len()],
    faults: [Counter; Fault::ALL.len()],
    pub(crate) read: Counter,
    pub(crate) acks: Counter,
    pub(crate) decode_errors: Counter,
    pub(crate) reclaimed: Counter,
    pub(crate) consumers_forgotten: Counter,
    pub(crate) group_recreated: Counter,
    pub(crate) trimmed_unread: Counter,
    pub(crate) lag: Gauge,
    pub(crate) oldest_unprocessed_age: Gauge,
    pub(crate) pending: Gauge,
    pub(crate) durability_ok: Gauge,
    /// On the streams, and in the table.
    pub(crate) dead_letters: [Gauge; 2],
    pub(crate) write_duration: Histogram,
    pub(crate) write_batch_size: Histogram,
    pub(crate) write_retries: Counter,
    /// By the number of their kind.
    pub(crate) write_failures: [Counter; StoreFailure::ALL.len()],
    pub(crate) device_states: Gauge,
    pub(crate) device_state_evictions: Counter,
}

impl Default for IngestMetrics {
    fn default() -> Self {
        Self {
            outcomes: Outcome::ALL
                .map(|outcome| counter!("processor_records_total", "outcome" => outcome.name())),
            faults: Fault::ALL
                .map(|fault| counter!("processor_position_faults_total", "fault" => fault.name())),
            read: counter!("processor_records_read_total"),
            acks: counter!("processor_acks_total"),
            decode_errors: counter!("processor_decode_errors_total"),
            reclaimed: counter!("processor_reclaimed_total"),
            consumers_forgotten: counter!("processor_consumers_forgotten_total"),
            group_recreated: counter!("processor_group_recreated_total"),
            trimmed_unread: counter!("processor_trimmed_unread_total"),
            lag: gauge!("processor_consumer_lag"),
            oldest_unprocessed_age: gauge!("processor_oldest_unprocessed_age_seconds"),
            pending: gauge!("processor_pending_records"),
            durability_ok: gauge!("processor_redis_durability_ok"),
            dead_letters: ["stream", "table"].map(|place| gauge!("processor_dead_letters", "place" => place)),
            write_duration: histogram!("processor_write_duration_seconds"),
            write_batch_size: histogram!("processor_write_batch_size"),
            write_retries: counter!("processor_write_retries_total"),
            write_failures: StoreFailure::ALL
                .map(|kind| counter!("processor_write_failures_total", "kind" => kind.name())),
            device_states: gauge!("processor_device_state_size"),
            device_state_evictions: counter!("processor_device_state_evictions_total"),
        }
    }
}

impl IngestMetrics {
    /// Counts `count` records of one outcome.
    pub(crate) fn settled(&self, outcome: &Outcome, count: u64) {
        if let Some(at) = Outcome::ALL.iter().position(|known| known == outcome) {
            self.outcomes[at].increment(count);
        }
    }

    /// Counts the marks of a batch.
    pub(crate) fn marked(&self, judged: &[Judged]) {
        let mut counts = [0; Fault::ALL.len()];
        for faults in judged.iter().map(|judged| judged.faults).filter(|faults| !faults.is_empty()) {
            for (count, fault) in counts.iter_mut().zip(Fault::ALL) {
                *count += u64::from(faults.contains(fault));
            }
        }
        for (counter, count) in self.faults.iter().zip(counts) {
            counter.increment(count);
        }
    }
}

/// Says what each metric means, to the recorder that is installed.
pub fn describe_metrics() {
    let counters = [
        (
            "processor_records_total",
            "Records by what became of them; with the pending ones they add up to those read",
        ),
        ("processor_records_read_total", "Entries delivered by the streams, those delivered again included"),
        ("processor_position_faults_total", "Marks put on positions, by kind; a position may have several"),
        ("processor_acks_total", "Entries acknowledged"),
        ("processor_decode_errors_total", "Entries that cannot be a position"),
        ("processor_reclaimed_total", "Entries taken over from other consumers of the group"),
        ("processor_consumers_forgotten_total", "Consumers removed from the group because they are gone"),
        ("processor_group_recreated_total", "Times the consumer group had vanished and was created anew"),
        ("processor_trimmed_unread_total", "Entries trimmed from the streams before the group had read them"),
        ("processor_write_retries_total", "Batches written again after a failure"),
        ("processor_write_failures_total", "Batches that could not be written, by kind of failure"),
        ("processor_device_state_evictions_total", "Devices forgotten for want of room"),
    ];
    for (name, meaning) in counters {
        describe_counter!(name, Unit::Count, meaning);
    }
    let gauges = [
        (
            "processor_consumer_lag",
            "Entries not yet delivered to the group; absent if the stream does not know",
        ),
        ("processor_oldest_unprocessed_age_seconds", "Age of the oldest entry that is not acknowledged"),
        ("processor_pending_records", "Entries delivered to the group and not acknowledged"),
        (
            "processor_redis_durability_ok",
            "Whether the servers of the streams keep them over a restart and when memory is full; absent if they do \
             not say",
        ),
        (
            "processor_dead_letters",
            "Dead letters that wait for an operator, by where they are; in the table counted up to 10,000",
        ),
        ("processor_device_state_size", "Devices whose state is in memory"),
    ];
    for (name, meaning) in gauges {
        describe_gauge!(name, meaning);
    }
    describe_histogram!("processor_write_duration_seconds", Unit::Seconds, "Time to commit a batch");
    describe_histogram!("processor_write_batch_size", Unit::Count, "Positions in a batch");
}
