use anyhow::ensure;
use processor_tests::{Collector, RedisServer, Sample, Session, Signal, Visitor, records};

use super::{traced, until_there_are};
use crate::live::{ANN, LiveStage, RALLY};
use crate::{SOON, Stage};
use processor_tests::{DeviceNaming, TimescaleServer};

/// Each is put where a secret of its kind is. None may be found anywhere else.
const COOKIE: &str = "secret-of-a-viewer";
const REDIS_PASSWORD: &str = "secret-of-redis";
const COLLECTOR_KEY: &str = "secret-of-the-collector";
const PAYLOAD: &str = "secret-of-a-payload";
const ATTRIBUTE: &str = "secret-of-an-attribute";

#[tokio::test(flavor = "multi_thread")]
async fn is_in_the_log_or_in_a_span() -> anyhow::Result<()> {
    let redis = RedisServer::start_alone().await?;
    let stage = Stage::on(redis, TimescaleServer::start().await?).await?;
    let collector = Collector::start().await?;
    let live = LiveStage::on(stage, DeviceNaming::ByKey).await?;
    live.directus.begin(COOKIE, Session::Of(ANN.to_owned()));
    let stage = &live.stage;
    let () = redis::cmd("ACL")
        .arg(&["SETUSER", "program", "on", &format!(">{REDIS_PASSWORD}"), "~*", "&*", "+@all"])
        .query_async(&mut stage.redis.connection().await?)
        .await?;
    let redis_url = stage.redis.url().replace("redis://", &format!("redis://program:{REDIS_PASSWORD}@"));
    let database_password = url_password(&stage.database_url)?;
    let mut processor = traced(live.processor(), collector.url())
        .env("REDIS_URL", &redis_url)
        .env("OTEL_EXPORTER_OTLP_HEADERS", format!("authorization=Bearer%20{COLLECTOR_KEY}"))
        // Everything that we say ourselves, and nothing of the libraries.
        .env("LOG_LEVEL", "info,processor=trace,hyper=trace,reqwest=trace,opentelemetry=trace")
        .start()
        .await?;
    processor.until_ready(SOON).await;

    let mut ledger = stage.ledger();
    let good = records(1, 1).map(|sample| {
        let text = String::from_utf8_lossy(&sample.payload)
            .replace(r#""attributes":{"#, &format!(r#""attributes":{{"900":"{ATTRIBUTE}","#));
        Sample { payload: text.into_bytes().into(), ..sample }
    });
    let poison = Sample::undecodable(format!(r#"{{"device_id":"1","a":"{PAYLOAD}"}}"#).into_bytes());
    let mut connection = stage.redis.connection().await?;
    ledger.publish(&mut connection, good.chain([poison])).await?;
    let known = Visitor::at(&processor.live_address().await).with_session(COOKIE);
    let mut viewer = known.watch(&[RALLY]).await?;
    viewer.ask(serde_json::json!({"type": "subscribe", "topic": "event:of-others"})).await?;
    drop(viewer);
    stage.settled(&ledger).await;
    let names = ["ingest.acknowledge", "live.session", "directus.identify", "directus.may_see"];
    let spans = until_there_are(&collector, &names).await;
    let ours = |name: &str| ["ingest.", "live.", "directus."].iter().any(|part| name.starts_with(part));
    ensure!(spans.iter().all(|span| ours(&span.name)), "what carries spans away has spans: {spans:#?}");
    processor.signal(Signal::SIGTERM)?;
    let code = processor.wait_exit(SOON).await?;
    ensure!(code == 0, "ended with {code}");

    ensure!(collector.heads().iter().all(|head| head.contains(COLLECTOR_KEY)), "no key was sent");
    for secret in [COOKIE, REDIS_PASSWORD, COLLECTOR_KEY, PAYLOAD, ATTRIBUTE, &database_password, ANN] {
        ensure!(processor.lines_with(secret).is_empty(), "{secret} is in the log");
        ensure!(!collector.was_told(secret), "{secret} is in a span");
    }
    Ok(())
}

fn url_password(url: &str) -> anyhow::Result<String> {
    let (user, _) = url.rsplit_once('@').ok_or_else(|| anyhow::anyhow!("no user in the URL"))?;
    let (_, password) = user.rsplit_once(':').ok_or_else(|| anyhow::anyhow!("no password in the URL"))?;
    Ok(format!(":{password}@"))
}
