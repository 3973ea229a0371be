//! A live feed costs the server nothing that stays, and what happens to its connection or its group is not seen
//! by those who watch.

use std::sync::Arc;

use anyhow::ensure;
use processor_domain::EntryId;
use processor_domain::ports::PositionFeed;
use processor_redis::RedisPositionFeed;
use processor_tests::{Proxy, RedisServer};
use tokio::time::timeout;

use super::{Lab, Reading, SOON, follow, observed_ids};

#[tokio::test(flavor = "multi_thread")]
async fn misses_nothing_and_sees_nothing_twice_when_its_connection_is_cut() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let following = Reading::following(&lab.follow("one").await?);
    for _ in 0..3 {
        lab.until_waiting("one", "feed").await;
        lab.kill("one", "feed").await?;
        let sent = lab.add(100).await?;
        following.until(&sent).await;
    }
    let seen = following.end().await?;
    ensure!(seen.len() == 300 && seen.is_sorted(), "{} entries", seen.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn misses_nothing_when_it_is_cut_before_it_has_seen_anything() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    lab.add(100).await?;
    let feed = lab.follow("one").await?;
    lab.kill("one", "feed").await?;
    let sent = lab.add(100).await?;
    ensure!(feed.follow().await.is_err());
    ensure!(see(&feed, 100).await? == sent);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_what_was_in_an_answer_that_got_lost() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let network = Proxy::to(lab.server.url())?;
    let mut settings = lab.feed_settings("one");
    settings.url = network.url().to_owned();
    let following = Reading::following(&Arc::new(follow(settings).await?));
    let mut expected = Vec::new();
    for round in 1..=5 {
        lab.until_waiting("one", "feed").await;
        network.lose_reply_to(*b"XREADGROUP");
        let sent = lab.add(100).await?;
        following.until(&sent).await;
        expected.extend(sent);
        ensure!(network.lost_replies() >= round - 1);
    }
    ensure!(following.end().await? == expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_what_was_on_its_way_to_a_future_that_was_dropped() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let feed = lab.follow("one").await?;
    let follower = Arc::clone(&feed);
    let following = tokio::spawn(async move { follower.follow().await });
    lab.until_waiting("one", "feed").await;
    following.abort();
    ensure!(following.await.is_err());
    let sent = lab.add(10).await?;
    ensure!(see(&feed, 10).await? == sent);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_on_when_its_group_vanishes() -> anyhow::Result<()> {
    let lab = Lab::on(RedisServer::start_alone().await?).await?;
    let destroy = format!("XGROUP DESTROY STREAM {}", lab.live_group("one"));
    for way in [destroy.as_str(), "DEL STREAM", "FLUSHALL"] {
        let following = Reading::following(&lab.follow("one").await?);
        let before = lab.add(10).await?;
        following.until(&before).await;
        lab.until_waiting("one", "feed").await;

        lab.run::<()>(way).await?;
        let after = lab.add(100).await?;
        following.until(&after).await;
        let seen = following.end().await?;
        ensure!(seen == [before, after].concat(), "after {way}: {} entries", seen.len());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_on_with_a_server_that_has_forgotten_everything() -> anyhow::Result<()> {
    let lab = Lab::on(RedisServer::start_alone().await?).await?;
    let following = Reading::following(&lab.follow("one").await?);
    let before = lab.add(10).await?;
    following.until(&before).await;
    lab.server.kill().await?;
    lab.server.restart().await?;
    let lab = Lab { redis: lab.server.connection().await?, ..lab };
    let after = lab.add(100).await?;
    following.until(&after).await;
    ensure!(following.end().await? == [before, after].concat());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn begins_again_with_what_is_new_if_too_much_came_while_it_was_away() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let mut settings = lab.feed_settings("one");
    settings.catch_up = 50;
    let feed = Arc::new(follow(settings).await?);
    let mut passed_over = 0;
    for away in [50, 51, 49, 120] {
        let before = lab.add(30).await?;
        ensure!(see(&feed, 30).await? == before);
        lab.kill("one", "feed").await?;
        let meanwhile = lab.add(away).await?;
        ensure!(feed.follow().await.is_err());
        if away > 50 {
            passed_over += u64::from(away);
            ensure!(feed.follow().await?.is_empty());
        } else {
            ensure!(see(&feed, meanwhile.len()).await? == meanwhile);
        }
        ensure!(feed.passed_over() == passed_over, "{} after {away}", feed.passed_over());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn passes_over_an_entry_that_is_larger_than_an_answer_may_be() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let mut settings = lab.feed_settings("one");
    (settings.batch_bytes, settings.reply_bytes) = (256 * 1024, 256 * 1024);
    let feed = Arc::new(follow(settings).await?);
    let huge = format!("XADD STREAM * payload {}", "x".repeat(300 * 1024));
    for _ in 0..3 {
        lab.run::<String>(&huge).await?;
        lab.add(10).await?;
        let before = feed.passed_over();
        ensure!(feed.follow().await.is_err());
        ensure!(feed.follow().await?.is_empty());
        ensure!(feed.passed_over() == before + 11);
        let later = lab.add(1000).await?;
        ensure!(see(&feed, 1000).await? == later);
    }
    lab.run::<String>(&huge).await?;
    let one_more = lab.follow("two").await?;
    let sent = lab.add(10).await?;
    ensure!(see(&one_more, 10).await? == sent);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_nothing_pending_and_takes_its_group_away_when_it_is_closed() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    drop(lab.open("reader").await?);
    let (one, two) = (lab.follow("one").await?, lab.follow("two").await?);
    let sent = lab.add(1000).await?;
    ensure!(see(&one, 1000).await? == sent);
    for group in lab.groups().await? {
        ensure!(group.pending == 0, "{group:?}");
    }
    ensure!(lab.group_names().await? == [lab.live_group("one"), lab.live_group("two"), "processor".into()]);

    one.close().await?;
    ensure!(lab.group_names().await? == [lab.live_group("two"), "processor".into()]);
    lab.kill("two", "feed").await?;
    ensure!(two.close().await.is_err(), "its connection is gone");
    two.close().await?;
    ensure!(lab.group_names().await? == ["processor"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn can_be_closed_when_there_is_nothing_left_of_it() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let feed = lab.follow("one").await?;
    lab.run::<()>(&format!("XGROUP DESTROY STREAM {}", lab.live_group("one"))).await?;
    feed.close().await?;
    let feed = lab.follow("one").await?;
    lab.run::<()>("DEL STREAM").await?;
    feed.close().await?;
    ensure!(!lab.run::<bool>("EXISTS STREAM").await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn finds_its_group_on_a_server_that_is_full() -> anyhow::Result<()> {
    let lab = Lab::on(RedisServer::start_alone().await?).await?;
    let feed = lab.follow("one").await?;
    let sent = lab.add(10).await?;
    lab.run::<()>("CONFIG SET maxmemory 1").await?;
    ensure!(lab.add(1).await.is_err(), "the server is not full");
    lab.kill("one", "feed").await?;
    ensure!(feed.follow().await.is_err());
    ensure!(see(&feed, 10).await? == sent);
    ensure!(lab.follow("two").await.is_err(), "a group was created");
    lab.follow("one").await?.close().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn is_refused_by_a_key_that_is_no_stream() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    lab.run::<()>("SET STREAM text").await?;
    let Err(error) = follow(lab.feed_settings("one")).await else { anyhow::bail!("it was taken") };
    ensure!(!error.may_pass(), "{error:?}");
    Ok(())
}

/// The next so many entries, and not one more.
async fn see(feed: &RedisPositionFeed, count: usize) -> anyhow::Result<Vec<EntryId>> {
    let mut seen = Vec::new();
    let seeing = async {
        while seen.len() < count {
            seen.extend(observed_ids(&feed.follow().await?));
        }
        anyhow::Ok(())
    };
    timeout(SOON, seeing).await??;
    ensure!(seen.len() == count, "{} entries in place of {count}", seen.len());
    Ok(seen)
}
