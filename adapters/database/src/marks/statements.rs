//! The statements about marks, as each database wants them.

use processor_domain::ports::MarkQuery;
use processor_domain::{
    DeviceId, Mark, MarkId, NewMark, Revision, Ruling, Span, TakenBack, Timestamp, Words,
};
use sea_orm::{DbBackend, DbErr, QueryResult, Statement, Value};

use crate::entity::columns::Moment;
use crate::ruled;

const COLUMNS: &str =
    "id, revision, device_id, from_ts, to_ts, faulty, marked_by, why, marked_at, taken_back_by,
    taken_back_at";

/// The number of the next change. Whoever asks for it has the right to change, which only one has at a time.
const NEXT_REVISION: &str = "(SELECT coalesce(max(revision), 0) + 1 FROM marks)";

/// Makes statements. Values are numbered, which both databases understand; moments are microseconds, of which
/// PostgreSQL has to make what it keeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statements {
    backend: DbBackend,
}

impl Statements {
    pub(super) const fn of(backend: DbBackend) -> Self {
        Self { backend }
    }

    fn moment(self, value: &str) -> String {
        match self.backend {
            DbBackend::Postgres => {
                format!("(timestamptz 'epoch' + {value}::bigint * interval '1 microsecond')")
            }
            _ => value.to_owned(),
        }
    }

    fn now(self) -> &'static str {
        match self.backend {
            DbBackend::Postgres => "now()",
            _ => "(cast(unixepoch('subsec') * 1000000 AS integer))",
        }
    }

    fn with<const N: usize>(self, sql: impl AsRef<str>, values: [Value; N]) -> Statement {
        Statement::from_sql_and_values(self.backend, sql.as_ref(), values)
    }

    /// Takes the right to change marks, until the transaction ends, and then waits for nobody's row for long.
    /// SQLite has one writer at a time anyhow.
    pub(super) fn opening(self) -> &'static [&'static str] {
        match self.backend {
            DbBackend::Postgres => &[
                "SELECT pg_advisory_xact_lock(hashtextextended('processor: marks', 0))",
                // Much shorter than the time after which the server looks for circles.
                "SET LOCAL lock_timeout = '100ms'",
            ],
            _ => &[],
        }
    }

    pub(super) fn standing(self) -> Statement {
        self.with("SELECT count(*) AS number FROM marks WHERE taken_back_at IS NULL", [])
    }

    pub(super) fn add(self, said: &NewMark) -> Statement {
        let (from, to) = (self.moment("$2"), self.moment("$3"));
        let sql = format!(
            "INSERT INTO marks (revision, device_id, from_ts, to_ts, faulty, marked_by, why)
             VALUES ({NEXT_REVISION}, $1, {from}, {to}, $4, $5, $6) RETURNING {COLUMNS}"
        );
        let values = [
            said.device_id.as_str().into(),
            said.span.from().micros().into(),
            said.span.to().micros().into(),
            (said.ruling == Ruling::Faulty).into(),
            said.by.as_str().into(),
            said.why.as_str().into(),
        ];
        self.with(sql, values)
    }

    pub(super) fn get(self, id: MarkId) -> Statement {
        self.with(format!("SELECT {COLUMNS} FROM marks WHERE id = $1"), [id.0.into()])
    }

    pub(super) fn take_back(self, id: MarkId, by: &Words) -> Statement {
        let sql = format!(
            "UPDATE marks SET revision = {NEXT_REVISION}, taken_back_by = $2, taken_back_at = {}
             WHERE id = $1 RETURNING {COLUMNS}",
            self.now()
        );
        self.with(sql, [id.0.into(), by.as_str().into()])
    }

    pub(super) fn list(self, query: &MarkQuery) -> Statement {
        let sql = format!(
            "SELECT {COLUMNS} FROM marks
             WHERE (CAST($1 AS text) IS NULL OR device_id = $1) AND id < $2 ORDER BY id DESC LIMIT $3"
        );
        let device = query.device_id.map(|device| device.as_str().to_owned());
        let before = query.before.map_or(i64::MAX, |before| before.0);
        self.with(sql, [device.into(), before.into(), as_limit(query.limit.get()).into()])
    }

    pub(super) fn changes(self, after: Revision, limit: i64) -> Statement {
        // At the beginning what was taken back is no news.
        let sql = format!(
            "SELECT {COLUMNS} FROM marks
             WHERE revision > $1 AND ($1 > 0 OR taken_back_at IS NULL) ORDER BY revision LIMIT $2"
        );
        self.with(sql, [after.0.into(), limit.into()])
    }

    /// The marks that count and speak of any position of a device in a span.
    pub(super) fn speaking_of(self, device_id: &DeviceId, span: Span) -> Statement {
        let (from, to) = (self.moment("$2"), self.moment("$3"));
        let sql = format!(
            "SELECT {COLUMNS} FROM marks
             WHERE device_id = $1 AND taken_back_at IS NULL AND from_ts < {to} AND to_ts > {from}"
        );
        self.with(sql, key(device_id, span))
    }

    /// How many positions there are, counted up to this number.
    pub(super) fn count(self, device_id: &DeviceId, span: Span, most: i64) -> Statement {
        let (from, to) = (self.moment("$2"), self.moment("$3"));
        let sql = format!(
            "SELECT count(*) AS number FROM (
                SELECT 1 FROM positions WHERE device_id = $1 AND ts >= {from} AND ts < {to} LIMIT {most}
             ) counted"
        );
        self.with(sql, key(device_id, span))
    }

    /// The time of the position that comes after so many.
    pub(super) fn after_so_many(self, device_id: &DeviceId, span: Span, many: i64) -> Statement {
        let (from, to) = (self.moment("$2"), self.moment("$3"));
        let sql = format!(
            "SELECT ts FROM positions WHERE device_id = $1 AND ts >= {from} AND ts < {to}
             ORDER BY ts LIMIT 1 OFFSET {many}"
        );
        self.with(sql, key(device_id, span))
    }

    pub(super) fn align(self, device_id: &DeviceId, span: Span, ruling: Option<Ruling>) -> Statement {
        let sql = ruled::align(ruling, &self.moment("$2"), &self.moment("$3"));
        self.with(sql, key(device_id, span))
    }
}

