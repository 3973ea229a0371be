//! What is wrong with a server is said in so many words.

use anyhow::{Context, ensure};
use processor_domain::ports::{DeadLetters, PositionStream};
use processor_domain::{DeadLetter, DeadLetterReason, DeadPayload, EntryId};
use processor_redis::{ConnectError, RedisDeadLetters, RedisFailure, RedisStreamSettings, Refusal};
use processor_tests::RedisServer;

use super::{Lab, acknowledge, open, take};

#[tokio::test(flavor = "multi_thread")]
async fn a_replica() -> anyhow::Result<()> {
    let lab = Lab::on(RedisServer::start_alone().await?).await?;
    lab.run::<()>("REPLICAOF 127.0.0.1 1").await?;
    let error = open(lab.settings("one")).await.err().context("it was taken")?;
    ensure!(
        matches!(&error, ConnectError::Failed { failure: RedisFailure::NotPrimary { .. }, .. }),
        "{error:?}"
    );
    ensure!(error.may_pass(), "it may become the primary");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_becomes_a_replica_under_the_reader() -> anyhow::Result<()> {
    let lab = Lab::on(RedisServer::start_alone().await?).await?;
    let stream = lab.open("one").await?;
    lab.add(10).await?;
    let received = take(&stream, 10).await?;
    lab.run::<()>("REPLICAOF 127.0.0.1 1").await?;
    ensure!(stream.next_batch().await.is_err());
    ensure!(stream.next_batch().await.is_err());
    let settled = super::settle(received);
    ensure!(stream.acknowledge(&settled).await.is_err());

    lab.run::<()>("REPLICAOF NO ONE").await?;
    stream.acknowledge(&settled).await?;
    lab.add(10).await?;
    let received = take(&stream, 10).await?;
    acknowledge(&stream, received).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_a_database_of_its_own() -> anyhow::Result<()> {
    let lab = Lab::on(RedisServer::start_alone().await?).await?;
    lab.run::<()>("CONFIG SET requirepass secret").await?;
    let url = |userinfo: &str| {
        format!("{}/3", lab.server.url().replace("redis://", &format!("redis://{userinfo}")))
    };
    let settings = |userinfo: &str| RedisStreamSettings::new(url(userinfo), &lab.stream, "one");

    for (userinfo, refusal) in [(":wrong@", Refusal::WrongPassword), ("", Refusal::NoPassword)] {
        let error = open(settings(userinfo)).await.err().context("it was taken")?;
        let ConnectError::Failed { failure, .. } = &error else { anyhow::bail!("{error:?}") };
        ensure!(failure.refusal() == Some(refusal), "{failure:?}");
        ensure!(!format!("{error:?} {error}").contains("wrong@"));
    }
    let stream = open(settings(":secret@")).await?;
    lab.run::<()>("SELECT 3").await?;
    lab.add(10).await?;
    let received = take(&stream, 10).await?;
    acknowledge(&stream, received).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_no_stream() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    lab.run::<()>("SET STREAM text").await?;
    let error = open(lab.settings("one")).await.err().context("it was taken")?;
    ensure!(!error.may_pass(), "{error:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_one_still_delivers_and_takes_acknowledgements_but_no_dead_letters() -> anyhow::Result<()> {
    let lab = Lab::on(RedisServer::start_alone().await?).await?;
    let stream = lab.open("one").await?;
    lab.add(100).await?;
    lab.run::<()>("CONFIG SET maxmemory 1").await?;
    ensure!(lab.add(1).await.is_err(), "the server is not full");

    let letter = DeadLetter {
        stream: lab.stream.as_str().into(),
        entry_id: EntryId::default(),
        reason: DeadLetterReason::NotJson,
        detail: "it is not".into(),
        payload: DeadPayload::Raw(b"?".as_slice().into()),
        deliveries: 1,
    };
    let dead_letters = RedisDeadLetters::new(stream.connections().clone(), "processor-1");
    ensure!(dead_letters.keep(std::slice::from_ref(&letter)).await.is_err());
    let received = take(&stream, 100).await?;
    acknowledge(&stream, received).await?;
    ensure!(stream.standing().await?.pending == 0);
    // A new process finds its group, though the server would not let it create one.
    take_none(&lab).await?;

    lab.run::<()>("CONFIG SET maxmemory 0").await?;
    dead_letters.keep(&[letter]).await?;
    Ok(())
}

async fn take_none(lab: &Lab) -> anyhow::Result<()> {
    let stream = lab.open("two").await?;
    ensure!(stream.next_batch().await?.is_empty());
    Ok(())
}
