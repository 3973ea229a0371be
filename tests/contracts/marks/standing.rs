//! Marks speak of what comes later, too.

use processor_database::Database;
use processor_domain::ports::Verdict::{Duplicate, Merged};
use processor_domain::{Fault, Faults, Judged, Novelty, Ruling, Span, samples};

use super::{at, faulty, mark, new_mark, second, store, store_good};
use crate::databases::rows;

async fn commit(database: &Database, judged: Judged) -> anyhow::Result<processor_domain::ports::Verdict> {
    Ok(database.position_store().commit(&[judged]).await?.remove(0))
}

/// A position elsewhere, with these faults.
fn elsewhere(number: u64, faults: Faults) -> Judged {
    let position = samples::position().device(1).at_moment(second(number)).at(1.0, 2.0).build();
    Judged { position, faults, novelty: Novelty::Suspect }
}

pub(crate) async fn a_record_that_comes_again_does_not_undo_a_mark(
    database: &Database,
) -> anyhow::Result<()> {
    store_good(database, 1, [0]).await?;
    mark(database, &new_mark(1, 0, 1, Ruling::Faulty)).await?;
    let again = |faults| Judged { position: at(1, 0), faults, novelty: Novelty::Suspect };
    // Judged by an instance that has not heard of the mark yet, and by one that has.
    for faults in [Faults::NONE, Fault::Marked.into()] {
        assert_eq!(commit(database, again(faults)).await?, Duplicate);
        assert_eq!(commit(database, elsewhere(0, faults)).await?, Duplicate);
    }
    assert_eq!(faulty(database, 1).await?, [(0, Fault::Marked.into())]);
    Ok(())
}

pub(crate) async fn a_better_place_is_taken_in_and_the_mark_stays(database: &Database) -> anyhow::Result<()> {
    store(database, vec![(at(1, 0), Fault::NoFix.into())]).await?;
    let id = mark(database, &new_mark(1, 0, 1, Ruling::Faulty)).await?.mark.id;
    assert_eq!(commit(database, elsewhere(0, Fault::Late.into())).await?, Merged);
    assert_eq!(faulty(database, 1).await?, [(0, Faults::from_iter([Fault::Late, Fault::Marked]))]);
    database.marks().take_back(id, &samples::words("race control")).await?;
    let row = rows(database).await?.remove(0);
    assert_eq!((row.latitude, row.faulty), (1.0, false));
    Ok(())
}

pub(crate) async fn what_was_confirmed_gives_way_to_nothing(database: &Database) -> anyhow::Result<()> {
    store(database, vec![(at(1, 0), Fault::ImplausibleJump.into())]).await?;
    mark(database, &new_mark(1, 0, 1, Ruling::Good)).await?;
    for faults in [Faults::NONE, Fault::Confirmed.into(), Fault::NoFix.into()] {
        assert_eq!(commit(database, elsewhere(0, faults)).await?, Duplicate);
    }
    let row = rows(database).await?.remove(0);
    assert_eq!((row.latitude, row.faulty), (54.714_636_8, false));
    Ok(())
}

pub(crate) async fn what_came_late_and_was_not_judged_by_a_mark_is_brought_in_line(
    database: &Database,
) -> anyhow::Result<()> {
    mark(database, &new_mark(1, 0, 10, Ruling::Faulty)).await?;
    mark(database, &new_mark(1, 5, 6, Ruling::Good)).await?;
    store_good(database, 1, 0..20).await?;
    assert_eq!(faulty(database, 1).await?, []);
    let span = Span::new(second(0), second(10))?;
    assert_eq!(database.marks().align(&samples::device(1), span).await?, 10, "one of them was confirmed");
    assert_eq!(faulty(database, 1).await?.len(), 9);
    assert_eq!(database.marks().align(&samples::device(1), span).await?, 0);
    Ok(())
}
