use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use processor_codec::{Limits, RecordCodec};
use processor_domain::ports::{ConsumerGroup, PositionPublisher, PositionStream, SystemClock};
use processor_embedded::{EmbeddedPositionStream, EmbeddedSettings};

use super::{StreamFixture, position_stream_contract};

/// A stream inside this process; the one who made it never reads.
pub(crate) struct OnEmbedded {
    stream: Arc<EmbeddedPositionStream>,
}

position_stream_contract!(OnEmbedded);

impl StreamFixture for OnEmbedded {
    async fn start() -> anyhow::Result<Self> {
        let settings = EmbeddedSettings {
            batch_size: NonZeroUsize::new(700).context("700 is not zero")?,
            claim_idle: Duration::from_secs(2),
            ..EmbeddedSettings::default()
        };
        let codec = RecordCodec::new(Limits::default());
        Ok(Self { stream: Arc::new(EmbeddedPositionStream::new(settings, codec, Arc::new(SystemClock))) })
    }

    fn claim_idle(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn batch_size(&self) -> usize {
        700
    }

    async fn publisher(&self) -> anyhow::Result<Arc<dyn PositionPublisher>> {
        Ok(Arc::clone(&self.stream) as Arc<dyn PositionPublisher>)
    }

    async fn append_traced(&self, record: &[u8], traceparent: &str) -> anyhow::Result<()> {
        Ok(self.stream.publish_traced(record, traceparent).await?)
    }

    async fn open(&self, consumer: &str) -> anyhow::Result<Arc<dyn PositionStream>> {
        Ok(Arc::new(self.stream.consumer(consumer)))
    }

    fn group(&self, consumer: &str) -> anyhow::Result<Arc<dyn ConsumerGroup>> {
        Ok(Arc::new(self.stream.consumer(consumer)))
    }
}
