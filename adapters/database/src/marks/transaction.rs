//! One change of the marks and of the positions that they speak of.

use processor_domain::ports::MarkError;
use processor_domain::{DeviceId, Mark, MarkId, NewMark, Ruling, Rulings, Span, Timestamp, Words};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};

use super::statements::{Statements, marks_of};
use super::{MOST_MARKS, MOST_POSITIONS};
use crate::entity::columns::Moment;

/// Positions changed in one statement: so few that no statement takes long.
const PORTION: i64 = 5_000;

/// What is to be changed.
#[derive(Debug)]
pub(super) enum Change<'a> {
    Add(&'a NewMark),
    TakeBack(MarkId, &'a Words),
    Align(&'a DeviceId, Span),
}

/// What was changed.
#[derive(Debug)]
pub(super) struct Made {
    /// The mark, if there is one.
    pub(super) mark: Option<Mark>,
    pub(super) positions: u64,
}

/// Why nothing was changed.
#[derive(Debug)]
pub(super) enum Failure {
    Database(DbErr),
    Refused(MarkError),
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

/// The marks, with the right to change them, which only one has at a time.
pub(super) struct Rulebook {
    transaction: DatabaseTransaction,
    statements: Statements,
}

impl Rulebook {
    pub(super) async fn open(connection: &DatabaseConnection, statements: Statements) -> Result<Self, DbErr> {
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = connection.begin_with_options(immediate).await?;
        for statement in statements.opening() {
            transaction.execute_unprepared(statement).await?;
        }
        Ok(Self { transaction, statements })
    }

    pub(super) async fn close(self) -> Result<(), DbErr> {
        self.transaction.commit().await
    }

    pub(super) async fn make(&self, change: &Change<'_>) -> Result<Made, Failure> {
        let mark = match *change {
            Change::Add(said) => self.add(said).await?,
            Change::TakeBack(id, by) => match self.one(self.statements.get(id)).await? {
                Some(Mark { taken_back: None, .. }) => self.one(self.statements.take_back(id, by)).await?,
                there => return Ok(Made { mark: there, positions: 0 }),
            },
            Change::Align(device_id, span) => {
                return Ok(Made { mark: None, positions: self.align(device_id, span).await? });
            }
        };
        let positions = match &mark {
            Some(mark) => self.align(&mark.said.device_id, mark.said.span).await?,
            None => 0,
        };
        Ok(Made { mark, positions })
    }

    async fn add(&self, said: &NewMark) -> Result<Option<Mark>, Failure> {
        if self.number(self.statements.standing()).await? >= MOST_MARKS {
            let most = usize::try_from(MOST_MARKS).unwrap_or(usize::MAX);
            return Err(Failure::Refused(MarkError::TooMany { most }));
        }
        Ok(self.one(self.statements.add(said)).await?)
    }

    /// Brings the positions of a device in a span in line with the marks.
    async fn align(&self, device_id: &DeviceId, span: Span) -> Result<u64, Failure> {
        let count = self.statements.count(device_id, span, MOST_POSITIONS + 1);
        if self.number(count).await? > MOST_POSITIONS {
            let most = usize::try_from(MOST_POSITIONS).unwrap_or(usize::MAX);
            return Err(Failure::Refused(MarkError::TooMuch { most }));
        }
        let rows = self.transaction.query_all_raw(self.statements.speaking_of(device_id, span)).await?;
        let marks = marks_of(&rows)?;
        let mut changed = 0;
        for (span, ruling) in pieces(device_id, span, &marks) {
            changed += self.align_piece(device_id, span, ruling).await?;
        }
        Ok(changed)
    }

    /// Portion after portion, oldest first, a piece of which the same is said everywhere.
    async fn align_piece(
        &self,
        device_id: &DeviceId,
        piece: Span,
        ruling: Option<Ruling>,
    ) -> Result<u64, DbErr> {
        let mut changed = 0;
        let mut left = Some(piece);
        while let Some(rest) = left {
            let next = self.statements.after_so_many(device_id, rest, PORTION);
            let next: Option<Moment> =
                self.transaction.query_one_raw(next).await?.map(|row| row.try_get("", "ts")).transpose()?;
            let end = next.map_or(rest.to(), |Moment(ts)| ts);
            if let Ok(portion) = Span::new(rest.from(), end) {
                let align = self.statements.align(device_id, portion, ruling);
                changed += self.transaction.execute_raw(align).await?.rows_affected();
            }
            left = Span::new(end, piece.to()).ok();
        }
        Ok(changed)
    }

    async fn one(&self, statement: Statement) -> Result<Option<Mark>, DbErr> {
        let rows = self.transaction.query_all_raw(statement).await?;
        Ok(marks_of(&rows)?.pop())
    }

    async fn number(&self, statement: Statement) -> Result<i64, DbErr> {
        let row = self.transaction.query_one_raw(statement).await?;
        row.map_or(Ok(0), |row| row.try_get("", "number"))
    }
}

/// A span cut at every moment at which what is said changes, in order, with what is said in each piece.
fn pieces(device_id: &DeviceId, span: Span, marks: &[Mark]) -> Vec<(Span, Option<Ruling>)> {
    let rulings: Rulings = marks.iter().collect();
    let mut cuts: Vec<Timestamp> =
        marks.iter().flat_map(|mark| [mark.said.span.from(), mark.said.span.to()]).collect();
    cuts.extend([span.from(), span.to()]);
    cuts.retain(|cut| span.from() <= *cut && *cut <= span.to());
    cuts.sort_unstable();
    let between = cuts.windows(2).filter_map(|pair| Span::new(pair[0], pair[1]).ok());
    between.map(|piece| (piece, rulings.on(device_id, piece.from()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use processor_domain::samples;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_cover_the_span_and_say_of_each_moment_what_the_marks_say(
            marks in prop::collection::vec((0_i64..20, 1_i64..10, any::<bool>()), 0..6),
            from in 0_i64..20,
            length in 1_i64..10,
        ) {
            let second = |number: i64| Timestamp::from_millis(number * 1_000);
            let marks: Vec<Mark> = marks.into_iter().enumerate().map(|(id, (from, length, good))| {
                let ruling = if good { Ruling::Good } else { Ruling::Faulty };
                samples::mark(i64::try_from(id).unwrap(), 1, second(from), second(from + length), ruling)
            }).collect();
            let rulings: Rulings = marks.iter().collect();
            let span = Span::new(second(from), second(from + length)).unwrap();
            let device = samples::device(1);
            let pieces = pieces(&device, span, &marks);
            prop_assert_eq!(pieces.first().map(|(piece, _)| piece.from()), Some(span.from()));
            prop_assert_eq!(pieces.last().map(|(piece, _)| piece.to()), Some(span.to()));
            prop_assert!(pieces.windows(2).all(|pair| pair[0].0.to() == pair[1].0.from()));
            for at in from..from + length {
                let here = pieces.iter().find(|(piece, _)| piece.contains(second(at))).unwrap();
                prop_assert_eq!(here.1, rulings.on(&device, second(at)));
            }
        }
    }
}
