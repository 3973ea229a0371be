//! Dead letters: looked through, redriven, discarded.

mod words;

use std::sync::Arc;

use poem::http::StatusCode;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};
use processor_admin::{DeadLetterDesk, DeadLetterFilter, DeadLetterId, ListError, Progress, Redrive};

use self::words::{
    DeadLetterPage, DiscardedLetters, OpenedLetter, Order, PlaceName, Reason, RedrivenLetters,
};
use super::unavailable;
use crate::problem::Problem;

/// Most letters on a page.
const MOST: usize = 500;

#[derive(ApiResponse)]
enum ListFault {
    /// `invalid_cursor`: The cursor was not given out for this filter
    #[oai(status = 400)]
    Cursor(Problem),
    /// `unavailable`: A place with dead letters, or a stream, cannot be reached at the moment
    #[oai(status = 503)]
    Unavailable(Problem),
}

#[derive(ApiResponse)]
enum LetterFault {
    /// `invalid_dead_letter_id`: No dead letter can have this id
    #[oai(status = 400)]
    Id(Problem),
    /// `no_such_dead_letter`: There is no such dead letter; it was redriven or discarded before, or never was
    #[oai(status = 404)]
    Absent(Problem),
    /// `unavailable`: The place of the dead letter, or its stream, cannot be reached at the moment
    #[oai(status = 503)]
    Unavailable(Problem),
}

#[derive(ApiResponse)]
enum RedriveFault {
    /// `invalid_dead_letter_id`: No dead letter can have this id
    #[oai(status = 400)]
    Id(Problem),
    /// `no_such_dead_letter`: There is no such dead letter; it was redriven or discarded before, or never was
    #[oai(status = 404)]
    Absent(Problem),
    /// `no_payload`: There is no payload to send again
    ///
    /// `too_large`: The payload is larger than a record may be, and would be set aside again
    ///
    /// `stream_not_read`: Its stream is not one of those that are read, so nobody would take the record
    #[oai(status = 409)]
    Refused(Problem),
    /// `unavailable`: The place of the dead letter, or its stream, cannot be reached at the moment
    #[oai(status = 503)]
    Unavailable(Problem),
}

#[derive(ApiResponse)]
enum Gone {
    /// It is gone
    #[oai(status = 204)]
    Gone,
}

pub(super) struct DeadLetters {
    desk: Arc<DeadLetterDesk>,
}

impl DeadLetters {
    pub(super) const fn new(desk: Arc<DeadLetterDesk>) -> Self {
        Self { desk }
    }
}

#[OpenApi]
impl DeadLetters {
    /// List dead letters
    ///
    /// Those of all streams that are read, in both places where they are kept, without their payloads. A page may
    /// be short, or empty, and not be the last: go on while there is a `next`.
    #[oai(path = "/dead-letters", method = "get", operation_id = "dead_letters")]
    async fn list(
        &self,
        /// Only those kept here
        place: Query<Option<PlaceName>>,
        /// Only those of this stream; of one that is not read any more there are only those in the table
        stream: Query<Option<String>>,
        /// Only those set aside for this reason
        reason: Query<Option<Reason>>,
        /// Which come first; `newest` if not given
        order: Query<Option<Order>>,
        /// The `next` of the page before, for the same filter and order
        cursor: Query<Option<String>>,
        /// Most letters on the page; 50 if not given
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<Option<u32>>,
    ) -> Result<Json<DeadLetterPage>, ListFault> {
        let limit = limit.0.map_or(50, |limit| usize::try_from(limit).unwrap_or(MOST)).clamp(1, MOST);
        let order = order.0.unwrap_or(Order::Newest).into();
        let filter = filter(place.0, stream.0, reason.0);
        let listing = self.desk.list(&filter, order, progress(cursor.0)?, limit).await?;
        Ok(Json(listing.into()))
    }

    /// Show a dead letter
    ///
    /// With its payload: as text if it is JSON, otherwise as base64.
    #[oai(path = "/dead-letters/:id", method = "get", operation_id = "dead_letter")]
    async fn show(
        &self,
        /// As it was listed
        id: Path<String>,
    ) -> Result<Json<OpenedLetter>, LetterFault> {
        let id = letter_id(&id).map_err(LetterFault::Id)?;
        match self.desk.open(&id).await {
            Ok(Some(opened)) => Ok(Json(OpenedLetter::new(&id, opened))),
            Ok(None) => Err(LetterFault::Absent(absent())),
            Err(error) => Err(LetterFault::Unavailable(unavailable(&error))),
        }
    }

