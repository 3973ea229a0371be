//! One device: what there is of it, and why it is not on the map.

use poem::http::StatusCode;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use processor_admin::{DeviceReport, Finding};
use processor_domain::{Coordinates, Credential, DeviceId, Enrolment, EventId, Fix, StoredRecord};

use crate::problem::Problem;

pub(super) struct Devices(pub(super) processor_admin::Devices);

/// A record of a device as it is stored.
#[derive(Object)]
#[oai(rename = "StoredRecord")]
struct Record {
    /// Device time
    ts: String,
    /// When it was written
    written_at: Option<String>,
    /// Degrees, north positive
    latitude: Option<f64>,
    /// Degrees, east positive
    longitude: Option<f64>,
    /// Whether the place is not where the car was
    faulty: bool,
    /// The names of its marks
    faults: Vec<String>,
}

/// A place at a time.
#[derive(Object)]
#[oai(rename = "Fix")]
struct Place {
    /// Device time
    ts: String,
    /// Degrees, north positive
    latitude: f64,
    /// Degrees, east positive
    longitude: f64,
}

/// What the tables of the CMS have of a device.
#[derive(Object)]
#[oai(rename = "Enrolment")]
struct Enrolled {
    /// How the tables name a device: `key`, `imei_or_key`, `imei`, or `absent` if there are none
    schema: String,
    /// Whether the table `devices` has it; null where there is no such table
    registered: Option<bool>,
    /// How many entries have it
    entries: u64,
    /// How many of those are in no event
    entries_without_event: u64,
    /// The events of the others
    events: Vec<String>,
}

/// What there is of one device.
#[derive(Object)]
#[oai(rename = "Device")]
struct Report {
    /// Its IMEI
    device_id: String,
    /// The record with the newest device time
    last: Option<Record>,
    /// The newest good fix
    last_good: Option<Place>,
    /// The newest device time that is not from the future: what is older is looked up before it is written
    high_water: Option<String>,
    /// Records whose device time is in the last hour, counted up to 100000
    rows_in_last_hour: u64,
    /// What the CMS has of it now
    enrolment: Enrolled,
    /// Its events on the roster in use; null if there is no live socket or no roster yet
    events: Option<Vec<String>>,
}

/// Why a device is not on the map, or that it is.
#[derive(Object)]
struct Explanation {
    /// Its IMEI
    device_id: String,
    /// `on_map`, `not_on_map`, or `unknown` if nothing that is known keeps it off
    verdict: String,
    /// What was found out, the heaviest first
    findings: Vec<Found>,
}

/// One thing that was found out.
#[derive(Object)]
#[oai(rename = "Finding")]
struct Found {
    /// Says which it is, and stays the same
    code: String,
    /// `cause` keeps it off the map, `doubt` may be why it is not as expected, `unknown` could not be found out,
    /// `fine` is as it should be
    weight: String,
    /// The same for people
    sentence: String,
    /// What to do
    advice: Option<String>,
}

#[derive(ApiResponse)]
enum DeviceFault {
    /// `invalid_device`: This cannot be the id of a device
    #[oai(status = 400)]
    Invalid(Problem),
    /// `unknown_device`: Neither the store nor the CMS has heard of this device
    #[oai(status = 404)]
    Absent(Problem),
    /// `store_unavailable`: The store does not answer at the moment
    #[oai(status = 503)]
    Unavailable(Problem),
}

#[derive(ApiResponse)]
enum QuestionFault {
    /// `invalid_device`: This cannot be the id of a device
    /// `invalid_event`: This cannot be the id of an event
    #[oai(status = 400)]
    Invalid(Problem),
}

