use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use processor_codec::{Limits, RecordCodec};
use processor_domain::{Record, samples};
use processor_tests::{DeviceNaming, DirectusTables, Sample, records};
use serde_json::Value;

use crate::{SOON, Stage};

const RALLY: &str = "0f1a7f8e-32ab-4f0e-9c7e-0000000000a1";
const SPAN: &str = "from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z";
const CARS: u32 = 20;
const SECONDS: u32 = 100;

/// One of them in ten without a fix.
fn recording() -> anyhow::Result<Vec<Sample>> {
    let faulty = |(number, sample): (usize, Sample)| {
        let mut record: Value = serde_json::from_slice(&sample.payload)?;
        if number % 10 == 3 {
            record["satellites"] = 0.into();
        }
        Ok(Sample { payload: record.to_string().into_bytes().into(), ..sample })
    };
    records(CARS, SECONDS).enumerate().map(faulty).collect()
}

/// Device and time of each position, as text.
type Keys = Vec<(String, String)>;

fn keys_of_csv(text: &str) -> anyhow::Result<Keys> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.deserialize::<BTreeMap<String, String>>();
    rows.map(|row| row.map(|row| (row["device_id"].clone(), row["timestamp"].clone())).map_err(Into::into))
        .collect()
}

fn keys_of_geojson(text: &str) -> anyhow::Result<Keys> {
    let collection: Value = serde_json::from_str(text)?;
    let key = |feature: &Value| {
        let text = |name: &str| feature["properties"][name].as_str().map(str::to_owned);
        ensure!(feature["geometry"]["type"] == "Point", "{feature}");
        Ok((text("device_id").context("a device")?, text("timestamp").context("a time")?))
    };
    collection["features"].as_array().context("features")?.iter().map(key).collect()
}

fn keys_of_gpx(text: &str) -> anyhow::Result<Keys> {
    let mut keys = Vec::new();
    for track in gpx::read(text.as_bytes())?.tracks {
        for point in track.segments.iter().flat_map(|segment| &segment.points) {
            let time = point.time.context("a time")?.format()?;
            keys.push((
                track.name.clone().context("a name")?,
                time.replace(".000000000Z", "Z").replace('Z', ".000Z"),
            ));
        }
    }
    Ok(keys)
}

/// As the program itself reads records from the stream: what was exported can be replayed.
fn keys_of_ndjson(text: &str) -> anyhow::Result<Keys> {
    let codec = RecordCodec::new(Limits::default());
    let later = samples::at("2026-06-01T00:00:00Z");
    let read = |line: &str| match codec.decode(line.as_bytes(), later, later) {
        Record::Position(position) => Ok((position.device_id.to_string(), position.ts.to_string())),
        other => anyhow::bail!("{other:?}"),
    };
    text.lines().map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn is_whole_in_every_format() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let tables = DirectusTables::create(&stage.database_url, DeviceNaming::ByKey).await?;
    let recording = recording()?;
    let cars: std::collections::BTreeSet<_> =
        recording.iter().filter_map(|sample| sample.key).map(|(device, _)| device).collect();
    tables.enter(RALLY, cars.iter().copied()).await?;
    let processor = stage.processor().with_admin().start().await?;
    processor.until_ready(SOON).await;
    let (mut ledger, mut redis) = (stage.ledger(), stage.redis.connection().await?);
    ledger.publish(&mut redis, recording).await?;
    stage.settled(&ledger).await;

    let rows = |condition: &str| {
        let query = format!(
            "SELECT device_id || ' ' || to_char(ts AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')
             FROM positions WHERE {condition} ORDER BY device_id, ts"
        );
        let stage = &stage;
        async move {
            let rows: Vec<String> = stage.query(&query).await?;
            let split =
                |row: &String| row.split_once(' ').map(|(device, ts)| (device.to_owned(), ts.to_owned()));
            rows.iter().map(|row| split(row).context("a key")).collect::<anyhow::Result<Keys>>()
        }
    };
    let (all, good) = (rows("true").await?, rows("NOT faulty").await?);
    ensure!(all.len() == 2_000 && good.len() == 1_800, "{} {}", all.len(), good.len());
    let export = async |more: &str| -> anyhow::Result<String> {
        let (status, text) = processor.admin_text(&format!("/events/{RALLY}/history?{SPAN}{more}")).await?;
        ensure!(status == 200, "{status} {text}");
        Ok(text)
    };
    ensure!(keys_of_ndjson(&export("&attributes=true").await?)? == all);
    ensure!(keys_of_geojson(&export("&format=geojson").await?)? == all);
    ensure!(keys_of_csv(&export("&format=csv&attributes=true").await?)? == all);
    ensure!(keys_of_gpx(&export("&format=gpx").await?)? == good);
    ensure!(keys_of_csv(&export("&format=csv&faulty=exclude").await?)? == good);
    let one = cars.first().context("a car")?;
    let (_, text) = processor.admin_text(&format!("/devices/{one}/history?{SPAN}&format=csv")).await?;
    ensure!(keys_of_csv(&text)?.len() == 100);

    // Cut off anywhere, it goes on after the last position that is there.
    let (device, ts) = &all[777];
    let rest = export(&format!("&format=csv&cursor={ts},{device}")).await?;
    ensure!(keys_of_csv(&rest)? == all[778..]);
    Ok(())
}

/// As many as may stream at once, and none of them is read: more than there are connections for exports.
#[tokio::test(flavor = "multi_thread")]
async fn that_nobody_reads_holds_no_connection_to_the_database() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let processor = stage.processor().with_admin().start().await?;
    processor.until_ready(SOON).await;
    let fill = "INSERT INTO positions (device_id, ts, latitude, longitude)
        SELECT '1', '2026-05-01T00:00Z'::timestamptz + i * interval '1 second', 54, 25
        FROM generate_series(0, 86399) i RETURNING 1";
    let filled: Vec<i32> = stage.query(fill).await?;
    ensure!(filled.len() == 86_400);
    let path = format!("/devices/1/history?{SPAN}");
    let mut unread = Vec::new();
    for _ in 0..4 {
        unread.push(processor.ask_admin_and_read_nothing(&path).await?);
    }
    for _ in 0..20 {
        let (status, page) = processor.admin_text(&format!("{path}&limit=10&format=csv")).await?;
        ensure!(status == 200 && keys_of_csv(&page)?.len() == 10, "{status} {page}");
    }
    let (status, problem) = processor.admin("GET", &path, None).await?;
    ensure!((status, &problem["code"]) == (503, &Value::from("too_many_exports")), "{status} {problem}");
    drop(unread);
    processor_tests::eventually(SOON, "there is room for another export", async || {
        let (status, _) = processor.admin_text(&path).await?;
        if status == 200 { Ok(()) } else { Err(anyhow::anyhow!("{status}")) }
    })
    .await;
    Ok(())
}
