//! Positions of the past: of a device, or of all devices of an event.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::web::Data;
use poem::{Body, IntoResponse, Response};
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::{Binary, Payload};
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Enum, OpenApi};
use processor_domain::ports::{RosterSource, StoreError};
use processor_domain::{DeviceId, EventId, HistoryCursor, HistoryQuery, Span, Timestamp, Wanted};
use tokio::sync::Semaphore;

use super::limits::Place;
use super::problems::store_unavailable;
use crate::history::{Format, Recording, collected, streamed};
use crate::problem::Problem;

/// Most positions that are asked for with a limit; they are in memory as a whole.
const MOST: usize = 10_000;
/// Exports that stream at once: what is left of the places is for other questions.
const EXPORTS: usize = 4;
/// Where to go on after the positions of an answer.
const NEXT: HeaderName = HeaderName::from_static("next-cursor");

pub(super) struct History {
    pages: Arc<dyn processor_domain::ports::History>,
    roster: Arc<dyn RosterSource>,
    exports: Arc<Semaphore>,
}

/// Which positions.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "lowercase")]
enum Faulty {
    /// All of them
    Include,
    /// Those that say where the car was
    Exclude,
    /// Those that do not
    Only,
}

/// A format.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "lowercase")]
enum FormatName {
    Ndjson,
    Geojson,
    Gpx,
    Csv,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Ndjson => Self::NdJson,
            FormatName::Geojson => Self::GeoJson,
            FormatName::Gpx => Self::Gpx,
            FormatName::Csv => Self::Csv,
        }
    }
}

#[derive(ApiResponse)]
enum HistoryFault {
    /// `invalid_device`: That cannot be the id of a device
    /// `invalid_event`: That cannot be the id of an event
    /// `invalid_time`: A time is a date and a time with a zone, such as 2026-05-01T10:00:00Z
    /// `invalid_span`: A span of time has to end after it begins
    /// `invalid_cursor`: A cursor is a time and a device with a comma in between
    #[oai(status = 400)]
    Invalid(Problem),
    /// `no_such_event`: No device takes part in an event with this id
    #[oai(status = 404)]
    NoEvent(Problem),
    /// `not_acceptable`: None of the media types accepted is one of the formats that there are
    #[oai(status = 406)]
    NotAcceptable(Problem),
    /// `store_unavailable`: The store does not answer at the moment
    /// `too_many_exports`: As many exports are streaming as may; come again
    #[oai(status = 503)]
    Unavailable(Problem),
}

impl From<StoreError> for HistoryFault {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(store_unavailable(&error))
    }
}

fn invalid(code: &'static str, detail: impl Into<std::borrow::Cow<'static, str>>) -> HistoryFault {
    HistoryFault::Invalid(Problem::new(StatusCode::BAD_REQUEST, code, detail))
}

/// What is asked for, apart from whose positions.
struct Asked {
    from: String,
    to: String,
    format: Option<FormatName>,
    accept: Option<String>,
    faulty: Option<Faulty>,
    attributes: bool,
    cursor: Option<String>,
    limit: Option<usize>,
}

impl Asked {
    fn format(&self) -> Result<Format, HistoryFault> {
        let accepted = |accept: &str| {
            Format::accepted(accept).ok_or_else(|| {
                let detail = "the formats are application/x-ndjson, application/geo+json, application/gpx+xml and text/csv";
                HistoryFault::NotAcceptable(Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail))
            })
        };
        match (self.format, self.accept.as_deref()) {
            (Some(name), _) => Ok(name.into()),
            (None, Some(accept)) => accepted(accept),
            (None, None) => Ok(Format::NdJson),
        }
    }

    /// A track cannot say of a point that it is wrong, so it has only good ones unless others are asked for.
    const fn wanted(&self, format: Format) -> Wanted {
        match (self.faulty, format) {
            (Some(Faulty::Exclude), _) | (None, Format::Gpx) => Wanted::Good,
            (Some(Faulty::Only), _) => Wanted::Faulty,
            (Some(Faulty::Include) | None, _) => Wanted::All,
        }
    }

    fn span(&self) -> Result<Span, HistoryFault> {
        let moment = |text: &str| {
            let detail = "a time is a date and a time with a zone, such as 2026-05-01T10:00:00Z";
            Timestamp::parse_rfc3339(text).map_err(|_| invalid("invalid_time", detail))
        };
        let span = Span::new(moment(&self.from)?, moment(&self.to)?);
        span.map_err(|empty| invalid("invalid_span", empty.to_string()))
    }

    fn cursor(&self) -> Result<Option<HistoryCursor>, HistoryFault> {
        let cursor = self.cursor.as_deref().map(str::parse);
        cursor.transpose().map_err(|error| invalid("invalid_cursor", format!("{error}")))
    }
}

