//! What arrives on the stream, and when. Time is paused: it moves on when everybody waits.

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use common::{Scratch, gzip, line};
use processor_domain::Timestamp;
use processor_domain::ports::{Clock, PositionPublisher, PublishError};
use processor_replay::{
    Pace, Progress, Recording, RecordingError, ReplayError, ReplaySettings, Summary, replay,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Ten o'clock: the time of the recordings.
fn ten(second: u64) -> Timestamp {
    Timestamp::from_millis(1_777_629_600_000).plus(Duration::from_secs(second))
}

/// Noon: when they are replayed.
fn noon(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_777_636_800_000).plus(Duration::from_millis(millis))
}

/// A clock that shows noon when the test begins and goes with the runtime's time.
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        noon(0).plus(self.0.elapsed())
    }
}

/// A stream that notes what it is given and when; it can fail, or have no room, from some record on.
struct Stream {
    began: Instant,
    taken: Mutex<Vec<(Duration, String)>>,
    batches: Mutex<Vec<usize>>,
    room: usize,
    when_full: WhenFull,
}

enum WhenFull {
    Fails,
    Waits,
}

#[async_trait]
impl PositionPublisher for Stream {
    async fn publish(&self, records: &[Box<[u8]>]) -> Result<(), PublishError> {
        if self.taken.lock().expect("no panic").len() + records.len() > self.room {
            match self.when_full {
                WhenFull::Fails => return Err(PublishError::Unavailable("full".into())),
                WhenFull::Waits => std::future::pending().await,
            }
        }
        let now = self.began.elapsed();
        let text = |record: &[u8]| String::from_utf8_lossy(record).into_owned();
        self.taken.lock().expect("no panic").extend(records.iter().map(|record| (now, text(record))));
        self.batches.lock().expect("no panic").push(records.len());
        Ok(())
    }
}

impl Stream {
    fn endless() -> Arc<Self> {
        Self::with_room(usize::MAX, WhenFull::Fails)
    }

    fn with_room(room: usize, when_full: WhenFull) -> Arc<Self> {
        let (taken, batches) = (Mutex::default(), Mutex::default());
        Arc::new(Self { began: Instant::now(), taken, batches, room, when_full })
    }

