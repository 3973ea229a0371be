use std::collections::HashMap;

use async_trait::async_trait;
use processor_domain::ports::{DeadLetterQueue, DeadLetterQueueError};
use processor_domain::{
    DeadLetterMark, DeadLetterOrder, DeadLetterPage, DeadLetterReason, DeadLetterSelection, EntryId,
    KeptDeadLetter, OpenedDeadLetter,
};

use crate::connections::RedisConnections;
use crate::dead_letters::RedisDeadLetters;
use crate::entry_id::{self, START};
use crate::error::RedisFailure;

/// Most letters looked at in one piece: a server does nothing else meanwhile.
const LETTERS_IN_A_PIECE: usize = 100;

/// Most pieces looked through for a page.
const PIECES: usize = 50;

/// Most ids in one command.
const IDS_IN_A_COMMAND: usize = 1000;

/// After every entry.
const LAST: EntryId = EntryId { millis: u64::MAX, sequence: u64::MAX };

/// Looks at a piece of the letters and answers how many there were, which was the last, and those with the reason
/// that is wanted. Payloads stay where they are: a page of them may be many megabytes.
const LOOK: &str = r"
local command, from, to, count, reason = unpack(ARGV)
local seen = redis.call(command, KEYS[1], from, to, 'COUNT', count)
local letters = {}
for _, entry in ipairs(seen) do
  local letter = {}
  for at = 1, #entry[2], 2 do letter[entry[2][at]] = entry[2][at + 1] end
  if reason == '' or letter.reason == reason then
    letters[#letters + 1] = {
      entry[1], letter.entry_id or '', letter.reason or '', letter.detail or '',
      letter.deliveries or '', letter.instance or '', #(letter.payload or '')
    }
  end
