//! What it costs to send the frames of one event to all who watch it, compared with a floor: a loop that does nothing
//! but write the same bytes to as many connections, one system call each.
//!
//! Both run in this process, the viewers in another one, so that the processor time of this one is that of serving.
//! Prints the microseconds of processor time for a frame delivered to one viewer, the ratio to the floor, what an
//! idle viewer adds to the resident memory, and the delay from a position's coming out of the feed to its having been
//! written. With sixteen, each viewer watches so many events, and a frame of each is due at the same moment.
//!
//! The sockets of both have the same options, the frames are the same, one thread serves, and who reads is another
//! process.
//!
//! `cargo bench -p processor-web --bench fanout -- --viewers 1000 --devices 5 --rounds 40`

mod floor;
mod measure;
mod ours;
mod watchers;

use std::net::SocketAddr;

use floor::Floor;
use measure::{Sample, median};
use ours::Ours;
use watchers::Watchers;

/// Frames that are due at once to those who watch many events.
const MANY: u64 = 16;

/// How often each is measured, in turns.
const TURNS: usize = 3;

struct Options {
    viewers: Vec<usize>,
    /// Positions in a frame: five make about a kilobyte, fifty are a tick of 500 cars that send once a second.
    devices: Vec<u64>,
    rounds: u64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Test runners look whether there are tests; there are none.
    if arguments.iter().any(|argument| argument == "--list" || argument == "--test") {
        return;
    }
    if let [command, address, viewers, events] = arguments.as_slice()
        && command == "watch"
    {
        let address: SocketAddr = address.parse().expect("an address");
        let (viewers, events) = (viewers.parse().expect("a number"), events.parse().expect("a number"));
        return watchers::watch(address, viewers, events);
    }
    let options = Options {
        viewers: numbers(&arguments, "--viewers").unwrap_or_else(|| vec![1_000, 5_000]),
        devices: numbers(&arguments, "--devices").unwrap_or_else(|| vec![5]),
        rounds: numbers(&arguments, "--rounds").map_or(48, |rounds| rounds[0]),
    };
    measure::raise_descriptors();
    println!(
        "viewers  positions  bytes  | floor µs | ours µs  ratio | sixteen µs  ratio | idle KiB | delay p50 / p99 ms"
    );
    for &viewers in &options.viewers {
        for &devices in &options.devices {
            compare(viewers, devices, options.rounds);
        }
    }
}

fn numbers<T: std::str::FromStr>(arguments: &[String], name: &str) -> Option<Vec<T>> {
    let at = arguments.iter().position(|argument| argument == name)?;
    let texts = arguments.get(at + 1)?.split(',');
    Some(texts.map(|text| text.parse().ok().expect("a number")).collect())
}

fn compare(viewers: usize, devices: u64, rounds: u64) {
    let ours = Ours::start(devices, 1);
    let before = measure::resident_bytes();
    let mut our_watchers = Watchers::of(ours.address, viewers, 1);
    let idle = measure::resident_bytes().saturating_sub(before) as f64 / viewers as f64 / 1_024.0;
    let floor = Floor::start(ours.frame());
    let mut floor_watchers = Watchers::of(floor.address, viewers, 1);
    let many = Ours::start(devices, MANY);
    let mut many_watchers = Watchers::of(many.address, viewers, MANY);
    let (mut bare, mut plain, mut sixteen) = (Vec::new(), Vec::new(), Vec::new());
    // The first turn warms up.
    for turn in 0..=TURNS {
        let bare_sample = Sample::of(viewers as u64 * rounds, || {
            for _ in 0..rounds {
                floor.send();
                floor_watchers.frames(1);
            }
        });
        let plain_sample = Sample::of(viewers as u64 * rounds, || {
            for _ in 0..rounds {
                ours.publish();
                our_watchers.frames(1);
            }
        });
        let times = rounds.div_ceil(MANY);
        let many_sample = Sample::of(viewers as u64 * times * MANY, || {
            for _ in 0..times {
                many.publish();
                many_watchers.frames(MANY);
            }
        });
        if turn == 0 {
            ours.forget_delays();
            continue;
        }
        bare.push(bare_sample.micros());
        plain.push(plain_sample.micros());
        sixteen.push(many_sample.micros());
    }
    let (bare, plain, sixteen) = (median(bare), median(plain), median(sixteen));
    let delays = ours.delays();
    println!(
        "{viewers:7}  {devices:9}  {:5}  | {bare:8.2} | {plain:7.2}  {:5.2} | {sixteen:10.2}  {:5.2} | {idle:8.1} | {:.1} / {:.1}",
        ours.frame().len(),
        plain / bare,
        sixteen / bare,
        delays.at(0.5),
        delays.at(0.99),
    );
}
