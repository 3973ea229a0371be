//! The promises of [`RosterSource`](processor_domain::ports::RosterSource), for every implementation.

pub(crate) mod cms;
mod laws;
mod on_timescale;

use std::collections::BTreeSet;

use processor_domain::{EventId, Roster};

use crate::databases::{Sqlite, Timescale};

/// Which of these events each device that is in any of them takes part in, as `device event`.
fn pairs(roster: &Roster, events: &[&str]) -> BTreeSet<String> {
    let event = |text: &&str| EventId::parse(text).unwrap_or_else(|_| panic!("{text} is no event"));
    let of = |event: EventId| {
        let devices: Vec<_> = roster.devices_of(&event).collect();
        devices.into_iter().map(move |device| format!("{device} {event}"))
    };
    events.iter().map(event).flat_map(of).collect()
}

fn set<const N: usize>(pairs: [&str; N]) -> BTreeSet<String> {
    pairs.map(str::to_owned).into()
}

laws_hold_on_databases! { timescale: Timescale, sqlite: Sqlite => [
    laws::where_there_is_no_cms_nobody_takes_part,
    laws::a_cms_that_comes_later_is_found,
    laws::devices_are_named_by_key_in_the_tables_of_the_cms,
    laws::keys_may_be_numbers,
    laws::devices_are_named_by_imei_in_old_fixtures,
    laws::both_ways_of_naming_may_be_mixed_where_the_column_is_text,
    laws::a_device_may_take_part_in_several_events_and_an_event_have_many_devices,
    laws::a_device_that_moves_is_in_exactly_one_event_at_every_reading,
    laws::what_is_not_filled_in_yet_takes_part_in_nothing,
    laws::ids_that_cannot_be_do_not_keep_the_others_out,
    laws::tables_that_vanish_are_an_outage_and_not_an_empty_roster,
] }
