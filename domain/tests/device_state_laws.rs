//! The laws of what is known of a device.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::num::NonZeroUsize;
use std::time::Duration;

use processor_domain::rules::{ImplausibleJump, Rule, RuleSet};
use processor_domain::{DeviceState, DeviceStates, Fault, Faults, Novelty, Position, Timestamp, samples};
use proptest::prelude::*;

const START: &str = "2026-05-01T10:00:00Z";

fn seconds(count: u64) -> Timestamp {
    samples::at(START).plus(Duration::from_secs(count))
}

/// A position of a car that drives north at 100 km/h.
fn driving(device: u64, second: u64) -> Position {
    let degrees_a_second = 100.0 / 3.6 / 111_195.0;
    samples::position()
        .device(device)
        .at_moment(seconds(second))
        .at(50.0 + degrees_a_second * f64::from(u32::try_from(second).unwrap()), 25.0)
        .speed(100.0)
        .build()
}

fn states(capacity: usize) -> DeviceStates {
    DeviceStates::new(NonZeroUsize::new(capacity).unwrap())
}

proptest! {
    #[test]
    fn the_order_of_arrival_does_not_change_what_is_known(
        order in Just((0_u64..40).collect::<Vec<_>>()).prop_shuffle()
    ) {
        let mut shuffled = states(1);
        let rules = RuleSet::standard();
        for second in order {
            prop_assert!(!shuffled.judge(&rules, driving(1, second)).faults.faulty());
        }
        let state = shuffled.get(&samples::device(1)).unwrap();
        prop_assert_eq!(state.high_water(), Some(seconds(39)));
        prop_assert_eq!(state.last_good().map(|fix| fix.ts), Some(seconds(39)));
    }

    #[test]
    fn only_a_newer_position_is_fresh(order in prop::collection::vec(0_u64..20, 1..60)) {
        let mut states = states(1);
        let mut newest = None;
        for second in order {
            let judged = states.judge(&RuleSet::standard(), driving(1, second));
            let expected = if newest.is_some_and(|newest| second > newest) { Novelty::Fresh } else { Novelty::Suspect };
            prop_assert_eq!(judged.novelty, expected);
            newest = newest.max(Some(second));
        }
    }

    #[test]
    fn what_is_forgotten_and_remembered_is_what_was_known(
        arrivals in prop::collection::vec((0_u64..30, 0_u64..60), 1..200),
        capacity in 1_usize..40,
    ) {
        let rules = RuleSet::standard();
        let (mut unbounded, mut bounded) = (states(1_000), states(capacity));
        let mut store = std::collections::HashMap::new();
        for (device, second) in arrivals {
            let position = driving(device, second);
            if !bounded.contains(&position.device_id)
                && let Some(state) = store.get(&position.device_id) {
                bounded.remember(position.device_id, *state);
            }
            let expected = unbounded.judge(&rules, position.clone());
            prop_assert_eq!(bounded.judge(&rules, position), expected.clone());
            let known = unbounded.get(&expected.position.device_id).unwrap();
            store.insert(expected.position.device_id, DeviceState::remembered(known.high_water(), known.last_good()));
            prop_assert!(bounded.len() <= capacity);
        }
    }

    #[test]
    fn a_position_from_the_future_advances_nothing(ahead in 61_u64..1_000_000) {
        let mut states = states(1);
        let rules = RuleSet::standard();
        states.judge(&rules, driving(1, 0));
        let before = *states.get(&samples::device(1)).unwrap();
        let poisoned = samples::position()
            .at_moment(seconds(ahead)).received_at(START).device(1).build();
        prop_assert!(states.judge(&rules, poisoned).faults.contains(Fault::Future));
        prop_assert_eq!(states.get(&samples::device(1)), Some(&before));
        prop_assert!(!states.judge(&rules, driving(1, 1)).faults.contains(Fault::Late));
    }

    #[test]
    fn a_jump_never_locks_a_device_out(
        from in (-80.0..80.0_f64, -179.0..179.0_f64),
        to in (-80.0..80.0_f64, -179.0..179.0_f64),
        gap in 1_u64..1_000,
    ) {
        let mut states = states(1);
        let rules = RuleSet::standard();
        let mut judge = |second, (latitude, longitude)| {
            let position = samples::position().device(1).at_moment(seconds(second)).at(latitude, longitude).build();
            states.judge(&rules, position).faults
        };
        judge(0, from);
        judge(gap, to);
        prop_assert!(!judge(gap + 1, to).contains(Fault::ImplausibleJump));
        prop_assert!(!judge(gap + 2, to).contains(Fault::ImplausibleJump));
    }

    #[test]
    fn lone_spikes_are_marked_and_the_rest_is_not(spikes in prop::collection::btree_set(1_u64..100, 0..20)) {
        let mut states = states(1);
        let rules = RuleSet::standard();
        let mut previous_was_spike = false;
        for second in 0..100 {
            let spike = spikes.contains(&second) && !previous_was_spike;
            let position = if spike {
                samples::position().device(1).at_moment(seconds(second)).at(10.0, 10.0).build()
            } else {
                driving(1, second)
            };
            let jumped = states.judge(&rules, position).faults.contains(Fault::ImplausibleJump);
            prop_assert_eq!(jumped, spike, "second {}", second);
            previous_was_spike = spike;
        }
    }

    #[test]
    fn a_rule_is_pure(second in 0_u64..100, other in 0_u64..100) {
        let before = DeviceState::remembered(Some(seconds(other)), processor_domain::Fix::new(
            seconds(other), driving(1, other).coordinates));
        let position = driving(1, second);
        let judge = || ImplausibleJump::default().judge(&before, &position, Faults::NONE);
        prop_assert_eq!(judge(), judge());
    }
}

#[test]
fn the_device_heard_of_least_recently_is_forgotten_first() {
    let mut states = states(2);
    let rules = RuleSet::standard();
    for device in [1, 2, 1, 3] {
        states.judge(&rules, driving(device, 0));
    }
    let known = |device| states.contains(&samples::device(device));
    assert_eq!((known(1), known(2), known(3)), (true, false, true));
    assert_eq!((states.len(), states.evictions()), (2, 1));
}

#[test]
fn memory_knows_better_than_the_store() {
    let mut states = states(2);
    states.judge(&RuleSet::standard(), driving(1, 9));
    states.remember(samples::device(1), DeviceState::default());
    assert_eq!(states.get(&samples::device(1)).unwrap().high_water(), Some(seconds(9)));
}

/// What the cache of states keeps for a device: an entry in a list, each an allocation of its own, and a bucket in a
/// map that points at it.
#[test]
fn a_device_in_memory_takes_less_than_200_bytes() {
    let pointer = size_of::<usize>();
    let entry = size_of::<(processor_domain::DeviceId, DeviceState)>() + 2 * pointer;
    let allocator = 2 * pointer;
    // Right after it has grown the map is 7/16 full; a bucket is two pointers and a byte.
    let bucket = (2 * pointer + 1) * 16 / 7;
    assert!(entry + allocator + bucket <= 200, "{entry} + {allocator} + {bucket}");
}
