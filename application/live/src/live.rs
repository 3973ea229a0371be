//! The river put together.

use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use processor_domain::ports::{Access, Clock, LastPositions, Marks, PositionFeed, RosterSource};
use processor_domain::rules::RuleSet;
use processor_domain::{Credential, DeviceId, Timestamp};
use processor_tasks::{Pulses, TaskEnded, Tasks};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::doorkeeper::{Doorkeeper, Unknown};
use crate::judge::Judge;
use crate::lock::lock;
use crate::marks::Hearing;
use crate::metrics::LiveMetrics;
use crate::seats::Seats;
use crate::session::{Session, Surroundings};
use crate::standing::{FeedState, LiveStanding, RosterStanding};
use crate::topics::Topics;
use crate::{FrameEncoder, LiveSettings, feed, timekeepers, trace};

/// What the river needs of the outside world.
#[derive(Clone)]
pub struct Ports {
    /// The feeds to follow, each on its own; the positions of one device are to come from one of them.
    pub feeds: Vec<Arc<dyn PositionFeed>>,
    /// The last known picture.
    pub last_positions: Arc<dyn LastPositions>,
    /// What operators say of positions.
    pub marks: Arc<dyn Marks>,
    /// Which devices take part in which events.
    pub roster: Arc<dyn RosterSource>,
    /// Who may look.
    pub access: Arc<dyn Access>,
    /// How frames look.
    pub encoder: Arc<dyn FrameEncoder>,
    /// Now, for the delay.
    pub clock: Arc<dyn Clock>,
}

/// The live river: to be run once, and asked for sessions by whoever has sockets.
///
/// A copy is the same river.
#[derive(Clone)]
pub struct Live {
    ports: Ports,
    shared: Arc<Shared>,
}

/// What every task uses.
pub(crate) struct Shared {
    pub(crate) settings: Arc<LiveSettings>,
    pub(crate) metrics: Arc<LiveMetrics>,
    pub(crate) judge: Arc<Judge>,
    pub(crate) topics: Arc<Topics>,
    /// Held for reading from judging positions until they are staged, so that whoever changes what they are judged
    /// by finds all of them either in the pictures or not judged yet.
    pub(crate) staging: RwLock<()>,
    pub(crate) pulses: Pulses,
    door: Arc<Doorkeeper>,
    seats: Arc<Seats>,
    roster_read: Mutex<Instant>,
    feeds: Vec<Arc<FeedState>>,
    stopping: CancellationToken,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The credential is nobody's: 401.
    #[error("not signed in")]
    Nobody,
    /// Whose it is, is not known at the moment: 503.
    #[error("who you are is not known at the moment")]
    Unknown {
        /// When to come again.
        retry_after: Duration,
    },
    /// There are as many sockets as there may be, in all or of this viewer, or the instance stops: 503.
    #[error("no more sockets at the moment")]
    AtCapacity {
        /// When to come again.
        retry_after: Duration,
    },
}

impl Live {
    /// A river between these ports, judging by these rules.
    ///
    /// To be called within a Tokio runtime.
    #[must_use]
    pub fn new(ports: Ports, rules: RuleSet, settings: LiveSettings) -> Self {
        let (settings, metrics) = (Arc::new(settings), Arc::new(LiveMetrics::default()));
        let judge = Arc::new(Judge::new(rules, &settings));
        let topics = Topics::new(
            Arc::clone(&ports.encoder),
            Arc::clone(&judge),
            Arc::clone(&settings),
            Arc::clone(&metrics),
        );
        let seats = Seats::new(settings.sockets, settings.sockets_per_viewer, Arc::clone(&metrics));
        let shared = Shared {
            judge,
            topics: Arc::new(topics),
            staging: RwLock::default(),
            pulses: Pulses::default(),
            door: Arc::new(Doorkeeper::new(Arc::clone(&ports.access), Arc::clone(&metrics))),
            seats: Arc::new(seats),
            roster_read: Mutex::new(Instant::now()),
            feeds: ports.feeds.iter().map(|_| Arc::default()).collect(),
            stopping: CancellationToken::new(),
            settings,
            metrics,
        };
        Self { ports, shared: Arc::new(shared) }
    }

    /// Lets somebody in who has this credential.
    ///
    /// # Cancel safety
    /// Cancel safe: nobody is let in.
    ///
    /// # Errors
    /// [`Refusal`]: what to answer instead.
    pub async fn admit(&self, credential: Credential) -> Result<Session, Refusal> {
        let span = trace::admit();
        let admitted = self.let_in(credential).instrument(span.clone()).await;
        trace::admitted(&span, admitted.as_ref().err());
        admitted
    }

