use processor_database::Database;
use processor_domain::ports::Verdict::{self, Duplicate, Merged, Refused, Stored};
use processor_domain::{Judged, Timestamp, samples};

use super::{fresh, suspect};
use crate::databases::rows;

/// No JSON, which the codec never makes: so that there is something to refuse.
const BAD: &str = r#"{"a":\u0000"#;
/// JSON with a character that no column takes.
const NUL: &str = r#"{"a":"\u0000"}"#;

fn good(device: u64) -> Judged {
    suspect(samples::position().device(device).build())
}

fn bad(device: u64, attributes: &str) -> Judged {
    suspect(samples::position().device(device).attributes(attributes).build())
}

async fn commit(database: &Database, batch: &[Judged]) -> anyhow::Result<Vec<Verdict>> {
    Ok(database.position_store().commit(batch).await?)
}

/// Which are refused, the rest being stored.
fn refused(verdicts: &[Verdict]) -> Vec<usize> {
    let mut refused = Vec::new();
    for (index, verdict) in verdicts.iter().enumerate() {
        match verdict {
            Refused(_) => refused.push(index),
            other => assert_eq!(other, &Stored, "{index}"),
        }
    }
    refused
}

pub(crate) async fn a_row_that_is_refused_is_told_apart_and_the_others_are_stored(
    database: &Database,
) -> anyhow::Result<()> {
    for (hundred, attributes) in [BAD, NUL].into_iter().enumerate() {
        let first = u64::try_from(hundred)? * 100;
        let mut batch: Vec<Judged> = (first..first + 50).map(good).collect();
        batch[31] = bad(first + 31, attributes);
        let verdicts = commit(database, &batch).await?;
        assert_eq!(refused(&verdicts), [31]);
        let Refused(detail) = &verdicts[31] else { unreachable!() };
        let device = batch[31].position.device_id.to_string();
        for part in ["positions", &device, "2026-05-01T10:00:00.000Z"] {
            assert!(detail.contains(part), "{detail}");
        }
    }
    assert_eq!(rows(database).await?.len(), 98);
    Ok(())
}

pub(crate) async fn a_refused_row_among_fresh_ones_is_told_apart(database: &Database) -> anyhow::Result<()> {
    let mut batch: Vec<Judged> = (0..1_000).map(|device| fresh(good(device).position)).collect();
    batch[0] = fresh(bad(0, BAD).position);
    batch[999] = fresh(bad(999, NUL).position);
    assert_eq!(refused(&commit(database, &batch).await?), [0, 999]);
    assert_eq!(rows(database).await?.len(), 998);
    let again = commit(database, &batch).await?;
    assert!(matches!((&again[0], &again[1], &again[999]), (Refused(_), Duplicate, Refused(_))), "{again:?}");
    Ok(())
}

pub(crate) async fn many_refused_rows_are_told_apart(database: &Database) -> anyhow::Result<()> {
    let batch: Vec<Judged> =
        (0..200).map(|device| if device % 3 == 0 { bad(device, BAD) } else { good(device) }).collect();
    assert_eq!(refused(&commit(database, &batch).await?), (0..200).step_by(3).collect::<Vec<_>>());
    let all: Vec<Judged> = (1_000..1_040).map(|device| bad(device, NUL)).collect();
    assert_eq!(refused(&commit(database, &all).await?).len(), 40);
    assert_eq!(rows(database).await?.len(), 133);
    Ok(())
}

pub(crate) async fn when_the_first_of_a_key_is_refused_the_next_is_stored(
    database: &Database,
) -> anyhow::Result<()> {
    let batch = [bad(1, BAD), good(1), bad(1, BAD), bad(1, r#"{"new":1}"#), good(1)];
    let verdicts = commit(database, &batch).await?;
    assert!(
        matches!(verdicts.as_slice(), [Refused(_), Stored, Refused(_), Merged, Duplicate]),
        "{verdicts:?}"
    );
    assert_eq!(rows(database).await?.len(), 1);
    Ok(())
}

pub(crate) async fn a_refused_repeat_leaves_its_row_alone(database: &Database) -> anyhow::Result<()> {
    commit(database, &[good(1)]).await?;
    let before = rows(database).await?;
    let verdicts = commit(database, &[bad(1, BAD), good(2), bad(1, NUL)]).await?;
    assert!(matches!(verdicts.as_slice(), [Refused(_), Stored, Refused(_)]), "{verdicts:?}");
    assert_eq!(rows(database).await?[..1], before);
    Ok(())
}

pub(crate) async fn a_time_that_cannot_be_kept_is_refused(database: &Database) -> anyhow::Result<()> {
    let at = |micros| suspect(samples::position().at_moment(Timestamp::from_micros(micros)).build());
    let batch = [
        at(i64::MIN),
        at(i64::MAX),
        at(0),
        at(253_402_300_800_000_000),
        at(-62_167_219_200_000_001),
        good(1),
    ];
    assert_eq!(refused(&commit(database, &batch).await?), [0, 1, 3, 4]);
    let kept: Vec<String> = rows(database).await?.iter().map(|row| row.ts.0.to_string()).collect();
    assert_eq!(kept, ["2026-05-01T10:00:00.000Z", "1970-01-01T00:00:00.000Z"]);
    Ok(())
}