#[OpenApi]
impl Devices {
    /// What there is of a device
    ///
    /// Its last record, its last good fix, how much it sent, and where it takes part.
    #[oai(path = "/devices/:id", method = "get", operation_id = "device")]
    async fn device(
        &self,
        /// IMEI of the device
        id: Path<String>,
    ) -> Result<Json<Report>, DeviceFault> {
        let device = device_id(&id).map_err(DeviceFault::Invalid)?;
        match self.0.report(&device).await {
            Ok(Some(report)) => Ok(Json(Report::of(device, report))),
            Ok(None) => {
                let detail = "neither the store nor the CMS has heard of this device";
                Err(DeviceFault::Absent(Problem::new(StatusCode::NOT_FOUND, "unknown_device", detail)))
            }
            Err(error) => Err(DeviceFault::Unavailable(super::problems::store_unavailable(&error))),
        }
    }

    /// Why a device is not on the map
    ///
    /// Goes the way of a record, from the tracker to whoever looks, and says what keeps the car off the map, what may
    /// be why the map is not as expected, and what could not be found out.
    #[oai(path = "/devices/:id/explain", method = "get", operation_id = "explain")]
    async fn explain(
        &self,
        /// IMEI of the device
        id: Path<String>,
        /// The event in which it is missed; any if it is not named
        event: Query<Option<String>>,
        /// The viewer who misses it: the value of the session cookie. Only with `event`
        #[oai(name = "X-Viewer-Session")]
        viewer: Header<Option<String>>,
    ) -> Result<Json<Explanation>, QuestionFault> {
        let device = device_id(&id).map_err(QuestionFault::Invalid)?;
        let event = match event.0.as_deref().map(EventId::parse) {
            None => None,
            Some(Ok(event)) => Some(event),
            Some(Err(error)) => {
                let problem = Problem::new(StatusCode::BAD_REQUEST, "invalid_event", error.to_string());
                return Err(QuestionFault::Invalid(problem));
            }
        };
        let explanation = self.0.explain(&device, event, viewer.0.map(Credential::new)).await;
        Ok(Json(Explanation {
            device_id: device.to_string(),
            verdict: explanation.verdict.name().to_owned(),
            findings: explanation.findings.into_iter().map(Found::from).collect(),
        }))
    }
}

fn device_id(text: &str) -> Result<DeviceId, Problem> {
    DeviceId::parse(text)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "invalid_device", error.to_string()))
}

fn texts(events: &[EventId]) -> Vec<String> {
    events.iter().map(EventId::to_string).collect()
}

impl Report {
    fn of(device: DeviceId, report: DeviceReport) -> Self {
        Self {
            device_id: device.to_string(),
            last: report.last.map(Record::from),
            last_good: report.state.last_good().map(Place::from),
            high_water: report.state.high_water().map(|ts| ts.to_string()),
            rows_in_last_hour: report.rows_in_last_hour,
            enrolment: report.enrolment.into(),
            events: report.events.as_deref().map(texts),
        }
    }
}

impl From<StoredRecord> for Record {
    fn from(record: StoredRecord) -> Self {
        Self {
            ts: record.ts.to_string(),
            written_at: record.written_at.map(|ts| ts.to_string()),
            latitude: record.coordinates.map(Coordinates::latitude),
            longitude: record.coordinates.map(Coordinates::longitude),
            faulty: record.faulty,
            faults: record.faults.iter().map(|fault| fault.name().to_owned()).collect(),
        }
    }
}

impl From<Fix> for Place {
    fn from(fix: Fix) -> Self {
        let place = fix.coordinates();
        Self { ts: fix.ts.to_string(), latitude: place.latitude(), longitude: place.longitude() }
    }
}

impl From<Enrolment> for Enrolled {
    fn from(enrolment: Enrolment) -> Self {
        Self {
            schema: enrolment.schema.name().to_owned(),
            registered: enrolment.registered,
            entries: enrolment.entries as u64,
            entries_without_event: enrolment.entries_without_event as u64,
            events: texts(&enrolment.events),
        }
    }
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Self {
        Self {
            code: finding.code.to_owned(),
            weight: finding.weight.name().to_owned(),
            sentence: finding.sentence,
            advice: finding.advice.map(str::to_owned),
        }
    }
}
