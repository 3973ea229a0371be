//! One suite for each port, run on every implementation of it: what stands in for a server must keep the
//! server's promises.

#[macro_use]
mod contract;

mod consumer_group;
mod databases;
mod dead_letter_queue;
mod dead_letters;
mod device_memory;
mod device_records;
mod enrolments;
mod history;
mod last_positions;
mod marks;
mod migrations;
mod position_feed;
mod position_store;
mod position_stream;
mod redis_only;
mod roster_source;
