//! The tracker in one car: what it measures, and what becomes of that on the way.

use std::time::Duration;

use processor_domain::{DeviceId, Timestamp};

use crate::chance::Chance;
use crate::profile::SpeedProfile;
use crate::quirk::{Quirk, Script, Showing};
use crate::wire::{self, Report};
use crate::{Car, Place, Route, Sent};

/// What all cars share.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) route: Route,
    pub(crate) profile: SpeedProfile,
    /// The moment of second 0.
    pub(crate) start: Timestamp,
}

/// One tracker. Nothing in it changes: every record is a function of the second it was measured in.
#[derive(Debug)]
pub(crate) struct Tracker {
    device_id: DeviceId,
    script: Script,
    chance: Chance,
    /// How fast this driver is, as a share of the best possible speed.
    pace: f64,
    /// Seconds this car had been on its way at second 0.
    head_start: f64,
    odometer_before_m: f64,
    /// Time from the measurement to the stream, at least.
    latency: Duration,
    writes: Writes,
}

/// Which of the odd shapes of a Node writer this car's records have.
#[derive(Debug, Clone, Copy)]
enum Writes {
    Plainly,
    DriverCardAsBigint,
    BeaconAsBuffer,
    OdometerAsBigint,
}

/// Questions to [`Chance`] about one second; each is one number.
mod about {
    pub(super) const LATENCY: u64 = 1;
    pub(super) const JUMP: u64 = 2;
    pub(super) const CUT: u64 = 3;
}

impl Tracker {
    pub(crate) fn of(car: &Car, head_start: Duration, rally: Chance) -> Self {
        let chance = rally.about(u64::from(car.number));
        let place_in_field = f64::from(car.number - 1) / 48.0;
        Self {
            device_id: car.device_id,
            script: Script::new(car.quirk, chance.about(1)),
            chance: chance.about(2),
            // The quick ones start first, mostly.
            pace: 0.99 - 0.08 * place_in_field.min(1.5) + chance.about(3).within(-0.02..0.02),
            head_start: head_start.as_secs_f64(),
            odometer_before_m: chance.about(4).within(2e6..9e7),
            latency: Duration::from_millis(chance.about(5).whole(150..900)),
            writes: match car.number % 4 {
                1 => Writes::DriverCardAsBigint,
                2 => Writes::BeaconAsBuffer,
                3 => Writes::OdometerAsBigint,
                _ => Writes::Plainly,
            },
        }
    }

    /// Everything that arrives because of this second, with the moments of arrival, none of them earlier than
    /// the second itself.
    pub(crate) fn sends(&self, course: &Course, second: u64, mut send: impl FnMut(Sent)) {
        let at = self.arrival(course, second);
        let report = self.measure(course, second);
        let Some(showing) = self.script.at(second) else {
            return send(sent(at, &report));
        };
        match (showing.quirk, showing.into) {
            (Quirk::NoFix, into) if into < showing.lasts => {
                let last_fix = self.measure(course, second - into - 1);
                send(sent(
                    at,
                    &without_fix(report, last_fix.latitude, last_fix.longitude, last_fix.altitude),
                ));
            }
            (Quirk::NullIsland, into) if into < SILENT_SECONDS => {}
            (Quirk::NullIsland, into) if into < showing.lasts => {
                send(sent(at, &without_fix(report, 0.0, 0.0, 0)));
            }
            (Quirk::LateUpload, into) if into < showing.lasts => {}
            (Quirk::LateUpload, into) => {
                for back in 0..=into {
                    let at = at.plus(BACKLOG_STEP.saturating_mul(u32::try_from(back).unwrap_or(u32::MAX)));
                    send(sent(at, &self.measure(course, second - back)));
                }
            }
            (Quirk::Duplicates, 0) => {
                send(sent(at, &report));
                for back in (0..RESENT_RECORDS).rev() {
                    send(sent(at.plus(ACK_TIMEOUT), &self.measure(course, second - back)));
                }
            }
            (Quirk::EventRecord, 0) => {
                send(sent(at, &event(report.clone(), showing)));
                send(sent(at, &report));
            }
            (Quirk::Jump, 0) => send(sent(at, &self.jumped(report, second))),
            (Quirk::Undecodable, 0) => {
                send(Sent { at, payload: self.broken(&report, second, showing.occurrence) });
            }
            (Quirk::FutureClock, 0) => {
                // Half a second, so that it does not take the key of the record that will be true in two hours.
                let ts = report.ts.plus(Duration::from_millis(7_200_500));
                send(sent(at, &Report { ts, ..report }));
            }
            _ => send(sent(at, &report)),
        }
    }

    /// When what was measured in this second arrives, if nothing holds it up. One connection keeps its order.
    fn arrival(&self, course: &Course, second: u64) -> Timestamp {
        let jitter = self.chance.about(second).about(about::LATENCY).whole(0..300);
        moment(course, second).plus(self.latency).plus(Duration::from_millis(jitter))
    }

    /// What the tracker measures in this second under an open sky.
    fn measure(&self, course: &Course, second: u64) -> Report {
        let driven = (self.head_start + second as f64) * self.pace;
        let (chainage_m, best_mps) = course.profile.after(driven);
        let (east_m, north_m) = self.drift_m(second);
        let place = course.route.beside(chainage_m, east_m, north_m);
        let satellites = 12 + whole(4.0 * wave(second, 97.0, self.phase(3)));
        Report {
            device_id: self.device_id,
            ts: moment(course, second),
            latitude: place.latitude,
            longitude: place.longitude,
            altitude: whole(place.altitude_m),
            angle: count(place.heading_degrees) % 360,
            speed: count(best_mps * self.pace * 3.6),
            satellites: satellites.unsigned_abs(),
            priority: 0,
            io: self.io(second, &place, chainage_m, satellites),
        }
    }

