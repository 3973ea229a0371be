use std::num::NonZeroUsize;
use std::sync::Arc;

use processor_database::Database;
use processor_domain::ports::{Changes, MarkError, MarkQuery, Marked, SystemClock};
use processor_domain::{Fault, Faults, MarkId, Revision, Ruling, samples};
use sea_orm::ConnectionTrait;

use super::{at, faulty, mark, new_mark, second, store, store_good};

fn marked() -> Faults {
    Fault::Marked.into()
}

pub(crate) async fn a_span_is_marked_and_nothing_beside_it(database: &Database) -> anyhow::Result<()> {
    store_good(database, 1, 0..6).await?;
    store_good(database, 2, 0..6).await?;
    let Marked { mark: made, positions } = mark(database, &new_mark(1, 2, 4, Ruling::Faulty)).await?;
    assert_eq!((positions, &made.said), (2, &new_mark(1, 2, 4, Ruling::Faulty)));
    assert_eq!(made.taken_back, None);
    assert_eq!(faulty(database, 1).await?, [(2, marked()), (3, marked())]);
    assert_eq!(faulty(database, 2).await?, []);
    let again = mark(database, &new_mark(1, 2, 4, Ruling::Faulty)).await?;
    assert_eq!(again.positions, 0, "they are so already");
    Ok(())
}

pub(crate) async fn what_is_called_good_is_good_whatever_the_rules_found(
    database: &Database,
) -> anyhow::Result<()> {
    let jump = Faults::from_iter([Fault::ImplausibleJump, Fault::Late]);
    store(database, vec![(at(1, 0), jump), (at(1, 1), jump)]).await?;
    assert_eq!(mark(database, &new_mark(1, 1, 2, Ruling::Good)).await?.positions, 1);
    assert_eq!(faulty(database, 1).await?, [(0, jump)]);
    let all = super::read_all(database, &super::everything_of([1]), 10).await?;
    assert_eq!(all[1].faults, jump.with(Fault::Confirmed), "what was found is still told");
    Ok(())
}

pub(crate) async fn of_several_marks_the_newest_counts(database: &Database) -> anyhow::Result<()> {
    store_good(database, 1, 0..10).await?;
    mark(database, &new_mark(1, 0, 8, Ruling::Faulty)).await?;
    mark(database, &new_mark(1, 2, 6, Ruling::Good)).await?;
    mark(database, &new_mark(1, 5, 7, Ruling::Faulty)).await?;
    let expected: Vec<_> = [0, 1, 5, 6, 7].map(|number| (number, marked())).to_vec();
    assert_eq!(faulty(database, 1).await?, expected);
    Ok(())
}

pub(crate) async fn a_mark_that_is_taken_back_leaves_what_was_before(
    database: &Database,
) -> anyhow::Result<()> {
    store_good(database, 1, 0..4).await?;
    store(database, vec![(at(1, 4), Fault::NoFix.into())]).await?;
    let wide = mark(database, &new_mark(1, 0, 5, Ruling::Faulty)).await?.mark.id;
    let narrow = mark(database, &new_mark(1, 1, 3, Ruling::Good)).await?.mark.id;
    let port = database.marks();
    let by = samples::words("somebody else");

    let back = port.take_back(narrow, &by).await?.expect("there is such a mark");
    assert_eq!((back.positions, back.mark.taken_back.map(|taken| taken.by)), (2, Some(by.clone())));
    assert_eq!(faulty(database, 1).await?.len(), 5, "the wide one speaks again");
    let back = port.take_back(wide, &by).await?.expect("there is such a mark");
    assert_eq!(back.positions, 5);
    assert_eq!(faulty(database, 1).await?, [(4, Fault::NoFix.into())]);

    let first = back.mark.taken_back;
    let again = port.take_back(wide, &samples::words("a third one")).await?.expect("there is such a mark");
    assert_eq!((again.positions, again.mark.taken_back), (0, first), "the first who took it back did");
    assert_eq!(port.take_back(MarkId(1_000_000), &by).await?, None);
    Ok(())
}

pub(crate) async fn what_was_faulty_without_a_reason_is_so_again(database: &Database) -> anyhow::Result<()> {
    store_good(database, 1, 0..2).await?;
    database.connection().execute_unprepared("UPDATE positions SET faulty = true").await?;
    let good = mark(database, &new_mark(1, 0, 1, Ruling::Good)).await?.mark.id;
    let wrong = mark(database, &new_mark(1, 1, 2, Ruling::Faulty)).await?.mark.id;
    assert_eq!(faulty(database, 1).await?.len(), 1);
    for id in [good, wrong] {
        database.marks().take_back(id, &samples::words("race control")).await?;
    }
    let unexplained = Faults::from(Fault::Unexplained);
    assert_eq!(faulty(database, 1).await?, [(0, unexplained), (1, unexplained)]);
    Ok(())
}

