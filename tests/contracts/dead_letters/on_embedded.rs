use std::sync::Arc;

use processor_codec::{Limits, RecordCodec};
use processor_domain::ports::{DeadLetterQueue, DeadLetters, SystemClock};
use processor_domain::{DeadLetter, DeadPayload};
use processor_embedded::{EmbeddedPositionStream, EmbeddedSettings};

use super::{DeadLetterFixture, Kept, dead_letters_contract};

/// Dead letters of a stream inside this process.
pub(crate) struct OnEmbedded {
    stream: Arc<EmbeddedPositionStream>,
}

dead_letters_contract!(OnEmbedded);

impl DeadLetterFixture for OnEmbedded {
    async fn start() -> anyhow::Result<Self> {
        let codec = RecordCodec::new(Limits::default());
        let stream = EmbeddedPositionStream::new(EmbeddedSettings::default(), codec, Arc::new(SystemClock));
        Ok(Self { stream: Arc::new(stream) })
    }

    fn dead_letters(&self) -> Arc<dyn DeadLetters> {
        Arc::clone(&self.stream) as Arc<dyn DeadLetters>
    }

    fn dead_letter_queue(&self) -> Arc<dyn DeadLetterQueue> {
        Arc::clone(&self.stream) as Arc<dyn DeadLetterQueue>
    }

    fn stream(&self, name: &str) -> String {
        name.to_owned()
    }

    async fn kept(&self, stream: &str) -> anyhow::Result<Vec<Kept>> {
        let letters = self.stream.dead_letters().into_iter();
        Ok(letters.filter(|letter| *letter.stream == *stream).map(read).collect())
    }

    async fn go_away(&self) -> anyhow::Result<bool> {
        Ok(false)
    }
}

fn read(letter: DeadLetter) -> Kept {
    Kept {
        entry_id: letter.entry_id,
        reason: letter.reason.name().to_owned(),
        detail: letter.detail.into(),
        payload: match letter.payload {
            DeadPayload::Raw(bytes) => bytes.into(),
            DeadPayload::Position(position) => RecordCodec::encode(&position).into(),
        },
        deliveries: letter.deliveries,
        instance: None,
    }
}
