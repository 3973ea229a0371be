//! What reading and acknowledging costs by itself, on this side: by our reader, and by the redis crate's own means.
//!
//! Processor time of one thread that does nothing else. Each way takes a group of its own, so the stream stays as it
//! is. Our reader decodes what it reads; what that takes is measured apart and taken off.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use processor_codec::{Limits, RecordCodec};
use processor_domain::ports::{Clock, PositionStream, SystemClock};
use processor_domain::{Outcome, Timestamp};
use processor_redis::{RedisPositionStream, RedisStreamSettings};
use processor_tests::RedisServer;
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamRangeReply, StreamReadReply};
use redis::{AsyncCommands, Value};

const GROUP: &str = "reading";
/// Entries of a read, as many as the program asks for.
const COUNT: usize = 2_000;
/// Entries that are decoded to find out what decoding takes, and how often.
const SAMPLE: usize = 10_000;
const DECODINGS: usize = 20;

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reader {
    /// As the program does.
    Ours,
    /// The redis crate's tree of values.
    Values,
    /// The redis crate's own reply to a read.
    Reply,
}

impl Reader {
    pub(crate) const ALL: [Self; 3] = [Self::Ours, Self::Values, Self::Reply];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Values => "the redis crate, as `Value`",
            Self::Reply => "the redis crate, as `StreamReadReply`",
        }
    }
}

/// What it costs to read a stream to its end and to acknowledge all of it, without decoding it: microseconds of
/// processor time a record.
pub(crate) async fn read(redis: &RedisServer, stream: &'static str, reader: Reader) -> anyhow::Result<f64> {
    let url = redis.direct_url().await?;
    let reading = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(read_here(&url, stream, reader))
    });
    tokio::task::spawn_blocking(|| reading.join()).await?.ok().context("the reader panicked")?
}

async fn read_here(url: &str, stream: &str, reader: Reader) -> anyhow::Result<f64> {
    let mut redis = RedisServer::connect(url).await?;
    let records: usize = redis.xlen(stream).await?;
    // Whatever a run before this one left.
    let _: i64 = redis.xgroup_destroy(stream, GROUP).await?;
    let before = processor_time()?;
    match reader {
        Reader::Ours => ours(url, stream, records).await?,
        Reader::Values => library(&mut redis, stream, records, ids_of_values).await?,
        Reader::Reply => library(&mut redis, stream, records, ids_of_reply).await?,
    }
    let mut cost = (processor_time()? - before) / records as f64;
    let _: i64 = redis.xgroup_destroy(stream, GROUP).await?;
    if reader == Reader::Ours {
        cost -= decoding(&mut redis, stream).await?;
    }
    Ok(cost)
}

async fn ours(url: &str, stream: &str, records: usize) -> anyhow::Result<()> {
    let mut settings = RedisStreamSettings::new(url, stream, GROUP);
    settings.group = GROUP.into();
    settings.batch_size = COUNT;
    let codec = RecordCodec::new(Limits::default());
    let reader = RedisPositionStream::connect(settings, codec, Arc::new(SystemClock)).await?;
    let mut read = 0;
    while read < records {
        let batch = reader.next_batch().await?;
        read += batch.len();
        let settled: Vec<_> =
            batch.into_iter().map(|delivery| delivery.receipt.settle(Outcome::Stored)).collect();
        reader.acknowledge(&settled).await?;
    }
    Ok(())
}

/// Reads as one would with the redis crate alone; `ids` takes its reply and says which entries are in it.
async fn library<Reply: redis::FromRedisValue>(
    redis: &mut MultiplexedConnection,
    stream: &str,
    records: usize,
    ids: impl Fn(&Reply) -> Vec<&[u8]>,
) -> anyhow::Result<()> {
    let () = redis.xgroup_create(stream, GROUP, "0").await?;
    let mut command = redis::cmd("XREADGROUP");
    command.arg("GROUP").arg(GROUP).arg(GROUP).arg("COUNT").arg(COUNT).arg("STREAMS").arg(stream).arg(">");
    let mut read = 0;
    while read < records {
        let reply: Reply = command.query_async(redis).await?;
        let ids = ids(black_box(&reply));
        anyhow::ensure!(!ids.is_empty(), "the stream ended after {read} of {records} entries");
        read += ids.len();
        let _: usize = redis.xack(stream, GROUP, &ids).await?;
    }
    Ok(())
}

fn ids_of_values(reply: &Value) -> Vec<&[u8]> {
    let stream = match reply {
        Value::Map(streams) => streams.first().map(|(_, entries)| entries),
        Value::Array(streams) => {
            streams.first().and_then(Value::as_sequence).and_then(|stream| stream.get(1))
        }
        _ => None,
    };
    let entries = stream.and_then(Value::as_sequence).unwrap_or_default();
    let ids = entries.iter().filter_map(|entry| match entry.as_sequence()?.first()? {
        Value::BulkString(id) => Some(id.as_slice()),
        _ => None,
    });
    ids.collect()
}

fn ids_of_reply(reply: &StreamReadReply) -> Vec<&[u8]> {
    reply.keys.iter().flat_map(|stream| &stream.ids).map(|entry| entry.id.as_bytes()).collect()
}

/// What decoding takes by itself, in microseconds a record.
async fn decoding(redis: &mut MultiplexedConnection, stream: &str) -> anyhow::Result<f64> {
    let sample: StreamRangeReply = redis.xrange_count(stream, "-", "+", SAMPLE).await?;
    let payloads: Vec<Vec<u8>> = sample.ids.iter().filter_map(|entry| entry.get("payload")).collect();
    let (codec, now) = (RecordCodec::new(Limits::default()), SystemClock.now());
    let before = processor_time()?;
    for batch in std::iter::repeat_n(&payloads, DECODINGS).flat_map(|payloads| payloads.chunks(COUNT)) {
        let decoded: Vec<_> =
            batch.iter().map(|payload| codec.decode(payload, Timestamp::from_millis(0), now)).collect();
        black_box(decoded);
    }
    Ok((processor_time()? - before) / (payloads.len() * DECODINGS) as f64)
}

/// Processor time of this thread, in microseconds.
fn processor_time() -> anyhow::Result<f64> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos: u64 = times.split(' ').next().unwrap_or_default().parse()?;
    Ok(Duration::from_nanos(nanos).as_secs_f64() * 1e6)
}
