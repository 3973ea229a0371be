//! How both databases go through devices, page by page.

use std::num::NonZeroUsize;

use processor_domain::ports::HistoryPage;
use processor_domain::{DeviceId, HistoryCursor, HistoryQuery, Kept, Span, Timestamp};

/// Devices looked into for one page: of an event most may have nothing in the span.
const MOST_DEVICES: usize = 64;

/// A page being filled: from device to device, one statement each, because only so each statement walks along the
/// index and stops where the page is full.
pub(crate) struct Paging<'a> {
    query: &'a HistoryQuery,
    after: Option<HistoryCursor>,
    /// The devices that are left, the one being read first.
    left: &'a [DeviceId],
    asked: usize,
    room: usize,
    kept: Vec<Kept>,
}

/// What one statement is to read: the oldest rows of a device in a span.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Portion {
    pub(crate) device_id: DeviceId,
    pub(crate) span: Span,
    pub(crate) limit: usize,
}

impl<'a> Paging<'a> {
    pub(crate) fn new(query: &'a HistoryQuery, after: Option<HistoryCursor>, limit: NonZeroUsize) -> Self {
        let devices = query.devices();
        let first = after.map_or(0, |after| devices.partition_point(|device| *device < after.device_id));
        Self { query, after, left: &devices[first..], asked: 0, room: limit.get(), kept: Vec::new() }
    }

    pub(crate) const fn query(&self) -> &HistoryQuery {
        self.query
    }

    /// What to read next; `None` if the page is finished.
    pub(crate) fn next_portion(&mut self) -> Option<Portion> {
        loop {
            let device_id = *self.left.first()?;
            if self.room == 0 || self.asked == MOST_DEVICES {
                return None;
            }
            let Some(span) = self.rest_of(device_id) else {
                self.left = &self.left[1..];
                continue;
            };
            self.asked += 1;
            return Some(Portion { device_id, span, limit: self.room });
        }
    }

    /// The part of the span that is not behind the cursor.
    fn rest_of(&self, device_id: DeviceId) -> Option<Span> {
        let span = self.query.span;
        match self.after {
            Some(after) if after.device_id == device_id => {
                let next = Timestamp::from_micros(after.ts.micros().saturating_add(1));
                Span::new(next.max(span.from()), span.to()).ok()
            }
            _ => Some(span),
        }
    }

    /// Takes in all rows that were read of a portion, with their times; those that are no positions, or are not
    /// wanted, count as well, so that the work for a page is bounded.
    pub(crate) fn take(&mut self, portion: &Portion, rows: Vec<(Timestamp, Option<Kept>)>) {
        let device_id = portion.device_id;
        self.room = self.room.saturating_sub(rows.len());
        if rows.len() < portion.limit {
            self.left = &self.left[1..];
            // Whoever comes back here is not to read this device once more.
            self.after = Some(HistoryCursor { device_id, ts: self.query.span.to() });
        } else if let Some((ts, _)) = rows.last() {
            self.after = Some(HistoryCursor { device_id, ts: *ts });
        }
        let wanted = self.query.wanted;
        self.kept
            .extend(rows.into_iter().filter_map(|(_, kept)| kept).filter(|kept| wanted.has(kept.faulty)));
    }

    /// The page.
    pub(crate) fn page(self) -> HistoryPage {
        let next = if self.left.is_empty() { None } else { self.after };
        HistoryPage { positions: self.kept, next }
    }
}
