use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::Context;
use processor_codec::{Limits, RecordCodec};
use processor_domain::ports::{PositionFeed, PositionPublisher, PositionStream, SystemClock};
use processor_embedded::{EmbeddedPositionStream, EmbeddedSettings};

use super::{FeedFixture, position_feed_contract};

/// A stream inside this process.
struct OnEmbedded {
    stream: Arc<EmbeddedPositionStream>,
}

position_feed_contract!(OnEmbedded);

impl FeedFixture for OnEmbedded {
    async fn start() -> anyhow::Result<Self> {
        let batch_size = NonZeroUsize::new(700).context("700 is not zero")?;
        let settings = EmbeddedSettings { batch_size, ..EmbeddedSettings::default() };
        let codec = RecordCodec::new(Limits::default());
        Ok(Self { stream: Arc::new(EmbeddedPositionStream::new(settings, codec, Arc::new(SystemClock))) })
    }

    fn batch_size(&self) -> usize {
        700
    }

    async fn publisher(&self) -> anyhow::Result<Arc<dyn PositionPublisher>> {
        Ok(Arc::clone(&self.stream) as Arc<dyn PositionPublisher>)
    }

    async fn follow(&self, _instance: &str) -> anyhow::Result<Arc<dyn PositionFeed>> {
        Ok(Arc::new(self.stream.feed()))
    }

    async fn read(&self) -> anyhow::Result<Arc<dyn PositionStream>> {
        Ok(Arc::new(self.stream.consumer("reader")))
    }
}
