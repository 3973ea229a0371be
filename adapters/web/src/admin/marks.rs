//! What operators say of positions.

use std::num::NonZeroUsize;
use std::sync::Arc;

use poem::http::StatusCode;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use processor_domain::ports::{MarkError, MarkQuery, StoreError};
use processor_domain::{DeviceId, MarkId, NewMark, Span, Timestamp, Words};

use super::problems::store_unavailable;
use crate::problem::Problem;

/// Marks listed at once if nobody says how many.
const USUAL: usize = 100;

pub(super) struct Marks(pub(super) Arc<dyn processor_domain::ports::Marks>);

/// What is said of positions.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "lowercase")]
enum Ruling {
    /// They do not say where the car was
    Faulty,
    /// They do, whatever was found
    Good,
}

/// A mark to be made: of one position, or of all in a span of device time, those included that come later.
#[derive(Object)]
struct Wish {
    /// Id of the device
    device_id: String,
    /// The moment of one position; or else the span
    at: Option<String>,
    /// The first moment of the span
    from: Option<String>,
    /// The first moment that is not in it any more
    to: Option<String>,
    /// What is said of them
    ruling: Ruling,
    /// Who says so
    by: String,
    /// Why
    why: String,
}

/// What an operator says of positions.
#[derive(Object)]
struct Mark {
    /// Its number; a later one is higher
    id: i64,
    /// Id of the device
    device_id: String,
    /// The first moment of the span
    from: String,
    /// The first moment that is not in it any more
    to: String,
    /// What is said of the positions
    ruling: Ruling,
    /// Who said so
    by: String,
    /// Why
    why: String,
    /// When
    at: String,
    /// That it does not count any more
    taken_back: Option<TakenBack>,
}

/// That a mark was taken back.
#[derive(Object)]
struct TakenBack {
    /// Who took it back
    by: String,
    /// When
    at: String,
}

/// A mark that was made or taken back.
#[derive(Object)]
struct Marked {
    /// The mark
    mark: Mark,
    /// Positions that were changed
    positions: u64,
}

/// Marks, the newest first.
#[derive(Object)]
struct List {
    /// The marks, those taken back included
    marks: Vec<Mark>,
}

#[derive(ApiResponse)]
enum Made {
    /// It counts from now on
    #[oai(status = 201)]
    Created(Json<Marked>),
}

#[derive(ApiResponse)]
enum MarkFault {
    /// `invalid_device`: That cannot be the id of a device
    /// `invalid_time`: A time is a date and a time with a zone, such as 2026-05-01T10:00:00Z
    /// `invalid_span`: Either the moment of a position or a span that ends after it begins is wanted
    /// `invalid_words`: Who and why are one line of at most 500 characters that is not empty
    #[oai(status = 400)]
    Invalid(Problem),
    /// `no_such_mark`: There is no mark with this number
    #[oai(status = 404)]
    Absent(Problem),
    /// `too_many_marks`: As many marks count as may; take some back
    #[oai(status = 409)]
    TooMany(Problem),
    /// `too_many_positions`: There are more positions in the span than are changed at once; make several marks
    #[oai(status = 422)]
    TooMuch(Problem),
    /// `store_unavailable`: The store does not answer at the moment
    #[oai(status = 503)]
    Unavailable(Problem),
}

impl From<StoreError> for MarkFault {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(store_unavailable(&error))
    }
}

impl From<MarkError> for MarkFault {
    fn from(error: MarkError) -> Self {
        let detail = error.to_string();
        match error {
            MarkError::TooMany { .. } => {
                Self::TooMany(Problem::new(StatusCode::CONFLICT, "too_many_marks", detail))
            }
            MarkError::TooMuch { .. } => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Self::TooMuch(Problem::new(status, "too_many_positions", detail))
            }
            MarkError::Store(error) => error.into(),
        }
    }
}

fn invalid(code: &'static str, detail: &dyn std::fmt::Display) -> MarkFault {
    MarkFault::Invalid(Problem::new(StatusCode::BAD_REQUEST, code, detail.to_string()))
}

fn device(text: &str) -> Result<DeviceId, MarkFault> {
    DeviceId::parse(text).map_err(|error| invalid("invalid_device", &error))
}

fn words(text: &str) -> Result<Words, MarkFault> {
    Words::new(text).map_err(|error| invalid("invalid_words", &error))
}

