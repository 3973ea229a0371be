//! Whatever happens in whatever order, each viewer ends with the picture that is true.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use processor_domain::{DeviceId, Position, Timestamp, samples};
use processor_live::{LiveSettings, Outgoing};
use proptest::prelude::*;

use crate::scene::{Scene, World, faulty, good, settings};
use crate::viewer::{View, Watcher, map, unsubscribe};

const EVENTS: [&str; 2] = ["a", "b"];
const DEVICES: u64 = 5;
const VIEWERS: usize = 4;

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    /// The feed hands out positions; each is stored at once, later, or when it is late enough to be a surprise.
    Publish {
        positions: Vec<(u64, u64, bool)>,
        stored: bool,
    },
    /// What was published and not stored is stored now.
    StoreCatchesUp,
    StoreGoes,
    StoreComes,
    Roster(Vec<(u64, usize)>),
    RosterCannotBeRead,
    Subscribe {
        viewer: usize,
        event: usize,
    },
    Unsubscribe {
        viewer: usize,
        event: usize,
    },
    /// A viewer takes what there is, once.
    Read {
        viewer: usize,
    },
    /// A viewer is given something and is cut off before it has it.
    CutOffWhileReading {
        viewer: usize,
    },
    CutOff {
        viewer: usize,
    },
    /// Some time passes, in milliseconds.
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let position = (0..DEVICES, 0_u64..1_000, prop::bool::weighted(0.2));
    let viewer = || 0..VIEWERS;
    let event = || 0..EVENTS.len();
    prop_oneof![
        10 => (prop::collection::vec(position, 1..8), any::<bool>())
            .prop_map(|(positions, stored)| Step::Publish { positions, stored }),
        2 => Just(Step::StoreCatchesUp),
        1 => Just(Step::StoreGoes),
        2 => Just(Step::StoreComes),
        2 => prop::collection::vec((0..DEVICES, event()), 0..8).prop_map(Step::Roster),
        1 => Just(Step::RosterCannotBeRead),
        6 => (viewer(), event()).prop_map(|(viewer, event)| Step::Subscribe { viewer, event }),
        1 => (viewer(), event()).prop_map(|(viewer, event)| Step::Unsubscribe { viewer, event }),
        6 => viewer().prop_map(|viewer| Step::Read { viewer }),
        1 => viewer().prop_map(|viewer| Step::CutOffWhileReading { viewer }),
        2 => viewer().prop_map(|viewer| Step::CutOff { viewer }),
        8 => prop_oneof![Just(1), Just(50), Just(150), Just(1_200), 0_u64..3_000].prop_map(Step::Pass),
    ]
}

/// What is true, kept without any of the river's means.
#[derive(Default)]
struct Truth {
    newest: HashMap<DeviceId, Position>,
    roster: HashSet<(u64, &'static str)>,
}

impl Truth {
    fn take(&mut self, position: &Position) {
        let newest = self.newest.entry(position.device_id).or_insert_with(|| position.clone());
        if position.ts > newest.ts {
            *newest = position.clone();
        }
    }

