//! One suite for each port, run on every implementation of it: what stands in for a server must keep the
//! server's promises.

mod databases;
mod dead_letters;
mod device_memory;
mod migrations;
mod position_store;
mod position_stream;
mod redis_only;
