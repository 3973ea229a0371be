//! Viewers of whom there are many, who look only at the numbers of frames, and those who read slowly.

use std::time::Duration;

use anyhow::{Context, bail};
use futures::StreamExt;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};

use super::Viewer;

impl Viewer {
    /// Listens until the frame of this number came. It is checked that none is missing before it; the positions are not
    /// looked at, so the picture knows of no car any more.
    ///
    /// # Errors
    /// If it does not come within `limit`, one is missing, or the socket ends.
    pub async fn skim_until(&mut self, limit: Duration, event: &str, seq: u64) -> anyhow::Result<()> {
        let end = Instant::now() + limit;
        let picture = self.pictures.get_mut(event).context("it is not watched")?;
        while picture.seq() < seq {
            let next = timeout_at(end, self.socket.next()).await;
            let next = next.with_context(|| format!("frame {} is the last", picture.seq()))?;
            let Some(Ok(message)) = next else { bail!("it ended after frame {}", picture.seq()) };
            if let Some(text) = message.as_text() {
                picture.skim(text)?;
            }
        }
        Ok(())
    }

    /// Reads so many bytes a second, whatever they are, until the connection ends.
    pub async fn trickle(self, bytes_a_second: usize) {
        let mut stream = self.socket.into_inner();
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        let mut buffer = vec![0; bytes_a_second];
        loop {
            seconds.tick().await;
            if !stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                return;
            }
        }
    }
}
