use std::num::NonZeroUsize;

use async_trait::async_trait;

use super::StoreError;
use crate::{HistoryCursor, HistoryQuery, Kept};

/// Positions of the past, page by page.
///
/// Between two pages nothing stays open: no connection, no transaction, no cursor of the database. So whoever
/// reads slowly costs nothing, and what is written meanwhile may be seen or not.
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait History: Send + Sync {
    /// The positions that are asked for and stand after the cursor, in the order of their devices and, within one,
    /// of their times. At most `limit`; it may be fewer, or none, though there are more: what counts is
    /// [`HistoryPage::next`]. The work for one page is bounded, whatever is asked for.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: ask for the same page again.
    async fn page(
        &self,
        query: &HistoryQuery,
        after: Option<HistoryCursor>,
        limit: NonZeroUsize,
    ) -> Result<HistoryPage, StoreError>;
}

/// Some positions of the past.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct HistoryPage {
    /// The positions.
    pub positions: Vec<Kept>,
    /// Where the next page begins; `None` if this was the last.
    pub next: Option<HistoryCursor>,
}
