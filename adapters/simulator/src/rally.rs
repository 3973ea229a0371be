//! The rally as a whole: all cars, in the order in which their records arrive.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroU16;
use std::time::Duration;

use processor_domain::Timestamp;

use crate::chance::Chance;
use crate::profile::SpeedProfile;
use crate::tracker::{Course, Tracker};
use crate::{Car, Route};

/// What a rally is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RallySettings {
    /// How many cars take part. With ten or more every [`Quirk`](crate::Quirk) is on some car.
    pub cars: NonZeroU16,
    /// Which rally of all possible ones: when what goes wrong, and how good each driver is.
    pub seed: u64,
    /// When the first records are measured; cut to a whole second, as trackers do.
    pub start: Timestamp,
    /// Time between one car's start and the next one's. All have started by [`Self::start`]: the last one just
    /// then, the first one long before.
    pub start_interval: Duration,
}

impl RallySettings {
    /// 48 cars, ten seconds apart.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        const CARS: NonZeroU16 = NonZeroU16::new(48).expect("not zero");
        Self { cars: CARS, seed: 1, start, start_interval: Duration::from_secs(10) }
    }
}

/// A record that arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// When the stream takes it.
    pub at: Timestamp,
    /// The text of the record in the wire format; as on a real stream, not every one can be decoded.
    pub payload: Box<[u8]>,
}

/// A rally without an end.
///
/// As an [`Iterator`] it gives every record in the order of arrival and never `None`. Its memory is bounded by
/// the number of cars: what it holds are the records under way at one moment, backlogs among them.
#[derive(Debug)]
pub struct Rally {
    cars: Box<[Car]>,
    trackers: Box<[Tracker]>,
    course: Course,
    /// The next second to be driven.
    second: u64,
    under_way: BinaryHeap<Reverse<UnderWay>>,
    /// How many records were sent; tells apart what arrives at one moment.
    sent: u64,
}

/// A record between its tracker and the stream. The heap orders by the fields in their order; two records never
/// share the number.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct UnderWay {
    at: Timestamp,
    number: u64,
    payload: Box<[u8]>,
}

impl Rally {
    /// The rally with these settings.
    #[must_use]
    pub fn new(settings: RallySettings) -> Self {
        let route = Route::new();
        let start = Timestamp::from_millis(settings.start.millis().div_euclid(1_000).saturating_mul(1_000));
        let course = Course { profile: SpeedProfile::of(&route), route, start };
        let cars: Box<[Car]> = (0..settings.cars.get()).map(Car::nth).collect();
        let chance = Chance::new(settings.seed);
        let trackers = cars
            .iter()
            .map(|car| {
                let behind = settings.cars.get() - car.number;
                Tracker::of(car, settings.start_interval.saturating_mul(behind.into()), chance)
            })
            .collect();
        Self { cars, trackers, course, second: 0, under_way: BinaryHeap::new(), sent: 0 }
    }

    /// Who takes part, in the order of the start numbers.
    #[must_use]
    pub fn cars(&self) -> &[Car] {
        &self.cars
    }

    /// Where it goes.
    #[must_use]
    pub fn route(&self) -> &Route {
        &self.course.route
    }

    /// How many records are held: measured, and not yet arrived.
    #[must_use]
    pub fn records_under_way(&self) -> usize {
        self.under_way.len()
    }

    /// The next record if it arrives by this moment: for a caller that follows a clock.
    ///
    /// After a long pause there are many of them; the caller decides how many to take at a time.
    pub fn next_by(&mut self, moment: Timestamp) -> Option<Sent> {
        while self.complete_until() <= moment {
            if let Some(sent) = self.pop_before(self.complete_until()) {
                return Some(sent);
            }
            self.drive();
        }
        self.pop_before(moment.plus(Duration::from_micros(1)))
    }

    /// All records that arrive before this moment are under way: none arrives before it was measured.
    fn complete_until(&self) -> Timestamp {
        self.course.start.plus(Duration::from_secs(self.second))
    }

    fn pop_before(&mut self, moment: Timestamp) -> Option<Sent> {
        if self.under_way.peek().is_none_or(|Reverse(first)| first.at >= moment) {
            return None;
        }
        self.under_way.pop().map(|Reverse(first)| Sent { at: first.at, payload: first.payload })
    }

    /// Drives one second: every tracker sends what it has to.
    fn drive(&mut self) {
        for tracker in &self.trackers {
            tracker.sends(&self.course, self.second, |Sent { at, payload }| {
                self.under_way.push(Reverse(UnderWay { at, number: self.sent, payload }));
                self.sent += 1;
            });
        }
        self.second += 1;
    }
}

impl Iterator for Rally {
    type Item = Sent;

    fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(sent) = self.pop_before(self.complete_until()) {
                return Some(sent);
            }
            self.drive();
        }
    }
}
