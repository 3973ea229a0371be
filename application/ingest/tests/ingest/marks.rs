//! What operators say.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use processor_domain::ports::{Changes, MockMarks, MockPositionStream, StreamError, Verdict};
use processor_domain::{Fault, Faults, Mark, Record, Revision, Ruling, Standing, samples};
use tokio_util::sync::CancellationToken;

use crate::scene::{Scene, delivery, position, positions, unavailable};

/// A mark of the device with this number, on the second of [`position`].
fn mark(id: i64, device: u64, ruling: Ruling) -> Mark {
    let ts = position(device).ts;
    samples::mark(id, device, ts, ts.plus(Duration::from_secs(1)), ruling)
}

/// Everything that was ever said, told from whichever revision on.
fn saying(said: Arc<Mutex<Vec<Mark>>>) -> MockMarks {
    let mut marks = MockMarks::new();
    marks.expect_changes().returning(move |after| {
        let said = said.lock().unwrap();
        let new = said[usize::try_from(after.0).unwrap()..].to_vec();
        Ok(Changes { marks: new, revision: Revision(i64::try_from(said.len()).unwrap()) })
    });
    marks
}

#[tokio::test(start_paused = true)]
async fn positions_are_judged_by_marks_that_were_made_before() {
    let mut scene = Scene::of(vec![positions(0..3)]).knowing_no_device();
    scene.marks = saying(Arc::new(Mutex::new(vec![mark(1, 1, Ruling::Faulty), mark(2, 2, Ruling::Good)])));
    let found = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&found);
    scene.store.expect_commit().returning(move |batch| {
        seen.lock().unwrap().extend(batch.iter().map(|judged| judged.faults));
        Ok(vec![Verdict::Stored; batch.len()])
    });
    assert!(scene.play().await.0.is_ok());
    assert_eq!(*found.lock().unwrap(), [Faults::NONE, Fault::Marked.into(), Fault::Confirmed.into()]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_judged_before_it_is_known_what_was_said() {
    let mut scene = Scene::of(vec![positions(0..3)]).knowing_no_device().storing_all();
    let attempts = AtomicUsize::new(0);
    let story = Arc::clone(&scene.story);
    scene.marks = MockMarks::new();
    scene.marks.expect_changes().returning(move |revision| {
        if attempts.fetch_add(1, Ordering::Relaxed) < 5 {
            story.lock().unwrap().push("not known".into());
            return Err(unavailable());
        }
        Ok(Changes { marks: vec![], revision })
    });
    let (ended, story, _) = scene.play().await;
    assert!(ended.is_ok());
    let at = |what: &str| story.iter().rposition(|happened| happened == what).unwrap();
    assert!(at("not known") < at("commit 3"), "{story:?}");
}

/// The stream is silent until something was said of the device.
#[tokio::test(start_paused = true)]
async fn a_device_of_which_something_is_said_is_recalled_and_its_positions_are_brought_in_line() {
    let stop = CancellationToken::new();
    let said = Arc::new(Mutex::new(Vec::new()));
    let (recalled, told) = (Arc::new(AtomicUsize::new(0)), stop.clone());

    let mut stream = MockPositionStream::new();
    let batches = Mutex::new(vec![position(1), position(1)]);
    let knows = Arc::clone(&recalled);
    stream.expect_name().return_const("telemetry".to_owned());
    stream.expect_next_batch().returning(move || {
        let batches = &mut *batches.lock().unwrap();
        // The second one comes a minute after the first was heard of, by the pauses of the reader.
        match batches.len() {
            2 => Ok(vec![delivery(1, Record::Position(batches.remove(0)))]),
            1 if knows.load(Ordering::Relaxed) == 100 => {
                Ok(vec![delivery(2, Record::Position(batches.remove(0)))])
            }
            _ => Err(StreamError::Unavailable("nothing yet".into())),
        }
    });
    stream.expect_acknowledge().returning(|_| Ok(()));
    stream.expect_reclaim().returning(|| Ok(vec![]));
    stream.expect_keep_in_flight().returning(|| Ok(()));
    stream.expect_standing().returning(|| Ok(Standing::default()));

    let mut scene = Scene::of(vec![]);
    let counted = Arc::clone(&recalled);
    scene.memory.expect_recall().returning(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(vec![])
    });
    scene.store.expect_commit().returning(|batch| Ok(vec![Verdict::Stored; batch.len()]));
    let mut marks = saying(Arc::clone(&said));
    let aligned = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&aligned);
    marks.expect_align().returning(move |device, span| {
        seen.lock().unwrap().push((*device, span));
        Ok(1)
    });
    scene.marks = marks;
    let ingest = scene.with_usual_settings().river(Arc::new(stream));
    let running = tokio::spawn(ingest.run(stop));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(recalled.load(Ordering::Relaxed), 1);
    said.lock().unwrap().push(mark(1, 1, Ruling::Faulty));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(*aligned.lock().unwrap(), [], "what was judged before may not be written yet");
    recalled.store(100, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(recalled.load(Ordering::Relaxed), 101, "its last good fix may not be good any more");
    assert_eq!(*aligned.lock().unwrap(), [(samples::device(1), mark(1, 1, Ruling::Faulty).said.span)]);
    told.cancel();
    assert!(running.await.unwrap().is_ok());
}
