use anyhow::{anyhow, ensure};
use processor_tests::{Account, Chance, Ledger, Processor, Proxy, eventually, number, records};

use crate::{HEALED, Outcomes, SOON, Stage, until_counted};

const RECORDS: usize = 200;

/// What a server did and could not tell is found out when the network is whole again, long before another
/// instance would take it over.
///
/// `PROCESSOR_TEST_ROUNDS` says how many rounds follow the first ones, `PROCESSOR_TEST_SEED` which.
#[tokio::test(flavor = "multi_thread")]
async fn leave_nothing_pending_and_count_nothing_twice() -> anyhow::Result<()> {
    let stage = Stage::with_its_own_redis().await?;
    let network = Proxy::to(stage.redis.url())?;
    let processor = stage.processor().env("REDIS_URL", network.url()).start().await?;
    processor.until_ready(SOON).await;
    let mut story = Story { ledger: stage.ledger(), stage, network, processor };

    let mut chance = Chance::of_this_run()?;
    let more = number("PROCESSOR_TEST_ROUNDS", 3)?;
    let more = (0..more).map(|_| Trouble::LOST[usize::try_from(chance.within(0..3)).unwrap_or_default()]);
    let rounds: Vec<_> = Trouble::LOST.into_iter().chain([Trouble::Silence]).chain(more).collect();
    for trouble in rounds {
        println!("{trouble:?}");
        story.befall(trouble).await?;
        let account = story.stage.settled_within(HEALED, &story.ledger).await;
        let given = story.ledger.given();
        ensure!(account == Account { given, rows: given, ..Account::default() }, "{trouble:?}: {account:?}");
    }
    // What was in hand is not given again, so nothing is there already.
    let stored = u64::try_from(story.ledger.given())?;
    until_counted(&story.processor, Outcomes { stored, ..Outcomes::default() }).await;
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// The connection of a read that waits is reset.
    Cut,
    /// Entries are delivered, and the answer that they are in is lost.
    LostDelivery,
    /// Entries are acknowledged, and the answer that says so is lost.
    LostConfirmation,
    /// Nothing comes through, and nobody says so.
    Silence,
}

impl Trouble {
    const LOST: [Self; 3] = [Self::Cut, Self::LostDelivery, Self::LostConfirmation];
}

struct Story {
    stage: Stage,
    ledger: Ledger,
    network: Proxy,
    processor: Processor,
}

impl Story {
    async fn befall(&mut self, trouble: Trouble) -> anyhow::Result<()> {
        self.stage.until_a_read_waits().await;
        match trouble {
            Trouble::Cut => {
                self.network.cut();
                self.publish().await?;
            }
            Trouble::LostDelivery => {
                self.network.block();
                self.publish().await?;
                self.stage.until_pending(|pending| pending > 0).await;
                self.network.cut();
                self.network.unblock();
            }
            Trouble::LostConfirmation => {
                let before = self.network.lost_replies();
                self.network.lose_reply_to(*b"XACK");
                self.publish().await?;
                eventually(SOON, "an answer is lost", async || match self.network.lost_replies() - before {
                    1 => Ok(()),
                    other => Err(other),
                })
                .await;
            }
            Trouble::Silence => {
                self.network.block();
                self.publish().await?;
                eventually(SOON, "the program gives the read up", async || {
                    match self.processor.get("/readyz").await? {
                        (503, body) if body.contains("stream_unavailable") => Ok(()),
                        other => Err(anyhow!("{other:?}")),
                    }
                })
                .await;
                self.network.unblock();
                self.processor.until_ready(HEALED).await;
            }
        }
        Ok(())
    }

    async fn publish(&mut self) -> anyhow::Result<()> {
        let sent = self.ledger.given();
        let more = records(100, u32::MAX).skip(sent).take(RECORDS);
        // Not through the broken network.
        self.ledger.publish(&mut self.stage.redis.connection().await?, more).await?;
        Ok(())
    }
}
