//! Trimming takes no heed of the group: what it takes is counted, to the entry.

use anyhow::ensure;
use processor_domain::ports::PositionStream;
use processor_domain::{Record, Standing};

use super::{Lab, acknowledge, ids, take};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_trimmed_while_nobody_read_is_counted_exactly() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let stream = lab.open("one").await?;
    lab.add(10).await?;
    let received = take(&stream, 10).await?;
    acknowledge(&stream, received).await?;
    drop(stream);

    lab.add(100).await?;
    lab.run::<()>("XTRIM STREAM MAXLEN 30").await?;
    let stream = lab.open("one").await?;
    let received = take(&stream, 30).await?;
    acknowledge(&stream, received).await?;
    ensure!(stream.standing().await?.trimmed_unread == 70);

    // And again, with the same process.
    lab.add(100).await?;
    lab.run::<()>("XTRIM STREAM MAXLEN 75").await?;
    ensure!(stream.standing().await?.trimmed_unread == 95);
    lab.run::<()>("XTRIM STREAM MAXLEN 70").await?;
    take(&stream, 70).await?;
    let standing = stream.standing().await?;
    ensure!((standing.trimmed_unread, standing.lag) == (100, Some(0)), "{standing:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_trimmed_under_a_reader_that_is_behind_is_counted_exactly() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let mut settings = lab.settings("one");
    settings.batch_size = 10;
    let stream = super::open(settings).await?;
    let sent = lab.add(1000).await?;
    let mut received = ids(&take(&stream, 10).await?);
    for keep in [900, 700, 400, 395, 100, 90, 50] {
        lab.run::<()>(&format!("XTRIM STREAM MAXLEN {keep}")).await?;
        received.extend(ids(&take(&stream, 10).await?));
    }
    while received.last() != sent.last() {
        received.extend(ids(&take(&stream, 1).await?));
    }
    let lost = (sent.len() - received.len()) as u64;
    ensure!(lost > 800, "{lost} lost");
    let standing = stream.standing().await?;
    ensure!(standing.trimmed_unread == lost, "{standing:?}, and {lost} were lost");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_trimmed_to_nothing_is_counted() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let stream = lab.open("one").await?;
    lab.add(25).await?;
    lab.run::<()>("XTRIM STREAM MAXLEN 0").await?;
    let standing = stream.standing().await?;
    ensure!((standing.trimmed_unread, standing.oldest_unprocessed) == (25, None), "{standing:?}");
    ensure!(stream.next_batch().await?.is_empty());
    ensure!(stream.standing().await?.trimmed_unread == 25);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_trimmed_while_pending_comes_back_as_lost() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let stream = lab.open("one").await?;
    let sent = lab.add(10).await?;
    drop(take(&stream, 10).await?);
    drop(stream);
    lab.run::<()>("XTRIM STREAM MAXLEN 4").await?;

    let stream = lab.open("one").await?;
    let received = take(&stream, 10).await?;
    ensure!(ids(&received) == sent);
    ensure!(received[..6].iter().all(|delivery| delivery.record == Record::Lost), "{received:?}");
    ensure!(received[6..].iter().all(|delivery| delivery.record != Record::Lost), "{received:?}");
    let deliveries: Vec<_> = received.iter().map(|delivery| delivery.deliveries).collect();
    ensure!(deliveries == [[1; 6].as_slice(), &[2; 4]].concat(), "{deliveries:?}");
    acknowledge(&stream, received).await?;
    ensure!(lab.pending().await? == 0);
    ensure!(stream.standing().await?.trimmed_unread == 0, "it had been read");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_left_pending_and_was_trimmed_is_taken_over_as_lost() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let dead = lab.open("dead").await?;
    let sent = lab.add(10).await?;
    drop(take(&dead, 10).await?);
    drop(dead);
    lab.run::<()>("XTRIM STREAM MAXLEN 4").await?;

    let mut settings = lab.settings("one");
    settings.claim_idle = std::time::Duration::ZERO;
    let stream = super::open(settings).await?;
    let taken = stream.reclaim().await?;
    ensure!(ids(&taken) == sent);
    ensure!(taken[..6].iter().all(|delivery| delivery.record == Record::Lost), "{taken:?}");
    acknowledge(&stream, taken).await?;
    ensure!(lab.pending().await? == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lag_that_the_server_does_not_know_is_none() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let stream = lab.open("one").await?;
    let sent = lab.add(10).await?;
    let mut settings = lab.settings("one");
    settings.batch_size = 4;
    drop(stream);
    let stream = super::open(settings).await?;
    take(&stream, 4).await?;
    lab.run::<()>(&format!("XDEL STREAM {}", sent[6])).await?;
    let Standing { lag, pending, oldest_unprocessed, .. } = stream.standing().await?;
    ensure!((lag, pending) == (None, 4));
    ensure!(oldest_unprocessed == Some(sent[0].received_at()));
    Ok(())
}
