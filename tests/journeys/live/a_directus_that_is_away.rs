use std::time::Duration;

use anyhow::{anyhow, ensure};
use processor_tests::{Mood, Processor, Proxy, Refusal, Session, Visitor, eventually};
use tokio::time::Instant;

use super::LiveStage;
use super::live_stage::{RALLY, SHOWN, ann, devices, moves};
use crate::{Load, SOON};

/// Answers are remembered for less than this.
const REMEMBERED: Duration = Duration::from_secs(30);

/// Newcomers are sent away and not denied, whoever is connected stays, and what is written is not held up.
#[tokio::test(flavor = "multi_thread")]
async fn keeps_newcomers_out_and_nobody_else() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    let cars = devices(100);
    live.tables.enter(RALLY, cars.iter().copied()).await?;
    let network = Proxy::to(live.directus.url())?;
    let processor = live.processor().env("DIRECTUS_URL", network.url()).start().await?;
    processor.until_ready(SOON).await;
    let newcomer = newcomers(&live, &processor).await;
    let mut viewer = ann(&processor).await.watch(&[RALLY]).await?;
    let load = Load::on(&live.stage);
    viewer.until(SHOWN, "a car moves", |viewer| moves(viewer) > 0).await?;

    network.refuse().await;
    network.cut();
    let refused = newcomer("refused").knock().await?.err();
    ensure!(is_turned_away(refused.as_ref(), 5), "{refused:?}");
    // What is remembered of the viewer has to be asked again, and again.
    let in_vain = async {
        let asked = async || match unknown_answers(&processor).await {
            Ok(asked) if asked >= 4.0 => Ok(()),
            other => Err(other),
        };
        eventually(REMEMBERED, "the viewer's rights are asked for in vain", asked).await;
        Ok(())
    };
    let written = live.stage.rows().await?;
    viewer.listen_during(SHOWN, in_vain).await?;
    let written = live.stage.rows().await? - written;
    ensure!(written > 1_000, "{written} records are written meanwhile");
    let before = moves(&viewer);
    viewer.until(SHOWN, "cars go on", |viewer| moves(viewer) > before + 100).await?;

    network.accept().await?;
    newcomer("refused").enter().await?;
    live.directus.be(Mood::Slow(Duration::from_secs(10)));
    let began = Instant::now();
    let refused = newcomer("slow").knock().await?.err();
    ensure!(is_turned_away(refused.as_ref(), 5), "{refused:?}");
    ensure!(began.elapsed() < Duration::from_secs(8), "sent away after {:?}", began.elapsed());
    for status in [500, 502, 503] {
        live.directus.be(Mood::Refusing(status, None));
        let refused = newcomer(&format!("status-{status}")).knock().await?.err();
        ensure!(is_turned_away(refused.as_ref(), 5), "{refused:?} for {status}");
    }
    live.directus.be(Mood::Refusing(429, Some(3)));
    let refused = newcomer("too-many").knock().await?.err();
    ensure!(is_turned_away(refused.as_ref(), 3), "{refused:?}");
    live.directus.be(Mood::Well);
    eventually(SOON, "whoever was sent away is let in", async || {
        for name in ["slow", "status-500", "status-502", "status-503", "too-many"] {
            newcomer(name).enter().await?;
        }
        anyhow::Ok(())
    })
    .await;

    let ledger = load.end().await?;
    live.stage.settled(&ledger).await;
    viewer.until_cars_are(SHOWN, RALLY, &live.whereabouts(cars).await?).await
}

/// Nobody is believed for ever: when the time of grace is over, whoever cannot be asked about has to come again.
#[tokio::test(flavor = "multi_thread")]
async fn ends_what_it_cannot_confirm_when_the_grace_is_over() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    let network = Proxy::to(live.directus.url())?;
    let builder = live.processor().env("DIRECTUS_URL", network.url()).env("LIVE_GRACE_MS", "3000");
    let processor = builder.start().await?;
    processor.until_ready(SOON).await;
    let mut viewer = ann(&processor).await.watch(&[RALLY]).await?;
    network.refuse().await;
    network.cut();
    let closed = viewer.closed(REMEMBERED).await?;
    ensure!(closed.0 == 4401, "{closed:?}");
    let refused = ann(&processor).await.knock().await?.err();
    ensure!(is_turned_away(refused.as_ref(), 5), "{refused:?}");
    Ok(())
}

/// Makes visitors whom the program has never seen, each with a session under a name.
async fn newcomers<'a>(live: &'a LiveStage, processor: &Processor) -> impl Fn(&str) -> Visitor + use<'a> {
    let stranger = Visitor::at(&processor.live_address().await);
    move |name| {
        let user = "0f1a7f8e-32ab-4f0e-9c7e-0000000000b9";
        live.directus.begin(name, Session::Of(user.to_owned()));
        stranger.clone().with_session(name)
    }
}

/// For so many seconds, or up to twice as long: so that those who are turned away together do not come back together.
fn is_turned_away(refused: Option<&Refusal>, seconds: u64) -> bool {
    refused.is_some_and(|refused| {
        let Refusal { status, code, retry_after } = refused;
        let in_time = retry_after.is_some_and(|wait| (seconds..=seconds * 2).contains(&wait));
        (*status, code.as_str()) == (503, "identity_unknown") && in_time
    })
}

async fn unknown_answers(processor: &Processor) -> anyhow::Result<f64> {
    let metrics = processor.metrics().await?;
    let asked = metrics.value("processor_live_auth_total", &[("outcome", "unknown")]);
    asked.ok_or_else(|| anyhow!("it is not counted"))
}
