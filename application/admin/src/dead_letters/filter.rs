use processor_domain::DeadLetterReason;

use super::{DeadLetterDesk, Place};

/// Which letters are meant: all that are of everything named here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// Only those kept here.
    pub place: Option<Place>,
    /// Only those of this stream; otherwise those of all that are read. Of one that is not read any more there are
    /// only those in the table.
    pub stream: Option<Box<str>>,
    /// Only those set aside for this reason.
    pub reason: Option<DeadLetterReason>,
}

/// The letters of one stream in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) place: Place,
    pub(super) stream: Box<str>,
}

impl DeadLetterDesk {
    /// Where the letters that are meant can be, always in the same order.
    pub(super) fn sources(&self, filter: &DeadLetterFilter) -> Vec<Source> {
        let streams: Vec<&Box<str>> = match &filter.stream {
            Some(stream) => vec![stream],
            None => self.publishers.keys().collect(),
        };
        let places = self.places.keys().copied();
        let places = places.filter(|place| filter.place.is_none_or(|only| only == *place));
        places
            .flat_map(|place| streams.iter().map(move |stream| Source { place, stream: (*stream).clone() }))
            .collect()
    }
}
