//! Positions of the past, and how they are asked for.

use std::fmt;

use crate::{DeviceId, Faults, Position, Timestamp};

/// A span of device time, from its first moment up to, and without, its last.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Span {
    from: Timestamp,
    to: Timestamp,
}

/// A span has to end after it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a span of time has to end after it begins")]
pub struct SpanIsEmpty;

impl Span {
    /// From `from` up to, and without, `to`.
    ///
    /// # Errors
    /// [`SpanIsEmpty`] if there is no moment in it.
    pub fn new(from: Timestamp, to: Timestamp) -> Result<Self, SpanIsEmpty> {
        if from < to { Ok(Self { from, to }) } else { Err(SpanIsEmpty) }
    }

    /// The one moment.
    #[must_use]
    pub const fn moment(ts: Timestamp) -> Self {
        Self { from: ts, to: Timestamp::from_micros(ts.micros().saturating_add(1)) }
    }

    /// Its first moment.
    #[must_use]
    pub const fn from(self) -> Timestamp {
        self.from
    }

    /// The first moment that is not in it any more.
    #[must_use]
    pub const fn to(self) -> Timestamp {
        self.to
    }

    /// Whether a moment is in it.
    #[must_use]
    pub fn contains(self, ts: Timestamp) -> bool {
        self.from <= ts && ts < self.to
    }
}

/// A position as the store keeps it.
#[derive(Clone, PartialEq, Debug)]
pub struct Kept {
    /// The position. When the platform received it is not kept; in its place stands when it was written.
    pub position: Position,
    /// What is wrong with it.
    pub faults: Faults,
    /// Whether it does not say where the car is. Of a table that others write to as well, it may be true without
    /// a fault that says why.
    pub faulty: bool,
}

/// Which positions are asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryQuery {
    devices: Vec<DeviceId>,
    /// Of which device time.
    pub span: Span,
    /// Those that say where the car is, those that do not, or both.
    pub wanted: Wanted,
    /// Whether with their attributes; else they have none.
    pub attributes: bool,
}

impl HistoryQuery {
    /// All positions of these devices in this span, without their attributes.
    #[must_use]
    pub fn of(devices: impl IntoIterator<Item = DeviceId>, span: Span) -> Self {
        let mut devices: Vec<DeviceId> = devices.into_iter().collect();
        devices.sort_unstable();
        devices.dedup();
        Self { devices, span, wanted: Wanted::All, attributes: false }
    }

    /// The devices, each once, in their order.
    #[must_use]
    pub fn devices(&self) -> &[DeviceId] {
        &self.devices
    }
}

/// Which of the positions in a span.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Wanted {
    /// All of them.
    #[default]
    All,
    /// Those that say where the car is.
    Good,
    /// Those that do not.
    Faulty,
}

impl Wanted {
    /// Whether a position of this kind is among them.
    #[must_use]
    pub const fn has(self, faulty: bool) -> bool {
        match self {
            Self::All => true,
            Self::Good => !faulty,
            Self::Faulty => faulty,
        }
    }
}

/// How far somebody has come: the key of the last position it has had. Positions are in the order of their
/// devices, and of their times within one.
///
/// As text it is time and device with a comma in between, so that whoever has a position has the cursor as well.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HistoryCursor {
    /// Its device.
    pub device_id: DeviceId,
    /// Its device time.
    pub ts: Timestamp,
}

/// The text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cursor is a time and a device with a comma in between")]
pub struct InvalidCursor;

impl fmt::Display for HistoryCursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{},{}", self.ts, self.device_id)
    }
}

impl std::str::FromStr for HistoryCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (ts, device_id) = text.split_once(',').ok_or(InvalidCursor)?;
        Ok(Self {
            device_id: DeviceId::parse(device_id).map_err(|_| InvalidCursor)?,
            ts: Timestamp::parse_rfc3339(ts).map_err(|_| InvalidCursor)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use proptest::prelude::*;

    #[test]
    fn a_span_has_its_first_moment_and_not_its_last() {
        let (from, to) = (samples::at("2026-05-01T10:00:00Z"), samples::at("2026-05-01T11:00:00Z"));
        let span = Span::new(from, to).unwrap();
        assert!(span.contains(from) && !span.contains(to));
        assert_eq!(Span::new(to, from), Err(SpanIsEmpty));
        assert_eq!(Span::new(from, from), Err(SpanIsEmpty));
        assert!(Span::moment(from).contains(from));
        assert!(!Span::moment(from).contains(Timestamp::from_micros(from.micros() + 1)));
    }

    #[test]
    fn devices_are_asked_for_once_and_in_order() {
        let span = Span::moment(samples::at("2026-05-01T10:00:00Z"));
        let query = HistoryQuery::of([2, 1, 2].map(samples::device), span);
        assert_eq!(query.devices(), [1, 2].map(samples::device));
    }

    proptest! {
        #[test]
        fn a_cursor_can_be_read_back(name in "[!-~]{1,39}", micros in 0_i64..250_000_000_000_000_000) {
            let cursor = HistoryCursor {
                device_id: DeviceId::parse(&name).unwrap(),
                ts: Timestamp::from_micros(micros),
            };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }
}