pub(crate) async fn marks_are_listed_with_who_said_what_and_why(database: &Database) -> anyhow::Result<()> {
    let port = database.marks();
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(port.mark(&new_mark(number % 2, number, number + 1, Ruling::Faulty)).await?.mark);
    }
    let limit = |number| NonZeroUsize::new(number).expect("more than none");
    let query = MarkQuery { device_id: None, before: None, limit: limit(3) };
    let newest = port.list(&query).await?;
    assert_eq!(newest, [made[4].clone(), made[3].clone(), made[2].clone()]);
    let older = port.list(&MarkQuery { before: Some(newest[2].id), ..query }).await?;
    assert_eq!(older, [made[1].clone(), made[0].clone()]);
    let of_one = MarkQuery { device_id: Some(samples::device(1)), limit: limit(10), ..query };
    assert_eq!(port.list(&of_one).await?, [made[3].clone(), made[1].clone()]);

    let back =
        port.take_back(made[3].id, &samples::words("race control")).await?.expect("there is such a mark");
    assert_eq!(port.list(&of_one).await?[0], back.mark, "what was taken back is not forgotten");
    Ok(())
}

pub(crate) async fn changes_are_told_in_their_order_and_none_is_passed_over(
    database: &Database,
) -> anyhow::Result<()> {
    let port = database.marks();
    let nothing = Changes { marks: vec![], revision: Revision::default() };
    assert_eq!(port.changes(Revision::default()).await?, nothing);
    let first = port.mark(&new_mark(1, 0, 1, Ruling::Faulty)).await?.mark;
    let second = port.mark(&new_mark(2, 0, 1, Ruling::Good)).await?.mark;
    let seen = port.changes(Revision::default()).await?;
    assert_eq!(seen.marks, [first.clone(), second.clone()]);
    assert_eq!(port.changes(seen.revision).await?, Changes { marks: vec![], ..seen.clone() });

    let back =
        port.take_back(first.id, &samples::words("race control")).await?.expect("there is such a mark").mark;
    let third = port.mark(&new_mark(3, 0, 1, Ruling::Faulty)).await?.mark;
    let later = port.changes(seen.revision).await?;
    assert_eq!(later.marks, [back, third.clone()]);
    assert!(later.revision > seen.revision);
    let from_the_beginning = port.changes(Revision::default()).await?.marks;
    assert_eq!(from_the_beginning, [second, third], "what was taken back is no news to who comes new");
    Ok(())
}

pub(crate) async fn more_than_is_changed_at_once_is_refused_and_changes_nothing(
    database: &Database,
) -> anyhow::Result<()> {
    let fill = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
        INSERT INTO positions (device_id, ts, latitude, longitude) SELECT '000000000000001', ";
    let ts = match database.connection().get_database_backend() {
        sea_orm::DbBackend::Postgres => "timestamptz '2026-05-01T10:00Z' + i * interval '1 second'",
        _ => "1777629600000000 + i * 1000000",
    };
    database.connection().execute_unprepared(&format!("{fill}{ts}, 54, 25 FROM n")).await?;
    let refused = mark(database, &new_mark(1, 0, 100_001, Ruling::Faulty)).await;
    assert!(matches!(refused, Err(MarkError::TooMuch { most: 100_000 })), "{refused:?}");
    let none = database.marks().changes(Revision::default()).await?.marks;
    assert_eq!((none, faulty(database, 1).await?), (vec![], vec![]));
    Ok(())
}

pub(crate) async fn a_span_of_many_positions_is_marked_as_a_whole(database: &Database) -> anyhow::Result<()> {
    store_good(database, 1, 0..12_000).await?;
    let marked = mark(database, &new_mark(1, 500, 11_500, Ruling::Faulty)).await?;
    assert_eq!(marked.positions, 11_000);
    let seconds: Vec<u64> = faulty(database, 1).await?.into_iter().map(|(second, _)| second).collect();
    assert_eq!(seconds, (500..11_500).collect::<Vec<_>>());
    Ok(())
}

pub(crate) async fn the_last_known_picture_and_the_memory_of_devices_follow(
    database: &Database,
) -> anyhow::Result<()> {
    store_good(database, 1, 0..5).await?;
    let id = mark(database, &new_mark(1, 3, 10, Ruling::Faulty)).await?.mark.id;
    let last = |found: Vec<processor_domain::Position>| found.first().map(|position| position.ts);
    let device = [samples::device(1)];
    assert_eq!(last(database.last_positions().last_positions(&device).await?), Some(second(2)));
    let memory = database.device_memory(Arc::new(SystemClock));
    let (_, state) = memory.recall(&device).await?.remove(0);
    assert_eq!(state.last_good().map(|fix| fix.ts), Some(second(2)));
    assert_eq!(state.high_water(), Some(second(4)), "that it was heard of is still so");
    database.marks().take_back(id, &samples::words("race control")).await?;
    assert_eq!(last(database.last_positions().last_positions(&device).await?), Some(second(4)));
    Ok(())
}
