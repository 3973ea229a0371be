//! What was left pending is found, wherever it is, and counted.

use std::time::Duration;

use anyhow::ensure;
use processor_domain::ports::PositionStream;
use processor_domain::{DeadLetterReason, Record};

use super::{Lab, acknowledge, ids, open, take};

#[tokio::test(flavor = "multi_thread")]
async fn comes_page_by_page_before_what_is_new() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let first = lab.open("one").await?;
    let old = lab.add(35).await?;
    drop(take(&first, 35).await?);
    drop(first);
    let new = lab.add(10).await?;

    let mut settings = lab.settings("one");
    settings.batch_size = 10;
    let stream = open(settings).await?;
    let received = take(&stream, 45).await?;
    ensure!(ids(&received) == [old, new].concat());
    let deliveries: Vec<_> = received.iter().map(|delivery| delivery.deliveries).collect();
    ensure!(deliveries == [[2; 35].as_slice(), &[1; 10]].concat(), "{deliveries:?}");
    acknowledge(&stream, received).await?;
    ensure!(lab.pending().await? == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_old_entry_behind_many_young_ones_is_taken_over() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let dead = lab.open("dead").await?;
    let sent = lab.add(5001).await?;
    drop(take(&dead, 5001).await?);
    let old = sent[5000];
    let age = format!("XCLAIM STREAM processor {} 0 {old} IDLE 3600000 JUSTID", lab.consumer("dead"));
    lab.run::<()>(&age).await?;

    for batch_size in [2000, 100, 5] {
        let mut settings = lab.settings(&format!("one-{batch_size}"));
        settings.batch_size = batch_size;
        settings.claim_idle = Duration::from_mins(5);
        let stream = open(settings).await?;
        let mut taken = Vec::new();
        // At 5 in a batch, the server looks at 50 entries for a page, and a call at 16 pages.
        for _ in 0..=5001 / (5 * 10 * 16) {
            taken.extend(stream.reclaim().await?);
        }
        ensure!(ids(&taken) == [old], "with {batch_size} in a batch: {taken:?}");
        lab.run::<()>(&age).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_over_says_how_often_it_was_delivered() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    lab.add(3).await?;
    for _ in 0..4 {
        let dead = lab.open("dead").await?;
        drop(take(&dead, 3).await?);
    }
    let mut settings = lab.settings("one");
    settings.claim_idle = Duration::ZERO;
    let stream = open(settings).await?;
    let taken = stream.reclaim().await?;
    ensure!(taken.iter().map(|delivery| delivery.deliveries).collect::<Vec<_>>() == [5; 3], "{taken:?}");
    // It is in hand now, whoever looks for it.
    ensure!(stream.reclaim().await?.is_empty());
    ensure!(stream.next_batch().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_larger_than_an_answer_may_be_is_set_aside_and_holds_nothing_up() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let mut settings = lab.settings("one");
    (settings.batch_bytes, settings.reply_bytes) = (64 * 1024, 64 * 1024);
    let stream = open(settings).await?;
    let huge = format!("XADD STREAM * payload {}", "x".repeat(100 * 1024));
    let (mut sent, mut huge_ones) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        huge_ones.push(lab.run::<String>(&huge).await?.parse()?);
        sent.extend(huge_ones.last());
        sent.extend(lab.add(10).await?);
    }
    huge_ones.push(lab.run::<String>(&huge).await?.parse()?);
    sent.extend(huge_ones.last());

    let mut received = Vec::new();
    while received.len() < sent.len() {
        // Every answer that is too large is a failure of its own.
        received.extend(stream.next_batch().await.unwrap_or_default());
    }
    ensure!(ids(&received) == sent);
    for delivery in &received {
        let Record::Undecodable { reason, payload, .. } = &delivery.record else { continue };
        ensure!((*reason, payload.len()) == (DeadLetterReason::TooLarge, 0), "{delivery:?}");
        ensure!(huge_ones.contains(&delivery.receipt.entry_id()));
    }
    ensure!(received.iter().filter(|delivery| matches!(delivery.record, Record::Position(_))).count() == 30);
    acknowledge(&stream, received).await?;
    ensure!(lab.pending().await? == 0);
    Ok(())
}
