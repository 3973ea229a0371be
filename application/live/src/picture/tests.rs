use super::*;
use processor_domain::{Fault, Faults, samples};
use std::time::Duration;

fn sighting(device: u64, second: u64, faults: Faults) -> Sighting {
    let ts = samples::at("2026-05-01T10:00:00Z").plus(Duration::from_secs(second));
    let position = samples::position().device(device).at_moment(ts).build();
    Sighting::observed(&position, faults, ts)
}

fn good(device: u64, second: u64) -> Sighting {
    sighting(device, second, Faults::NONE)
}

fn faulty(device: u64, second: u64) -> Sighting {
    sighting(device, second, Fault::NoFix.into())
}

fn members(numbers: &[u64]) -> HashSet<DeviceId> {
    numbers.iter().map(|number| samples::device(*number)).collect()
}

fn picture_of(numbers: &[u64]) -> Picture {
    let mut picture = Picture::default();
    picture.set_members(&members(numbers));
    picture
}

impl Picture {
    fn tell(&mut self, seq: u64) -> Change {
        let change = self.take_staged();
        self.show(&change, seq);
        change
    }
}

#[test]
fn a_frame_has_the_newest_of_each_device_and_says_for_how_many_it_stands() {
    let mut picture = picture_of(&[1, 2]);
    assert!(picture.stage(good(1, 1)));
    assert!(picture.stage(good(1, 2)));
    assert!(picture.stage(good(2, 1)));
    let change = picture.tell(1);
    assert_eq!(change.sightings, [good(1, 2), good(2, 1)]);
    assert_eq!(change.offered, 3);
    assert!(picture.tell(2).is_empty());
}

#[test]
fn an_older_or_equal_position_is_not_told_even_while_the_newer_one_is_being_told() {
    let mut picture = picture_of(&[1]);
    assert!(picture.stage(good(1, 5)));
    let under_way = picture.take_staged();
    assert!(!picture.stage(good(1, 5)));
    assert!(!picture.stage(good(1, 4)));
    assert!(!picture.stage(faulty(1, 5)));
    picture.show(&under_way, 1);
    assert!(!picture.stage(good(1, 4)));
    assert!(picture.tell(2).is_empty());
}

#[test]
fn a_faulty_one_is_told_and_moves_nothing() {
    let mut picture = picture_of(&[1]);
    picture.stage(good(1, 1));
    picture.stage(faulty(1, 3));
    assert_eq!(picture.tell(1).sightings, [good(1, 1), faulty(1, 3)]);
    assert_eq!(picture.good(), [good(1, 1)]);
    assert!(!picture.stage(faulty(1, 2)));
    assert!(picture.stage(good(1, 2)), "the marker is still at the first second");
    assert_eq!(picture.tell(2).sightings, [good(1, 2)]);
    assert_eq!(picture.changed_after(0).unwrap().sightings, [good(1, 2), faulty(1, 3)]);
    picture.stage(good(1, 4));
    picture.tell(3);
    assert_eq!(picture.changed_after(0).unwrap().sightings, [good(1, 4)]);
}

#[test]
fn a_faulty_one_from_the_future_does_not_silence_the_device() {
    let mut picture = picture_of(&[1]);
    let mut future = faulty(1, 1_000_000);
    future.received_at = Some(good(1, 1).ts);
    assert!(picture.stage(future));
    assert!(picture.stage(faulty(1, 2)));
    assert!(picture.stage(good(1, 3)));
}

#[test]
fn a_device_that_leaves_is_gone_at_once_and_whoever_is_behind_is_told() {
    let mut picture = picture_of(&[1, 2]);
    picture.stage(good(1, 1));
    picture.tell(1);
    picture.stage(good(1, 2));
    picture.set_members(&members(&[2]));
    assert!(!picture.stage(good(1, 3)));
    let change = picture.tell(2);
    assert_eq!((change.removed.as_slice(), change.sightings.len()), ([samples::device(1)].as_slice(), 0));
    assert_eq!(picture.changed_after(1).unwrap().removed, [samples::device(1)]);
    assert_eq!(picture.changed_after(2).unwrap().removed, []);
}

#[test]
fn a_device_that_was_never_shown_leaves_without_a_word() {
    let mut picture = picture_of(&[1]);
    picture.stage(good(1, 1));
    picture.set_members(&members(&[]));
    assert!(picture.tell(1).is_empty());
}

#[test]
fn a_device_that_comes_back_is_told_to_have_left_first() {
    let mut picture = picture_of(&[1]);
    picture.stage(good(1, 5));
    picture.tell(1);
    picture.set_members(&members(&[]));
    picture.set_members(&members(&[1]));
    assert!(picture.stage(good(1, 4)), "nothing is shown of it");
    let change = picture.tell(2);
    assert_eq!((change.removed, change.sightings), (vec![samples::device(1)], vec![good(1, 4)]));
}

#[test]
fn a_device_that_was_not_where_it_is_shown_is_told_to_be_gone_and_then_where_it_is() {
    let mut picture = picture_of(&[1, 2]);
    let device = samples::device(1);
    picture.stage(good(1, 5));
    picture.tell(1);
    assert!(!picture.correct(&device, Some(good(1, 5))), "it is where it is");
    assert!(picture.tell(2).is_empty());
    assert!(!picture.correct(&device, Some(good(1, 6))), "it only moves on");
    assert_eq!(picture.tell(2).sightings, [good(1, 6)]);
    picture.stage(good(1, 7));
    assert!(picture.correct(&device, Some(good(1, 3))));
    let change = picture.tell(3);
    assert_eq!((change.removed, change.sightings), (vec![device], vec![good(1, 3)]));
    assert_eq!(picture.good(), [good(1, 3)]);
    assert!(picture.stage(good(1, 4)));
    assert!(picture.correct(&device, None));
    let change = picture.tell(4);
    assert_eq!((change.removed, change.sightings), (vec![device], vec![]));
    assert!(!picture.correct(&samples::device(9), Some(good(9, 1))), "it does not take part");
}

#[test]
fn who_missed_more_departures_than_are_remembered_is_lost() {
    let mut picture = Picture::default();
    for seq in 1..=REMEMBERED_DEPARTURES as u64 + 1 {
        picture.show(&Change { removed: vec![samples::device(seq)], ..Change::default() }, seq);
    }
    assert!(picture.changed_after(0).is_none());
    let change = picture.changed_after(1).unwrap();
    assert_eq!(change.removed.len(), REMEMBERED_DEPARTURES);
}

#[test]
fn it_is_complete_when_the_store_has_spoken_of_every_device() {
    let mut picture = Picture::default();
    assert!(!picture.is_complete(), "it is not even known who takes part");
    picture.set_members(&members(&[]));
    assert!(picture.is_complete());
    picture.set_members(&members(&[1, 2]));
    assert!(!picture.is_complete());
    picture.seeded(&samples::device(1));
    picture.set_members(&members(&[1]));
    assert!(picture.is_complete());
    picture.set_members(&members(&[]));
    picture.set_members(&members(&[1]));
    assert_eq!(picture.unseeded().collect::<Vec<_>>(), [samples::device(1)]);
}
