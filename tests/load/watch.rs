//! What viewers are told, and what that costs.

use std::time::{Duration, Instant};

use processor_tests::{Exposition, processor_time, resident_bytes, slope_an_hour};

use crate::audience::{Audience, Count, Kind, Seat};
use crate::delays::Counts;
use crate::figures::mebibytes;
use crate::options::Options;
use crate::scene::{Scene, Standing};
use crate::sender::Sender;

/// Before it is measured.
const WARM_UP: Duration = Duration::from_secs(15);
/// How often the memory is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it is said how it goes.
const SAY_EVERY: Duration = Duration::from_mins(1);
/// How long what is under way may take at the end.
const SETTLES: Duration = Duration::from_mins(1);

/// Everything at one moment.
struct Moment {
    at: Instant,
    /// Processor time of the program and of this process, in seconds.
    program: f64,
    ours: f64,
    resident: u64,
    prompt: Count,
    frames: u64,
    delays: Counts,
    written: Counts,
    sent: u64,
    stored: f64,
}

struct Watching<'a> {
    scene: &'a Scene,
    audience: &'a Audience,
    sender: &'a Sender,
}

/// Runs it, and prints what was seen.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let scene = Scene::start(options).await?;
    let program = scene.program.pid();
    let without = resident_bytes(program)?;
    let began = Instant::now();
    let address = scene.program.live_address().await;
    let audience = Audience::enter(&address, &seats(options), options.threads).await?;
    let entered = began.elapsed();
    let idle = resident_bytes(program)?;
    println!(
        "{} viewers entered in {:.1} s; memory without them {:.1} MiB, with them {:.1} MiB, {:.1} KiB each",
        options.viewers + options.slow,
        entered.as_secs_f64(),
        mebibytes(without),
        mebibytes(idle),
        idle.saturating_sub(without) as f64 / 1024.0 / (options.viewers + options.slow).max(1) as f64,
    );
    let sender = Sender::start(&scene.redis, crate::scene::STREAM, options.devices);
    tokio::time::sleep(WARM_UP).await;
    let watching = Watching { scene: &scene, audience: &audience, sender: &sender };
    let (first, last, memory, lag) = watching.measure(options.time).await?;
    let sent = sender.end().await?;
    let rows = settled(&scene, sent).await?;
    summary(&first, &last, &memory, &audience);
    println!("| closed by the program | {} |", scene.closed());
    println!(
        "| most entries not read, most in hand | {}, {} |\n| records sent, rows at the end | {sent}, {rows} |",
        lag.lag, lag.pending
    );
    scene.warnings().iter().for_each(|line| println!("{line}"));
    audience.leave();
    scene.end().await?;
    anyhow::ensure!(sent == rows, "{sent} records were sent, and there are {rows} rows");
    Ok(())
}

fn seats(options: &Options) -> Vec<Seat> {
    let kind = |number: usize| match number {
        number if number >= options.viewers => Kind::Slow,
        // Spread among the others.
        number if (number * options.stalled_percent) % 100 + options.stalled_percent >= 100 => Kind::Stalled,
        _ => Kind::Prompt,
    };
    (0..options.viewers + options.slow).map(|number| Seat { number, kind: kind(number) }).collect()
}

impl Watching<'_> {
    async fn measure(
        &self,
        time: Duration,
    ) -> anyhow::Result<(Moment, Moment, Vec<(Duration, f64)>, Standing)> {
        let first = self.moment().await?;
        let (mut said, mut memory, mut most) = (self.moment().await?, Vec::new(), Standing::default());
        println!(
            "minute  frames/s  delay p50  p99 ms  program CPU  viewers' CPU  memory MiB  stored/s  not read"
        );
        while first.at.elapsed() < time {
            tokio::time::sleep(LOOK_EVERY.min(time.saturating_sub(first.at.elapsed()))).await;
            memory.push((first.at.elapsed(), mebibytes(resident_bytes(self.scene.program.pid())?)));
            let standing = self.scene.standing().await?;
            most.lag = most.lag.max(standing.lag);
            most.pending = most.pending.max(standing.pending);
            if said.at.elapsed() >= SAY_EVERY {
                let now = self.moment().await?;
                now.say_since(&said, first.at, standing.lag);
                said = now;
            }
        }
        Ok((first, self.moment().await?, memory, most))
    }

    async fn moment(&self) -> anyhow::Result<Moment> {
        let metrics: Exposition = self.scene.program.metrics().await?;
        let seen = &self.audience.seen;
        Ok(Moment {
            at: Instant::now(),
            program: processor_time(self.scene.program.pid())?.as_secs_f64(),
            ours: processor_time(std::process::id())?.as_secs_f64(),
            resident: resident_bytes(self.scene.program.pid())?,
            prompt: seen.count(Kind::Prompt),
            frames: seen.frames(),
            delays: seen.delays.counts(),
            written: Counts::of(&metrics),
            sent: self.sender.sent(),
            stored: metrics.value("processor_records_total", &[("outcome", "stored")]).unwrap_or(0.0),
        })
    }
}

