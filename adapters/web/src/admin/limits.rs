//! How much may be asked at once, how large a request may be, and how long an answer may take.

use std::sync::Arc;
use std::time::Duration;

use poem::http::StatusCode;
use poem::{Body, Endpoint, Request, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// What a request to the admin API may cost.
#[derive(Debug, Clone, Copy)]
pub struct AdminLimits {
    /// Requests answered at once; one more is told to come again.
    pub at_once: usize,
    /// Bytes of the body of a request.
    pub body: usize,
    /// How long it may take until the answer begins; a stream that has begun may take longer.
    pub time: Duration,
}

impl Default for AdminLimits {
    fn default() -> Self {
        Self { at_once: 8, body: 64 * 1024, time: Duration::from_secs(15) }
    }
}

/// The place of a request among those that are answered at once.
///
/// It is free again when the answer begins. An answer that is a stream keeps a copy, which is in the data of the
/// request, for as long as it streams.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// The same within these limits.
pub(super) fn limited<E: Endpoint>(inner: E, limits: AdminLimits) -> impl Endpoint<Output = E::Output> {
    Limited { inner, limits, places: Arc::new(Semaphore::new(limits.at_once)) }
}

struct Limited<E> {
    inner: E,
    limits: AdminLimits,
    places: Arc<Semaphore>,
}

impl<E: Endpoint> Endpoint for Limited<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> Result<Self::Output> {
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())?;
        let place = Place { _permit: Arc::new(permit) };
        let answer = self.answer(request, place);
        tokio::time::timeout(self.limits.time, answer).await.map_err(|_| too_slow())?
    }
}

impl<E: Endpoint> Limited<E> {
    /// Dropped when the time is over or the client goes away; what is under way then ends where it waits.
    async fn answer(&self, mut request: Request, place: Place) -> Result<E::Output> {
        let body = request.take_body().into_bytes_limit(self.limits.body).await?;
        request.set_body(Body::from(body));
        request.set_data(place);
        self.inner.call(request).await
    }
}

fn busy() -> Problem {
    let detail = "too many requests are being answered; come again";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after(Duration::from_secs(1))
}

fn too_slow() -> Problem {
    Problem::new(StatusCode::GATEWAY_TIMEOUT, "too_slow", "there was no answer in the time allowed")
}
