//! What judging a position and advancing its device's state costs.
#![allow(missing_docs, reason = "criterion's macros write undocumented functions")]

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use processor_domain::rules::RuleSet;
use processor_domain::{DeviceStates, Position, samples};

/// One second of a fleet: a position of each device.
fn second_of_fleet(devices: u64, second: u64) -> Vec<Position> {
    let ts = samples::at("2026-05-01T10:00:00Z").plus(Duration::from_secs(second));
    (0..devices).map(|number| samples::position().device(number).at_moment(ts).build()).collect()
}

fn judge(criterion: &mut Criterion) {
    let rules = RuleSet::standard();
    let mut group = criterion.benchmark_group("judge");
    for (name, devices, capacity) in [
        ("1k_devices", 1_000, 10_000),
        ("100k_devices", 100_000, 200_000),
        ("100k_devices_evicting", 100_000, 10_000),
    ] {
        let mut states = DeviceStates::new(NonZeroUsize::new(capacity).expect("not zero"));
        let mut second = 0;
        group.throughput(Throughput::Elements(devices));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || {
                    second += 1;
                    second_of_fleet(devices, second)
                },
                |positions| {
                    for position in positions {
                        black_box(states.judge(&rules, position));
                    }
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, judge);
criterion_main!(benches);
