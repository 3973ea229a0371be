use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use processor_domain::ports::{Access, AccessError, Clock};
use processor_domain::{Credential, EventId, Viewer};
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;

use crate::answer::{Answer, Permission};
use crate::client::DirectusClient;
use crate::credential::{Digest, presentable};
use crate::failure::{DirectusFailure, unknown};
use crate::memory::{Learned, Memory};
use crate::session_end::session_end;
use crate::settings::{DirectusSettings, InvalidSetting};
use crate::trace;
use crate::turnstile::Turnstile;

/// Who may see what, as Directus says.
///
/// A yes is at most `keep_yes` old and never older than the session, a no at most `keep_no`. A question is
/// answered, or unknown, within `timeout`. When Directus ends the session of a viewer, that is noticed with the
/// next question of theirs that is not remembered.
pub struct DirectusAccess {
    desk: Arc<Desk>,
    identities: Arc<Memory<Digest, Option<Viewer>>>,
    permissions: Arc<Memory<(Digest, EventId), bool>>,
}

impl DirectusAccess {
    /// Connects to nothing yet. `clock` tells how long a session still lasts.
    ///
    /// # Errors
    /// [`InvalidSetting`] if a setting makes no sense, or if TLS is needed and the machine trusts nobody.
    pub fn new(settings: &DirectusSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSetting> {
        let base = settings.check()?;
        let DirectusSettings { requests_per_second, max_in_flight, turn_timeout, .. } = *settings;
        let desk = Desk {
            client: DirectusClient::new(settings, base)?,
            turnstile: Turnstile::new(requests_per_second, max_in_flight, turn_timeout),
            clock,
            timeout: settings.timeout,
            keep_yes: settings.keep_yes,
            keep_no: settings.keep_no,
        };
        Ok(Self {
            desk: Arc::new(desk),
            identities: Memory::new(settings.capacity),
            permissions: Memory::new(settings.capacity),
        })
    }

    /// Whether Directus is there: `GET /server/ping`, asked each time and without waiting for a turn. For a
    /// health check, which remembers the answer for a while.
    ///
    /// # Errors
    /// [`DirectusFailure`] if it does not answer, or if it is not Directus that answers.
    pub async fn ping(&self) -> Result<(), DirectusFailure> {
        self.desk.client.ping().await
    }
}

/// Callers with the same question share one request; one of them who goes away does not take it from the others.
///
/// A credential that no session can have is nobody's, and Directus is not asked.
#[async_trait]
impl Access for DirectusAccess {
    async fn identify(&self, credential: &Credential) -> Result<Option<Viewer>, AccessError> {
        let Some(session) = presentable(credential) else { return Ok(None) };
        let question = || {
            let (desk, credential) = (Arc::clone(&self.desk), credential.clone());
            let span = trace::identify(desk.client.base());
            async move { desk.identify(credential.reveal()).await }.instrument(span)
        };
        self.identities.recall_or_ask(Digest::of(session), question).await.map_err(unknown)
    }

    /// If the answer is that the session has ended, who has it is forgotten too: the next
    /// [`identify`](Access::identify) asks.
    async fn may_see(&self, credential: &Credential, event: &EventId) -> Result<bool, AccessError> {
        let Some(session) = presentable(credential) else { return Ok(false) };
        let digest = Digest::of(session);
        let question = || {
            let (desk, credential) = (Arc::clone(&self.desk), credential.clone());
            let (identities, event) = (Arc::clone(&self.identities), event.clone());
            let span = trace::may_see(desk.client.base());
            let answer = async move {
                let (permission, until) = desk.permission(credential.reveal(), &event).await?;
                if permission == Permission::SessionEnded {
                    identities.forget(&digest);
                }
                Ok(Learned { value: permission == Permission::Granted, until })
            };
            answer.instrument(span)
        };
        self.permissions.recall_or_ask((digest, event.clone()), question).await.map_err(unknown)
    }
}

impl fmt::Debug for DirectusAccess {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("DirectusAccess").finish_non_exhaustive()
    }
}

/// Tells the trace of a failure.
fn told<T>(answer: Result<T, DirectusFailure>) -> Result<T, DirectusFailure> {
    answer.inspect_err(trace::failed)
}

/// Where questions are put.
struct Desk {
    client: DirectusClient,
    turnstile: Turnstile,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    keep_yes: Duration,
    keep_no: Duration,
}

impl Desk {
    async fn identify(&self, session: &str) -> Result<Learned<Option<Viewer>>, DirectusFailure> {
        let (asked_at, answer) = self.ask(&["users", "me"], session).await?;
        let value = told(answer.identity())?;
        let until = asked_at + self.lifetime(value.is_some(), session);
        Ok(Learned { value, until })
    }

    /// Whether the event may be seen, and until when that is worth remembering.
    async fn permission(
        &self,
        session: &str,
        event: &EventId,
    ) -> Result<(Permission, Instant), DirectusFailure> {
        let (asked_at, answer) = self.ask(&["items", "events", event.as_str()], session).await?;
        let permission = told(answer.permission(event))?;
        let lifetime = self.lifetime(permission == Permission::Granted, session);
        Ok((permission, asked_at + lifetime))
    }

    /// The answer, and when it was asked for: what it says was true at that time at the earliest.
    async fn ask(&self, path: &[&str], session: &str) -> Result<(Instant, Answer), DirectusFailure> {
        let exchange = async {
            let _turn = self.turnstile.turn().await?;
            let asked_at = Instant::now();
            let answer = self.client.id_of(path, session).await?;
            if let Some(pause) = answer.retry_after {
                self.turnstile.pause(pause);
            }
            Ok((asked_at, answer))
        };
        told(timeout(self.timeout, exchange).await.unwrap_or(Err(DirectusFailure::TimedOut(self.timeout))))
    }

    fn lifetime(&self, yes: bool, session: &str) -> Duration {
        if !yes {
            return self.keep_no;
        }
        let left = session_end(session).map_or(Duration::MAX, |end| end.since(self.clock.now()));
        left.min(self.keep_yes)
    }
}
