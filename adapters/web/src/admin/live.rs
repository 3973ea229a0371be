//! The live picture: who watches what, how far behind it is, and the roster it goes by.

use poem::http::StatusCode;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use processor_live::{FeedStanding, TopicStanding};

use crate::problem::Problem;

pub(super) struct Live {
    pub(super) live: Option<processor_live::Live>,
    pub(super) devices: processor_admin::Devices,
}

/// The live picture of this instance.
#[derive(Object)]
#[oai(rename = "Live")]
struct Picture {
    /// Sockets that are open, and those whose owner is just being asked for
    connections: u64,
    /// Topics being watched, counted for each socket
    subscriptions: u64,
    /// The events that are watched, or were not long ago
    topics: Vec<Topic>,
    /// The feeds of live positions, one for each stream
    feeds: Vec<Feed>,
}

/// An event that is watched, or was not long ago.
#[derive(Object)]
struct Topic {
    /// Id of the event
    event: String,
    /// How many watch it on this instance
    viewers: u64,
    /// How many devices take part
    devices: u64,
    /// How many frames were made of it
    frames: u64,
}

/// A feed of live positions.
#[derive(Object)]
struct Feed {
    /// Whether it answered when it was last asked
    there: bool,
    /// When the stream took the last record that it handed out
    newest: Option<String>,
    /// How long after that it was handed out, in seconds
    delay_seconds: Option<f64>,
}

/// The roster in use: which device takes part in which event.
#[derive(Object)]
struct Roster {
    /// How long ago it was read, in seconds; null if it was never read
    age_seconds: Option<f64>,
    /// How often it is read, in seconds
    refresh_seconds: f64,
    /// How many devices take part in any event
    devices: u64,
    /// The events in which any device takes part
    events: Vec<Event>,
    /// How the tables of the CMS name a device: `key`, `imei_or_key`, `imei`, or `absent` if there are none; null if
    /// the database does not answer
    schema: Option<String>,
}

/// An event in which devices take part.
#[derive(Object)]
struct Event {
    /// Its id
    event: String,
    /// How many devices take part
    devices: u64,
}

#[derive(ApiResponse)]
enum LiveFault {
    /// `live_off`: This instance has no live socket
    #[oai(status = 404)]
    Off(Problem),
}

#[OpenApi]
impl Live {
    /// The live picture of this instance
    ///
    /// How many are connected, which events they watch, and how far behind the stream the picture is.
    #[oai(path = "/live", method = "get", operation_id = "live")]
    #[expect(clippy::unused_async, reason = "handlers are futures")]
    async fn live(&self) -> Result<Json<Picture>, LiveFault> {
        let standing = self.river()?.standing();
        Ok(Json(Picture {
            connections: standing.connections as u64,
            subscriptions: standing.topics.iter().map(|topic| topic.viewers as u64).sum(),
            topics: standing.topics.into_iter().map(Topic::from).collect(),
            feeds: standing.feeds.into_iter().map(Feed::from).collect(),
        }))
    }

    /// The roster in use
    ///
    /// Which events have how many devices, and how old that is.
    #[oai(path = "/roster", method = "get", operation_id = "roster")]
    async fn roster(&self) -> Result<Json<Roster>, LiveFault> {
        let river = self.river()?;
        let schema = self.devices.roster_schema().await.ok();
        let roster = river.standing().roster;
        let events = roster.as_ref().map(|known| known.roster.events()).unwrap_or_default();
        let event = |(event, devices): (&processor_domain::EventId, usize)| Event {
            event: event.to_string(),
            devices: devices as u64,
        };
        Ok(Json(Roster {
            age_seconds: roster.as_ref().map(|known| known.age.as_secs_f64()),
            refresh_seconds: river.roster_refresh().as_secs_f64(),
            devices: roster.as_ref().map_or(0, |known| known.roster.devices() as u64),
            events: events.into_iter().map(event).collect(),
            schema: schema.map(|schema| schema.name().to_owned()),
        }))
    }
}

impl Live {
    fn river(&self) -> Result<&processor_live::Live, LiveFault> {
        let off = || Problem::new(StatusCode::NOT_FOUND, "live_off", "this instance has no live socket");
        self.live.as_ref().ok_or_else(|| LiveFault::Off(off()))
    }
}

impl From<TopicStanding> for Topic {
    fn from(topic: TopicStanding) -> Self {
        Self {
            event: topic.event.to_string(),
            viewers: topic.viewers as u64,
            devices: topic.devices as u64,
            frames: topic.frames,
        }
    }
}

impl From<FeedStanding> for Feed {
    fn from(feed: FeedStanding) -> Self {
        Self {
            there: feed.there,
            newest: feed.newest.map(|newest| newest.to_string()),
            delay_seconds: feed.delay.map(|delay| delay.as_secs_f64()),
        }
    }
}
