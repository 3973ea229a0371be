//! The tables of the CMS that say whose car is where, and what both databases make of them.
//!
//! `entry_devices` says which device an entry has, `entries` to which event it belongs. How a device is named
//! there differs: the CMS has the key of a row of `devices`, which has the IMEI; old fixtures have the IMEI
//! itself, with or without a table `devices` beside it. Keys may be UUIDs, numbers or text, so all are compared
//! as text; these tables are small.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use processor_domain::ports::{StoreError, StoreFailure};
use processor_domain::{DeviceId, Enrolment, EventId, Roster, RosterSchema};

/// Every column that may be read, with its table: the first four have to be there.
const COLUMNS: [(&str, &str); 6] = [
    ("entry_devices", "device_id"),
    ("entry_devices", "entry_id"),
    ("entries", "id"),
    ("entries", "event_id"),
    ("devices", "id"),
    ("devices", "imei"),
];
const INDISPENSABLE: usize = 4;

/// A column that the database has: table, name, type.
pub(crate) type Column = (String, String, String);
/// An entry that a device has, with the event of the entry, as they are written in the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryOfDevice {
    /// None in the only row of a device that has no entry.
    pub(crate) entry: Option<String>,
    pub(crate) event: Option<String>,
    /// Whether it was found by its row in `devices`.
    pub(crate) registered: bool,
}

/// Device and event as they are written in the tables.
pub(crate) type Pair = (String, String);

/// A row for each entry of one device, with its key and that of its event; one row without both if it has none and
/// `devices` has the device. IMEIs are compared as the roster reads them, without space around them.
macro_rules! entries_of_registered {
    () => {
        "SELECT CAST(ed.entry_id AS text) AS entry, CAST(e.event_id AS text) AS event, 1 AS registered
        FROM devices d
        LEFT JOIN entry_devices ed ON CAST(ed.device_id AS text) = CAST(d.id AS text)
        LEFT JOIN entries e ON CAST(e.id AS text) = CAST(ed.entry_id AS text)
        WHERE trim(CAST(d.imei AS text)) = $1"
    };
}

macro_rules! entries_of_imei {
    ($but:literal) => {
        concat!(
            "SELECT CAST(ed.entry_id AS text) AS entry, CAST(e.event_id AS text) AS event, 0 AS registered
            FROM entry_devices ed
            LEFT JOIN entries e ON CAST(e.id AS text) = CAST(ed.entry_id AS text)
            WHERE trim(CAST(ed.device_id AS text)) = $1",
            $but
        )
    };
}

/// The statement for pairs of device and event, where the device is `$device` and `$join` finds its row.
macro_rules! pairs_where {
    ($device:literal, $join:literal) => {
        concat!(
            "SELECT device, event FROM (
                SELECT ",
            $device,
            " AS device, CAST(e.event_id AS text) AS event
                FROM entry_devices ed
                JOIN entries e ON CAST(e.id AS text) = CAST(ed.entry_id AS text) ",
            $join,
            "
            ) pairs
            WHERE device IS NOT NULL AND event IS NOT NULL"
        )
    };
}

/// How a device is named in `entry_devices`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// By the key of its row in `devices`.
    Key,
    /// By its IMEI, or by the key of its row in `devices` as text.
    ImeiOrKey,
    /// By its IMEI; there is no table `devices`.
    Imei,
}

impl Naming {
    /// How devices are named in a database that has these columns; the columns that it lacks if it is not the
    /// database of a CMS.
    pub(crate) fn of(columns: &[Column]) -> Result<Self, Lacking> {
        let found: HashSet<(&str, &str)> =
            columns.iter().map(|(table, name, _)| (table.as_str(), name.as_str())).collect();
        let lacking = |wanted: &[_]| Lacking(wanted.iter().copied().filter(|c| !found.contains(c)).collect());
        let (indispensable, of_devices) = COLUMNS.split_at(INDISPENSABLE);
        let devices = lacking(of_devices);
        let is_text = columns.iter().any(|(table, name, kind)| {
            let kind = kind.to_ascii_lowercase();
            (table.as_str(), name.as_str()) == COLUMNS[0] && (kind.contains("char") || kind.contains("text"))
        });
        match lacking(indispensable) {
            lacking if !lacking.0.is_empty() => Err(lacking),
            _ if devices.0.is_empty() => Ok(if is_text { Self::ImeiOrKey } else { Self::Key }),
            _ if is_text => Ok(Self::Imei),
            _ => Err(devices),
        }
    }

    /// The statement that reads every [`Pair`].
    pub(crate) const fn pairs(self) -> &'static str {
        match self {
            Self::Key => pairs_where!(
                "CAST(d.imei AS text)",
                "JOIN devices d ON CAST(d.id AS text) = CAST(ed.device_id AS text)"
            ),
            Self::ImeiOrKey => pairs_where!(
                "CASE WHEN d.id IS NULL THEN CAST(ed.device_id AS text) ELSE CAST(d.imei AS text) END",
                "LEFT JOIN devices d ON CAST(d.id AS text) = CAST(ed.device_id AS text)"
            ),
            Self::Imei => pairs_where!("CAST(ed.device_id AS text)", ""),
        }
    }
}

