use std::time::Duration;

use anyhow::ensure;
use processor_tests::{Account, Chance, Processor, ProcessorBuilder, number};
use redis::streams::StreamInfoConsumersReply;

use crate::{Load, Stage};

const NAMES: [&str; 2] = ["one", "two"];

/// Two instances, one of which is killed at any moment of its life and started again, time after time.
///
/// `PROCESSOR_TEST_KILLS` says how often, `PROCESSOR_TEST_SEED` at which moments.
#[tokio::test(flavor = "multi_thread")]
async fn lose_nothing_and_store_nothing_twice() -> anyhow::Result<()> {
    let kills = number("PROCESSOR_TEST_KILLS", 6)?;
    let mut chance = Chance::of_this_run()?;
    let stage = Stage::new().await?;
    let mut instances =
        [instance(&stage, NAMES[0]).start().await?, instance(&stage, NAMES[1]).start().await?];
    let load = Load::on(&stage);
    for kill in 1..=kills {
        let which = usize::from(chance.within(0..2) == 1);
        // The moment is the matter of this story, so nothing is waited for.
        let moment = Duration::from_millis(chance.within(0..1_500));
        tokio::time::sleep(moment).await;
        println!("kill {kill} of {kills}: {}, after {moment:?}", NAMES[which]);
        kill_and_start_again(&mut instances[which], &instance(&stage, NAMES[which])).await?;
    }
    let ledger = load.end().await?;

    // What a table of so many rows takes to be looked through comes on top.
    let limit = Duration::from_secs(60 + kills);
    let account = stage.settled_within(limit, &ledger).await;
    let given = ledger.given();
    ensure!(account == Account { given, rows: given, ..Account::default() }, "{account:?}");
    let consumers: StreamInfoConsumersReply = stage.ask("XINFO CONSUMERS $stream $group").await?;
    ensure!(consumers.consumers.len() <= 2, "{consumers:?}");
    Ok(())
}

/// An entry may well be in hand at ten kills in a row; that is no fault of its own.
fn instance(stage: &Stage, name: &str) -> ProcessorBuilder {
    stage.processor().env("INSTANCE_ID", name).env("REDIS_MAX_DELIVERIES", "0")
}

async fn kill_and_start_again(instance: &mut Processor, builder: &ProcessorBuilder) -> anyhow::Result<()> {
    instance.kill().await?;
    *instance = builder.start().await?;
    Ok(())
}
