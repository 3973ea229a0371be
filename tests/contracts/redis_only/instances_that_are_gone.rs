//! Instances that end without closing their feed leave groups behind, which are taken away; no others are.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use processor_redis::RedisFeedSettings;
use processor_tests::eventually;
use tokio::time::Instant;

use super::{Lab, Reading, follow};

/// Long enough for whatever is to become stale here.
const IN_THE_END: Duration = Duration::from_secs(20);

/// Takes an instance for gone after two seconds, and shows four times a second that it is not gone itself.
fn hasty(lab: &Lab, instance: &str) -> RedisFeedSettings {
    let mut settings = lab.feed_settings(instance);
    (settings.block, settings.gone_after) = (Duration::from_millis(250), Duration::from_secs(2));
    settings
}

/// Starts instances that sweep until these are all groups there are.
async fn swept_down_to(lab: &Lab, groups: &[String]) {
    eventually(IN_THE_END, "only these groups are left", async || {
        let sweeper = follow(hasty(lab, "sweeper")).await.map_err(|error| error.to_string())?;
        drop(sweeper);
        let left = lab.group_names().await.map_err(|error| error.to_string())?;
        if left == groups { Ok(()) } else { Err(format!("{} groups: {left:?}", left.len())) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_of_them_leave_no_more_than_those_that_live() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    drop(lab.open("reader").await?);
    let live = [follow(hasty(&lab, "one")).await?, follow(hasty(&lab, "two")).await?];
    let live = live.map(|feed| Reading::following(&Arc::new(feed)));
    for number in 0..200 {
        drop(lab.follow(&format!("pod-{number}")).await?);
    }
    ensure!(lab.groups().await?.len() == 203);

    let left = ["one", "sweeper", "two"].map(|instance| lab.live_group(instance));
    swept_down_to(&lab, &[left.as_slice(), &["processor".into()]].concat()).await;
    let sent = lab.add(10).await?;
    for following in live {
        following.until(&sent).await;
        ensure!(following.end().await? == sent);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_waits_at_a_quiet_stream_is_not_gone() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let following = Reading::following(&Arc::new(follow(hasty(&lab, "one")).await?));
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        drop(follow(hasty(&lab, "sweeper")).await?);
        ensure!(lab.group_names().await?.contains(&lab.live_group("one")));
    }
    following.end().await?;
    swept_down_to(&lab, &[lab.live_group("sweeper")]).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_another_kind_stay_however_long_nobody_reads_in_them() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    drop(lab.open("reader").await?);
    for group in ["live", "broadcast-1", "Live-Broadcast-1"] {
        lab.run::<()>(&format!("XGROUP CREATE STREAM {group} 0")).await?;
        lab.run::<()>(&format!("XGROUP CREATECONSUMER STREAM {group} somebody")).await?;
    }
    drop(lab.follow("gone").await?);
    let left = ["Live-Broadcast-1", "broadcast-1", "live", &lab.live_group("sweeper"), "processor"];
    swept_down_to(&lab, &left.map(str::to_owned)).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_nobody_ever_read_in_goes_when_the_last_entry_before_it_is_old() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    lab.add(1).await?;
    for (group, id) in [("old", "1-1"), ("young", "$")] {
        lab.run::<()>(&format!("XGROUP CREATE STREAM {} {id}", lab.live_group(group))).await?;
    }
    let _sweeper = lab.follow("sweeper").await?;
    ensure!(lab.group_names().await? == [lab.live_group("sweeper"), lab.live_group("young")]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_found_by_one_that_has_long_been_there() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let mut settings = hasty(&lab, "one");
    settings.sweep_every = Duration::from_millis(100);
    let following = Reading::following(&Arc::new(follow(settings).await?));
    drop(lab.follow("gone").await?);
    ensure!(lab.group_names().await? == [lab.live_group("gone"), lab.live_group("one")]);
    eventually(IN_THE_END, "the group is gone", async || {
        let left = lab.group_names().await.map_err(|error| error.to_string())?;
        if left == [lab.live_group("one")] { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
    let sent = lab.add(10).await?;
    following.until(&sent).await;
    ensure!(following.end().await? == sent);
    Ok(())
}