    fn picture(&self, event: &str) -> BTreeMap<DeviceId, Timestamp> {
        let members = self.roster.iter().filter(|(_, of)| *of == event);
        members
            .filter_map(|(device, _)| self.newest.get(&samples::device(*device)))
            .map(|position| (position.device_id, position.ts))
            .collect()
    }
}

struct Story {
    scene: Scene,
    truth: Truth,
    /// Published, and not in the store yet.
    under_way: Vec<Position>,
    viewers: Vec<Viewer>,
}

/// A person, connected or not, and what it remembers of each topic.
enum Viewer {
    Connected(Box<Watcher>),
    Away(HashMap<String, View>),
}

impl Story {
    async fn step(&mut self, step: Step) {
        match step {
            Step::Publish { positions, stored } => self.publish(positions, stored),
            Step::StoreCatchesUp => self.store_catches_up(),
            Step::StoreGoes => self.scene.world(|world| world.store_is_away = true),
            Step::StoreComes => self.scene.world(|world| world.store_is_away = false),
            Step::Roster(pairs) => {
                self.truth.roster = pairs.into_iter().map(|(device, of)| (device, EVENTS[of])).collect();
                self.scene.world(|world| world.roster = Some(self.truth.roster.clone()));
            }
            Step::RosterCannotBeRead => self.scene.world(|world| world.roster = None),
            Step::Subscribe { viewer, event } => self.subscribe(viewer, EVENTS[event]).await,
            Step::Unsubscribe { viewer, event } => {
                if let Viewer::Connected(watcher) = &self.viewers[viewer] {
                    watcher.session.handle(unsubscribe(EVENTS[event]));
                }
            }
            Step::Read { viewer } => {
                if let Viewer::Connected(watcher) = &mut self.viewers[viewer] {
                    let read = tokio::time::timeout(Duration::from_millis(1), watcher.read()).await;
                    assert!(matches!(read, Ok(None) | Err(_)), "nobody is closed here");
                }
            }
            Step::CutOffWhileReading { viewer } => {
                if let Viewer::Connected(watcher) = &self.viewers[viewer] {
                    let next = tokio::time::timeout(Duration::from_millis(1), watcher.session.next()).await;
                    assert!(!matches!(next, Ok(Outgoing::Close(_))));
                }
                self.cut_off(viewer);
            }
            Step::CutOff { viewer } => self.cut_off(viewer),
            Step::Pass(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        }
    }

    fn publish(&mut self, positions: Vec<(u64, u64, bool)>, stored: bool) {
        let position =
            |(device, at, is_faulty)| if is_faulty { faulty(device, at) } else { good(device, at) };
        let is_good = positions.iter().map(|(_, _, is_faulty)| !is_faulty).collect::<Vec<_>>();
        let positions: Vec<Position> = positions.into_iter().map(position).collect();
        for (position, is_good) in positions.iter().zip(is_good) {
            if is_good {
                self.truth.take(position);
                self.under_way.push(position.clone());
            }
        }
        self.scene.publish(positions);
        if stored {
            self.store_catches_up();
        }
    }

    fn store_catches_up(&mut self) {
        let mut stored = Truth::default();
        self.scene.world(|world| {
            stored.newest = std::mem::take(&mut world.stored);
            self.under_way.drain(..).for_each(|position| stored.take(&position));
            world.stored = stored.newest;
        });
    }

    async fn subscribe(&mut self, viewer: usize, event: &str) {
        if let Viewer::Away(views) = &mut self.viewers[viewer] {
            let mut watcher = Watcher::admitted(&self.scene, &format!("viewer{viewer}")).await;
            watcher.views = std::mem::take(views);
            self.viewers[viewer] = Viewer::Connected(Box::new(watcher));
        }
        if let Viewer::Connected(watcher) = &mut self.viewers[viewer] {
            let since = watcher.views.get(event).map(View::since);
            watcher.session.handle(crate::viewer::subscribe(event, since));
        }
    }

    fn cut_off(&mut self, viewer: usize) {
        let gone = std::mem::replace(&mut self.viewers[viewer], Viewer::Away(HashMap::new()));
        self.viewers[viewer] = match gone {
            Viewer::Connected(watcher) => Viewer::Away(watcher.views),
            away @ Viewer::Away(_) => away,
        };
    }

    /// Everything is well again, and everybody is back who is not there still; then each picture has to be the true one.
    async fn end(mut self) {
        self.store_catches_up();
        self.scene.world(|world| {
            world.store_is_away = false;
            world.roster = Some(self.truth.roster.clone());
        });
        for viewer in 0..VIEWERS {
            let watching = match &mut self.viewers[viewer] {
                Viewer::Connected(watcher) => {
                    watcher.read_all().await;
                    watcher.watching.clone()
                }
                Viewer::Away(_) => HashSet::new(),
            };
            for event in EVENTS.into_iter().filter(|event| !watching.contains(*event)) {
                self.subscribe(viewer, event).await;
            }
        }
        // Longer than the longest wait between two attempts.
        tokio::time::sleep(Duration::from_secs(12)).await;
        for viewer in &mut self.viewers {
            let Viewer::Connected(watcher) = viewer else { panic!("everybody is back") };
            watcher.read_all().await;
            for event in EVENTS {
                assert_eq!(watcher.map(event), map(&self.truth.picture(event)), "of event {event}");
            }
        }
        let newcomer = Watcher::of(&self.scene, "newcomer", "a").await;
        assert_eq!(newcomer.map("a"), map(&self.truth.picture("a")), "of somebody who has just come");
        assert!(self.scene.end().await.is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn each_viewer_ends_with_the_true_picture(
        steps in prop::collection::vec(step(), 1..80),
        // From one frame to all of them.
        recent_frames in prop_oneof![Just(2_usize), Just(10), Just(1_000)],
        backlog_bytes in prop_oneof![Just(1_usize), Just(200), Just(100_000)],
        tick in prop_oneof![Just(0_u64), Just(100)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let settings = LiveSettings {
                tick: Duration::from_millis(tick),
                recent_frames,
                backlog_bytes,
                // Without the comparison with the store, which would mend what must not break.
                compare_every: Duration::from_hours(100),
                message_burst: std::num::NonZeroU32::new(1_000).unwrap(),
                ..settings()
            };
            let away = || Viewer::Away(HashMap::new());
            let mut story = Story {
                scene: Scene::of(World { roster: Some(HashSet::new()), ..World::default() }, settings),
                truth: Truth::default(),
                under_way: Vec::new(),
                viewers: (0..VIEWERS).map(|_| away()).collect(),
            };
            for step in steps {
                story.step(step).await;
            }
            story.end().await;
        });
    }
}