end
local last = #seen > 0 and seen[#seen][1] or ''
return { #seen, last, letters }
";

/// Dead letters in the streams `{stream}:dead`, as [`RedisDeadLetters`] keeps them. A letter has the id there that
/// the server gave it.
#[derive(Clone, Debug)]
pub struct RedisDeadLetterQueue {
    connections: RedisConnections,
}

/// A piece as [`LOOK`] answers: how many were seen, the last of them, and those that are wanted.
type Piece = (usize, String, Vec<Looked>);

/// Id, `entry_id`, `reason`, `detail`, `deliveries`, `instance`, and the size of the payload.
type Looked = (String, Text, Text, Text, Text, Text, u64);

/// Text of whoever wrote it, which may be nobody of ours.
type Text = Vec<u8>;

impl RedisDeadLetterQueue {
    /// Dead letters where `connections` lead to.
    #[must_use]
    pub const fn new(connections: RedisConnections) -> Self {
        Self { connections }
    }

    async fn look(
        &self,
        stream: &str,
        selection: DeadLetterSelection,
        after: Option<EntryId>,
        count: usize,
    ) -> Result<Piece, RedisFailure> {
        let (command, begin, end) = match selection.order {
            DeadLetterOrder::OldestFirst => ("XRANGE", "-", "+"),
            DeadLetterOrder::NewestFirst => ("XREVRANGE", "+", "-"),
        };
        let begin = after.map_or_else(|| begin.to_owned(), |id| format!("({id}"));
        let (dead, mut commands) = (RedisDeadLetters::stream_of(stream), redis::pipe());
        let script = commands.cmd("EVAL").arg(LOOK).arg(1).arg(&dead);
        script.arg(command).arg(begin).arg(end).arg(count);
        script.arg(selection.reason.map_or("", DeadLetterReason::name));
        let (piece,) = self.connections.ask::<(Piece,)>(&dead, &commands).await?;
        Ok(piece)
    }

    async fn look_through(
        &self,
        stream: &str,
        selection: DeadLetterSelection,
        mut after: Option<EntryId>,
        limit: usize,
    ) -> Result<DeadLetterPage, RedisFailure> {
        let mut letters = Vec::new();
        let count =
            if selection.reason.is_none() { limit.min(LETTERS_IN_A_PIECE) } else { LETTERS_IN_A_PIECE };
        for _ in 0..PIECES {
            // Nothing is behind it, and a server takes asking for that as a mistake.
            let ends = [(DeadLetterOrder::OldestFirst, LAST), (DeadLetterOrder::NewestFirst, START)];
            if after.is_some_and(|id| ends.contains(&(selection.order, id))) {
                return Ok(DeadLetterPage { letters, next: None });
            }
            let (seen, last, found) = self.look(stream, selection, after, count).await?;
            for letter in found {
                letters.push(read(stream, letter)?);
            }
            if letters.len() >= limit {
                letters.truncate(limit);
                return Ok(DeadLetterPage { next: letters.last().map(KeptDeadLetter::mark), letters });
            }
            if seen < count {
                return Ok(DeadLetterPage { letters, next: None });
            }
            after = Some(entry_id::parse(last.as_bytes())?);
        }
        Ok(DeadLetterPage { letters, next: after.map(|id| DeadLetterMark { kept_at: id.received_at(), id }) })
    }
}

fn read(stream: &str, letter: Looked) -> Result<KeptDeadLetter, RedisFailure> {
    let (id, entry_id, reason, detail, deliveries, instance, payload_bytes) = letter;
    let id = entry_id::parse(id.as_bytes())?;
    let text = |bytes: &[u8]| Box::<str>::from(String::from_utf8_lossy(bytes));
    Ok(KeptDeadLetter {
        stream: stream.into(),
        id,
        kept_at: id.received_at(),
        entry_id: entry_id::parse(&entry_id).ok(),
        reason: text(&reason),
        detail: text(&detail),
        deliveries: text(&deliveries).parse().unwrap_or_default(),
        instance: Some(text(&instance)).filter(|instance| !instance.is_empty()),
        payload_bytes,
    })
}

#[async_trait]
impl DeadLetterQueue for RedisDeadLetterQueue {
    async fn page(
        &self,
        stream: &str,
        selection: DeadLetterSelection,
        after: Option<DeadLetterMark>,
        limit: usize,
    ) -> Result<DeadLetterPage, DeadLetterQueueError> {
        Ok(self.look_through(stream, selection, after.map(|mark| mark.id), limit).await?)
    }

    /// The server knows it without counting.
    async fn count(&self, stream: &str, _most: u64) -> Result<u64, DeadLetterQueueError> {
        let (dead, mut commands) = (RedisDeadLetters::stream_of(stream), redis::pipe());
        commands.cmd("XLEN").arg(&dead);
        let (count,) = self.connections.ask::<(u64,)>(&dead, &commands).await?;
        Ok(count)
    }

    async fn find(
        &self,
        stream: &str,
        id: EntryId,
    ) -> Result<Option<OpenedDeadLetter>, DeadLetterQueueError> {
        let (dead, id) = (RedisDeadLetters::stream_of(stream), id.to_string());
        let mut commands = redis::pipe();
        commands.cmd("XRANGE").arg(&dead).arg(&id).arg(&id);
        let (mut found,): (Vec<(String, HashMap<Vec<u8>, Vec<u8>>)>,) =
            self.connections.ask(&dead, &commands).await?;
        let Some((id, mut fields)) = found.pop() else { return Ok(None) };
        let mut field = |name: &str| fields.remove(name.as_bytes()).unwrap_or_default();
        let payload = field("payload").into_boxed_slice();
        let bytes = payload.len() as u64;
        let [entry_id, reason, detail, deliveries, instance] =
            ["entry_id", "reason", "detail", "deliveries", "instance"].map(&mut field);
        let letter = read(stream, (id, entry_id, reason, detail, deliveries, instance, bytes))?;
        Ok(Some(OpenedDeadLetter { letter, payload }))
    }

    async fn discard(&self, stream: &str, ids: &[EntryId]) -> Result<u64, DeadLetterQueueError> {
        let (dead, mut discarded) = (RedisDeadLetters::stream_of(stream), 0);
        for chunk in ids.chunks(IDS_IN_A_COMMAND) {
            let mut commands = redis::pipe();
            let command = commands.cmd("XDEL").arg(&dead);
            for id in chunk {
                command.arg(id.to_string());
            }
            let (gone,): (u64,) = self.connections.ask(&dead, &commands).await?;
            discarded += gone;
        }
        Ok(discarded)
    }
}
