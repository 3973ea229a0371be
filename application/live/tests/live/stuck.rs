//! Tasks that come to no end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use processor_live::{FrameEncoder, PositionsFrame, Sighting};

use crate::scene::{Scene, World, good, settings};
use crate::viewer::Watcher;

/// Encodes when it may.
struct Gate(Arc<Mutex<()>>);

impl FrameEncoder for Gate {
    fn positions(&self, _: &PositionsFrame<'_>) -> Bytes {
        drop(self.0.lock().unwrap());
        Bytes::new()
    }

    fn snapshot(&self, _: &[Sighting]) -> Bytes {
        Bytes::new()
    }
}

/// Real threads, for one of them is to hang.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_teller_that_hangs_is_named_and_all_is_well_when_it_is_through() {
    let gate = Arc::new(Mutex::new(()));
    let world = World { roster: Some([(1, "a")].into()), ..World::default() };
    let scene = Scene::between(world, settings(), |mut ports| {
        ports.encoder = Arc::new(Gate(Arc::clone(&gate)));
        ports
    });
    let _ann = Watcher::of(&scene, "ann", "a").await;
    let stuck = || -> Vec<String> {
        scene.live.pulses().stuck(Duration::ZERO).into_iter().map(|(task, _)| task).collect()
    };
    let shut = gate.lock().unwrap();
    scene.publish(vec![good(1, 1)]);
    eventually(|| stuck().contains(&"teller".to_owned()));
    drop(shut);
    eventually(|| stuck().is_empty());
    assert!(scene.end().await.is_ok());
}

/// Blocks: nothing here is to be woken by the runtime's own threads.
fn eventually(condition: impl Fn() -> bool) {
    let patience = std::time::Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(std::time::Instant::now() < patience, "it did not come about in time");
        std::thread::yield_now();
    }
}
