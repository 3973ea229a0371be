//! The promises of [`History`](processor_domain::ports::History), for every implementation.

mod laws;
mod on_timescale;

use std::num::NonZeroUsize;

use processor_database::Database;
use processor_domain::{Faults, HistoryCursor, HistoryQuery, Judged, Kept, Novelty, Position, Span, samples};

use crate::databases::{Sqlite, Timescale};

pub(crate) async fn store(database: &Database, positions: Vec<(Position, Faults)>) -> anyhow::Result<()> {
    let batch: Vec<Judged> = positions
        .into_iter()
        .map(|(position, faults)| Judged { position, faults, novelty: Novelty::Suspect })
        .collect();
    database.position_store().commit(&batch).await?;
    Ok(())
}

/// All of these devices in the year of the samples.
pub(crate) fn everything_of(numbers: impl IntoIterator<Item = u64>) -> HistoryQuery {
    let (from, to) = (samples::at("2026-01-01T00:00:00Z"), samples::at("2027-01-01T00:00:00Z"));
    HistoryQuery::of(numbers.into_iter().map(samples::device), Span::new(from, to).expect("a year"))
}

/// All pages together, each of at most so many.
pub(crate) async fn read_all(
    database: &Database,
    query: &HistoryQuery,
    limit: usize,
) -> anyhow::Result<Vec<Kept>> {
    let history = database.history();
    let (mut all, mut after): (Vec<Kept>, Option<HistoryCursor>) = (Vec::new(), None);
    loop {
        let page = history.page(query, after, NonZeroUsize::new(limit).expect("more than none")).await?;
        anyhow::ensure!(page.positions.len() <= limit);
        anyhow::ensure!(page.next.is_none() || page.next > after, "it goes on");
        all.extend(page.positions);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

laws_hold_on_databases! { timescale: Timescale, sqlite: Sqlite => [
    laws::nothing_is_one_empty_page,
    laws::all_that_was_stored_comes_back_as_it_was,
    laws::attributes_come_only_if_they_are_asked_for,
    laws::a_span_has_its_first_moment_and_not_its_last,
    laws::whoever_wants_only_good_or_only_faulty_ones_gets_those,
    laws::a_cursor_of_anybody_elses_making_is_understood,
    laws::many_devices_without_anything_do_not_make_one_page_long,
    laws::pages_of_any_size_are_together_what_one_finds_by_looking_at_every_row,
] }