    /// The times in the records, as seconds after noon, and the seconds after noon at which they arrived.
    fn times_and_arrivals(&self) -> Vec<(i64, u64)> {
        let seconds = |text: &str| {
            let (_, rest) = text.split_once(r#""timestamp":""#).expect("a time");
            let at = Timestamp::parse_rfc3339(&rest[..24]).expect("a time");
            (at.millis() - noon(0).millis()).div_euclid(1_000)
        };
        let taken = self.taken.lock().expect("no panic");
        taken.iter().map(|(at, text)| (seconds(text), at.as_secs())).collect()
    }

    fn arrivals(&self) -> Vec<u64> {
        let taken = self.taken.lock().expect("no panic");
        taken.iter().map(|(at, _)| u64::try_from(at.as_millis()).expect("short")).collect()
    }

    fn texts(&self) -> Vec<String> {
        self.taken.lock().expect("no panic").iter().map(|(_, text)| text.clone()).collect()
    }
}

async fn play(
    file: &Scratch,
    stream: &Arc<Stream>,
    settings: ReplaySettings,
    stop: &CancellationToken,
) -> Result<Summary, ReplayError> {
    let recording = Recording::open(file.path())?;
    let clock = TestClock(stream.began);
    let (publisher, stop) = (Arc::clone(stream), stop.clone());
    replay(&recording, publisher, settings, &clock, |_| {}, stop).await
}

fn at_pace(pace: Pace) -> ReplaySettings {
    ReplaySettings { pace, ..ReplaySettings::default() }
}

fn lines(seconds: impl IntoIterator<Item = u64>) -> String {
    seconds.into_iter().map(|second| line(1, second) + "\n").collect()
}

#[tokio::test(start_paused = true)]
async fn each_record_arrives_when_it_did_and_as_it_did() {
    let content = lines([0, 1, 1, 5]) + "no record\n" + &lines([600]);
    let file = Scratch::with("real_time.ndjson", &content);
    let stream = Stream::endless();
    let summary = play(&file, &stream, ReplaySettings::default(), &CancellationToken::new()).await.unwrap();
    assert_eq!(stream.arrivals(), [0, 1_000, 1_000, 5_000, 5_000, 600_000]);
    assert_eq!(stream.texts(), content.lines().collect::<Vec<_>>());
    assert_eq!(*stream.batches.lock().unwrap(), [1, 2, 2, 1], "what is due together goes together");
    assert_eq!(summary, Summary { records: 6, without_time: 1, rounds: 1, stopped: false });
}

#[tokio::test(start_paused = true)]
async fn a_multiple_of_real_time_divides_the_waiting() {
    let file = Scratch::with("multiple.ndjson", lines([0, 10, 20]));
    for (multiple, expected) in [(10.0, [0, 1_000, 2_000]), (0.5, [0, 20_000, 40_000])] {
        let stream = Stream::endless();
        let settings = at_pace(Pace::Multiple(multiple));
        play(&file, &stream, settings, &CancellationToken::new()).await.unwrap();
        assert_eq!(stream.arrivals(), expected, "{multiple}");
    }
}

#[tokio::test(start_paused = true)]
async fn at_most_speed_nothing_waits_and_batches_are_full() {
    let file = Scratch::with("most.ndjson.gz", gzip(lines((0..2_500).map(|n| n * 60))));
    let stream = Stream::endless();
    play(&file, &stream, at_pace(Pace::Max), &CancellationToken::new()).await.unwrap();
    assert_eq!(*stream.batches.lock().unwrap(), [1_000, 1_000, 500]);
    assert_eq!(stream.arrivals().last(), Some(&0));
}

#[tokio::test(start_paused = true)]
async fn older_records_and_wrong_clocks_hold_up_nothing() {
    let file = Scratch::with("disorder.ndjson", lines([7_200, 7_201, 3_600, 900_000_000, 7_202, 0, 7_203]));
    let stream = Stream::endless();
    play(&file, &stream, ReplaySettings::default(), &CancellationToken::new()).await.unwrap();
    assert_eq!(stream.arrivals(), [0, 1_000, 1_000, 1_000, 2_000, 2_000, 3_000]);
}

#[tokio::test(start_paused = true)]
async fn moved_to_the_present_records_are_measured_when_they_arrive() {
    let file = Scratch::with("present.ndjson", lines([0, 3, 9]));
    let stream = Stream::endless();
    let settings = ReplaySettings { shift_to_now: true, ..ReplaySettings::default() };
    play(&file, &stream, settings, &CancellationToken::new()).await.unwrap();
    assert_eq!(stream.times_and_arrivals(), [(0, 0), (3, 3), (9, 9)]);
    assert!(
        stream.texts()[1]
            .starts_with(r#"{"device_id":"000000000000001","timestamp":"2026-05-01T12:00:03.000Z","lat"#)
    );
}

#[tokio::test(start_paused = true)]
async fn faster_than_real_time_nothing_moves_beyond_the_present() {
    let file = Scratch::with("fast.ndjson", lines([0, 60, 120]));
    for (pace, expected) in [
        (Pace::Multiple(60.0), [(-118, 0), (-58, 1), (2, 2)]),
        (Pace::Max, [(-120, 0), (-60, 0), (0, 0)]),
        (Pace::Multiple(0.5), [(0, 0), (60, 120), (120, 240)]),
    ] {
        let stream = Stream::endless();
        let settings = ReplaySettings { shift_to_now: true, ..at_pace(pace) };
        play(&file, &stream, settings, &CancellationToken::new()).await.unwrap();
        assert_eq!(stream.times_and_arrivals(), expected, "{pace:?}");
    }
}

/// Plays until so many records have arrived.
async fn play_rounds(
    file: &Scratch,
    stream: &Arc<Stream>,
    settings: ReplaySettings,
    records: u64,
) -> Summary {
    let recording = Recording::open(file.path()).expect("a recording");
    let (stop, clock) = (CancellationToken::new(), TestClock(stream.began));
    let stop_then = stop.clone();
    let progress = move |progress: Progress| {
        if progress.records >= records {
            stop_then.cancel();
        }
    };
    let publisher = Arc::clone(stream);
    replay(&recording, publisher, settings, &clock, progress, stop).await.expect("it was stopped")
}

#[tokio::test(start_paused = true)]
async fn a_repeated_recording_follows_on_from_itself() {
    let file = Scratch::with("repeated.ndjson", lines([0, 2, 4]));
    let stream = Stream::endless();
    let settings = ReplaySettings { repeat: true, shift_to_now: true, ..ReplaySettings::default() };
    let summary = play_rounds(&file, &stream, settings, 7).await;
    let expected = [(0, 0), (2, 2), (4, 4), (5, 5), (7, 7), (9, 9), (10, 10)];
    assert_eq!(stream.times_and_arrivals(), expected);
    assert_eq!(summary, Summary { records: 7, without_time: 0, rounds: 2, stopped: true });
}

#[tokio::test(start_paused = true)]
async fn repeated_at_most_speed_no_two_records_share_a_time() {
    let file = Scratch::with("repeated_fast.ndjson", lines(0..100));
    let stream = Stream::endless();
    let settings = ReplaySettings { repeat: true, shift_to_now: true, ..at_pace(Pace::Max) };
    play_rounds(&file, &stream, settings, 350).await;
    let times: Vec<_> = stream.times_and_arrivals().into_iter().map(|(at, _)| at).collect();
    assert!(times.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{times:?}");
    assert_eq!(times[0], -99);
}

#[tokio::test(start_paused = true)]
async fn repeated_without_moving_it_the_same_bytes_come_again() {
    let file = Scratch::with("same_again.ndjson", lines([0, 1]));
    let stream = Stream::endless();
    let settings = ReplaySettings { repeat: true, ..ReplaySettings::default() };
    play_rounds(&file, &stream, settings, 4).await;
    assert_eq!(stream.texts()[..2], stream.texts()[2..4]);
    assert_eq!(stream.arrivals(), [0, 1_000, 2_000, 3_000]);
}

#[tokio::test(start_paused = true)]
async fn it_stops_while_it_waits_for_a_record_to_be_due() {
    let file = Scratch::with("stop_waiting.ndjson", lines([0, 3_600]));
    let (stream, stop) = (Stream::endless(), CancellationToken::new());
    let settings = ReplaySettings::default();
    let (summary, ()) = tokio::join!(play(&file, &stream, settings, &stop), async {
        tokio::time::sleep(Duration::from_mins(1)).await;
        stop.cancel();
    });
    assert_eq!(summary.unwrap(), Summary { records: 1, without_time: 0, rounds: 0, stopped: true });
    assert_eq!(stream.began.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn it_stops_while_the_stream_has_no_room() {
    let file = Scratch::with("stop_full.ndjson", lines(0..2_500));
    let (stream, stop) = (Stream::with_room(1_000, WhenFull::Waits), CancellationToken::new());
    let (summary, ()) = tokio::join!(play(&file, &stream, at_pace(Pace::Max), &stop), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
    });
    assert_eq!(summary.unwrap(), Summary { records: 1_000, without_time: 0, rounds: 0, stopped: true });
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_ends_it() {
    let file = Scratch::with("failing.ndjson", lines(0..2_500));
    let stream = Stream::with_room(1_500, WhenFull::Fails);
    let result = play(&file, &stream, at_pace(Pace::Max), &CancellationToken::new()).await;
    assert!(matches!(result, Err(ReplayError::Publish { records: 1_000, .. })), "{result:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_before_the_damage_is_published() {
    let packed = gzip(lines((0..3_000).map(|n| n * n % 7_919)));
    let file = Scratch::with("damaged_half.ndjson.gz", &packed[..packed.len() / 2]);
    for shift_to_now in [false, true] {
        let stream = Stream::endless();
        let settings = ReplaySettings { shift_to_now, ..at_pace(Pace::Max) };
        let result = play(&file, &stream, settings, &CancellationToken::new()).await;
        let Err(ReplayError::Recording(RecordingError::Incomplete { line, .. })) = result else {
            panic!("{result:?}")
        };
        assert_eq!(stream.texts().len() as u64, line - 1);
        assert!(line > 100);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pace_that_is_none_is_refused() {
    let file = Scratch::with("no_pace.ndjson", lines([0]));
    for multiple in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let settings = at_pace(Pace::Multiple(multiple));
        let result = play(&file, &Stream::endless(), settings, &CancellationToken::new()).await;
        assert!(matches!(result, Err(ReplayError::Pace(_))), "{multiple}");
    }
}

#[tokio::test(start_paused = true)]
async fn progress_ends_at_the_size_of_the_file() {
    let gpx = r#"<gpx version="1.1" creator="test"><trk><trkseg>
        <trkpt lat="1" lon="2"><time>2026-05-01T10:00:00Z</time></trkpt>
        <trkpt lat="1" lon="2"><time>2026-05-01T10:00:04Z</time></trkpt></trkseg></trk></gpx>"#;
    for (name, content) in
        [("progress.ndjson.gz", gzip(lines(0..3_000))), ("progress.gpx", gpx.as_bytes().to_vec())]
    {
        let file = Scratch::with(name, content);
        let recording = Recording::open(file.path()).unwrap();
        let (stream, mut seen) = (Stream::endless(), Vec::new());
        let (clock, stop) = (TestClock(stream.began), CancellationToken::new());
        let progress = |progress: Progress| seen.push(progress);
        let publisher = Arc::clone(&stream);
        replay(&recording, publisher, at_pace(Pace::Max), &clock, progress, stop).await.unwrap();
        let last = seen.last().unwrap();
        assert_eq!((last.bytes_read, last.bytes), (recording.bytes(), recording.bytes()), "{name}");
        assert_eq!((last.round, last.records), (1, stream.texts().len() as u64), "{name}");
        assert!(last.at >= Some(ten(4)), "{name}");
        assert!(seen.is_sorted_by_key(|progress| (progress.records, progress.bytes_read)), "{name}");
    }
}
