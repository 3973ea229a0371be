//! Which dead letters name a device.

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use processor_domain::{DeadLetterOrder, DeviceId};

use super::{DeadLetterDesk, DeadLetterFilter, ListError, ListedDeadLetter};
use crate::devices::LettersOfDevices;
use crate::explain::{Fact, LettersOfDevice, Unknown};

/// Letters that are looked through, the newest ones.
const LOOKED_THROUGH: usize = 200;

/// Letters that are opened side by side.
const AT_ONCE: usize = 4;

/// A record that could not be read cannot be asked for its device, so the id is looked for in its bytes.
#[async_trait]
impl LettersOfDevices for DeadLetterDesk {
    async fn letters_of(&self, device: &DeviceId) -> Fact<Option<LettersOfDevice>> {
        self.newest_that_name(device).await.map_err(|error| Unknown(error.to_string()))
    }
}

impl DeadLetterDesk {
    async fn newest_that_name(&self, device: &DeviceId) -> Result<Option<LettersOfDevice>, ListError> {
        let all = DeadLetterFilter::default();
        let newest = self.list(&all, DeadLetterOrder::NewestFirst, None, LOOKED_THROUGH).await?;
        let named: Vec<Option<ListedDeadLetter>> = stream::iter(newest.letters)
            .map(async |listed| {
                let opened = self.open(&listed.id()).await?;
                let names = opened.is_some_and(|opened| has(&opened.payload, device.as_bytes()));
                Ok::<_, ListError>(names.then_some(listed))
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let mut named = named.into_iter().flatten();
        Ok(named.next().map(|newest| LettersOfDevice {
            count: 1 + named.count(),
            newest: newest.letter.kept_at,
            reason: newest.letter.reason.into(),
        }))
    }
}

fn has(payload: &[u8], id: &[u8]) -> bool {
    payload.windows(id.len()).any(|window| window == id)
}
