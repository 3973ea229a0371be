use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use processor_admin::{DeadLetterDesk, Place};
use processor_domain::ports::{
    DeadLetterQueue, DeadLetterQueueError, MockDeadLetterQueue, MockPositionPublisher, PositionPublisher,
    PublishError,
};
use processor_domain::{
    DeadLetterOrder, DeadLetterPage, DeadLetterReason, EntryId, KeptDeadLetter, OpenedDeadLetter,
};

type Letters = BTreeMap<(String, EntryId), OpenedDeadLetter>;

/// What happened, in order.
pub(crate) type Story = Arc<Mutex<Vec<String>>>;

/// A place with letters, behind a mock of the port. At most so many letters are looked at for a page.
#[derive(Clone)]
pub(crate) struct Shelf {
    name: &'static str,
    letters: Arc<Mutex<Letters>>,
    story: Story,
    looked_at: usize,
}

/// The largest record of these tests, in bytes.
pub(crate) const LARGEST: usize = 100;

impl Shelf {
    pub(crate) fn new(place: Place, story: &Story) -> Self {
        Self { name: place.name(), letters: Arc::default(), story: Arc::clone(story), looked_at: 1_000 }
    }

    pub(crate) fn looking_at_no_more_than(mut self, letters: usize) -> Self {
        self.looked_at = letters;
        self
    }

    pub(crate) fn put(&self, stream: &str, millis: u64, reason: DeadLetterReason, payload: &str) {
        let id = EntryId { millis, sequence: 0 };
        let letter = KeptDeadLetter {
            stream: stream.into(),
            id,
            kept_at: id.received_at(),
            entry_id: Some(id),
            reason: reason.name().into(),
            detail: "because".into(),
            deliveries: 1,
            instance: None,
            payload_bytes: payload.len() as u64,
        };
        let opened = OpenedDeadLetter { letter, payload: payload.as_bytes().into() };
        self.letters.lock().unwrap().insert((stream.to_owned(), id), opened);
    }

    /// The ids of its letters, in milliseconds.
    pub(crate) fn left(&self) -> Vec<u64> {
        self.letters.lock().unwrap().keys().map(|(_, id)| id.millis).collect()
    }

    pub(crate) fn port(&self) -> MockDeadLetterQueue {
        let mut port = MockDeadLetterQueue::new();
        let place = self.clone();
        port.expect_page().returning(move |stream, selection, after, limit| {
            let letters = place.letters.lock().unwrap();
            let mut of_stream: Vec<_> =
                letters.values().filter(|opened| *opened.letter.stream == *stream).collect();
            if selection.order == DeadLetterOrder::NewestFirst {
                of_stream.reverse();
            }
            let begin = after.map_or(0, |mark| match selection.order {
                DeadLetterOrder::OldestFirst => {
                    of_stream.partition_point(|opened| opened.letter.id <= mark.id)
                }
                DeadLetterOrder::NewestFirst => {
                    of_stream.partition_point(|opened| opened.letter.id >= mark.id)
                }
            });
            let seen: Vec<_> = of_stream[begin..].iter().take(place.looked_at).collect();
            let wanted = |opened: &&&OpenedDeadLetter| {
                selection.reason.is_none_or(|reason| *opened.letter.reason == *reason.name())
            };
            let found: Vec<_> =
                seen.iter().copied().filter(wanted).take(limit).map(|opened| opened.letter.clone()).collect();
            let last =
                if found.len() == limit { found.last() } else { seen.last().map(|opened| &opened.letter) };
            let more = last.filter(|last| of_stream.last().is_some_and(|end| end.letter.id != last.id));
            let next = more.map(KeptDeadLetter::mark);
            Ok(DeadLetterPage { letters: found, next })
        });
        let place = self.clone();
        port.expect_find().returning(move |stream, id| {
            Ok(place.letters.lock().unwrap().get(&(stream.to_owned(), id)).cloned())
        });
        let place = self.clone();
        port.expect_discard().returning(move |stream, ids| {
            place.story.lock().unwrap().push(format!("discard {} from {}", ids.len(), place.name));
            let mut letters = place.letters.lock().unwrap();
            Ok(ids.iter().filter(|id| letters.remove(&(stream.to_owned(), **id)).is_some()).count() as u64)
        });
        port
    }
}

/// Desk, story, and the two places.
pub(crate) struct Scene {
    pub(crate) story: Story,
    pub(crate) on_streams: Shelf,
    pub(crate) in_table: Shelf,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let story = Story::default();
        let (on_streams, in_table) = (Shelf::new(Place::Stream, &story), Shelf::new(Place::Table, &story));
        Self { story, on_streams, in_table }
    }

    /// A desk of the streams `a` and `b`, which take everything.
    pub(crate) fn desk(&self) -> DeadLetterDesk {
        self.desk_with(|_, _| Ok(()))
    }

    /// A desk whose streams answer so to each publication of these records.
    pub(crate) fn desk_with(
        &self,
        answer: impl Fn(&str, &[Box<[u8]>]) -> Result<(), PublishError> + Clone + Send + Sync + 'static,
    ) -> DeadLetterDesk {
        let publisher = |stream: &'static str| -> Arc<dyn PositionPublisher> {
            let (mut publisher, story, answer) =
                (MockPositionPublisher::new(), Arc::clone(&self.story), answer.clone());
            publisher.expect_publish().returning(move |records| {
                let records_text: Vec<_> =
                    records.iter().map(|record| String::from_utf8_lossy(record)).collect();
                story.lock().unwrap().push(format!("publish {} to {stream}", records_text.join(" ")));
                answer(stream, records)
            });
            Arc::new(publisher)
        };
        let publishers = ["a", "b"].map(|stream| (stream.into(), publisher(stream))).into();
        let queue = |shelf: &Shelf| -> Arc<dyn DeadLetterQueue> { Arc::new(shelf.port()) };
        let places = [(Place::Stream, queue(&self.on_streams)), (Place::Table, queue(&self.in_table))];
        DeadLetterDesk::new(publishers, places.into(), LARGEST)
    }

    pub(crate) fn story(&self) -> Vec<String> {
        self.story.lock().unwrap().clone()
    }
}

/// A place that does not answer.
pub(crate) fn away() -> Arc<dyn DeadLetterQueue> {
    let mut port = MockDeadLetterQueue::new();
    let gone = || DeadLetterQueueError::Unavailable("gone".into());
    port.expect_page().returning(move |_, _, _, _| Err(gone()));
    port.expect_find().returning(move |_, _| Err(gone()));
    port.expect_discard().returning(move |_, _| Err(gone()));
    Arc::new(port)
}
