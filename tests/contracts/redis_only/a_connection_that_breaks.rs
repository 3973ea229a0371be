//! A connection that breaks under a read loses nothing and delivers nothing twice.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use processor_domain::ports::PositionStream;
use processor_tests::{Proxy, RedisServer};
use tokio::time::timeout;

use super::{Lab, Reading, SOON, acknowledge, ids, open, take};

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_is_cut_off_while_it_waits() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let stream = lab.open("one").await?;
    let reading = Reading::of(&stream, true);
    for _ in 0..3 {
        lab.until_blocked("one").await;
        lab.kill("one", "reader").await?;
        let sent = lab.add(100).await?;
        reading.until(&sent).await;
    }
    let received = reading.end().await?;
    ensure!(received.len() == 300 && received.is_sorted(), "{} entries", received.len());
    ensure!(lab.pending().await? == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_comes_again() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let network = Proxy::to(lab.server.url())?;
    let mut settings = lab.settings("one");
    settings.url = network.url().to_owned();
    let stream = Arc::new(open(settings).await?);
    let in_hand = lab.add(50).await?;
    ensure!(ids(&take(&stream, 50).await?) == in_hand);

    let mut expected = in_hand.clone();
    let reading = Reading::of(&stream, false);
    for round in 1..=5 {
        lab.until_blocked("one").await;
        network.lose_reply_to(*b"XREADGROUP");
        let sent = lab.add(100).await?;
        reading.until(&sent).await;
        expected.extend(sent);
        ensure!(network.lost_replies() >= round - 1);
    }
    let received = reading.end().await?;
    ensure!(received.len() == 500, "{} entries, and what is in hand is not among them", received.len());
    ensure!(received.iter().chain(&in_hand).copied().collect::<HashSet<_>>().len() == expected.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_hand_is_neither_delivered_again_nor_counted_again() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let stream = lab.open("one").await?;
    lab.add(50).await?;
    let in_hand = take(&stream, 50).await?;
    for _ in 0..3 {
        lab.kill("one", "reader").await?;
        // The first call meets the broken connection.
        ensure!(stream.next_batch().await.is_err());
        ensure!(stream.next_batch().await?.is_empty());
    }
    let pending: Vec<(String, String, u64, u64)> = lab.run("XPENDING STREAM processor - + 100").await?;
    ensure!(pending.len() == 50 && pending.iter().all(|(.., deliveries)| *deliveries == 1), "{pending:?}");
    acknowledge(&stream, in_hand).await?;
    ensure!(lab.pending().await? == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_whose_future_was_dropped_comes_again() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let stream = lab.open("one").await?;
    let reader = Arc::clone(&stream);
    let reading = tokio::spawn(async move { reader.next_batch().await });
    lab.until_blocked("one").await;
    reading.abort();
    ensure!(reading.await.is_err());
    let sent = lab.add(10).await?;
    ensure!(ids(&take(&stream, 10).await?) == sent);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_nothing_is_given_up_in_time() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let network = Proxy::to(lab.server.url())?;
    let mut settings = lab.settings("one");
    settings.url = network.url().to_owned();
    settings.connect_timeout = Duration::from_millis(500);
    settings.response_timeout = Duration::from_millis(500);
    let stream = open(settings).await?;
    let sent = lab.add(10).await?;
    let received = take(&stream, 10).await?;
    ensure!(ids(&received) == sent);

    network.block();
    ensure!(timeout(SOON, stream.next_batch()).await?.is_err());
    ensure!(timeout(SOON, stream.standing()).await?.is_err());
    ensure!(timeout(SOON, stream.reclaim()).await?.is_err());
    ensure!(timeout(SOON, stream.keep_in_flight()).await?.is_err());
    let settled = super::settle(received);
    ensure!(timeout(SOON, stream.acknowledge(&settled)).await?.is_err());

    network.unblock();
    let later = lab.add(10).await?;
    let mut received = Vec::new();
    while received.len() < 10 {
        received.extend(ids(&timeout(SOON, stream.next_batch()).await?.unwrap_or_default()));
    }
    ensure!(received == later, "what is in hand is not delivered again");
    stream.acknowledge(&settled).await?;
    ensure!(lab.pending().await? == 10);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_and_comes_back_goes_on() -> anyhow::Result<()> {
    let lab = Lab::on(RedisServer::start_with(RedisServer::DURABLE).await?).await?;
    let stream = lab.open("one").await?;
    let before = lab.add(100).await?;
    let reading = Reading::of(&stream, true);
    reading.until(&before).await;
    lab.server.kill().await?;
    lab.server.restart().await?;
    let lab = Lab { redis: lab.server.connection().await?, ..lab };
    let after = lab.add(100).await?;
    reading.until(&after).await;
    let received = reading.end().await?;
    ensure!(received.len() == 200, "{} entries", received.len());
    ensure!(stream.standing().await?.group_recreated == 0);
    Ok(())
}
