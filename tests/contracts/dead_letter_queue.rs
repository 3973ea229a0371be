//! The promises of [`DeadLetterQueue`], for every implementation.
//!
//! [`laws`] has one function for each promise; [`dead_letter_queue_contract`] makes a test of each for one
//! [`DeadLetterFixture`](crate::dead_letters::DeadLetterFixture).
//!
//! [`DeadLetterQueue`]: processor_domain::ports::DeadLetterQueue

mod laws;
mod on_embedded;
mod on_redis;
mod on_redis_cluster;
mod on_sqlite;
mod on_timescale;

/// Makes one test for each law, on a fixture of its own.
macro_rules! dead_letter_queue_contract {
    ($($fixture:tt)+) => {
        laws_hold! { [crate::dead_letters::DeadLetterFixture] [$($fixture)+]
            a_letter_is_listed_without_its_payload_and_opened_with_it,
            pages_have_every_letter_once_in_either_order,
            what_is_kept_or_discarded_on_the_way_changes_nothing_of_the_rest,
            only_letters_of_the_reason_are_listed,
            letters_of_another_stream_are_of_no_concern,
            letters_are_counted,
            what_is_discarded_is_gone_and_the_others_stay,
            where_there_is_nothing_nothing_is_found,
            what_cannot_be_reached_is_unavailable,
        }
    };
}
use dead_letter_queue_contract;
