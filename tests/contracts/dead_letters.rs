//! The promises of [`DeadLetters`], for every implementation.
//!
//! [`laws`] has one function for each promise; [`dead_letters_contract`] makes a test of each for one
//! [`DeadLetterFixture`].

use std::sync::Arc;

use processor_domain::EntryId;
use processor_domain::ports::{DeadLetterQueue, DeadLetters};

pub(crate) mod in_table;
mod laws;
pub(crate) mod on_embedded;
pub(crate) mod on_redis;
mod on_redis_cluster;
mod on_sqlite;
mod on_timescale;

/// One place for dead letters, empty at first.
pub(crate) trait DeadLetterFixture: Sized {
    /// An empty place.
    async fn start() -> anyhow::Result<Self>;

    /// The port to it.
    fn dead_letters(&self) -> Arc<dyn DeadLetters>;

    /// The port of those who look through it.
    fn dead_letter_queue(&self) -> Arc<dyn DeadLetterQueue>;

    /// The name for a stream that is called so in a test; the same one for the same name.
    fn stream(&self, name: &str) -> String;

    /// What is kept there of one stream, in any order, as an operator would read it.
    async fn kept(&self, stream: &str) -> anyhow::Result<Vec<Kept>>;

    /// Makes it unreachable; false if it is a place that cannot become so.
    async fn go_away(&self) -> anyhow::Result<bool>;
}

/// A dead letter as it is kept.
#[derive(PartialEq, Debug)]
pub(crate) struct Kept {
    entry_id: EntryId,
    reason: String,
    detail: String,
    payload: Vec<u8>,
    deliveries: u32,
    /// None where only one instance can keep any.
    instance: Option<String>,
}

/// Who keeps them, in these tests.
pub(crate) const INSTANCE: &str = "processor-7";

/// Makes one test for each law, on a fixture of its own.
macro_rules! dead_letters_contract {
    ($($fixture:tt)+) => {
        laws_hold! { [crate::dead_letters::DeadLetterFixture] [$($fixture)+]
            a_letter_is_kept_with_all_that_it_says,
            bytes_are_kept_as_they_were_received,
            a_position_is_kept_in_the_wire_format,
            keeping_a_letter_twice_is_allowed_and_can_be_told,
            many_are_kept_at_once,
            none_are_kept_if_there_are_none,
            what_cannot_be_reached_is_unavailable,
        }
    };
}
use dead_letters_contract;
