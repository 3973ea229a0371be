use std::num::NonZeroUsize;

use async_trait::async_trait;

use super::StoreError;
use crate::{DeviceId, Mark, MarkId, NewMark, Revision, Span, Words};

/// What operators say of positions, and the positions brought in line with it.
///
/// A mark stands until it is taken back. It speaks of the positions that are there, which are changed with it, and
/// of those that come later: whoever judges positions asks for [`Self::changes`] and judges by them. What was
/// judged by somebody who had not heard of a mark yet is found by [`Self::align`].
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait Marks: Send + Sync {
    /// Makes a mark and changes the positions that it speaks of, both or neither.
    ///
    /// # Errors
    /// [`MarkError`]; nothing has changed, unless it is not known whether it has.
    async fn mark(&self, mark: &NewMark) -> Result<Marked, MarkError>;

    /// Takes a mark back: its positions become what the marks that are left, or the rules, say. One that was taken
    /// back already stays as it is. `None` if there is no such mark.
    ///
    /// # Errors
    /// [`MarkError`]; nothing has changed, unless it is not known whether it has.
    async fn take_back(&self, id: MarkId, by: &Words) -> Result<Option<Marked>, MarkError>;

    /// Marks, those taken back included, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: try again.
    async fn list(&self, query: &MarkQuery) -> Result<Vec<Mark>, StoreError>;

    /// What has changed after this revision, in the order in which it did; after [`Revision::default`], the marks
    /// that count. None is ever passed over: changes become visible in their order. At most a thousand at once:
    /// ask again until there are none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: try again.
    async fn changes(&self, after: Revision) -> Result<Changes, StoreError>;

    /// Brings the positions of a device in a span in line with the marks that count, and says how many had to be
    /// changed. What is in line already is only looked at.
    ///
    /// # Errors
    /// [`MarkError`]; nothing has changed, unless it is not known whether it has.
    async fn align(&self, device_id: &DeviceId, span: Span) -> Result<u64, MarkError>;
}

/// A mark that was made or taken back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Marked {
    /// The mark as it is now.
    pub mark: Mark,
    /// Positions that were changed.
    pub positions: u64,
}

/// Which marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarkQuery {
    /// Of this device only.
    pub device_id: Option<DeviceId>,
    /// Older ones than this only.
    pub before: Option<MarkId>,
    /// At most so many.
    pub limit: NonZeroUsize,
}

/// What has changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// Marks that were made or taken back, as they are now.
    pub marks: Vec<Mark>,
    /// The revision of the last of them; the one asked for if there are none.
    pub revision: Revision,
}

/// A mark could not be made or taken back.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    /// There are as many marks as everybody who judges is to keep in memory: take some back.
    #[error("there are {most} marks already, and no more can be kept in mind")]
    TooMany {
        /// How many there may be.
        most: usize,
    },
    /// It speaks of more positions than are changed at once: make several of shorter spans.
    #[error("there are more than {most} positions in the span")]
    TooMuch {
        /// How many there may be.
        most: usize,
    },
    /// Try again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(feature = "test-doubles")]
impl MockMarks {
    /// Nobody has said anything.
    #[must_use]
    pub fn none() -> Self {
        let mut marks = Self::new();
        marks.expect_changes().returning(|revision| Ok(Changes { marks: Vec::new(), revision }));
        marks
    }
}
