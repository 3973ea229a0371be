//! The promises of [`PositionStream`] and [`PositionPublisher`], for every implementation.
//!
//! [`laws`] has one function for each promise; [`position_stream_contract`] makes a test of each for one
//! [`StreamFixture`].

use std::sync::Arc;
use std::time::Duration;

use processor_domain::ports::{ConsumerGroup, PositionPublisher, PositionStream};

mod laws;
pub(crate) mod on_embedded;
pub(crate) mod on_redis;
mod on_redis_cluster;

/// One stream of one implementation, without a consumer at first.
pub(crate) trait StreamFixture: Sized {
    /// A new stream that nobody has written to or read from.
    async fn start() -> anyhow::Result<Self>;

    /// How long an entry must be left alone until another consumer may take it over; a few seconds at most.
    fn claim_idle(&self) -> Duration;

    /// Most entries in a batch; less than 5000.
    fn batch_size(&self) -> usize;

    /// Appends to the stream.
    async fn publisher(&self) -> anyhow::Result<Arc<dyn PositionPublisher>>;

    /// Appends a record as a producer does that says where in its trace it is.
    async fn append_traced(&self, record: &[u8], traceparent: &str) -> anyhow::Result<()>;

    /// Reads the stream as this consumer of the one group: as an instance of the program does after a start.
    /// What had the name before has been dropped, or is as good as dead.
    async fn open(&self, consumer: &str) -> anyhow::Result<Arc<dyn PositionStream>>;

    /// The one group of the stream, as this consumer of it sees it.
    fn group(&self, consumer: &str) -> anyhow::Result<Arc<dyn ConsumerGroup>>;
}

/// Makes one test for each law, on a fixture of its own.
macro_rules! position_stream_contract {
    ($($fixture:tt)+) => {
        laws_hold! { [crate::position_stream::StreamFixture] [$($fixture)+]
            what_was_written_before_the_first_start_is_delivered,
            entries_come_in_the_order_of_the_stream_and_for_the_first_time,
            a_lone_entry_is_delivered_at_once,
            no_entry_for_about_a_second_is_an_empty_batch,
            an_entry_in_hand_is_not_delivered_again,
            what_was_left_pending_comes_first_and_counts_as_delivered_twice,
            a_backlog_comes_in_bounded_batches_and_so_does_what_was_left_pending,
            what_was_acknowledged_never_comes_back,
            acknowledging_what_is_not_pending_does_no_harm,
            two_consumers_share_what_there_is,
            what_is_left_alone_is_taken_over_after_a_while_and_not_before,
            what_is_kept_in_flight_is_not_taken_over,
            an_entry_that_was_taken_over_belongs_to_the_one_who_took_it,
            what_cannot_be_a_position_is_delivered_with_its_bytes_and_the_reason,
            how_far_the_group_is_can_be_told,
            the_trace_of_a_producer_is_delivered_and_one_that_is_malformed_is_not,
        }
    };
}
use position_stream_contract;
