use std::time::Duration;

use anyhow::{anyhow, ensure};
use processor_tests::{Account, Chance, Signal, eventually};

use crate::{Load, SOON, Stage};

/// Clients that ask and go away, in all and side by side; more than may be answered at once.
const CLIENTS: usize = 400;
const AT_ONCE: usize = 20;

/// A question is dropped wherever it is when its client goes away: with a connection, a statement, or a result half
/// read. None of these connections is ever used to write.
#[tokio::test(flavor = "multi_thread")]
async fn leave_no_transaction_open_and_no_row_is_missing() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut processor = stage.processor().with_admin().start().await?;
    processor.until_ready(SOON).await;
    let load = Load::on(&stage);
    let mut chance = Chance::of_this_run()?;
    for _ in 0..CLIENTS / AT_ONCE {
        let clients = (0..AT_ONCE).map(|client| {
            let car = 356_307_042_000_000_u64 + client as u64;
            let path =
                if client % 2 == 0 { format!("/devices/{car}") } else { format!("/devices/{car}/explain") };
            let time = Duration::from_micros(chance.within(0..5_000));
            let processor = &processor;
            async move { processor.ask_admin_and_leave(&path, time).await }
        });
        futures::future::try_join_all(clients).await?;
    }
    let ledger = load.end().await?;

    let account = stage.settled(&ledger).await;
    let given = ledger.given();
    ensure!(account == Account { given, rows: given, ..Account::default() }, "{account:?}");
    eventually(SOON, "no transaction is open", async || {
        let open = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        match stage.query::<i64>(open).await {
            Ok(counts) if counts == [0] => Ok(()),
            other => Err(anyhow!("{other:?}")),
        }
    })
    .await;
    let (status, device) = processor.admin("GET", "/devices/356307042000000", None).await?;
    ensure!(status == 200, "{status} {device}");
    processor.signal(Signal::SIGTERM)?;
    ensure!(processor.wait_exit(SOON).await? == 0);
    Ok(())
}
