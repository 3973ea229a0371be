//! Ingest, without viewers and with them.
//!
//! Both cores are busy while a backlog is drained, so what viewers take is missing to ingest. What counts is the rate
//! to the processor time that is left: all that there is, less that of the viewers and of serving them. Serving is what
//! a frame costs the program while there is no backlog, times the frames that were told while there was one.

use std::time::{Duration, Instant};

use anyhow::Context;
use processor_domain::Timestamp;
use processor_tests::{Sample, connect_database, median, processor_time};
use redis::pipe;
use sea_orm::{ConnectionTrait, TransactionTrait};

use crate::audience::{Audience, Kind, Seat};
use crate::figures::processors;
use crate::options::Options;
use crate::scene::{STREAM, Scene};
use crate::sender::Sender;

/// How long serving is measured without a backlog.
const SERVING: Duration = Duration::from_secs(15);
/// How exactly the beginning and the end are seen.
const LOOK_EVERY: Duration = Duration::from_millis(10);
const AT_ONCE: u32 = 5_000;
/// Devices of the backlog; they are in no event.
const DEVICES: u32 = 1_000;
/// The number of the first of them.
const FIRST: u32 = 1_000_000;

/// One drain.
struct Drained {
    rate: f64,
    /// Records for each second of processor time left to ingest.
    rate_to_time_left: f64,
    /// Of the program, without serving.
    cpu_micros_a_record: f64,
}

/// Runs it, and prints what was seen.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let scene = Scene::start(options).await?;
    let sender = Sender::start(&scene.redis, STREAM, options.devices);
    let mut backlogs = 0_u32;
    let mut next = || {
        backlogs += 1;
        backlogs
    };
    // Warms up.
    drain(&scene, options, next(), None, 0.0).await?;
    let (mut bare, mut watched, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    println!("round  viewers  records/s  to CPU left  our CPU µs a record");
    for round in 1..=options.rounds {
        let without = drain(&scene, options, next(), None, 0.0).await?;
        without.say(round, 0);
        let seats: Vec<Seat> =
            (0..options.viewers).map(|number| Seat { number, kind: Kind::Prompt }).collect();
        let audience = Audience::enter(&scene.program.live_address().await, &seats, options.threads).await?;
        let frame = serving(&scene, &audience).await?;
        let with = drain(&scene, options, next(), Some(&audience), frame).await?;
        audience.leave();
        with.say(round, options.viewers);
        ratios.push(with.rate_to_time_left / without.rate_to_time_left);
        bare.push(without.rate);
        watched.push(with.rate);
    }
    println!(
        "\nmedians: {:.0} records/s without viewers, {:.0} with; to the processor time left {:.3} of that without",
        median(&bare),
        median(&watched),
        median(&ratios)
    );
    sender.end().await?;
    scene.end().await
}

impl Drained {
    fn say(&self, round: u32, viewers: usize) {
        let Self { rate, rate_to_time_left, cpu_micros_a_record } = self;
        println!("{round:5}  {viewers:7}  {rate:9.0}  {rate_to_time_left:11.0}  {cpu_micros_a_record:19.2}");
    }
}

/// Processor time of the program for a frame, in seconds, while there is no backlog.
async fn serving(scene: &Scene, audience: &Audience) -> anyhow::Result<f64> {
    tokio::time::sleep(SERVING / 3).await;
    let (frames, time) = (audience.seen.frames(), processor_time(scene.program.pid())?);
    tokio::time::sleep(SERVING).await;
    let frames = audience.seen.frames() - frames;
    let time = processor_time(scene.program.pid())?.saturating_sub(time);
    anyhow::ensure!(frames > 0, "nothing is told");
    Ok(time.as_secs_f64() / frames as f64)
}

/// Puts a backlog onto the stream while the table is locked, and measures from when it is not.
async fn drain(
    scene: &Scene,
    options: &Options,
    backlog: u32,
    audience: Option<&Audience>,
    cpu_of_frame: f64,
) -> anyhow::Result<Drained> {
    let database = connect_database(&scene.database_url).await?;
    let lock = database.begin().await?;
    lock.execute_unprepared("LOCK TABLE positions IN EXCLUSIVE MODE").await?;
    let before = scene.standing().await?.read;
    fill(scene, backlog, options.records).await?;
    // The live river reads it at once.
    let read = Instant::now() + Duration::from_secs(2);
    tokio::time::sleep_until(read.into()).await;
    let entries: u64 = entries_added(scene).await?;

    let pid = scene.program.pid();
    let began = Instant::now();
    let (program, ours) = (processor_time(pid)?, processor_time(std::process::id())?);
    let frames = audience.map_or(0, |audience| audience.seen.frames());
    lock.rollback().await?;
    loop {
        let standing = scene.standing().await?;
        if standing.read.saturating_sub(standing.pending) >= entries {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let time = began.elapsed().as_secs_f64();
    let program = processor_time(pid)?.saturating_sub(program).as_secs_f64();
    let ours = processor_time(std::process::id())?.saturating_sub(ours).as_secs_f64();
    let frames = audience.map_or(0, |audience| audience.seen.frames()).saturating_sub(frames);
    let serving = cpu_of_frame * frames as f64;
    database.close().await?;

    let records = entries.checked_sub(before).context("entries vanished")? as f64;
    let left = processors() * time - ours - serving;
    Ok(Drained {
        rate: records / time,
        rate_to_time_left: records / left,
        cpu_micros_a_record: (program - serving) * 1e6 / records,
    })
}

/// How many entries were ever put onto the stream.
async fn entries_added(scene: &Scene) -> anyhow::Result<u64> {
    let about: redis::Value = redis::cmd("XINFO")
        .arg("STREAM")
        .arg(STREAM)
        .query_async(&mut scene.redis.connection().await?)
        .await?;
    let about: std::collections::HashMap<String, redis::Value> = redis::from_redis_value(about)?;
    let added = about.get("entries-added").context("the server does not count entries")?;
    Ok(redis::from_redis_value_ref(added)?)
}

async fn fill(scene: &Scene, backlog: u32, records: u32) -> anyhow::Result<()> {
    const START_MILLIS: i64 = 1_777_629_600_000;
    let mut redis = scene.redis.connection().await?;
    let seconds = records.div_ceil(DEVICES);
    for from in (0..records).step_by(AT_ONCE as usize) {
        let mut adding = pipe();
        for number in from..(from + AT_ONCE).min(records) {
            // Each backlog goes on where the one before ended.
            let second = backlog * seconds + number / DEVICES;
            let ts = Timestamp::from_millis(START_MILLIS + i64::from(second) * 1_000);
            let record = Sample::measured(FIRST + number % DEVICES, second, ts).payload;
            adding.cmd("XADD").arg(STREAM).arg("*").arg("payload").arg(&*record).ignore();
        }
        let () = adding.query_async(&mut redis).await?;
    }
    Ok(())
}
