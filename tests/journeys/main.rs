//! The whole program between real servers, one story to a file.
//!
//! A story begins with a [`Stage`], does something to the servers, the network or the program, and ends with an
//! account that closes: see [`processor_tests::Ledger`]. What is promised by which story is listed in
//! `docs/reliability.md`.

use std::time::Duration;

use crate::counted::{Outcomes, until_counted};
use crate::load::Load;
use crate::stage::Stage;

mod counted;
mod folder;
mod load;
mod stage;

mod a_commit_whose_reply_is_lost;
mod a_configuration_with_faults;
mod a_database_that_falls_silent;
mod a_database_that_goes_away;
mod a_group_that_vanishes;
mod a_kill_between_commit_and_acknowledgement;
mod a_kill_between_reading_and_commit;
mod a_lone_record;
mod a_loop_that_is_stuck;
mod a_rally_that_is_simulated;
mod a_recording_that_is_replayed;
mod a_redis_that_forgets;
mod a_redis_that_is_full;
mod a_redis_that_is_killed;
mod a_start_without_records;
mod a_start_without_servers;
mod a_stop;
mod a_stream_that_is_trimmed;
mod an_export;
mod answers_of_redis_that_are_lost;
mod dead_letters_of_operators;
mod from_the_stream_to_the_table;
mod instances_that_share_a_group;
mod kills_at_random;
mod live;
mod more_devices_than_there_is_room_for;
mod poison_among_the_records;
mod records_that_come_again;
mod requests_that_are_aborted;
mod restarts_under_new_names;
mod streams_on_a_cluster;
mod the_demo;
mod the_healthcheck;
mod the_page_of_the_admin_api;
mod traces;

/// How long the program may take for what it does at once.
const SOON: Duration = Duration::from_secs(30);

/// How long it may take to be as before when something is whole again. Half of it is for a machine that is busy;
/// all of it is far less than the time after which another instance would help.
const HEALED: Duration = Duration::from_secs(10);