    /// The error of the receiver: a metre or two that wander slowly, as they do.
    fn drift_m(&self, second: u64) -> (f64, f64) {
        let east_m = wave(second, 61.0, self.phase(1)) + 0.5 * wave(second, 23.0, self.phase(2));
        let north_m = wave(second, 53.0, self.phase(2)) + 0.5 * wave(second, 29.0, self.phase(1));
        (east_m, north_m)
    }

    fn phase(&self, n: u64) -> f64 {
        self.chance.about(n).share()
    }

    fn io(&self, second: u64, place: &Place, chainage_m: f64, satellites: i64) -> Vec<(u16, String)> {
        let odometer_m = count(self.odometer_before_m + chainage_m);
        let hdop_tenths = 20 - satellites;
        let mut io = vec![
            (16, odometer_m.to_string()),
            (21, (3 + whole(1.6 * wave(second, 211.0, self.phase(4)))).to_string()),
            (66, (13_900 + whole(place.altitude_m)).to_string()),
            (67, (4_020 + whole(60.0 * wave(second, 907.0, self.phase(5)))).to_string()),
            (69, "1".into()),
            (181, (hdop_tenths + 5).to_string()),
            (182, hdop_tenths.to_string()),
            (199, count(chainage_m).to_string()),
            (200, "0".into()),
            (239, "1".into()),
            (240, "1".into()),
            (241, "24601".into()),
        ];
        match self.writes {
            Writes::DriverCardAsBigint => io.insert(5, (78, wire::bigint(self.chance.bits() | 1 << 63))),
            Writes::OdometerAsBigint => io[0].1 = wire::bigint(odometer_m),
            Writes::BeaconAsBuffer if second.is_multiple_of(10) => {
                io.push((385, wire::buffer(&self.chance.bits().to_be_bytes())));
            }
            Writes::Plainly | Writes::BeaconAsBuffer => {}
        }
        io
    }

    fn jumped(&self, report: Report, second: u64) -> Report {
        let chance = self.chance.about(second).about(about::JUMP);
        let degrees = chance.within(0.2..0.6);
        Report { latitude: report.latitude + degrees, longitude: report.longitude - degrees, ..report }
    }

    /// A record that cannot be a position, each time for another reason.
    fn broken(&self, report: &Report, second: u64, occurrence: u64) -> Box<[u8]> {
        let json = report.to_json();
        match occurrence % 3 {
            0 => {
                let chance = self.chance.about(second).about(about::CUT);
                let keep = usize::try_from(chance.whole(20..json.len() as u64 - 1)).unwrap_or(20);
                json[..keep].into()
            }
            // `JSON.stringify` leaves out what is undefined and writes null for what is not a number.
            1 => replaced(&json, &format!(r#""timestamp":"{}","#, report.ts), ""),
            _ => replaced(&json, &format!(r#""device_id":"{}""#, report.device_id), r#""device_id":null"#),
        }
    }
}

/// From a restart to the first record.
const SILENT_SECONDS: u64 = 6;
/// Between the records of a backlog.
const BACKLOG_STEP: Duration = Duration::from_millis(15);
/// How many records are sent again when their acknowledgement was lost, and how long after the last of them.
const RESENT_RECORDS: u64 = 10;
const ACK_TIMEOUT: Duration = Duration::from_secs(3);

fn sent(at: Timestamp, report: &Report) -> Sent {
    Sent { at, payload: report.to_json() }
}

/// What a tracker sends while it has no fix: the place it knew last, and zeros.
fn without_fix(mut report: Report, latitude: f64, longitude: f64, altitude: i64) -> Report {
    for (_, status) in report.io.iter_mut().filter(|(id, _)| *id == GNSS_STATUS) {
        *status = "2".into();
    }
    report.io.retain(|(id, _)| !DILUTIONS.contains(id));
    Report { latitude, longitude, altitude, angle: 0, speed: 0, satellites: 0, ..report }
}

const GNSS_STATUS: u16 = 69;
const DILUTIONS: [u16; 2] = [181, 182];

/// Harsh driving (IO 253: 1 speeding up, 2 braking, 3 cornering), with the accelerations that told it.
fn event(mut report: Report, showing: Showing) -> Report {
    report.priority = 1;
    let axes = [(17, "-142"), (18, "611"), (19, "1002")].map(|(id, mg)| (id, mg.to_owned()));
    report.io.extend(axes);
    report.io.push((253, (1 + showing.occurrence % 3).to_string()));
    report.io.sort_by_key(|(id, _)| *id);
    report
}

fn replaced(json: &[u8], from: &str, to: &str) -> Box<[u8]> {
    String::from_utf8_lossy(json).replacen(from, to, 1).into_bytes().into()
}

/// The moment of the second so many after the start.
fn moment(course: &Course, second: u64) -> Timestamp {
    course.start.plus(Duration::from_secs(second))
}

/// A sine of this period in seconds; the phase is a share of the period.
fn wave(second: u64, period: f64, phase: f64) -> f64 {
    ((second as f64 / period + phase) * std::f64::consts::TAU).sin()
}

#[expect(clippy::cast_possible_truncation, reason = "small numbers, and a cast saturates")]
fn whole(number: f64) -> i64 {
    number.round() as i64
}

fn count(number: f64) -> u64 {
    whole(number).max(0).unsigned_abs()
}