    /// Redrive a dead letter
    ///
    /// Puts its record onto its stream again and then discards the letter. Doing it twice does nothing more; at the
    /// worst the record comes twice, which does no harm.
    #[oai(path = "/dead-letters/:id/redrive", method = "post", operation_id = "redrive_dead_letter")]
    async fn redrive(
        &self,
        /// As it was listed
        id: Path<String>,
    ) -> Result<Json<RedrivenLetters>, RedriveFault> {
        let id = letter_id(&id).map_err(RedriveFault::Id)?;
        match self.desk.redrive(&id).await {
            Ok(Redrive::Done) => Ok(Json(RedrivenLetters::one())),
            Ok(Redrive::Absent) => Err(RedriveFault::Absent(absent())),
            Ok(Redrive::Refused(refusal)) => Err(RedriveFault::Refused(Problem::new(
                StatusCode::CONFLICT,
                refusal.code(),
                refusal.to_string(),
            ))),
            Err(error) => Err(RedriveFault::Unavailable(unavailable(&error))),
        }
    }

    /// Redrive many dead letters
    ///
    /// Those that are meant, all if there is no filter, the oldest first. Letters kept after the beginning are not
    /// meant, so a record that is set aside again is not redriven for ever. At most some thousands are gone through
    /// for one answer: go on while there is a `next`.
    #[oai(path = "/dead-letters/redrive", method = "post", operation_id = "redrive_dead_letters")]
    async fn redrive_all(
        &self,
        /// Only those kept here
        place: Query<Option<PlaceName>>,
        /// Only those of this stream
        stream: Query<Option<String>>,
        /// Only those set aside for this reason
        reason: Query<Option<Reason>>,
        /// The `next` of the answer before, for the same filter
        cursor: Query<Option<String>>,
    ) -> Result<Json<RedrivenLetters>, ListFault> {
        let filter = filter(place.0, stream.0, reason.0);
        Ok(Json(self.desk.redrive_all(&filter, progress(cursor.0)?).await?.into()))
    }

    /// Discard a dead letter
    ///
    /// For good.
    #[oai(path = "/dead-letters/:id", method = "delete", operation_id = "discard_dead_letter")]
    async fn discard(
        &self,
        /// As it was listed
        id: Path<String>,
    ) -> Result<Gone, LetterFault> {
        let id = letter_id(&id).map_err(LetterFault::Id)?;
        match self.desk.discard(&id).await {
            Ok(true) => Ok(Gone::Gone),
            Ok(false) => Err(LetterFault::Absent(absent())),
            Err(error) => Err(LetterFault::Unavailable(unavailable(&error))),
        }
    }

    /// Discard the dead letters of a reason
    ///
    /// For good, those kept before the beginning. At most some thousands are gone through for one answer: go on while
    /// there is a `next`.
    #[oai(path = "/dead-letters", method = "delete", operation_id = "discard_dead_letters")]
    async fn discard_all(
        &self,
        /// Those set aside for this reason
        reason: Query<Reason>,
        /// Only those kept here
        place: Query<Option<PlaceName>>,
        /// Only those of this stream; of one that is not read any more there are only those in the table
        stream: Query<Option<String>>,
        /// The `next` of the answer before, for the same filter
        cursor: Query<Option<String>>,
    ) -> Result<Json<DiscardedLetters>, ListFault> {
        let filter = filter(place.0, stream.0, Some(reason.0));
        Ok(Json(self.desk.discard_all(&filter, progress(cursor.0)?).await?.into()))
    }
}

fn filter(place: Option<PlaceName>, stream: Option<String>, reason: Option<Reason>) -> DeadLetterFilter {
    DeadLetterFilter {
        place: place.map(Into::into),
        stream: stream.map(Into::into),
        reason: reason.map(Into::into),
    }
}

fn progress(cursor: Option<String>) -> Result<Option<Progress>, ListError> {
    Ok(cursor.map(|text| text.parse()).transpose()?)
}

fn letter_id(text: &str) -> Result<DeadLetterId, Problem> {
    let id = text.parse();
    id.map_err(|error: processor_admin::InvalidDeadLetterId| {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_dead_letter_id", error.to_string())
    })
}

fn absent() -> Problem {
    let detail = "there is no such dead letter; it was redriven or discarded before, or never was";
    Problem::new(StatusCode::NOT_FOUND, "no_such_dead_letter", detail)
}

impl From<ListError> for ListFault {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Cursor(error) => {
                Self::Cursor(Problem::new(StatusCode::BAD_REQUEST, "invalid_cursor", error.to_string()))
            }
            ListError::Unavailable(error) => Self::Unavailable(unavailable(&error)),
        }
    }
}

#[cfg(test)]
mod tests;
