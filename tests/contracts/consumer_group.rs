//! The promises of [`ConsumerGroup`], for every implementation.
//!
//! [`laws`] has one function for each promise; [`consumer_group_contract`] makes a test of each for one
//! [`StreamFixture`](crate::position_stream::StreamFixture).
//!
//! [`ConsumerGroup`]: processor_domain::ports::ConsumerGroup

mod laws;
mod on_embedded;
mod on_redis;
mod on_redis_cluster;

/// Makes one test for each law, on a fixture of its own.
macro_rules! consumer_group_contract {
    ($($fixture:tt)+) => {
        laws_hold! { [crate::position_stream::StreamFixture] [$($fixture)+]
            each_consumer_is_listed_with_what_it_holds,
            one_that_asks_is_not_idle,
            only_those_that_hold_nothing_and_do_not_ask_are_forgotten,
            what_one_holds_that_is_gone_is_taken_over_and_then_it_is_forgotten,
            one_that_was_forgotten_and_asks_again_is_there_again,
            however_often_it_is_done_nothing_that_is_pending_is_lost,
        }
    };
}
use consumer_group_contract;
