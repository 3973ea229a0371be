//! Whatever happens in whatever order, each viewer ends with the picture that is true.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use processor_domain::{DeviceId, Mark, Position, Ruling, TakenBack, Timestamp, samples};
use processor_live::{LiveSettings, Outgoing};
use proptest::prelude::*;

use crate::scene::{Scene, World, second, settings};
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
    /// An operator says something of the positions of a device between two seconds.
    Mark {
        device: u64,
        from: u64,
        length: u64,
        is_good: bool,
    },
    /// What was said is taken back.
    TakeBack(prop::sample::Index),
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
        2 => (0..DEVICES, 0_u64..1_000, 1_u64..1_000, any::<bool>())
            .prop_map(|(device, from, length, is_good)| Step::Mark { device, from, length, is_good }),
        1 => any::<prop::sample::Index>().prop_map(Step::TakeBack),
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
    known: Vec<Position>,
    marks: Vec<Mark>,
    roster: HashSet<(u64, &'static str)>,
}

/// The newest of each device that is good, as the rules and these marks have it.
fn newest(known: &[Position], marks: &[Mark]) -> HashMap<DeviceId, Position> {
    let mut newest: HashMap<DeviceId, Position> = HashMap::new();
    for position in known {
        let speaks = |mark: &&Mark| {
            let said = &mark.said;
            said.device_id == position.device_id
                && said.span.contains(position.ts)
                && mark.taken_back.is_none()
        };
        let ruling = marks.iter().rev().find(speaks).map(|mark| mark.said.ruling);
        let is_good = ruling.map_or(position.satellites != Some(0), |ruling| ruling == Ruling::Good);
        if is_good && newest.get(&position.device_id).is_none_or(|known| known.ts < position.ts) {
            newest.insert(position.device_id, position.clone());
        }
    }
    newest
}

impl Truth {
    fn picture(&self, event: &str) -> BTreeMap<DeviceId, Timestamp> {
        let newest = newest(&self.known, &self.marks);
        let members = self.roster.iter().filter(|(_, of)| *of == event);
        members
            .filter_map(|(device, _)| newest.get(&samples::device(*device)))
            .map(|position| (position.device_id, position.ts))
            .collect()
    }
}

struct Story {
    scene: Scene,
    truth: Truth,
    /// Published and in the store, in their order.
    stored: usize,
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
            Step::Mark { device, from, length, is_good } => {
                let id = i64::try_from(self.truth.marks.len()).unwrap();
                let ruling = if is_good { Ruling::Good } else { Ruling::Faulty };
                let mark = samples::mark(id, device, second(from), second(from + length), ruling);
                self.truth.marks.push(mark.clone());
                self.say(mark);
            }
            Step::TakeBack(index) if !self.truth.marks.is_empty() => {
                let at = index.index(self.truth.marks.len());
                let mark = &mut self.truth.marks[at];
                mark.taken_back = Some(TakenBack { by: samples::words("race control"), at: second(0) });
                let mark = mark.clone();
                self.say(mark);
            }
            Step::TakeBack(_) => {}
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
        // At the same place, so that no rule finds fault with a jump when one of them is called good.
        let position = |(device, at, is_faulty): (u64, u64, bool)| {
            let satellites = if is_faulty { 0 } else { 9 };
            samples::position().device(device).at_moment(second(at)).satellites(Some(satellites)).build()
        };
        // Of several of one device and moment the first one counts.
        let mut new: Vec<Position> = Vec::new();
        for position in positions.into_iter().map(position) {
            let same = |other: &Position| (other.device_id, other.ts) == (position.device_id, position.ts);
            if !self.truth.known.iter().chain(&new).any(same) {
                new.push(position);
            }
        }
        self.truth.known.extend(new.iter().cloned());
        self.scene.publish(new);
        if stored {
            self.store_catches_up();
        }
    }

    fn store_catches_up(&mut self) {
        self.stored = self.truth.known.len();
        self.align();
    }

    /// The store has all in line with the marks at any time.
    fn align(&self) {
        let stored = newest(&self.truth.known[..self.stored], &self.truth.marks);
        self.scene.world(|world| world.stored = stored);
    }

    fn say(&self, mark: Mark) {
        self.align();
        self.scene.world(|world| world.marks.push(mark));
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
                stored: 0,
                viewers: (0..VIEWERS).map(|_| away()).collect(),
            };
            for step in steps {
                story.step(step).await;
            }
            story.end().await;
        });
    }
}
