//! The promises of [`PositionFeed`], for every implementation.
//!
//! [`laws`] has one function for each promise; [`position_feed_contract`] makes a test of each for one
//! [`FeedFixture`].

use std::sync::Arc;

use processor_domain::ports::{PositionFeed, PositionPublisher, PositionStream};

mod laws;
mod on_embedded;
mod on_redis;
mod on_redis_cluster;
mod on_redis_sentinels;

/// One stream of one implementation, which nobody follows at first.
trait FeedFixture: Sized {
    /// A new stream that nobody has written to, read from or followed.
    async fn start() -> anyhow::Result<Self>;

    /// Most entries in a batch; less than 5000.
    fn batch_size(&self) -> usize;

    /// Appends to the stream.
    async fn publisher(&self) -> anyhow::Result<Arc<dyn PositionPublisher>>;

    /// Follows the stream as this instance.
    async fn follow(&self, instance: &str) -> anyhow::Result<Arc<dyn PositionFeed>>;

    /// Reads the stream as a consumer of its durable group.
    async fn read(&self) -> anyhow::Result<Arc<dyn PositionStream>>;
}

/// Makes one test for each law, on a fixture of its own.
macro_rules! position_feed_contract {
    ($($fixture:tt)+) => {
        laws_hold! { [crate::position_feed::FeedFixture] [$($fixture)+]
            begins_with_what_arrives_after_it_was_opened,
            each_instance_sees_every_position_in_the_order_of_the_stream,
            a_lone_position_is_seen_at_once,
            no_entry_for_about_a_second_is_nothing,
            what_cannot_be_a_position_is_left_out,
            what_came_in_between_comes_in_bounded_batches,
            following_takes_nothing_from_those_who_read,
            closing_one_does_not_touch_the_others,
            what_was_opened_anew_begins_anew,
        }
    };
}
use position_feed_contract;