fn key(device_id: &DeviceId, span: Span) -> [Value; 3] {
    [device_id.as_str().into(), span.from().micros().into(), span.to().micros().into()]
}

fn as_limit(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The marks of rows; those that cannot have been written here are left out.
pub(super) fn marks_of(rows: &[QueryResult]) -> Result<Vec<Mark>, DbErr> {
    rows.iter().filter_map(|row| mark_of(row).transpose()).collect()
}

fn mark_of(row: &QueryResult) -> Result<Option<Mark>, DbErr> {
    let text = |column| row.try_get::<String>("", column);
    let moment = |column| row.try_get::<Moment>("", column).map(|Moment(moment)| moment);
    let taken_back_by: Option<String> = row.try_get("", "taken_back_by")?;
    let taken_back_at: Option<Moment> = row.try_get("", "taken_back_at")?;
    let faulty: bool = row.try_get("", "faulty")?;
    let id = MarkId(row.try_get("", "id")?);
    let at: Timestamp = moment("marked_at")?;
    let said = (
        DeviceId::parse(&text("device_id")?),
        Span::new(moment("from_ts")?, moment("to_ts")?),
        Words::new(&text("marked_by")?),
        Words::new(&text("why")?),
    );
    let (Ok(device_id), Ok(span), Ok(by), Ok(why)) = said else { return Ok(None) };
    let ruling = if faulty { Ruling::Faulty } else { Ruling::Good };
    let taken_back = match (taken_back_by.as_deref().map(Words::new), taken_back_at) {
        (Some(Ok(by)), Some(Moment(at))) => Some(TakenBack { by, at }),
        _ => None,
    };
    Ok(Some(Mark { id, said: NewMark { device_id, span, ruling, by, why }, at, taken_back }))
}