#[OpenApi]
impl History {
    /// Positions of a device
    ///
    /// In the order of their times. Without a limit all of them are streamed: an answer that is not whole is cut off
    /// and does not end as one does. With a limit the answer is a page; the header `Next-Cursor` says where the next
    /// one begins, and is not there if this was the last. A cursor is the time and the device of a position, with a
    /// comma in between: whoever was cut off goes on after the last position it has.
    #[oai(path = "/devices/:id/history", method = "get", operation_id = "device_history")]
    #[expect(clippy::too_many_arguments, reason = "one for each parameter of the query")]
    async fn device_history(
        &self,
        place: Data<&Place>,
        /// Id of the device
        id: Path<String>,
        /// The first moment of device time
        from: Query<String>,
        /// The first moment that is not in it any more
        to: Query<String>,
        /// The format; by the header `Accept` if it is not given, `ndjson` if neither is
        format: Query<Option<FormatName>>,
        /// Media types that are taken, the first one that there is
        accept: Header<Option<String>>,
        /// Which positions: all if it is not given, but for `gpx` those that say where the car was
        faulty: Query<Option<Faulty>>,
        /// Whether with attributes
        #[oai(default)]
        attributes: Query<bool>,
        /// After which position
        cursor: Query<Option<String>>,
        /// At most so many positions
        #[oai(validator(minimum(value = "1"), maximum(value = "10000")))]
        limit: Query<Option<usize>>,
    ) -> Result<Exported, HistoryFault> {
        let device = DeviceId::parse(&id.0).map_err(|error| invalid("invalid_device", error.to_string()))?;
        let asked = Asked {
            from: from.0,
            to: to.0,
            format: format.0,
            accept: accept.0,
            faulty: faulty.0,
            attributes: attributes.0,
            cursor: cursor.0,
            limit: limit.0,
        };
        self.export(place.0, [device], &id.0, &asked).await
    }

    /// Positions of all devices of an event
    ///
    /// Of those that take part in it now: device after device, in the order of their ids, and within one in the order
    /// of their times. All else is as for one device.
    #[oai(path = "/events/:id/history", method = "get", operation_id = "event_history")]
    #[expect(clippy::too_many_arguments, reason = "one for each parameter of the query")]
    async fn event_history(
        &self,
        place: Data<&Place>,
        /// Id of the event
        id: Path<String>,
        /// The first moment of device time
        from: Query<String>,
        /// The first moment that is not in it any more
        to: Query<String>,
        /// The format; by the header `Accept` if it is not given, `ndjson` if neither is
        format: Query<Option<FormatName>>,
        /// Media types that are taken, the first one that there is
        accept: Header<Option<String>>,
        /// Which positions: all if it is not given, but for `gpx` those that say where the car was
        faulty: Query<Option<Faulty>>,
        /// Whether with attributes
        #[oai(default)]
        attributes: Query<bool>,
        /// After which position
        cursor: Query<Option<String>>,
        /// At most so many positions
        #[oai(validator(minimum(value = "1"), maximum(value = "10000")))]
        limit: Query<Option<usize>>,
    ) -> Result<Exported, HistoryFault> {
        let event = EventId::parse(&id.0).map_err(|error| invalid("invalid_event", error.to_string()))?;
        let roster = self.roster.read_roster().await?;
        let devices: Vec<DeviceId> = roster.devices_of(&event).collect();
        if devices.is_empty() {
            let detail = "no device takes part in an event with this id";
            return Err(HistoryFault::NoEvent(Problem::new(StatusCode::NOT_FOUND, "no_such_event", detail)));
        }
        let asked = Asked {
            from: from.0,
            to: to.0,
            format: format.0,
            accept: accept.0,
            faulty: faulty.0,
            attributes: attributes.0,
            cursor: cursor.0,
            limit: limit.0,
        };
        self.export(place.0, devices, &id.0, &asked).await
    }
}

