//! Rows that may be there already: inserted if they are not, united with what is there if they are.

use processor_domain::ports::Verdict;
use processor_domain::{Altitude, DeviceId, Heading, Judged, Speed, Timestamp};
use sea_orm::sqlx::postgres::{PgArguments, PgBindIterExt, PgRow};
use sea_orm::sqlx::query::Query;
use sea_orm::sqlx::{self, Connection, PgConnection, PgTransaction, Postgres, Row};

use super::failure::{Failure, RowError};
use super::moment::PgMoment;
use crate::layers::{Layers, by_key, key};
use crate::ruled::{self, FOUND, MARKED};
use crate::storable::refusal;

/// One statement for a batch of any length: a list of values in the text would be prepared anew for each
/// length.
const INSERT: &str = "INSERT INTO positions (device_id, ts, latitude, longitude, altitude, angle, speed, satellites,
    priority, attributes, faulty, faults)
SELECT n.device_id, n.ts, n.latitude, n.longitude, n.altitude, n.angle, n.speed, n.satellites,
    n.priority, n.attributes::jsonb, n.faulty, n.faults
FROM unnest($1::text[], $2::timestamptz[], $3::float8[], $4::float8[], $5::float4[], $6::float4[], $7::float4[],
    $8::int2[], $9::int2[], $10::text[], $11::bool[], $12::int4[])
    AS n (device_id, ts, latitude, longitude, altitude, angle, speed, satellites,
        priority, attributes, faulty, faults)
ON CONFLICT DO NOTHING
RETURNING device_id, ts";

/// Which rows would change what is there. Each is looked up by its key in the one chunk that can have it: the
/// bounds leave out all other chunks before the first lookup, and `LIMIT 1` keeps the planner from joining.
const DIFFERING: &str = "SELECT n.place
FROM unnest($1::text[], $2::timestamptz[], $3::int2[], $4::text[], $5::bool[]) WITH ORDINALITY
    AS n (device_id, ts, priority, attributes, placed, place)
CROSS JOIN LATERAL (
    SELECT coalesce(p.priority, 0) AS priority, coalesce(p.attributes, '{}') AS attributes,
        coalesce(p.faulty, false) AND (coalesce(p.faults, 0) & $8 = 0 OR coalesce(p.faults, 0) & $9 <> 0) AS gives_way
    FROM positions p
    WHERE p.device_id = n.device_id AND p.ts = n.ts AND p.ts BETWEEN $6 AND $7
    LIMIT 1
) s
WHERE n.priority > s.priority
    OR s.gives_way AND n.placed
    OR n.attributes::jsonb <> s.attributes AND n.attributes::jsonb || s.attributes <> s.attributes";

/// Unites rows with what is there. What would change nothing is neither changed nor returned; it is asked again
/// here because another writer may have come in between.
macro_rules! unite_where {
    ($gives_way:literal) => {
        concat!(
            "INSERT INTO positions AS s (device_id, ts, latitude, longitude, altitude, angle, speed, satellites,
    priority, attributes, faulty, faults)
SELECT n.device_id, n.ts, n.latitude, n.longitude, n.altitude, n.angle, n.speed, n.satellites,
    n.priority, n.attributes::jsonb, n.faulty, n.faults
FROM unnest($1::text[], $2::timestamptz[], $3::float8[], $4::float8[], $5::float4[], $6::float4[], $7::float4[],
    $8::int2[], $9::int2[], $10::text[], $11::bool[], $12::int4[])
    AS n (device_id, ts, latitude, longitude, altitude, angle, speed, satellites,
        priority, attributes, faulty, faults)
ON CONFLICT (device_id, ts) DO UPDATE SET
    priority = greatest(s.priority, excluded.priority),
    attributes = excluded.attributes || coalesce(s.attributes, '{}'),
    latitude = CASE WHEN ",
            $gives_way,
            " THEN excluded.latitude ELSE s.latitude END,
    longitude = CASE WHEN ",
            $gives_way,
            " THEN excluded.longitude ELSE s.longitude END,
    altitude = CASE WHEN ",
            $gives_way,
            " THEN excluded.altitude ELSE s.altitude END,
    angle = CASE WHEN ",
            $gives_way,
            " THEN excluded.angle ELSE s.angle END,
    speed = CASE WHEN ",
            $gives_way,
            " THEN excluded.speed ELSE s.speed END,
    satellites = CASE WHEN ",
            $gives_way,
            " THEN excluded.satellites ELSE s.satellites END,
    faults = CASE WHEN ",
            $gives_way,
            "
        THEN nullif(coalesce(excluded.faults, 0) | (coalesce(s.faults, 0) & $13), 0) ELSE s.faults END,
    faulty = CASE WHEN ",
            $gives_way,
            "
        THEN ((coalesce(excluded.faults, 0) | coalesce(s.faults, 0)) & $13) <> 0 ELSE s.faulty END
WHERE excluded.priority > coalesce(s.priority, 0)
    OR ",
            $gives_way,
            "
    OR excluded.attributes <> coalesce(s.attributes, '{}')
        AND excluded.attributes || coalesce(s.attributes, '{}') <> coalesce(s.attributes, '{}')
RETURNING device_id, ts"
        )
    };
}
const UNITE: &str = unite_where!(
    "(coalesce(s.faulty, false) AND (coalesce(s.faults, 0) & $13 = 0 OR coalesce(s.faults, 0) & $14 <> 0)
        AND coalesce(excluded.faults, 0) & $14 = 0)"
);