impl Naming {
    /// The statement that reads every [`EntryOfDevice`] of the device `$1`.
    pub(crate) const fn entries(self) -> &'static str {
        match self {
            Self::Key => entries_of_registered!(),
            Self::ImeiOrKey => concat!(
                entries_of_registered!(),
                " UNION ALL ",
                entries_of_imei!(
                    " AND NOT EXISTS (SELECT 1 FROM devices d WHERE CAST(d.id AS text) = CAST(ed.device_id AS text))"
                )
            ),
            Self::Imei => entries_of_imei!(""),
        }
    }

    /// The same in the words of the domain.
    pub(crate) const fn schema(self) -> RosterSchema {
        match self {
            Self::Key => RosterSchema::Key,
            Self::ImeiOrKey => RosterSchema::ImeiOrKey,
            Self::Imei => RosterSchema::Imei,
        }
    }

    /// What these entries of a device come to.
    pub(crate) fn enrolment(self, rows: &[EntryOfDevice]) -> Enrolment {
        let entries: Vec<_> = rows.iter().filter(|row| row.entry.is_some()).collect();
        let mut events: Vec<EventId> = Vec::new();
        let mut entries_without_event = 0;
        for row in &entries {
            match row.event.as_deref().map(|event| EventId::parse(event.trim())) {
                Some(Ok(event)) if events.contains(&event) => {}
                Some(Ok(event)) => events.push(event),
                _ => entries_without_event += 1,
            }
        }
        let registered = match self {
            Self::Key | Self::ImeiOrKey => Some(rows.iter().any(|row| row.registered)),
            Self::Imei => None,
        };
        Enrolment { schema: self.schema(), registered, entries: entries.len(), entries_without_event, events }
    }
}

/// Columns that are not there, each with its table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not in the database: {}", .0.iter().map(|(table, name)| format!("{table}.{name}")).collect::<Vec<_>>().join(", "))]
pub(crate) struct Lacking(Vec<(&'static str, &'static str)>);

/// Makes rosters, and says of what is wrong with them once what was not said before.
#[derive(Debug, Default)]
pub(crate) struct RosterClerk {
    was_there: AtomicBool,
    said_lacking: AtomicBool,
    impossible: AtomicUsize,
}

impl RosterClerk {
    /// The roster of these pairs, without those whose ids cannot be.
    pub(crate) fn roster(&self, pairs: &[Pair]) -> Roster {
        self.was_there.store(true, Ordering::Relaxed);
        let parse = |(device, event): &Pair| {
            Some((DeviceId::parse(device.trim()).ok()?, EventId::parse(event.trim()).ok()?))
        };
        let impossible = pairs.iter().filter(|pair| parse(pair).is_none()).count();
        let before = self.impossible.swap(impossible, Ordering::Relaxed);
        if impossible != before
            && let Some((device, event)) = pairs.iter().find(|pair| parse(pair).is_none())
        {
            tracing::warn!(
                impossible,
                device,
                event,
                "devices of entries are left out of the roster, because the id of the device or of the event \
                 cannot be one; the first is shown"
            );
        }
        pairs.iter().filter_map(parse).collect()
    }

    /// Nobody takes part in anything where there is no CMS. But tables that were there and are gone are being
    /// made anew, and until they are back the roster read last is the better one.
    pub(crate) fn without_tables(&self, lacking: Lacking) -> Result<Roster, StoreError> {
        if self.was_there.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable { kind: StoreFailure::Schema, cause: lacking.into() });
        }
        if !self.said_lacking.swap(true, Ordering::Relaxed) {
            tracing::warn!(%lacking, "the database has no tables of a CMS: no device takes part in any event");
        }
        Ok(Roster::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use processor_domain::samples;

    fn columns(key: &str, leave_out: &[&str]) -> Vec<Column> {
        let present = COLUMNS.iter().filter(|(table, _)| !leave_out.contains(table));
        present.map(|(table, name)| ((*table).into(), (*name).into(), key.into())).collect()
    }

    #[test]
    fn the_type_of_the_column_says_how_a_device_is_named() {
        for key in ["uuid", "integer", "bigint"] {
            assert_eq!(Naming::of(&columns(key, &[])), Ok(Naming::Key));
            let lacking = Naming::of(&columns(key, &["devices"])).unwrap_err();
            assert_eq!(lacking.to_string(), "not in the database: devices.id, devices.imei");
        }
        for text in ["text", "character varying", "char(36)", "VARCHAR(255)"] {
            assert_eq!(Naming::of(&columns(text, &[])), Ok(Naming::ImeiOrKey));
            assert_eq!(Naming::of(&columns(text, &["devices"])), Ok(Naming::Imei));
        }
        let lacking = Naming::of(&columns("uuid", &["entries"])).unwrap_err();
        assert_eq!(lacking.to_string(), "not in the database: entries.id, entries.event_id");
    }

    #[test]
    fn a_pair_that_cannot_be_does_not_keep_the_others_out() {
        let pairs = [("1", "42"), ("no device", "42"), ("1", "../users/me"), (" 2 ", "42"), ("", "42")];
        let pairs = pairs.map(|(device, event)| (device.to_owned(), event.to_owned()));
        let roster = RosterClerk::default().roster(&pairs);
        let event = EventId::parse("42").unwrap();
        let mut devices: Vec<String> = roster.devices_of(&event).map(|device| device.to_string()).collect();
        devices.sort_unstable();
        assert_eq!((devices, roster.devices()), (vec!["1".into(), "2".into()], 2));
    }

    #[test]
    fn without_a_cms_nobody_takes_part_but_tables_do_not_just_vanish() {
        let clerk = RosterClerk::default();
        let lacking = || Naming::of(&[]).unwrap_err();
        assert_eq!(clerk.without_tables(lacking()).unwrap(), Roster::default());
        assert_eq!(clerk.without_tables(lacking()).unwrap(), Roster::default());
        clerk.roster(&[(samples::device(1).to_string(), "42".into())]);
        assert!(clerk.without_tables(lacking()).is_err());
    }
}
