use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use processor_domain::{Credential, DeviceId, Timestamp};
use processor_live::{
    ClientMessage, Close, Denial, Epoch, Live, Outgoing, ServerMessage, Session, Since, TopicName, Uid,
};

use crate::scene::Scene;

/// A viewer who reads, keeps the picture it is told, and finds fault with what cannot be.
pub(crate) struct Watcher {
    pub(crate) session: Session,
    pub(crate) views: HashMap<String, View>,
    pub(crate) watching: HashSet<String>,
    pub(crate) denials: Vec<Denial>,
    pub(crate) answers: usize,
}

/// One topic, as a viewer knows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) epoch: Epoch,
    pub(crate) seq: u64,
    pub(crate) markers: BTreeMap<DeviceId, Timestamp>,
    pub(crate) faulty: Vec<(DeviceId, Timestamp)>,
    pub(crate) complete: bool,
    pub(crate) recovered: bool,
    pub(crate) frames: usize,
    pub(crate) conflated: usize,
}

impl View {
    pub(crate) fn since(&self) -> Since {
        Since { epoch: self.epoch, seq: self.seq }
    }
}

pub(crate) fn topic(name: &str) -> TopicName {
    TopicName::new(&format!("event:{name}")).unwrap()
}

pub(crate) fn subscribe(name: &str, since: Option<Since>) -> ClientMessage {
    ClientMessage::Subscribe { topic: topic(name), uid: Uid::new("s").ok(), since }
}

pub(crate) fn unsubscribe(name: &str) -> ClientMessage {
    ClientMessage::Unsubscribe { topic: topic(name), uid: None }
}

impl Watcher {
    pub(crate) async fn admitted(scene: &Scene, credential: &str) -> Self {
        Self::entering(&scene.live, credential).await
    }

    pub(crate) async fn entering(live: &Live, credential: &str) -> Self {
        let session = live.admit(Credential::new(credential)).await.expect("it may come in");
        let (views, watching) = (HashMap::new(), HashSet::new());
        Self { session, views, watching, denials: Vec::new(), answers: 0 }
    }

    /// Subscribed to an event and told of its beginning.
    pub(crate) async fn of(scene: &Scene, credential: &str, event: &str) -> Self {
        let mut watcher = Self::admitted(scene, credential).await;
        watcher.subscribe(event, None).await;
        watcher
    }

    /// Comes back to an event after it was cut off.
    pub(crate) async fn back(scene: &Scene, credential: &str, event: &str, view: View) -> Self {
        let mut watcher = Self::admitted(scene, credential).await;
        let since = view.since();
        watcher.views.insert(event.to_owned(), view);
        watcher.subscribe(event, Some(since)).await;
        watcher
    }

    pub(crate) async fn subscribe(&mut self, event: &str, since: Option<Since>) {
        self.session.handle(subscribe(event, since));
        let answers = self.answers;
        while self.answers == answers {
            assert_eq!(self.read().await, None);
        }
    }

    /// Reads what comes next and says that it was written.
    pub(crate) async fn read(&mut self) -> Option<Close> {
        match self.session.next().await {
            Outgoing::Messages(messages) => {
                assert!(!messages.is_empty());
                for message in messages {
                    self.take(message);
                }
                self.session.written();
                None
            }
            Outgoing::Close(why) => Some(why),
        }
    }

    /// Reads until nothing comes for longer than a tick.
    pub(crate) async fn read_all(&mut self) {
        while let Ok(closed) = tokio::time::timeout(Duration::from_millis(500), self.read()).await {
            assert_eq!(closed, None);
        }
    }

    /// Reads until it is closed, which has to be within this time.
    pub(crate) async fn closed_within(&mut self, limit: Duration) -> Close {
        let reading = async {
            loop {
                if let Some(why) = self.read().await {
                    return why;
                }
            }
        };
        tokio::time::timeout(limit, reading).await.expect("it is closed in time")
    }

