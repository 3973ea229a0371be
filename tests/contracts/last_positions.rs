//! The promises of [`LastPositions`](processor_domain::ports::LastPositions), for every implementation.

mod laws;
mod on_timescale;

use processor_database::Database;
use processor_domain::{Faults, Judged, Novelty, Position};

use crate::databases::{Sqlite, Timescale};

async fn store(database: &Database, positions: Vec<(Position, Faults)>) -> anyhow::Result<()> {
    let batch: Vec<Judged> = positions
        .into_iter()
        .map(|(position, faults)| Judged { position, faults, novelty: Novelty::Suspect })
        .collect();
    database.position_store().commit(&batch).await?;
    Ok(())
}

/// The last positions of the devices with these numbers, by device.
async fn last_of(
    database: &Database,
    numbers: impl IntoIterator<Item = u64>,
) -> anyhow::Result<Vec<Position>> {
    let devices: Vec<_> = numbers.into_iter().map(processor_domain::samples::device).collect();
    let mut found = database.last_positions().last_positions(&devices).await?;
    found.sort_by_key(|position| position.device_id);
    Ok(found)
}

/// Device and time of each, as text.
fn times(found: &[Position]) -> Vec<(String, String)> {
    found.iter().map(|position| (position.device_id.to_string(), position.ts.to_string())).collect()
}

laws_hold_on_databases! { timescale: Timescale, sqlite: Sqlite => [
    laws::a_device_that_was_never_heard_of_is_left_out,
    laws::only_the_devices_asked_for_are_told,
    laws::all_that_a_map_shows_comes_back_as_it_was,
    laws::what_was_not_sent_does_not_come_back_as_zero,
    laws::a_faulty_one_does_not_take_the_place_of_a_good_one,
    laws::what_is_late_is_good_and_does_not_move_the_marker_back,
    laws::a_time_ahead_of_now_is_not_shown_even_if_nobody_marked_it,
    laws::a_device_without_a_fix_for_long_does_not_cost_all_its_rows,
    laws::thousands_are_told_at_once,
    laws::it_is_what_one_finds_by_looking_at_every_row,
] }
