use std::ops::Bound;

use async_trait::async_trait;
use processor_codec::RecordCodec;
use processor_domain::ports::{DeadLetterQueue, DeadLetterQueueError};
use processor_domain::{
    DeadLetter, DeadLetterMark, DeadLetterOrder, DeadLetterPage, DeadLetterSelection, DeadPayload, EntryId,
    KeptDeadLetter, OpenedDeadLetter,
};

use crate::EmbeddedPositionStream;
use crate::position_stream::lock;

fn opened(id: EntryId, letter: &DeadLetter) -> OpenedDeadLetter {
    let payload = match &letter.payload {
        DeadPayload::Raw(bytes) => bytes.clone(),
        DeadPayload::Position(position) => RecordCodec::encode(position),
    };
    let letter = KeptDeadLetter {
        stream: letter.stream.clone(),
        id,
        kept_at: id.received_at(),
        entry_id: Some(letter.entry_id),
        reason: letter.reason.name().into(),
        detail: letter.detail.clone(),
        deliveries: letter.deliveries,
        instance: None,
        payload_bytes: payload.len() as u64,
    };
    OpenedDeadLetter { letter, payload }
}

#[async_trait]
impl DeadLetterQueue for EmbeddedPositionStream {
    async fn page(
        &self,
        stream: &str,
        selection: DeadLetterSelection,
        after: Option<DeadLetterMark>,
        limit: usize,
    ) -> Result<DeadLetterPage, DeadLetterQueueError> {
        let after = after.map_or(Bound::Unbounded, |mark| Bound::Excluded(mark.id));
        let wanted = |letter: &DeadLetter| {
            *letter.stream == *stream && selection.reason.is_none_or(|reason| reason == letter.reason)
        };
        let kept = lock(&self.stream.dead_letters);
        let read = |(id, letter): (&EntryId, &DeadLetter)| opened(*id, letter).letter;
        let letters: Vec<_> = match selection.order {
            DeadLetterOrder::OldestFirst => {
                let behind = kept.letters.range((after, Bound::Unbounded));
                behind.filter(|(_, letter)| wanted(letter)).take(limit).map(read).collect()
            }
            DeadLetterOrder::NewestFirst => {
                let behind = kept.letters.range((Bound::Unbounded, after)).rev();
                behind.filter(|(_, letter)| wanted(letter)).take(limit).map(read).collect()
            }
        };
        let next = letters.last().filter(|_| letters.len() == limit).map(KeptDeadLetter::mark);
        Ok(DeadLetterPage { letters, next })
    }

    async fn count(&self, stream: &str, most: u64) -> Result<u64, DeadLetterQueueError> {
        let kept = lock(&self.stream.dead_letters);
        let ours = kept.letters.values().filter(|letter| *letter.stream == *stream);
        Ok(ours.take(usize::try_from(most).unwrap_or(usize::MAX)).count() as u64)
    }

    async fn find(
        &self,
        stream: &str,
        id: EntryId,
    ) -> Result<Option<OpenedDeadLetter>, DeadLetterQueueError> {
        let kept = lock(&self.stream.dead_letters);
        let found = kept.letters.get(&id).filter(|letter| *letter.stream == *stream);
        Ok(found.map(|letter| opened(id, letter)))
    }

    async fn discard(&self, stream: &str, ids: &[EntryId]) -> Result<u64, DeadLetterQueueError> {
        let letters = &mut lock(&self.stream.dead_letters).letters;
        let mut discarded = 0;
        for id in ids {
            if letters.get(id).is_some_and(|letter| *letter.stream == *stream) {
                letters.remove(id);
                discarded += 1;
            }
        }
        Ok(discarded)
    }
}
