//! A slot that moves to another node of a cluster takes along what is read, acknowledged and followed in it.

use std::sync::Arc;

use anyhow::ensure;
use processor_domain::EntryId;
use processor_domain::ports::{PositionPublisher, PositionStream};
use processor_redis::{
    RedisConnectionLimits, RedisConnections, RedisFeedSettings, RedisPositionPublisher, RedisStreamSettings,
};
use processor_tests::{RedisCluster, RedisServer, records, unique};
use tokio::time::sleep;

use super::{BACK_OFF, Reading, follow, open};

#[tokio::test(flavor = "multi_thread")]
async fn takes_along_those_who_read_it() -> anyhow::Result<()> {
    let cluster = RedisCluster::start().await?;
    let (server, stream) = (cluster.server(), unique("telemetry"));
    let read = Arc::new(open(RedisStreamSettings::new(server.url(), &stream, "one")).await?);
    let followed = Arc::new(follow(RedisFeedSettings::new(server.url(), &stream, "one")).await?);
    let reading = Reading::of(&read, true);
    let following = Reading::following(&followed);
    let connections = RedisConnections::new(server.url(), RedisConnectionLimits::default())?;
    let publisher = RedisPositionPublisher::new(connections, stream.as_str());

    publish(&publisher, 100, 0).await;
    until_all_is_there(&server, &stream, [&reading, &following]).await?;
    let moving = cluster.begin_to_move(&stream).await?;
    ensure!(server.connection_for(&stream).await?.asks());
    publish(&publisher, 100, 1).await;
    until_all_is_there(&server, &stream, [&reading, &following]).await?;
    moving.arrive().await?;
    ensure!(!server.connection_for(&stream).await?.asks());
    publish(&publisher, 100, 2).await;
    let all = until_all_is_there(&server, &stream, [&reading, &following]).await?;

    ensure!(all.len() >= 300, "{} entries", all.len());
    ensure!(reading.end().await? == all);
    ensure!(following.end().await? == all);
    let standing = read.standing().await?;
    ensure!(standing.pending == 0 && standing.group_recreated == 0, "{standing:?}");
    Ok(())
}

/// Sends until it is taken, as those do who would rather send twice than not at all.
async fn publish(publisher: &RedisPositionPublisher, devices: u32, second: u32) {
    let payloads: Vec<_> =
        records(devices, second + 1).skip((devices * second) as usize).map(|sample| sample.payload).collect();
    while publisher.publish(&payloads).await.is_err() {
        sleep(BACK_OFF).await;
    }
}

/// What the stream holds, when all have it.
async fn until_all_is_there(
    server: &RedisServer,
    stream: &str,
    readings: [&Reading; 2],
) -> anyhow::Result<Vec<EntryId>> {
    let mut connection = server.connection_for(stream).await?;
    let entries: redis::streams::StreamRangeReply =
        redis::cmd("XRANGE").arg(stream).arg("-").arg("+").query_async(&mut connection).await?;
    let all: Vec<EntryId> = entries.ids.iter().map(|entry| entry.id.parse()).collect::<Result<_, _>>()?;
    for reading in readings {
        reading.until(&all).await;
    }
    Ok(all)
}