/// What to do when the server will not have the rows as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// Give the whole batch up.
    GiveUp,
    /// Write fewer at a time: a row that fails alone for what it holds is refused, and the others are written.
    Halve,
}

/// Writes all that `layers` arranges and says what became of each in `verdicts`, which has one for each of
/// `batch`.
pub(crate) async fn write(
    transaction: &mut PgTransaction<'_>,
    batch: &[Judged],
    layers: &Layers,
    on_failure: OnFailure,
    verdicts: &mut [Verdict],
) -> Result<(), Failure> {
    for layer in &layers.layers {
        match on_failure {
            OnFailure::GiveUp => write_layer(transaction, batch, layer, verdicts).await?,
            OnFailure::Halve => halve(transaction, batch, layer, verdicts).await?,
        }
    }
    layers.echo(verdicts);
    Ok(())
}

/// Halves what fails until what fails is alone.
async fn halve(
    transaction: &mut PgTransaction<'_>,
    batch: &[Judged],
    layer: &[usize],
    verdicts: &mut [Verdict],
) -> Result<(), Failure> {
    let mut parts = vec![layer];
    // What was too much of one part is taken to be too much of all that follow.
    let mut at_most = layer.len();
    while let Some(part) = parts.pop() {
        if part.len() <= at_most {
            let mut savepoint = transaction.begin().await?;
            match (write_layer(&mut savepoint, batch, part, verdicts).await, part) {
                (Ok(()), _) => {
                    savepoint.commit().await?;
                    continue;
                }
                (Err(Failure::Row(error)), [alone]) => {
                    savepoint.rollback().await?;
                    verdicts[*alone] = refused(&batch[*alone], &error);
                    continue;
                }
                (Err(Failure::Row(_)), _) => savepoint.rollback().await?,
                (Err(Failure::TooMuch(_)), [_, _, ..]) => {
                    savepoint.rollback().await?;
                    at_most = part.len() / 2;
                }
                (Err(other), _) => return Err(other),
            }
        }
        let (first, second) = part.split_at(part.len() / 2);
        parts.extend([second, first]);
    }
    Ok(())
}

fn refused(judged: &Judged, error: &RowError) -> Verdict {
    Verdict::Refused(refusal(&judged.position, error))
}

/// Writes rows with different keys.
async fn write_layer(
    connection: &mut PgConnection,
    batch: &[Judged],
    layer: &[usize],
    verdicts: &mut [Verdict],
) -> Result<(), Failure> {
    let inserted = bind_rows(INSERT, batch, layer).fetch_all(&mut *connection).await?;
    // Verdicts say `Stored` until something else is known.
    if inserted.len() == layer.len() {
        return Ok(());
    }
    let inserted = places_of(&inserted, batch, layer)?;
    let there: Vec<usize> = without(layer, &inserted);
    let differing = differing(connection, batch, &there).await?;
    let mut united = Vec::new();
    if !differing.is_empty() {
        let returned =
            bind_rows(UNITE, batch, &differing).bind(MARKED).bind(FOUND).fetch_all(connection).await?;
        united = places_of(&returned, batch, &differing)?.iter().map(|place| differing[*place]).collect();
    }
    for index in there {
        verdicts[index] = Verdict::Duplicate;
    }
    for index in united {
        verdicts[index] = Verdict::Merged;
    }
    Ok(())
}

