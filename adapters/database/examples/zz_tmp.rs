//! tmp
use processor_database::*;
use processor_domain::{Faults, Judged, Novelty, samples, ports::Verdict};
use std::time::{Duration, Instant};
use sea_orm::ConnectionTrait;
fn rows(n: usize, novelty: Novelty) -> Vec<Judged> {
    let start = samples::at("2026-05-01T10:00:00Z");
    (0..n).map(|row| {
        let position = samples::position().device((row % 1000) as u64).at_moment(start.plus(Duration::from_secs((row / 1000) as u64)))
            .attributes(r#"{"239":1,"240":1,"21":5,"66":12345,"16":123456789}"#).build();
        Judged { position, faults: Faults::NONE, novelty }
    }).collect()
}
fn cpu() -> f64 {
    let s = std::fs::read_dir("/proc/self/task").unwrap().map(|t| std::fs::read_to_string(t.unwrap().path().join("schedstat")).unwrap().split(' ').next().unwrap().parse::<u64>().unwrap()).sum::<u64>();
    s as f64 / 1000.0
}
#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let db = Database::connect(DatabaseSettings::of(&url)).await.unwrap();
    let c = db.connection();
    if url.starts_with("sqlite") {
        c.execute_unprepared("CREATE TABLE IF NOT EXISTS positions (device_id text NOT NULL, ts integer NOT NULL, latitude real NOT NULL, longitude real NOT NULL, altitude real, angle real, speed real, satellites integer, priority integer NOT NULL DEFAULT 0, attributes text NOT NULL DEFAULT '{}' CHECK (json_valid(attributes)), faulty boolean NOT NULL DEFAULT false, ingested_at integer NOT NULL DEFAULT (cast(unixepoch('subsec') * 1000000 AS integer)), faults integer, CONSTRAINT positions_place_finite CHECK (abs(latitude) < 9e999 AND abs(longitude) < 9e999))").await.unwrap();
        c.execute_unprepared("CREATE UNIQUE INDEX IF NOT EXISTS positions_device_ts_idx ON positions (device_id, ts DESC)").await.unwrap();
    } else {
        for s in ["CREATE EXTENSION IF NOT EXISTS timescaledb", "DROP TABLE IF EXISTS positions", "CREATE TABLE positions (
        device_id text NOT NULL, ts timestamptz NOT NULL, latitude float8 NOT NULL, longitude float8 NOT NULL,
        altitude real, angle real, speed real, satellites smallint, priority smallint NOT NULL DEFAULT 0,
        attributes jsonb NOT NULL DEFAULT '{}', faulty boolean NOT NULL DEFAULT false,
        ingested_at timestamptz NOT NULL DEFAULT now(), faults integer)", "SELECT create_hypertable('positions', 'ts', create_default_indexes => false)", "CREATE UNIQUE INDEX positions_device_ts_idx ON positions (device_id, ts DESC)", "CHECKPOINT"] { c.execute_unprepared(s).await.unwrap(); }
    }
    let store = db.position_store();
    let n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    for (name, rows, dup) in [("fresh", rows(n, Novelty::Fresh), false), ("all dup suspects", rows(n, Novelty::Suspect), true)] {
        let (t, c0) = (Instant::now(), cpu());
        for b in rows.chunks(2000) {
            let v = store.commit(b).await.unwrap();
            assert!(v.iter().all(|v| *v == if dup { Verdict::Duplicate } else { Verdict::Stored }));
        }
        println!("{name}: {:.0}/s cpu {:.2} us/row", n as f64 / t.elapsed().as_secs_f64(), (cpu() - c0) / n as f64);
    }
    // 50% duplicates: old and new mixed, with right hints
    let all = rows(2*n, Novelty::Fresh);
    let mixed: Vec<Judged> = (0..n).flat_map(|i| [Judged{novelty: Novelty::Suspect, ..all[i].clone()}, all[n+i].clone()]).collect();
    let (t, c0) = (Instant::now(), cpu());
    for b in mixed.chunks(2000) { store.commit(b).await.unwrap(); }
    println!("50% dup hinted: {:.0}/s cpu {:.2} us/row", 2.0*n as f64 / t.elapsed().as_secs_f64(), (cpu() - c0) / (2.0*n as f64));
    let sus: Vec<Judged> = rows(4*n, Novelty::Suspect).split_off(2*n);
    let (t, c0) = (Instant::now(), cpu());
    for b in sus.chunks(2000) { store.commit(b).await.unwrap(); }
    println!("new suspects: {:.0}/s cpu {:.2} us/row", 2.0*n as f64 / t.elapsed().as_secs_f64(), (cpu() - c0) / (2.0*n as f64));
    for size in [1usize, 10, 20, 100] {
        let r: Vec<Judged> = rows(5*n, Novelty::Fresh).split_off(4*n);
        let k = 300;
        let t = Instant::now();
        for b in r.chunks(size).skip(size*1000/size).take(k) { store.commit(b).await.unwrap(); }
        println!("size {size}: {:.3} ms/commit", t.elapsed().as_secs_f64()*1e3 / k as f64);
    }
}