impl History {
    pub(super) fn new(
        pages: Arc<dyn processor_domain::ports::History>,
        roster: Arc<dyn RosterSource>,
    ) -> Self {
        Self { pages, roster, exports: Arc::new(Semaphore::new(EXPORTS)) }
    }

    async fn export(
        &self,
        place: &Place,
        devices: impl IntoIterator<Item = DeviceId>,
        of: &str,
        asked: &Asked,
    ) -> Result<Exported, HistoryFault> {
        let format = asked.format()?;
        let mut query = HistoryQuery::of(devices, asked.span()?);
        query.wanted = asked.wanted(format);
        query.attributes = asked.attributes;
        let recording = Recording { history: Arc::clone(&self.pages), query, after: asked.cursor()?, format };
        let name = format!("{of}.{}", format.name());
        let limit = asked.limit.and_then(|limit| NonZeroUsize::new(limit.min(MOST)));
        if let Some(limit) = limit {
            let (page, next) = collected(&recording, limit).await?;
            return Ok(Exported { body: page.into(), format, name, next });
        }
        let export = Arc::clone(&self.exports).try_acquire_owned().map_err(|_| too_many())?;
        let stream = streamed(recording, (export, place.clone())).await?;
        Ok(Exported { body: Body::from_bytes_stream(stream), format, name, next: None })
    }
}

fn too_many() -> HistoryFault {
    let detail = "as many exports are streaming as may; come again";
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_exports", detail);
    HistoryFault::Unavailable(problem.retry_after(Duration::from_secs(10)))
}

/// Positions in a format.
struct Exported {
    body: Body,
    format: Format,
    /// What a file of it would be called.
    name: String,
    next: Option<HistoryCursor>,
}

impl IntoResponse for Exported {
    fn into_response(self) -> Response {
        let mut response = Response::builder()
            .content_type(self.format.media_type())
            .header(header::CACHE_CONTROL, "no-store")
            .header(header::VARY, "accept")
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .body(self.body);
        let headers = response.headers_mut();
        // Ids that are no plain words make no name of a file.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if self.name.bytes().all(plain)
            && let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", self.name))
        {
            headers.insert(header::CONTENT_DISPOSITION, name);
        }
        if let Some(next) = self.next
            && let Ok(next) = HeaderValue::from_str(&next.to_string())
        {
            headers.insert(NEXT, next);
        }
        response
    }
}

impl ApiResponse for Exported {
    fn meta() -> MetaResponses {
        let media = |format: Format| MetaMediaType {
            content_type: format.media_type().split(';').next().unwrap_or_default(),
            schema: <Binary<Vec<u8>> as Payload>::schema_ref(),
        };
        MetaResponses {
            responses: vec![MetaResponse {
                description: "The positions",
                status: Some(200),
                status_range: None,
                content: Format::ALL.map(media).into(),
                headers: vec![MetaHeader {
                    name: "Next-Cursor".to_owned(),
                    description: Some(
                        "Where the next page begins, if a limit was asked for and there is more".to_owned(),
                    ),
                    required: false,
                    deprecated: false,
                    schema: <String as Type>::schema_ref(),
                }],
            }],
        }
    }

    fn register(registry: &mut Registry) {
        <Binary<Vec<u8>> as Payload>::register(registry);
    }
}

#[cfg(test)]
mod tests;
