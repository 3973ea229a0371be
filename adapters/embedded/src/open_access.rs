use async_trait::async_trait;
use processor_domain::ports::{Access, AccessError};
use processor_domain::{Credential, EventId, Viewer};

/// Everybody is the viewer `demo` and may see every event.
///
/// For a demonstration that runs without a CMS. It lets in whoever can reach it: never to be used where the cars
/// are real.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenAccess;

#[async_trait]
impl Access for OpenAccess {
    async fn identify(&self, _credential: &Credential) -> Result<Option<Viewer>, AccessError> {
        Ok(Some(Viewer { id: "demo".into() }))
    }

    async fn may_see(&self, _credential: &Credential, _event: &EventId) -> Result<bool, AccessError> {
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_may_see_everything() {
        for credential in [Credential::new(""), Credential::new("anything")] {
            let viewer = OpenAccess.identify(&credential).await.unwrap();
            assert_eq!(viewer, Some(Viewer { id: "demo".into() }));
            assert!(OpenAccess.may_see(&credential, &EventId::parse("42").unwrap()).await.unwrap());
        }
    }
}
