//! A group that is gone is created anew at the start of the stream, at once.

use anyhow::ensure;
use processor_domain::ports::PositionStream;
use processor_tests::RedisServer;

use super::{Lab, Reading, acknowledge, ids, take};

const WAYS: [&str; 3] = ["XGROUP DESTROY STREAM processor", "DEL STREAM", "FLUSHALL"];

#[tokio::test(flavor = "multi_thread")]
async fn under_a_read_that_waits() -> anyhow::Result<()> {
    for way in WAYS {
        let lab = Lab::on(RedisServer::start_alone().await?).await?;
        let stream = lab.open("one").await?;
        let before = lab.add(10).await?;
        let reading = Reading::of(&stream, true);
        reading.until(&before).await;
        lab.until_blocked("one").await;

        lab.run::<()>(way).await?;
        let after = lab.add(10).await?;
        reading.until(&after).await;
        reading.end().await?;
        let standing = stream.standing().await?;
        ensure!(standing.group_recreated == 1, "after {way}: {standing:?}");
        ensure!((standing.pending, standing.trimmed_unread) == (0, 0), "after {way}: {standing:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_reader_that_is_busy() -> anyhow::Result<()> {
    for way in WAYS {
        let lab = Lab::on(RedisServer::start_alone().await?).await?;
        let stream = lab.open("one").await?;
        let reading = Reading::of(&stream, true);
        for round in 0..30 {
            lab.add(100).await?;
            if round == 15 {
                lab.run::<()>(way).await?;
            }
        }
        let after = lab.add(100).await?;
        reading.until(&after).await;
        reading.end().await?;
        let standing = stream.standing().await?;
        ensure!(standing.group_recreated == 1, "after {way}: {standing:?}");
        ensure!((standing.pending, standing.trimmed_unread) == (0, 0), "after {way}: {standing:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_hand_is_not_delivered_again_by_the_new_group() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let stream = lab.open("one").await?;
    let done = lab.add(10).await?;
    let received = take(&stream, 10).await?;
    acknowledge(&stream, received).await?;
    let sent = lab.add(20).await?;
    let in_hand = take(&stream, 20).await?;
    ensure!(ids(&in_hand) == sent);

    lab.run::<()>("XGROUP DESTROY STREAM processor").await?;
    let later = lab.add(5).await?;
    ensure!(stream.next_batch().await.is_err(), "the group is not there");
    let again = take(&stream, 15).await?;
    ensure!(ids(&again) == [done, later].concat(), "all but what is in hand");
    ensure!(stream.next_batch().await?.is_empty());

    acknowledge(&stream, again).await?;
    acknowledge(&stream, in_hand).await?;
    ensure!(lab.pending().await? == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_group_does_not_take_for_lost_what_was_trimmed_before_its_time() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    lab.add(100).await?;
    lab.run::<()>("XTRIM STREAM MAXLEN 40").await?;
    let stream = lab.open("one").await?;
    let standing = stream.standing().await?;
    ensure!((standing.lag, standing.trimmed_unread) == (Some(40), 0), "{standing:?}");
    take(&stream, 40).await?;
    let standing = stream.standing().await?;
    ensure!((standing.lag, standing.trimmed_unread) == (Some(0), 0), "{standing:?}");
    Ok(())
}
