//! How a device came into an event, or did not.

use crate::EventId;

/// How devices are named by the entries in the tables of the CMS.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RosterSchema {
    /// The tables are not there, or are not those of a roster.
    Absent,
    /// By the key of the device's row in `devices`.
    Key,
    /// By the IMEI itself, or by the key of the device's row as text.
    ImeiOrKey,
    /// By the IMEI itself; there is no table `devices`.
    Imei,
}

impl RosterSchema {
    /// A stable name for interfaces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Key => "key",
            Self::ImeiOrKey => "imei_or_key",
            Self::Imei => "imei",
        }
    }
}

/// What the CMS has of one device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enrolment {
    /// How devices are named there.
    pub schema: RosterSchema,
    /// Whether the table `devices` has it; `None` where there is no such table.
    pub registered: Option<bool>,
    /// How many entries have it.
    pub entries: usize,
    /// How many of those are in no event, or in one whose id cannot be one.
    pub entries_without_event: usize,
    /// The events of the others, each once.
    pub events: Vec<EventId>,
}

impl Enrolment {
    /// Of a device where the CMS has no tables.
    #[must_use]
    pub const fn absent() -> Self {
        Self {
            schema: RosterSchema::Absent,
            registered: None,
            entries: 0,
            entries_without_event: 0,
            events: Vec::new(),
        }
    }
}
