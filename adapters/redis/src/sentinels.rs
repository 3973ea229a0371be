//! The primary of a service, as sentinels tell.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::RedisConnectionInfo;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::connection::{Commands, Connection};
use crate::error::RedisFailure;
use crate::guides::Guides;
use crate::socket::Address;
use crate::wire::ProtocolError;

/// How often one is asked whether the primary is still the same.
const DOUBT_EVERY: Duration = Duration::from_secs(5);

/// Those who watch over a service.
pub(crate) struct Sentinels {
    pub(crate) guides: Guides,
    service: Box<str>,
    login: RedisConnectionInfo,
    /// Which failover brought the newest primary that is known of: one that has not heard of it yet is wrong.
    newest: AtomicU64,
    latest: Mutex<Latest>,
}

/// What is known since somebody was asked whether the primary is still the same.
struct Latest {
    asked: Instant,
    /// `None` if nobody answered in time.
    primary: Option<Address>,
}

/// The primary of the service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Primary {
    pub(crate) address: Address,
    /// Goes up with every failover.
    epoch: u64,
}

impl Sentinels {
    pub(crate) fn of(addresses: &[Address], service: &str, login: &RedisConnectionInfo) -> Self {
        Self {
            guides: Guides::named(addresses),
            service: service.into(),
            login: login.clone(),
            newest: AtomicU64::new(0),
            latest: Mutex::new(Latest { asked: Instant::now(), primary: None }),
        }
    }

    /// Asks the sentinel at the other end.
    pub(crate) async fn ask(&self, connection: &mut Connection) -> Result<Primary, RedisFailure> {
        let mut commands = Commands::default();
        let password = self.login.password();
        match (self.login.username(), password) {
            (Some(user), Some(password)) => commands.push(&["AUTH", user, password]),
            (None, Some(password)) => commands.push(&["AUTH", password]),
            (_, None) => {}
        }
        commands.push(&["SENTINEL", "MASTER", &self.service]);
        let mut replies = connection.ask(&commands).await?;
        if password.is_some() {
            replies.expect_ok()?;
        }
        let (mut host, mut port, mut epoch) = (None, None, None);
        for _ in 0..replies.array_or_nothing()? / 2 {
            match replies.bytes()? {
                b"ip" => host = Some(replies.text()?),
                b"port" => port = replies.text()?.parse().ok(),
                b"config-epoch" => epoch = replies.text()?.parse().ok(),
                _ => replies.skip()?,
            }
        }
        let (Some(host), Some(port), Some(epoch)) = (host, port, epoch) else {
            return Err(ProtocolError::Unexpected.into());
        };
        Ok(Primary { address: Address { host: host.into(), port }, epoch })
    }

    /// Whether nobody has told of a newer one.
    pub(crate) fn is_newest(&self, primary: &Primary) -> bool {
        primary.epoch >= self.newest.load(Ordering::Relaxed)
    }

    /// The primary to be believed in: of those told of that are not the newest known of, the newest. It comes to that
    /// if sentinels were set up anew, or only one that is behind can be reached.
    pub(crate) fn settle_on(&self, primary: Primary) -> Address {
        self.newest.store(primary.epoch, Ordering::Relaxed);
        primary.address
    }

    /// Whether the primary is still at this address, as far as is known. Every few seconds, `locate` finds it out.
    pub(crate) async fn still_at(
        &self,
        address: &Address,
        locate: impl Future<Output = Option<Address>>,
    ) -> bool {
        let mut latest = self.latest.lock().await;
        if latest.asked.elapsed() >= DOUBT_EVERY {
            // Each time another one: they are not likely to be cut off from the others together.
            self.guides.doubt_first();
            let primary = locate.await;
            *latest = Latest { asked: Instant::now(), primary };
        }
        latest.primary.as_ref().is_none_or(|primary| primary == address)
    }
}

impl Primary {
    /// The newer of the two.
    pub(crate) fn or_newer(self, other: Option<Self>) -> Self {
        other.filter(|other| other.epoch > self.epoch).unwrap_or(self)
    }
}
