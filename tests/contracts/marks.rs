//! The promises of [`Marks`](processor_domain::ports::Marks), for every implementation.

mod laws;
mod model;
mod on_timescale;
mod standing;

use std::time::Duration;

use processor_database::Database;
use processor_domain::ports::{MarkError, Marked};
use processor_domain::{Faults, Kept, NewMark, Position, Ruling, Timestamp, samples};

use crate::databases::{Sqlite, Timescale};
use crate::history::{everything_of, read_all, store};

/// The moment so many seconds after the beginning of the story.
fn second(number: u64) -> Timestamp {
    samples::at("2026-05-01T10:00:00Z").plus(Duration::from_secs(number))
}

fn at(device: u64, number: u64) -> Position {
    samples::position().device(device).at_moment(second(number)).build()
}

/// A mark of the device from one second up to another.
fn new_mark(device: u64, from: u64, to: u64, ruling: Ruling) -> NewMark {
    samples::new_mark(device, second(from), second(to), ruling)
}

async fn mark(database: &Database, mark: &NewMark) -> Result<Marked, MarkError> {
    database.marks().mark(mark).await
}

/// Positions of a device at these seconds, without a fault.
async fn store_good(
    database: &Database,
    device: u64,
    seconds: impl IntoIterator<Item = u64>,
) -> anyhow::Result<()> {
    store(database, seconds.into_iter().map(|number| (at(device, number), Faults::NONE)).collect()).await
}

/// The seconds of a device's positions that are faulty, and their faults.
async fn faulty(database: &Database, device: u64) -> anyhow::Result<Vec<(u64, Faults)>> {
    let all = read_all(database, &everything_of([device]), 1_000).await?;
    let second = |kept: &Kept| kept.position.ts.since(second(0)).as_secs();
    Ok(all.iter().filter(|kept| kept.faulty).map(|kept| (second(kept), kept.faults)).collect())
}

laws_hold_on_databases! { timescale: Timescale, sqlite: Sqlite => [
    laws::a_span_is_marked_and_nothing_beside_it,
    laws::what_is_called_good_is_good_whatever_the_rules_found,
    laws::of_several_marks_the_newest_counts,
    laws::a_mark_that_is_taken_back_leaves_what_was_before,
    laws::what_was_faulty_without_a_reason_is_so_again,
    laws::marks_are_listed_with_who_said_what_and_why,
    laws::changes_are_told_in_their_order_and_none_is_passed_over,
    laws::more_than_is_changed_at_once_is_refused_and_changes_nothing,
    laws::a_span_of_many_positions_is_marked_as_a_whole,
    laws::the_last_known_picture_and_the_memory_of_devices_follow,
    standing::a_record_that_comes_again_does_not_undo_a_mark,
    standing::a_better_place_is_taken_in_and_the_mark_stays,
    standing::what_was_confirmed_gives_way_to_nothing,
    standing::what_came_late_and_was_not_judged_by_a_mark_is_brought_in_line,
    model::marks_at_random_do_what_the_model_does,
] }