/// Those of `rows` that would change what is there under their keys.
async fn differing(
    connection: &mut PgConnection,
    batch: &[Judged],
    rows: &[usize],
) -> Result<Vec<usize>, Failure> {
    let times = || rows.iter().map(|row| batch[*row].position.ts);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(Vec::new()) };
    let each = || rows.iter().map(|row| &batch[*row]);
    let places: Vec<i64> = sqlx::query_scalar(DIFFERING)
        .bind(each().map(|row| row.position.device_id.as_str()).bind_iter())
        .bind(each().map(|row| PgMoment(row.position.ts)).bind_iter())
        .bind(each().map(|row| i16::from(row.position.priority.number())).bind_iter())
        .bind(each().map(|row| row.position.attributes.as_json()).bind_iter())
        .bind(each().map(|row| ruled::placed(row.faults)).bind_iter())
        .bind(PgMoment(first))
        .bind(PgMoment(last))
        .bind(MARKED)
        .bind(FOUND)
        .fetch_all(connection)
        .await?;
    // Ordinality counts from 1; places come in no promised order, and later statements want them in order.
    let mut differing: Vec<usize> =
        places.iter().filter_map(|place| rows.get(usize::try_from(place - 1).ok()?).copied()).collect();
    differing.sort_unstable_by(by_key(batch));
    Ok(differing)
}

/// Binds the rows as one array for each column. The server would fill up arrays of unequal length with nulls;
/// these cannot be, since each runs over the same rows.
fn bind_rows<'q>(sql: &'static str, batch: &[Judged], rows: &[usize]) -> Query<'q, Postgres, PgArguments> {
    let each = || rows.iter().map(|row| &batch[*row]);
    let positions = || each().map(|row| &row.position);
    sqlx::query(sql)
        .bind(positions().map(|position| position.device_id.as_str()).bind_iter())
        .bind(positions().map(|position| PgMoment(position.ts)).bind_iter())
        .bind(positions().map(|position| position.coordinates.latitude()).bind_iter())
        .bind(positions().map(|position| position.coordinates.longitude()).bind_iter())
        .bind(positions().map(|position| position.altitude.map(Altitude::metres)).bind_iter())
        .bind(positions().map(|position| position.heading.map(Heading::degrees)).bind_iter())
        .bind(positions().map(|position| position.speed.map(Speed::kmh)).bind_iter())
        .bind(positions().map(|position| position.satellites.map(i16::from)).bind_iter())
        .bind(positions().map(|position| i16::from(position.priority.number())).bind_iter())
        .bind(positions().map(|position| position.attributes.as_json()).bind_iter())
        .bind(each().map(|row| row.faults.faulty()).bind_iter())
        .bind(each().map(|row| (!row.faults.is_empty()).then(|| i32::from(row.faults.bits()))).bind_iter())
}

/// Where in `rows`, which are ordered by key, the keys of `returned` stand.
fn places_of(returned: &[PgRow], batch: &[Judged], rows: &[usize]) -> Result<Vec<usize>, Failure> {
    let mut places = Vec::with_capacity(returned.len());
    for row in returned {
        let device: &str = row.try_get(0)?;
        let PgMoment(ts) = row.try_get(1)?;
        let place = rows.binary_search_by(|index| order(&batch[*index], device, ts));
        places.extend(place);
    }
    places.sort_unstable();
    Ok(places)
}

fn order(judged: &Judged, device: &str, ts: Timestamp) -> std::cmp::Ordering {
    let of: (&DeviceId, Timestamp) = key(judged);
    of.0.as_str().cmp(device).then(of.1.cmp(&ts))
}

/// `rows` without those at `places`, which are in order.
fn without(rows: &[usize], places: &[usize]) -> Vec<usize> {
    let mut places = places.iter().peekable();
    let kept = rows.iter().enumerate().filter(|(place, _)| places.next_if_eq(&place).is_none());
    kept.map(|(_, row)| *row).collect()
}
