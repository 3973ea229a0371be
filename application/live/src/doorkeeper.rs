//! Who may come in, and who may see what.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use processor_domain::ports::{Access, AccessError};
use processor_domain::{Credential, EventId, Viewer};
use tokio::time::Instant;

use crate::lock::lock;
use crate::metrics::LiveMetrics;
use processor_tasks::chain;

/// While the CMS does not answer it is said so this often, however many ask.
const SAY_SO_EVERY: Duration = Duration::from_mins(1);

/// Asks the CMS, and counts its answers.
pub(crate) struct Doorkeeper {
    access: Arc<dyn Access>,
    metrics: Arc<LiveMetrics>,
    said_so: Mutex<Option<Instant>>,
}

/// The CMS did not say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) retry_after: Option<Duration>,
}

impl Doorkeeper {
    pub(crate) fn new(access: Arc<dyn Access>, metrics: Arc<LiveMetrics>) -> Self {
        Self { access, metrics, said_so: Mutex::default() }
    }

    /// Whose credential it is; `None` if it is nobody's.
    pub(crate) async fn identify(&self, credential: &Credential) -> Result<Option<Viewer>, Unknown> {
        let answer = self.access.identify(credential).await;
        let counter = match &answer {
            Ok(Some(_)) => &self.metrics.auth_known,
            Ok(None) => &self.metrics.auth_nobody,
            Err(_) => &self.metrics.auth_unknown,
        };
        counter.increment(1);
        answer.map_err(|error| self.unknown(&error))
    }

    /// Whether whoever has the credential may see the event.
    pub(crate) async fn may_see(&self, credential: &Credential, event: &EventId) -> Result<bool, Unknown> {
        let answer = self.access.may_see(credential, event).await;
        let counter = match &answer {
            Ok(true) => &self.metrics.access_allowed,
            Ok(false) => &self.metrics.access_forbidden,
            Err(_) => &self.metrics.access_unknown,
        };
        counter.increment(1);
        answer.map_err(|error| self.unknown(&error))
    }

    fn unknown(&self, error: &AccessError) -> Unknown {
        let said_so = &mut *lock(&self.said_so);
        if said_so.is_none_or(|when| when.elapsed() >= SAY_SO_EVERY) {
            *said_so = Some(Instant::now());
            tracing::warn!(error = chain(error), "whoever is not connected yet is turned away");
        }
        let AccessError::Unknown { retry_after, .. } = error;
        Unknown { retry_after: *retry_after }
    }
}