impl Wish {
    fn span(&self) -> Result<Span, MarkFault> {
        let moment = |text: &str| {
            let detail = "a time is a date and a time with a zone, such as 2026-05-01T10:00:00Z";
            Timestamp::parse_rfc3339(text).map_err(|_| invalid("invalid_time", &detail))
        };
        match (&self.at, &self.from, &self.to) {
            (Some(at), None, None) => Ok(Span::moment(moment(at)?)),
            (None, Some(from), Some(to)) => {
                Span::new(moment(from)?, moment(to)?).map_err(|error| invalid("invalid_span", &error))
            }
            _ => Err(invalid("invalid_span", &"either `at`, or `from` and `to` are wanted")),
        }
    }
}

#[OpenApi]
impl Marks {
    /// Mark positions
    ///
    /// Says of one position, or of all of a device in a span of device time, that they are faulty or good, whatever
    /// the rules found. The positions that are there are changed at once, the live picture follows within seconds,
    /// and what comes later is judged by it. Where several marks speak of a position the one made last counts.
    #[oai(path = "/marks", method = "post", operation_id = "mark")]
    async fn mark(&self, wish: Json<Wish>) -> Result<Made, MarkFault> {
        let wish = wish.0;
        let said = NewMark {
            device_id: device(&wish.device_id)?,
            span: wish.span()?,
            ruling: wish.ruling.into(),
            by: words(&wish.by)?,
            why: words(&wish.why)?,
        };
        let marked = self.0.mark(&said).await?;
        tracing::info!(
            id = marked.mark.id.0,
            device = %said.device_id,
            positions = marked.positions,
            "positions were marked"
        );
        Ok(Made::Created(Json(marked.into())))
    }

    /// Marks
    ///
    /// The newest first, those taken back included.
    #[oai(path = "/marks", method = "get", operation_id = "marks")]
    async fn marks(
        &self,
        /// Of this device only
        device_id: Query<Option<String>>,
        /// Older ones than the one with this number only
        before: Query<Option<i64>>,
        /// At most so many
        #[oai(validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: Query<Option<usize>>,
    ) -> Result<Json<List>, MarkFault> {
        let query = MarkQuery {
            device_id: device_id.0.as_deref().map(device).transpose()?,
            before: before.0.map(MarkId),
            limit: NonZeroUsize::new(limit.0.unwrap_or(USUAL)).unwrap_or(NonZeroUsize::MIN),
        };
        let marks = self.0.list(&query).await?;
        Ok(Json(List { marks: marks.into_iter().map(Mark::from).collect() }))
    }

    /// Take a mark back
    ///
    /// The positions become what the marks that are left, or the rules, say. It stays in the list with who took it
    /// back; taking it back again changes nothing.
    #[oai(path = "/marks/:id", method = "delete", operation_id = "take_mark_back")]
    async fn take_back(
        &self,
        /// Number of the mark
        id: Path<i64>,
        /// Who takes it back
        by: Query<String>,
    ) -> Result<Json<Marked>, MarkFault> {
        let marked = self.0.take_back(MarkId(id.0), &words(&by.0)?).await?;
        let absent = || {
            let problem =
                Problem::new(StatusCode::NOT_FOUND, "no_such_mark", "there is no mark with this number");
            MarkFault::Absent(problem)
        };
        let marked = marked.ok_or_else(absent)?;
        tracing::info!(id = id.0, positions = marked.positions, "a mark was taken back");
        Ok(Json(marked.into()))
    }
}

impl From<Ruling> for processor_domain::Ruling {
    fn from(ruling: Ruling) -> Self {
        match ruling {
            Ruling::Faulty => Self::Faulty,
            Ruling::Good => Self::Good,
        }
    }
}

impl From<processor_domain::ports::Marked> for Marked {
    fn from(marked: processor_domain::ports::Marked) -> Self {
        Self { mark: marked.mark.into(), positions: marked.positions }
    }
}

impl From<processor_domain::Mark> for Mark {
    fn from(mark: processor_domain::Mark) -> Self {
        let said = mark.said;
        Self {
            id: mark.id.0,
            device_id: said.device_id.to_string(),
            from: said.span.from().to_string(),
            to: said.span.to().to_string(),
            ruling: match said.ruling {
                processor_domain::Ruling::Faulty => Ruling::Faulty,
                processor_domain::Ruling::Good => Ruling::Good,
            },
            by: said.by.as_str().to_owned(),
            why: said.why.as_str().to_owned(),
            at: mark.at.to_string(),
            taken_back: mark
                .taken_back
                .map(|taken| TakenBack { by: taken.by.as_str().to_owned(), at: taken.at.to_string() }),
        }
    }
}

#[cfg(test)]
mod tests;