    async fn let_in(&self, credential: Credential) -> Result<Session, Refusal> {
        let shared = &self.shared;
        let full = Refusal::AtCapacity { retry_after: shared.settings.retry_after };
        if shared.stopping.is_cancelled() {
            return Err(full);
        }
        let seat = shared.seats.take().ok_or(full)?;
        let viewer = match shared.door.identify(&credential).await {
            Ok(Some(viewer)) => viewer,
            Ok(None) => return Err(Refusal::Nobody),
            Err(Unknown { retry_after }) => {
                let retry_after = retry_after.unwrap_or(shared.settings.retry_after);
                return Err(Refusal::Unknown { retry_after });
            }
        };
        let seat = seat.of(&viewer.id).ok_or(full)?;
        let river = Surroundings {
            settings: Arc::clone(&shared.settings),
            door: Arc::clone(&shared.door),
            topics: Arc::clone(&shared.topics),
            metrics: Arc::clone(&shared.metrics),
            clock: Arc::clone(&self.ports.clock),
            stopping: shared.stopping.clone(),
        };
        Ok(Session::begin(viewer, credential, seat, river))
    }

    /// How long ago the roster was read; since the start if it never was.
    #[must_use]
    pub fn roster_age(&self) -> Duration {
        self.shared.roster_age()
    }

    /// What it is at.
    #[must_use]
    pub fn standing(&self) -> LiveStanding {
        let roster = self.shared.topics.current().roster;
        LiveStanding {
            connections: self.shared.seats.taken(),
            topics: self.shared.topics.standing(),
            roster: roster.map(|roster| RosterStanding { age: self.roster_age(), roster }),
            feeds: self.shared.feeds.iter().map(|feed| feed.standing()).collect(),
        }
    }

    /// The device time of the newest good position of this device that the feeds handed out here, if it is still
    /// remembered.
    #[must_use]
    pub fn newest_seen(&self, device: &DeviceId) -> Option<Timestamp> {
        self.shared.judge.newest_of(&[*device]).first().map(|sighting| sighting.ts)
    }

    /// What its tasks are at.
    #[must_use]
    pub fn pulses(&self) -> &Pulses {
        &self.shared.pulses
    }

    /// Who says who may see what.
    #[must_use]
    pub fn access(&self) -> Arc<dyn Access> {
        Arc::clone(&self.ports.access)
    }

    /// How often the roster is read.
    #[must_use]
    pub fn roster_refresh(&self) -> Duration {
        self.shared.settings.roster_refresh
    }

    /// Runs until `stop` is cancelled; then every session is told to close, nobody is let in any more, the feeds
    /// are closed, and it returns.
    ///
    /// # Cancel safety
    /// Not cancel safe: to stop it, cancel `stop` and wait.
    ///
    /// # Errors
    /// [`TaskEnded`] if a task ended before `stop` was cancelled, by a panic or otherwise. The others are
    /// stopped as by `stop`.
    pub async fn run(&self, stop: CancellationToken) -> Result<(), TaskEnded> {
        self.start(&stop).run(stop).await
    }

    fn start(&self, stop: &CancellationToken) -> Tasks {
        let shared = || Arc::clone(&self.shared);
        let mut tasks = Tasks::default();
        let (told, stopping) = (stop.clone(), self.shared.stopping.clone());
        tasks.start("door", async move {
            told.cancelled().await;
            stopping.cancel();
        });
        for (number, (feed, state)) in self.ports.feeds.iter().zip(&self.shared.feeds).enumerate() {
            let (feed, state, clock) = (Arc::clone(feed), Arc::clone(state), Arc::clone(&self.ports.clock));
            let name = format!("feed {}", number + 1);
            let pulse = self.shared.pulses.of(name.clone());
            tasks.start(name, feed::follow(feed, state, clock, pulse, shared(), stop.clone()));
        }
        tasks.start("teller", timekeepers::tell(shared(), stop.clone()));
        tasks.start("herald", timekeepers::call(shared(), stop.clone()));
        let roster = Arc::clone(&self.ports.roster);
        tasks.start("roster", timekeepers::refresh_roster(roster, shared(), stop.clone()));
        let last_positions = Arc::clone(&self.ports.last_positions);
        let marks = Arc::clone(&self.ports.marks);
        tasks.start(
            "last positions",
            timekeepers::seed(last_positions, Hearing::of(marks), shared(), stop.clone()),
        );
        tasks.start("sweeper", timekeepers::sweep(shared(), stop.clone()));
        tasks
    }
}

impl Shared {
    pub(crate) fn roster_was_read(&self) {
        *lock(&self.roster_read) = Instant::now();
    }

    pub(crate) fn roster_age(&self) -> Duration {
        lock(&self.roster_read).elapsed()
    }
}
