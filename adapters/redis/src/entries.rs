//! Entries in a reply, and the deliveries made of them.

use processor_codec::RecordCodec;
use processor_domain::{DeadLetterReason, Delivery, EntryId, Receipt, Record, Timestamp, TraceParent};

use crate::entry_id;
use crate::error::RedisFailure;
use crate::wire::Cursor;

/// Most of an entry without a payload that is kept with its dead letter, in bytes.
const LONGEST_STRANGER: usize = 64 * 1024;

/// An entry where it lies in the reply.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) id: EntryId,
    /// `None` if the stream was trimmed while the entry was pending.
    body: Option<Body<'a>>,
}

#[derive(Debug)]
struct Body<'a> {
    payload: Option<&'a [u8]>,
    traceparent: Option<&'a [u8]>,
    fields: Fields<'a>,
}

/// The fields of an entry, name and value by turns.
#[derive(Clone, Copy, Debug)]
struct Fields<'a> {
    cursor: Cursor<'a>,
    count: usize,
}

/// The entries of an array, one after the other.
#[derive(Debug)]
pub(crate) struct Entries<'c, 'a> {
    replies: &'c mut Cursor<'a>,
    left: usize,
}

impl<'c, 'a> Entries<'c, 'a> {
    /// Those of an array of entries.
    pub(crate) fn of(replies: &'c mut Cursor<'a>) -> Result<Self, RedisFailure> {
        let left = replies.array_or_nothing()?;
        Ok(Self { replies, left })
    }

    /// Those of a read of one stream: none if the read has ended without any.
    pub(crate) fn of_read(replies: &'c mut Cursor<'a>) -> Result<Self, RedisFailure> {
        if replies.array()?.is_none() {
            return Ok(Self { replies, left: 0 });
        }
        replies.array_of(2)?;
        replies.bytes()?;
        Self::of(replies)
    }

    /// How many are to come, as the server announces.
    pub(crate) const fn left(&self) -> usize {
        self.left
    }
}

impl<'a> Iterator for Entries<'_, 'a> {
    type Item = Result<Entry<'a>, RedisFailure>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some(Entry::read(self.replies))
    }
}

impl<'a> Entry<'a> {
    fn read(replies: &mut Cursor<'a>) -> Result<Self, RedisFailure> {
        replies.array_of(2)?;
        let id = entry_id::parse(replies.bytes()?)?;
        let Some(words) = replies.array()? else { return Ok(Self { id, body: None }) };
        let fields = Fields { cursor: *replies, count: words / 2 };
        let (mut payload, mut traceparent) = (None, None);
        for _ in 0..fields.count {
            let (name, value) = (replies.bytes()?, replies.bytes()?);
            match name {
                b"payload" => payload = Some(value),
                b"traceparent" => traceparent = Some(value),
                _ => {}
            }
        }
        Ok(Self { id, body: Some(Body { payload, traceparent, fields }) })
    }

    /// Whether there is something in it.
    pub(crate) const fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// Reads the record.
    pub(crate) fn record(&self, codec: &RecordCodec, now: Timestamp) -> Record {
        match &self.body {
            None => Record::Lost,
            Some(Body { payload: Some(payload), .. }) => codec.decode(payload, self.id.received_at(), now),
            Some(Body { fields, .. }) => fields.no_payload(),
        }
    }

    /// Reads the record, and what else goes with it to be settled.
    pub(crate) fn deliver(&self, codec: &RecordCodec, now: Timestamp, deliveries: u32) -> Delivery {
        let record = self.record(codec, now);
        let sent = self.body.as_ref().and_then(|body| body.traceparent);
        let trace_parent = sent.and_then(TraceParent::parse);
        Delivery { receipt: Receipt::of(self.id), record, deliveries, trace_parent }
    }
}

impl Fields<'_> {
    /// What became of the entry is decided by a person: all of it is kept, as lines `name=value`.
    fn no_payload(mut self) -> Record {
        let mut payload = Vec::new();
        while self.count > 0 && payload.len() < LONGEST_STRANGER {
            let (Ok(name), Ok(value)) = (self.cursor.bytes(), self.cursor.bytes()) else { break };
            self.count -= 1;
            payload.extend_from_slice(name);
            payload.push(b'=');
            payload.extend_from_slice(value);
            payload.push(b'\n');
        }
        payload.truncate(LONGEST_STRANGER);
        Record::Undecodable {
            reason: DeadLetterReason::NoPayload,
            detail: "the entry has no field `payload`".into(),
            payload: payload.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn deliver(reply: &str) -> Vec<Delivery> {
        let reply = reply.replace(' ', "\r\n");
        let codec = RecordCodec::new(processor_codec::Limits::default());
        let mut replies = Cursor::new(reply.as_bytes());
        let entries = Entries::of_read(&mut replies).unwrap();
        entries.map(|entry| entry.unwrap().deliver(&codec, NOW, 1)).collect()
    }

    #[test]
    fn a_read_that_ends_without_entries_has_none() {
        assert_eq!(deliver("*-1 "), []);
    }

    #[test]
    fn an_entry_whose_body_is_gone_is_lost() {
        let delivered = deliver("*1 *2 $1 s *2 *2 $3 1-2 *-1 *2 $3 1-3 $-1 ");
        assert_eq!(delivered.len(), 2);
        assert_eq!(delivered[0].receipt.entry_id(), EntryId { millis: 1, sequence: 2 });
        assert!(delivered.iter().all(|delivery| delivery.record == Record::Lost));
    }

    #[test]
    fn an_entry_without_a_payload_is_kept_whole() {
        let delivered = deliver("*1 *2 $1 s *1 *2 $3 1-2 *4 $1 a $1 b $4 data $2 {} ");
        let Record::Undecodable { reason, payload, .. } = &delivered[0].record else {
            panic!("{delivered:?}")
        };
        assert_eq!(*reason, DeadLetterReason::NoPayload);
        assert_eq!(&**payload, b"a=b\ndata={}\n");
    }

    #[test]
    fn the_trace_of_its_producer_is_passed_on_and_what_is_none_does_not_matter() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let entry = |value: &str| {
            let length = value.len();
            deliver(&format!("*1 *2 $1 s *1 *2 $3 1-2 *4 $1 a $1 b $11 traceparent ${length} {value} "))
        };
        assert_eq!(entry(good)[0].trace_parent.map(|parent| parent.to_string()).as_deref(), Some(good));
        for malformed in ["", "00", "é", &good.to_uppercase(), &"0".repeat(70_000)] {
            assert_eq!(entry(malformed)[0].trace_parent, None, "{malformed}");
        }
    }
}