impl Moment {
    fn say_since(&self, before: &Self, began: Instant, lag: u64) {
        let seconds = (self.at - before.at).as_secs_f64();
        let delays = self.delays.since(&before.delays);
        println!(
            "{:6.1}  {:8.0}  {:9.0}  {:6.0}  {:11.2}  {:12.2}  {:10.1}  {:8.0}  {lag:8}",
            (self.at - began).as_secs_f64() / 60.0,
            (self.frames - before.frames) as f64 / seconds,
            delays.at(0.5) * 1e3,
            delays.at(0.99) * 1e3,
            (self.program - before.program) / seconds,
            (self.ours - before.ours) / seconds,
            mebibytes(self.resident),
            (self.stored - before.stored) / seconds,
        );
    }
}

/// Waits until everything sent is written and acknowledged; how many rows there are then.
async fn settled(scene: &Scene, sent: u64) -> anyhow::Result<u64> {
    let end = Instant::now() + SETTLES;
    loop {
        let standing = scene.standing().await?;
        if (standing.read >= sent && standing.pending == 0) || Instant::now() > end {
            return scene.rows().await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn summary(first: &Moment, last: &Moment, memory: &[(Duration, f64)], audience: &Audience) {
    let seconds = (last.at - first.at).as_secs_f64();
    let frames = (last.frames - first.frames) as f64;
    let bytes = (last.prompt.bytes - first.prompt.bytes) as f64;
    let (seen, written) = (last.delays.since(&first.delays), last.written.since(&first.written));
    let millis = |counts: &Counts, part: f64| counts.at(part) * 1e3;
    let program = last.program - first.program;
    let ours = last.ours - first.ours;
    println!("\n| | in {seconds:.0} s |\n|---|---|");
    println!(
        "| frames a second, bytes of each for prompt viewers | {:.0}, {:.0} |",
        frames / seconds,
        bytes / (last.prompt.frames - first.prompt.frames).max(1) as f64
    );
    println!(
        "| from stream entry to socket write, of all viewers, p50 / p99 / p99.9, within the program's buckets | {:.0} / {:.0} / {:.0} ms, of {:.0} |",
        millis(&written, 0.5),
        millis(&written, 0.99),
        millis(&written, 0.999),
        written.count()
    );
    println!(
        "| from sending to a prompt viewer's having the frame, p50 / p99 / p99.9 | {:.0} / {:.0} / {:.0} ms, of {:.0} |",
        millis(&seen, 0.5),
        millis(&seen, 0.99),
        millis(&seen, 0.999),
        seen.count()
    );
    println!(
        "| processors used: program, viewers with devices and CMS | {:.2}, {:.2} |",
        program / seconds,
        ours / seconds
    );
    println!("| program's CPU a frame, all it does included | {:.2} µs |", program * 1e6 / frames);
    println!(
        "| memory at the beginning, at the end, growth an hour | {:.1}, {:.1}, {:+.1} MiB |",
        mebibytes(first.resident),
        mebibytes(last.resident),
        slope_an_hour(memory)
    );
    println!(
        "| records sent, stored a second | {:.0}, {:.0} |",
        (last.sent - first.sent) as f64 / seconds,
        (last.stored - first.stored) / seconds
    );
    for (kind, name) in [(Kind::Prompt, "prompt"), (Kind::Stalled, "stalled"), (Kind::Slow, "slow")] {
        let count = audience.seen.count(kind);
        let endings = audience.seen.endings(kind);
        if kind == Kind::Prompt || endings != "none" || count.frames > 0 {
            println!(
                "| {name} viewers: frames, of them conflated, with one missing before, other messages | {}, {}, {}, {} |",
                count.frames, count.conflated, count.missing, count.others
            );
            println!("| {name} viewers: sockets that ended, as they saw it | {endings} |");
        }
    }
}
