//! What the tests of Processor stand on: real servers, a network that can be broken, the program itself, and a
//! ledger that knows what must have become of every record.
//!
//! | type | in one sentence |
//! |---|---|
//! | [`RedisServer`], [`TimescaleServer`] | a server in a container, to be stopped, killed, paused and started again |
//! | [`RedisSentinels`], [`RedisCluster`] | several servers that take over from each other |
//! | [`Proxy`] | a TCP connection in the middle that cuts, blocks, refuses, delays, and loses a chosen reply |
//! | [`Processor`] | the program as a child process: its metrics, its readiness, its end |
//! | [`Ledger`] | what was given out, and whether all of it is accounted for |
//! | [`records()`] | records as trackers send them |
//! | [`DirectusStub`], [`DirectusTables`] | a CMS that says who may see what, and what it has in the database |
//! | [`Collector`] | a collector of traces: the spans that the program really sent |
//! | [`Visitor`], [`Viewer`] | somebody who watches, and checks with every frame that nothing is missing |
//! | [`Browser`] | a real browser, to look at the page with |
//! | [`Chance`] | chance that comes out the same for the same seed |
//! | [`eventually`] | waits for a condition, and says what was seen when it does not come |
//!
//! A test never meets another one: it takes its own stream by [`unique`] and its own database by
//! [`TimescaleServer::create_database`]. A test that cannot have its server fails, and says what to do about it.

mod admin;
mod browser;
mod chance;
mod collector;
mod container;
mod database;
mod directus_stub;
mod directus_tables;
mod eventually;
mod exposition;
mod http;
mod key_connection;
mod ledger;
mod process;
mod proxy;
mod records;
mod redis_cluster;
mod redis_sentinels;
mod redis_server;
mod redis_set;
mod setting;
mod statistics;
mod timescale_server;
mod unique;
mod usage;
mod viewer;

pub use browser::Browser;
pub use chance::Chance;
pub use collector::{Collector, SpanSeen, draw};
pub use database::connect_database;
pub use directus_stub::{DirectusStub, Mood, Session};
pub use directus_tables::{DeviceNaming, DirectusTables};
pub use eventually::eventually;
pub use exposition::Exposition;
pub use key_connection::KeyConnection;
pub use ledger::{Account, Ledger};
pub use process::{Processor, ProcessorBuilder};
pub use proxy::Proxy;
pub use records::{Sample, records};
pub use redis_cluster::{MovingSlot, RedisCluster};
pub use redis_sentinels::RedisSentinels;
pub use redis_server::RedisServer;
pub use setting::{number, setting};
pub use statistics::{median, slope_an_hour};
pub use timescale_server::TimescaleServer;
pub use unique::unique;
pub use usage::{open_files, peak_bytes, processor_time, resident_bytes, threads};
pub use viewer::{Heard, Picture, Refusal, Viewer, Visitor, Whereabouts};

pub use nix::sys::signal::Signal;
