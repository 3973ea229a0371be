use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use processor_database::Database;
use processor_domain::ports::{Clock, HistoryPage, SystemClock};
use processor_domain::{
    Altitude, Fault, Faults, Heading, HistoryCursor, HistoryQuery, IoId, Kept, Position, Priority, Span,
    Wanted, samples,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{everything_of, read_all, store};

fn at(device: u64, ts: &str) -> Position {
    samples::position().device(device).ts(ts).build()
}

/// Device and time of each, as text.
fn keys(found: &[Kept]) -> Vec<(String, String)> {
    let key = |kept: &Kept| (kept.position.device_id.to_string(), kept.position.ts.to_string());
    found.iter().map(key).collect()
}

fn times(found: &[Kept]) -> Vec<String> {
    found.iter().map(|kept| kept.position.ts.to_string()).collect()
}

pub(crate) async fn nothing_is_one_empty_page(database: &Database) -> anyhow::Result<()> {
    let some = NonZeroUsize::new(10).expect("more than none");
    for query in [everything_of([]), everything_of([1, 2])] {
        assert_eq!(database.history().page(&query, None, some).await?, HistoryPage::default());
    }
    Ok(())
}

pub(crate) async fn all_that_was_stored_comes_back_as_it_was(database: &Database) -> anyhow::Result<()> {
    let full = samples::position().ts("2026-05-01T10:00:00.123456Z").at(-54.000_000_1, 179.999_999_9);
    // Members in the order that `jsonb` gives them.
    let mut full = full.speed(45.3).satellites(Some(255)).priority(Priority::Panic);
    full = full.attributes(r#"{"o":[1,{"x":null}],"239":1,"a b":"c, \": é"}"#);
    let mut full = full.build();
    full.altitude = Altitude::from_metres(-12.5);
    full.heading = Heading::from_degrees(359.9);
    let mut bare = samples::position()
        .ts("2026-05-01T10:00:01Z")
        .at(91.0, 0.0)
        .satellites(None)
        .attributes("{}")
        .build();
    (bare.altitude, bare.heading, bare.speed) = (None, None, None);
    let faults = Faults::from_iter([Fault::OutOfRange, Fault::Late]);
    let before = SystemClock.now().minus(Duration::from_mins(5));
    store(database, vec![(full.clone(), Fault::Late.into()), (bare.clone(), faults)]).await?;

    let mut query = HistoryQuery::of([full.device_id], everything_of([]).span);
    query.attributes = true;
    let found = read_all(database, &query, 10).await?;
    let written = found[0].position.received_at;
    assert!(written > before, "when it was written, which was now");
    let received_at =
        |position: Position, of: &Kept| Position { received_at: of.position.received_at, ..position };
    assert_eq!(
        found,
        [
            Kept { position: received_at(full, &found[0]), faults: Fault::Late.into(), faulty: false },
            Kept { position: received_at(bare, &found[1]), faults, faulty: true },
        ]
    );
    Ok(())
}

pub(crate) async fn attributes_come_only_if_they_are_asked_for(database: &Database) -> anyhow::Result<()> {
    store(database, vec![(at(1, "2026-05-01T10:00:00Z"), Faults::NONE)]).await?;
    let mut query = everything_of([1]);
    assert!(read_all(database, &query, 10).await?[0].position.attributes.is_empty());
    query.attributes = true;
    assert_eq!(
        read_all(database, &query, 10).await?[0].position.attributes.integer(&IoId::new(66)),
        Some(12_345)
    );
    Ok(())
}

pub(crate) async fn a_span_has_its_first_moment_and_not_its_last(database: &Database) -> anyhow::Result<()> {
    let moments = ["09:59:59.999999", "10:00:00", "10:30:00", "10:59:59.999999", "11:00:00"];
    let all = moments.map(|time| (at(1, &format!("2026-05-01T{time}Z")), Faults::NONE));
    store(database, all.to_vec()).await?;
    let span = Span::new(samples::at("2026-05-01T10:00:00Z"), samples::at("2026-05-01T11:00:00Z"))?;
    let query = HistoryQuery::of([samples::device(1)], span);
    let expected = ["2026-05-01T10:00:00.000Z", "2026-05-01T10:30:00.000Z", "2026-05-01T10:59:59.999999Z"];
    assert_eq!(times(&read_all(database, &query, 2).await?), expected);
    Ok(())
}

pub(crate) async fn whoever_wants_only_good_or_only_faulty_ones_gets_those(
    database: &Database,
) -> anyhow::Result<()> {
    let second = |number: u64| at(1, &format!("2026-05-01T10:00:0{number}Z"));
    let faults = [Faults::NONE, Fault::NoFix.into(), Fault::Late.into(), Fault::ImplausibleJump.into()];
    store(database, (0..).map(second).zip(faults).collect()).await?;
    for (wanted, expected) in
        [(Wanted::All, vec![0, 1, 2, 3]), (Wanted::Good, vec![0, 2]), (Wanted::Faulty, vec![1, 3])]
    {
        let mut query = everything_of([1]);
        query.wanted = wanted;
        for limit in [1, 2, 10] {
            let expected: Vec<_> = expected.iter().map(|number| second(*number).ts.to_string()).collect();
            assert_eq!(times(&read_all(database, &query, limit).await?), expected, "{wanted:?}");
        }
    }
    Ok(())
}

pub(crate) async fn a_cursor_of_anybody_elses_making_is_understood(
    database: &Database,
) -> anyhow::Result<()> {
    let all = [1, 3].map(|device| (at(device, "2026-05-01T10:00:00Z"), Faults::NONE));
    store(database, all.to_vec()).await?;
    let after = |device, ts| HistoryCursor { device_id: samples::device(device), ts: samples::at(ts) };
    let cases = [
        (after(1, "2026-05-01T09:00:00Z"), vec![1, 3]),
        (after(1, "2026-05-01T10:00:00Z"), vec![3]),
        (after(2, "2026-05-01T10:00:00Z"), vec![3]),
        (after(3, "2030-01-01T00:00:00Z"), vec![]),
        (after(4, "2026-05-01T10:00:00Z"), vec![]),
    ];
    let some = NonZeroUsize::new(10).expect("more than none");
    for (cursor, expected) in cases {
        let page = database.history().page(&everything_of([1, 3]), Some(cursor), some).await?;
        let devices: Vec<_> = page.positions.iter().map(|kept| kept.position.device_id).collect();
        assert_eq!(devices, expected.into_iter().map(samples::device).collect::<Vec<_>>(), "{cursor}");
        assert_eq!(page.next, None);
    }
    Ok(())
}

pub(crate) async fn many_devices_without_anything_do_not_make_one_page_long(
    database: &Database,
) -> anyhow::Result<()> {
    store(database, vec![(at(499, "2026-05-01T10:00:00Z"), Faults::NONE)]).await?;
    let query = everything_of(0..500);
    let page = database.history().page(&query, None, NonZeroUsize::MIN).await?;
    assert!(page.positions.is_empty() && page.next.is_some(), "{page:?}");
    assert_eq!(read_all(database, &query, 1).await?.len(), 1);
    Ok(())
}

/// Positions of a few cars over months, in no order.
fn arrivals() -> impl Strategy<Value = BTreeMap<(u64, u64), bool>> {
    prop::collection::btree_map((0_u64..6, 0_u64..3_000), any::<bool>(), 1..200)
}

pub(crate) async fn pages_of_any_size_are_together_what_one_finds_by_looking_at_every_row(
    database: &Database,
) -> anyhow::Result<()> {
    let mut runner = TestRunner::deterministic();
    let tree = arrivals().new_tree(&mut runner).map_err(|reason| anyhow::anyhow!("{reason}"))?;
    let rows = tree.current();
    let start = samples::at("2026-01-01T00:00:00Z");
    let moment = |hour: u64| start.plus(Duration::from_hours(hour));
    let batch = rows.iter().rev().map(|((device, hour), faulty)| {
        let faults = if *faulty { Fault::NoFix.into() } else { Faults::NONE };
        (samples::position().device(*device).at_moment(moment(*hour)).build(), faults)
    });
    store(database, batch.collect()).await?;
    let spans = [(0, 3_000), (500, 1_700), (2_999, 3_000)];
    for ((from, to), limit) in
        spans.into_iter().zip([1, 7, 1_000]).chain(spans.into_iter().zip([1_000, 1, 3]))
    {
        let mut query =
            HistoryQuery::of([5, 1, 3, 9].map(samples::device), Span::new(moment(from), moment(to))?);
        for wanted in [Wanted::All, Wanted::Good, Wanted::Faulty] {
            query.wanted = wanted;
            let expected: Vec<_> = rows
                .iter()
                .filter(|((device, hour), faulty)| {
                    [1, 3, 5].contains(device) && (from..to).contains(hour) && wanted.has(**faulty)
                })
                .map(|((device, hour), _)| (samples::device(*device).to_string(), moment(*hour).to_string()))
                .collect();
            assert_eq!(keys(&read_all(database, &query, limit).await?), expected);
        }
    }
    Ok(())
}
