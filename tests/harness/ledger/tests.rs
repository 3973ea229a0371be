use redis::{AsyncCommands, Value, cmd};
use sea_orm::ConnectionTrait;

use super::*;
use crate::{TimescaleServer, connect_database, records, unique};

const GROUP: &str = "processor";

fn id(number: u64) -> EntryId {
    EntryId { millis: number, sequence: 0 }
}

/// Ten entries: 0 to 6 with keys of their own, 7 with the key of 0, 8 and 9 that are no positions.
fn ledger() -> Ledger {
    let mut ledger = Ledger::of("telemetry");
    let keys: Vec<_> = records(7, 1).map(|sample| sample.key).collect();
    let keys = keys.iter().copied().chain([keys[0], None, None]);
    ledger.given = (0..).map(id).zip(keys).collect();
    ledger
}

/// What the servers hold when all went well.
fn books() -> Books {
    let keys = records(7, 1).filter_map(|sample| sample.key);
    Books {
        rows: keys.map(|key| (key, 1)).collect(),
        dead: [id(8), id(9)].into(),
        pending: Vec::new(),
        last_delivered: id(9),
    }
}

fn faults(ledger: &Ledger, books: &Books) -> String {
    let (account, faults) = ledger.settle(books);
    assert_eq!(account.given, 10);
    faults.concat()
}

#[test]
fn everything_has_its_place() {
    let (account, faults) = ledger().settle(&books());
    assert_eq!(account, Account { given: 10, rows: 7, repeats: 1, dead_letters: 2, lost: 0 });
    assert_eq!(faults.concat(), "");
}

#[test]
fn a_missing_row_is_found_with_its_key() {
    let mut books = books();
    let key = books.rows.pop_last().unwrap().0;
    let found = faults(&ledger(), &books);
    assert!(found.starts_with("1 neither in the table nor a dead letter: 6-0"), "{found}");
    assert!(found.contains(key.0.as_str()), "{found}");
}

#[test]
fn what_may_be_lost_is_lost_only_if_it_is_not_there() {
    let (mut ledger, mut books) = (ledger(), books());
    ledger.allow_lost([id(0), id(6)]);
    books.rows.pop_last();
    let (account, faults) = ledger.settle(&books);
    assert_eq!(account, Account { given: 10, rows: 6, repeats: 1, dead_letters: 2, lost: 1 });
    assert_eq!(faults.concat(), "");
}

#[test]
fn a_missing_dead_letter_is_found() {
    let mut books = books();
    books.dead.pop_last();
    assert_eq!(faults(&ledger(), &books), "1 neither in the table nor a dead letter: 9-0 (not a position)");
}

#[test]
fn rows_and_dead_letters_of_nothing_are_found() {
    let mut books = books();
    books.dead.insert(id(77));
    books.rows.extend(records(8, 1).last().and_then(|sample| sample.key).map(|key| (key, 1)));
    let found = faults(&ledger(), &books);
    assert!(found.contains("1 in the table and not to be there: 356307042000007"), "{found}");
    assert!(found.contains("1 dead letters of no entry: 77-0"), "{found}");
}

#[test]
fn a_row_that_is_there_twice_is_found() {
    let mut books = books();
    books.rows.first_entry().unwrap().insert(2);
    assert!(faults(&ledger(), &books).contains("1 in the table more than once"));
}

#[test]
fn a_record_that_is_both_a_row_and_a_dead_letter_is_found() {
    let mut books = books();
    books.dead.insert(id(3));
    assert!(faults(&ledger(), &books).contains("1 in the table and not to be there"));
}

/// The harness itself: what a program does with the records is done here by hand, and then undone a little.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_closes_on_real_servers_and_does_not_with_one_row_missing() -> anyhow::Result<()> {
    let (redis, timescale) = (RedisServer::start().await?, TimescaleServer::start().await?);
    let url = timescale.create_database().await?;
    let database = connect_database(&url).await?;
    let tables = "CREATE TABLE positions (device_id text, ts timestamptz);
        CREATE TABLE dead_letters (stream text, entry_id text)";
    database.execute_unprepared(tables).await?;

    let mut connection = redis.connection().await?;
    let stream = unique("telemetry");
    let mut ledger = Ledger::of(&stream);
    let repeat = records(1, 1);
    let ids = ledger.publish(&mut connection, records(50, 30).chain(repeat)).await?;
    let poison = [&b"poison"[..], b"venom"].map(Sample::undecodable);
    let poison = ledger.publish(&mut connection, poison).await?;
    assert_eq!((ids.len(), poison.len(), ledger.given()), (1_501, 2, 1_503));

    let () = connection.xgroup_create(&stream, GROUP, "0").await?;
    let error = ledger.check(&redis, &url, GROUP).await.expect_err("nothing is done yet").to_string();
    assert!(error.contains("1503 neither in the table nor a dead letter"), "{error}");
    assert!(error.contains("1503 never delivered"), "{error}");

    let reading = cmd("XREADGROUP").arg(&["GROUP", GROUP, "me", "STREAMS", &stream, ">"]).to_owned();
    let _: Value = reading.query_async(&mut connection).await?;
    for sample in records(50, 30) {
        let (device, ts) = sample.key.context("a position has a key")?;
        database.execute_unprepared(&format!("INSERT INTO positions VALUES ('{device}', '{ts}')")).await?;
    }
    let letter = [("entry_id", poison[0].to_string())];
    let _: Option<String> = connection.xadd(format!("{stream}:dead"), "*", &letter).await?;
    let letter = format!("INSERT INTO dead_letters VALUES ('{stream}', '{}'), ('another', '1-1')", poison[1]);
    database.execute_unprepared(&letter).await?;
    let error = ledger.check(&redis, &url, GROUP).await.expect_err("all is pending").to_string();
    assert!(error.contains("100 pending"), "{error}");

    let all: Vec<String> = ids.iter().chain(&poison).map(EntryId::to_string).collect();
    let _: i64 = connection.xack(&stream, GROUP, &all).await?;
    let account = ledger.check(&redis, &url, GROUP).await?;
    assert_eq!(account, Account { given: 1_503, rows: 1_500, repeats: 1, dead_letters: 2, lost: 0 });

    // Known again by what the stream holds.
    ledger.given.clear();
    ledger.recount(&mut connection).await?;
    assert_eq!(ledger.check(&redis, &url, GROUP).await?, account);

    let one = "DELETE FROM positions WHERE ctid = (SELECT ctid FROM positions ORDER BY device_id LIMIT 1 OFFSET 700)";
    database.execute_unprepared(one).await?;
    let error = ledger.check(&redis, &url, GROUP).await.expect_err("a row is missing").to_string();
    assert!(error.contains("1 neither in the table nor a dead letter"), "{error}");
    Ok(())
}