    pub(crate) fn view(&self, event: &str) -> &View {
        &self.views[event]
    }

    /// The devices on the map of an event, by number, and at which second they are.
    pub(crate) fn map(&self, event: &str) -> Vec<(u64, i64)> {
        map(&self.view(event).markers)
    }

    fn take(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Positions(bytes) => self.take_frame(std::str::from_utf8(&bytes).unwrap()),
            ServerMessage::Subscribed {
                topic, epoch, seq, recovered, snapshot, snapshot_complete, ..
            } => {
                self.answers += 1;
                let event = topic.as_str().strip_prefix("event:").unwrap();
                self.watching.insert(event.to_owned());
                let snapshot = positions(std::str::from_utf8(&snapshot).unwrap());
                if recovered {
                    let view = self.views.get_mut(event).expect("only what is known is recovered");
                    assert_eq!(view.epoch, epoch);
                    assert!(snapshot.is_empty());
                    view.complete = snapshot_complete;
                    view.recovered = true;
                    return;
                }
                let mut markers = BTreeMap::new();
                for (device, ts, good) in snapshot {
                    assert!(good, "a snapshot has good positions only");
                    assert!(markers.insert(device, ts).is_none(), "one of each device");
                }
                let complete = snapshot_complete;
                let view = View {
                    epoch,
                    seq,
                    markers,
                    faulty: vec![],
                    complete,
                    recovered,
                    frames: 0,
                    conflated: 0,
                };
                self.views.insert(event.to_owned(), view);
            }
            ServerMessage::Error { denial, .. } => {
                self.answers += 1;
                self.denials.push(denial);
            }
            ServerMessage::Unsubscribed { topic, .. } => {
                self.answers += 1;
                self.watching.remove(topic.as_str().strip_prefix("event:").unwrap_or_default());
            }
            ServerMessage::Pong { .. } => self.answers += 1,
        }
    }

    fn take_frame(&mut self, frame: &str) {
        let parts: Vec<&str> = frame.split('|').collect();
        let view = self.views.get_mut(parts[0]).expect("frames of what is watched only");
        let seq: u64 = parts[1].parse().unwrap();
        let conflated = parts[2] == "true";
        if conflated {
            assert!(seq > view.seq);
            view.conflated += 1;
        } else {
            assert_eq!(seq, view.seq + 1, "no frame is left out");
            view.frames += 1;
        }
        view.seq = seq;
        for id in parts[3].split_terminator(',') {
            view.markers.remove(&id.parse().unwrap());
        }
        for (device, ts, good) in positions(parts[4]) {
            let marker = view.markers.get(&device).copied();
            if !good {
                assert!(marker.is_none_or(|marker| ts > marker));
                view.faulty.push((device, ts));
            } else if conflated {
                assert!(marker.is_none_or(|marker| ts >= marker), "time moves back");
                view.markers.insert(device, ts);
            } else {
                assert!(marker.is_none_or(|marker| ts > marker), "time moves back or stands still");
                view.markers.insert(device, ts);
            }
        }
    }
}

fn positions(text: &str) -> Vec<(DeviceId, Timestamp, bool)> {
    let position = |text: &str| {
        let mut parts = text.split('@');
        let device = parts.next()?.parse().ok()?;
        let ts = Timestamp::from_micros(parts.next()?.parse().ok()?);
        Some((device, ts, parts.next()? == "good"))
    };
    text.split_terminator(',').map(|text| position(text).expect("as it was written")).collect()
}

pub(crate) fn map(markers: &BTreeMap<DeviceId, Timestamp>) -> Vec<(u64, i64)> {
    let number = |id: &DeviceId| id.as_str().parse().unwrap();
    let at = |ts: &Timestamp| (ts.micros() - crate::scene::second(0).micros()) / 1_000_000;
    markers.iter().map(|(id, ts)| (number(id), at(ts))).collect()
}
