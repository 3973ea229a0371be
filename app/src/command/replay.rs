//! `processor replay`: a recording onto the stream.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use processor_domain::DeviceId;
use processor_domain::ports::{PositionPublisher, SystemClock};
use processor_redis::{RedisConnectionLimits, RedisConnections, RedisPositionPublisher};
use processor_replay::{Pace, Progress, Recording, ReplaySettings, Summary, replay as play};
use tokio_util::sync::CancellationToken;

use crate::account::Account;
use crate::config::{Config, Redis};
use crate::log::Levels;
use crate::run::{Ended, Service, watch_signals};

/// What to replay, and how.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// The recording.
    pub file: PathBuf,
    /// How fast.
    pub pace: Pace,
    /// Whether to begin again at its end.
    pub repeat: bool,
    /// Whether to move its times to the present.
    pub shift_to_now: bool,
    /// Device of a GPX track.
    pub device: Option<String>,
}

/// How often to look whether all that was sent has an outcome.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Sends the recording into Redis, or runs the embedded service just for it.
pub(crate) async fn replay(config: Config, options: ReplayOptions, levels: Levels) -> Ended {
    let recording = match open(&options) {
        Ok(recording) => recording,
        Err(error) => {
            eprintln!("{error:#}");
            return Ended::Failed;
        }
    };
    match config.redis.clone() {
        Some(redis) => into_redis(&recording, &options, &redis).await,
        None => into_embedded(config, recording, options, levels).await,
    }
}

fn open(options: &ReplayOptions) -> anyhow::Result<Recording> {
    let recording = Recording::open(&options.file)?;
    match &options.device {
        Some(device) => Ok(recording.of_device(DeviceId::parse(device).context("--device")?)),
        None => Ok(recording),
    }
}

async fn into_redis(recording: &Recording, options: &ReplayOptions, redis: &Redis) -> Ended {
    let stop = CancellationToken::new();
    let signals = tokio::spawn(watch_signals(stop.clone()));
    let stream = redis.streams.first().map_or("", String::as_str);
    let sent = match RedisConnections::new(&redis.url, RedisConnectionLimits::default()) {
        Ok(connections) => {
            let publisher = Arc::new(RedisPositionPublisher::new(connections, stream));
            send(recording, options, publisher, stop).await
        }
        Err(error) => Err(error.into()),
    };
    signals.abort();
    match sent {
        Ok(summary) => {
            println!("{} into {stream}", in_words(&summary));
            Ended::AsAsked
        }
        Err(error) => {
            eprintln!("{error:#}");
            Ended::Failed
        }
    }
}

async fn into_embedded(
    config: Config,
    recording: Recording,
    options: ReplayOptions,
    levels: Levels,
) -> Ended {
    let database = config.database.url.clone();
    let mut service = match Service::start(config, None, levels).await {
        Ok(service) => service,
        Err(ended) => return ended,
    };
    let (stop, publisher, recorder) = (service.stop(), service.publisher(), service.recorder());
    let streams = service.streams().to_vec();
    service.beside("replay", async move {
        let summary = send(&recording, &options, publisher, stop.clone()).await?;
        println!("{} into {database}", in_words(&summary));
        while !stop.is_cancelled() {
            let mut left = 0;
            for stream in &streams {
                let standing = stream.standing().await?;
                left += standing.pending + standing.lag.unwrap_or(0);
            }
            if left == 0 {
                stop.cancel();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    });
    let ended = service.run().await;
    println!("{}", Account::of(&recorder));
    ended
}

async fn send(
    recording: &Recording,
    options: &ReplayOptions,
    publisher: Arc<dyn PositionPublisher>,
    stop: CancellationToken,
) -> anyhow::Result<Summary> {
    let settings = ReplaySettings {
        pace: options.pace,
        repeat: options.repeat,
        shift_to_now: options.shift_to_now,
        ..ReplaySettings::default()
    };
    let bar = ProgressBar::new(recording.bytes())
        .with_style(ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}  {msg}  {elapsed}")?);
    let show = |progress: Progress| {
        bar.set_position(progress.bytes_read);
        let at = progress.at.map(|at| format!("  {at}")).unwrap_or_default();
        bar.set_message(format!("{} records{at}", progress.records));
    };
    let result = play(recording, publisher, settings, &SystemClock, show, stop).await;
    bar.finish_and_clear();
    Ok(result?)
}

fn in_words(summary: &Summary) -> String {
    let untimed = match summary.without_time {
        0 => String::new(),
        count => format!(", {count} of them without a time that can be read"),
    };
    let stopped = if summary.stopped { ", stopped before the end" } else { "" };
    format!("sent {} records{untimed}{stopped}", summary.records)
}
