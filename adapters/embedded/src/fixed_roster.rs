use async_trait::async_trait;
use processor_domain::Roster;
use processor_domain::ports::{RosterSource, StoreError};

/// A roster that does not change: for a demonstration, and for tests.
#[derive(Debug, Clone, Default)]
pub struct FixedRoster(pub Roster);

#[async_trait]
impl RosterSource for FixedRoster {
    async fn read_roster(&self) -> Result<Roster, StoreError> {
        Ok(self.0.clone())
    }
}
