//! Drains a stream and says how fast, and at what cost of processor time on this side:
//!
//! `cargo run --release -p processor-redis --example drain -- redis://localhost telemetry:teltonika [rounds]`
//!
//! The stream is left as it is: every way of reading takes a group of its own, which is destroyed afterwards.
//! The ways are taken by turns, so that what else the machine does falls on all of them.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use processor_codec::{Limits, RecordCodec};
use processor_domain::ports::{Clock, PositionStream, SystemClock};
use processor_domain::{Outcome, Timestamp};
use processor_redis::{RedisPositionStream, RedisStreamSettings};
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamRangeReply, StreamReadReply};
use redis::{AsyncCommands, AsyncConnectionConfig, Client, Value};

type Failure = Box<dyn std::error::Error>;

const COUNT: usize = 2000;

/// How often the sample is decoded: the system counts processor time in steps of milliseconds.
const DECODINGS: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Way {
    /// As the program does it, without acknowledging.
    Read,
    /// As the program does it.
    ReadAndAcknowledge,
    /// The client library's tree of values, not looked at.
    LibraryValue,
    /// The client library's reply type.
    LibraryReply,
}

const WAYS: [Way; 4] = [Way::Read, Way::ReadAndAcknowledge, Way::LibraryValue, Way::LibraryReply];

/// One thread, so that its processor time is all there is.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(stream)) = (arguments.next(), arguments.next()) else {
        return Err("usage: drain URL STREAM [ROUNDS]".into());
    };
    let rounds = arguments.next().map_or(Ok(3), |rounds| rounds.parse())?;
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let redis = Client::open(url.as_str())?.get_multiplexed_async_connection_with_config(&config).await?;

    let decoding = decoding(&mut redis.clone(), &stream).await?;
    println!("decoding alone: {decoding:.3} us of processor time a record");
    let mut costs: HashMap<Way, Vec<f64>> = HashMap::new();
    for _ in 0..rounds {
        for way in WAYS {
            let (began, used_before) = (Instant::now(), processor_time()?);
            let drained = match way {
                Way::Read | Way::ReadAndAcknowledge => ours(&url, &stream, way, &redis).await?,
                Way::LibraryValue | Way::LibraryReply => library(&stream, way, &redis).await?,
            };
            let (elapsed, used) = (began.elapsed(), processor_time()? - used_before);
            let cost = used / 1e3 / drained as f64;
            let rate = drained as f64 / elapsed.as_secs_f64();
            println!("{way:?}: {drained} records, {rate:.0}/s, {cost:.3} us of processor time a record");
            costs.entry(way).or_default().push(cost);
        }
    }
    for way in WAYS {
        let Some(costs) = costs.get_mut(&way) else { continue };
        costs.sort_by(f64::total_cmp);
        let decoded = if matches!(way, Way::Read | Way::ReadAndAcknowledge) { decoding } else { 0.0 };
        let median = costs[costs.len() / 2];
        println!("median of {way:?}: {median:.3} us, {:.3} us without decoding", median - decoded);
    }
    Ok(())
}

/// Processor time of this thread, in nanoseconds.
fn processor_time() -> Result<f64, Failure> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(times.split(' ').next().unwrap_or_default().parse()?)
}

async fn ours(url: &str, stream: &str, way: Way, redis: &MultiplexedConnection) -> Result<usize, Failure> {
    let mut settings = RedisStreamSettings::new(url, stream, "drain");
    settings.group = format!("drain-{way:?}");
    settings.batch_size = COUNT;
    let group = settings.group.clone();
    let codec = RecordCodec::new(Limits::default());
    let reader = RedisPositionStream::connect(settings, codec, Arc::new(SystemClock)).await?;
    let mut drained = 0;
    loop {
        let batch = reader.next_batch().await?;
        if batch.is_empty() {
            break;
        }
        drained += batch.len();
        if way == Way::ReadAndAcknowledge {
            let settled: Vec<_> =
                batch.into_iter().map(|delivery| delivery.receipt.settle(Outcome::Stored)).collect();
            reader.acknowledge(&settled).await?;
        }
    }
    destroy(stream, &group, redis).await?;
    Ok(drained)
}

async fn library(stream: &str, way: Way, redis: &MultiplexedConnection) -> Result<usize, Failure> {
    let (mut redis, group) = (redis.clone(), format!("drain-{way:?}"));
    redis::cmd("XGROUP").arg("CREATE").arg(stream).arg(&group).arg("0").exec_async(&mut redis).await?;
    let mut read = redis::cmd("XREADGROUP");
    read.arg("GROUP").arg(&group).arg("drain").arg("COUNT").arg(COUNT);
    read.arg("STREAMS").arg(stream).arg(">");
    let mut drained = 0;
    loop {
        let count = if way == Way::LibraryReply {
            let reply: Option<StreamReadReply> = read.query_async(&mut redis).await?;
            black_box(&reply).as_ref().and_then(|reply| Some(reply.keys.first()?.ids.len()))
        } else {
            let value: Value = read.query_async(&mut redis).await?;
            entries(black_box(&value))
        };
        match count {
            Some(count) => drained += count,
            None => break,
        }
    }
    destroy(stream, &group, &redis).await?;
    Ok(drained)
}

/// How many entries are in the reply to a read; `None` if it has ended without any.
fn entries(reply: &Value) -> Option<usize> {
    let [Value::Array(stream)] = reply.as_sequence()? else { return None };
    Some(stream.get(1)?.as_sequence()?.len())
}

async fn destroy(stream: &str, group: &str, redis: &MultiplexedConnection) -> Result<(), Failure> {
    let mut redis = redis.clone();
    Ok(redis::cmd("XGROUP").arg("DESTROY").arg(stream).arg(group).exec_async(&mut redis).await?)
}

/// What decoding takes by itself, in microseconds of processor time a record.
async fn decoding(redis: &mut MultiplexedConnection, stream: &str) -> Result<f64, Failure> {
    let sample: StreamRangeReply = redis.xrange_count(stream, "-", "+", 10_000).await?;
    let payloads: Vec<Vec<u8>> = sample.ids.iter().filter_map(|entry| entry.get("payload")).collect();
    if payloads.is_empty() {
        return Err("there is nothing to drain".into());
    }
    let (codec, now) = (RecordCodec::new(Limits::default()), SystemClock.now());
    let before = processor_time()?;
    for batch in std::iter::repeat_n(&payloads, DECODINGS).flat_map(|payloads| payloads.chunks(COUNT)) {
        let decoded: Vec<_> =
            batch.iter().map(|payload| codec.decode(payload, Timestamp::from_millis(0), now)).collect();
        black_box(decoded);
    }
    Ok((processor_time()? - before) / 1e3 / (payloads.len() * DECODINGS) as f64)
}
