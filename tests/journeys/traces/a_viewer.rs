use anyhow::ensure;
use processor_tests::{Collector, draw};

use super::{span, traced, until_there_are};
use crate::SOON;
use crate::live::{ANN, LiveStage, RALLY, ann};

/// Also draws the trace: `docs/tracing.md` shows what this writes.
#[tokio::test(flavor = "multi_thread")]
async fn is_a_trace_from_the_door_to_the_end_that_the_cms_takes_part_in() -> anyhow::Result<()> {
    let (live, collector) = (LiveStage::new().await?, Collector::start().await?);
    // Its rights are not checked again within this test.
    let builder = live.processor().env("LIVE_RECHECK_MS", "600000");
    let processor = traced(builder, collector.url()).start().await?;
    processor.until_ready(SOON).await;
    let viewer = ann(&processor).await.watch(&[RALLY]).await?;
    drop(viewer);
    let names = ["live.admit", "directus.identify", "live.session", "live.subscribe", "directus.may_see"];
    let spans = until_there_are(&collector, &names).await;
    let [admit, identify, session, subscribe, may_see] = names.map(|name| span(&spans, name));
    let (admit, identify, session, subscribe, may_see) = (admit?, identify?, session?, subscribe?, may_see?);
    println!("{}", draw(&spans, admit));

    ensure!(admit.parent.is_none() && admit.attribute("live.outcome") == "admitted", "{admit:#?}");
    ensure!(identify.is_part_of(admit) && session.is_part_of(admit), "{identify:#?} {session:#?}");
    ensure!(subscribe.is_part_of(session) && may_see.is_part_of(subscribe), "{subscribe:#?} {may_see:#?}");
    ensure!(subscribe.attribute("live.event") == RALLY, "{subscribe:#?}");
    ensure!(subscribe.attribute("live.outcome") == "allowed", "{subscribe:#?}");
    let url = |path: &str| format!("{}{path}?fields=id", live.directus.url());
    for (question, url) in [(identify, url("/users/me")), (may_see, url(&format!("/items/events/{RALLY}")))] {
        ensure!(question.kind == "client" && !question.failed, "{question:#?}");
        let expected = [
            ("http.request.method", "GET"),
            ("http.response.status_code", "200"),
            ("url.full", &url),
            ("server.address", "127.0.0.1"),
        ];
        for (name, value) in expected {
            ensure!(question.attribute(name) == value, "{name} is {:?}", question.attribute(name));
        }
    }
    let told = live.directus.traceparents();
    let expected = [identify, may_see].map(|question| format!("00-{}-{}-01", question.trace, question.id));
    ensure!(told == expected, "{told:?}, not {expected:?}");
    ensure!(!collector.was_told(ANN), "who it was is in the trace");
    Ok(())
}
