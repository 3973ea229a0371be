use std::fmt;

/// One list of what there is, so that nothing is in the type and not among all.
macro_rules! failures {
    ($($(#[$meaning:meta])* $failure:ident = $name:literal,)+) => {
        /// What kind of failure kept a store from doing what it was asked.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum StoreFailure {
            $($(#[$meaning])* $failure,)+
        }

        impl StoreFailure {
            /// Every kind, in the order of the type.
            pub const ALL: [Self; [$(Self::$failure),+].len()] = [$(Self::$failure),+];

            /// A stable name: the label `kind` of `processor_write_failures_total`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$failure => $name,)+
                }
            }
        }
    };
}

failures! {
    /// It cannot be reached, or the connection broke.
    Connection = "connection",
    /// There is no secure connection to be had.
    Tls = "tls",
    /// It does not let us in.
    Authentication = "authentication",
    /// It has no connection left.
    TooManyConnections = "too_many_connections",
    /// No connection of our own was free in time.
    PoolTimeout = "pool_timeout",
    /// Our own connections are closed: the program stops.
    Closed = "closed",
    /// It answered what was not to be expected at that place.
    Protocol = "protocol",
    /// It stops, or starts.
    Shutdown = "shutdown",
    /// It takes no writes: a standby, or a file that may not be written.
    ReadOnly = "read_only",
    /// Its disk is full.
    DiskFull = "disk_full",
    /// Its memory, or another thing that it needs, is at an end.
    Resources = "resources",
    /// One statement was to do more than it lets one do.
    Limit = "limit",
    /// Its file cannot be read or written, or is none.
    File = "file",
    /// A statement took longer than it may.
    StatementTimeout = "statement_timeout",
    /// A transaction took longer than it may.
    TransactionTimeout = "transaction_timeout",
    /// Somebody else held for too long what was needed.
    LockTimeout = "lock_timeout",
    /// There was no answer in all the time that is allowed.
    Deadline = "deadline",
    /// It and another wait for each other.
    Deadlock = "deadlock",
    /// It and another cannot both be.
    Serialization = "serialization",
    /// We may not do that.
    Permission = "permission",
    /// Tables and columns are not as they should be.
    Schema = "schema",
    /// A row was refused, where that was not to be expected.
    Row = "row",
    /// A row was there, where that was not to be expected.
    Conflict = "conflict",
    /// A fault of the store.
    Server = "server",
    /// None of the others.
    Unknown = "unknown",
}

impl fmt::Display for StoreFailure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = StoreFailure::ALL.map(StoreFailure::name).into();
        assert_eq!(names.len(), StoreFailure::ALL.len());
        // Handles of a kind are found by its number.
        assert!(StoreFailure::ALL.iter().enumerate().all(|(at, kind)| *kind as usize == at));
    }
}
