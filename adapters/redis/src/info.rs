//! What a server says of a stream and of a group.

use processor_domain::EntryId;

use crate::connection::Commands;
use crate::entry_id;
use crate::error::RedisFailure;
use crate::wire::{Cursor, ProtocolError};

/// The answer to `XINFO STREAM`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct StreamInfo {
    /// Entries in it.
    pub(crate) length: u64,
    /// Entries ever added to it; `None` if the server does not count them.
    pub(crate) added: Option<u64>,
    /// The last id given out, whether or not its entry is still there.
    pub(crate) last_generated: EntryId,
    /// The oldest entry that is still there.
    pub(crate) first: Option<EntryId>,
}

/// One group in the answer to `XINFO GROUPS`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct GroupInfo {
    /// The last entry delivered to any consumer of the group.
    pub(crate) last_delivered: EntryId,
    /// Which entry of all ever added that was, counted from 1; `None` if the server does not know.
    pub(crate) read: Option<u64>,
    pub(crate) lag: Lag,
}

/// Entries that the group has not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Lag {
    /// The server has no such field.
    #[default]
    Absent,
    /// The server does not know: entries were deleted ahead of the group, or it was created in the middle.
    Unknown,
    Known(u64),
}

/// Asks for what [`StreamInfo::read`] and [`GroupInfo::read`] read, in this order.
pub(crate) fn ask_for_both(commands: &mut Commands, stream: &str) {
    commands.push(&["XINFO", "STREAM", stream]);
    commands.push(&["XINFO", "GROUPS", stream]);
}

impl StreamInfo {
    pub(crate) fn read(replies: &mut Cursor<'_>) -> Result<Self, RedisFailure> {
        let mut info = Self::default();
        for _ in 0..replies.array_or_nothing()? / 2 {
            match replies.bytes()? {
                b"length" => info.length = replies.count()?.unwrap_or_default(),
                b"entries-added" => info.added = replies.count()?,
                b"last-generated-id" => info.last_generated = entry_id::parse(replies.bytes()?)?,
                b"first-entry" => {
                    if replies.array()?.is_some() {
                        info.first = Some(entry_id::parse(replies.bytes()?)?);
                        replies.skip()?;
                    }
                }
                _ => replies.skip()?,
            }
        }
        Ok(info)
    }

    /// Entries that were removed from it; all of them from its beginning, unless some were deleted singly.
    pub(crate) const fn removed(&self) -> Option<u64> {
        match self.added {
            Some(added) => Some(added.saturating_sub(self.length)),
            None => None,
        }
    }
}

impl GroupInfo {
    /// The group of this name.
    pub(crate) fn read(replies: &mut Cursor<'_>, group: &str) -> Result<Option<Self>, RedisFailure> {
        let mut found = None;
        for _ in 0..replies.array_or_nothing()? {
            let (mut info, mut named) = (Self::default(), false);
            for _ in 0..replies.array_or_nothing()? / 2 {
                match replies.bytes()? {
                    b"name" => named = replies.bytes()? == group.as_bytes(),
                    b"last-delivered-id" => info.last_delivered = entry_id::parse(replies.bytes()?)?,
                    b"entries-read" => info.read = replies.count()?,
                    b"lag" => info.lag = replies.count()?.map_or(Lag::Unknown, Lag::Known),
                    _ => replies.skip()?,
                }
            }
            if named {
                found = Some(info);
            }
        }
        Ok(found)
    }
}

/// The answer to `XPENDING` without a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct PendingInfo {
    /// Entries pending with any consumer of the group.
    pub(crate) count: u64,
    /// The oldest of them.
    pub(crate) oldest: Option<EntryId>,
}

impl PendingInfo {
    pub(crate) fn read(replies: &mut Cursor<'_>) -> Result<Self, RedisFailure> {
        replies.array_of(4)?;
        let count = replies.count()?.ok_or(ProtocolError::Unexpected)?;
        let mut info = Self { count, oldest: None };
        if count == 0 {
            for _ in 0..3 {
                replies.skip()?;
            }
        } else {
            info.oldest = Some(entry_id::parse(replies.bytes()?)?);
            replies.skip()?;
            replies.skip()?;
        }
        Ok(info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(millis: u64) -> EntryId {
        EntryId { millis, sequence: 0 }
    }

    fn reply(text: &str) -> Vec<u8> {
        text.replace(' ', "\r\n").into_bytes()
    }

    #[test]
    fn a_stream_is_read_whatever_else_the_server_says_of_it() {
        let bytes = reply(
            "*10 $6 length :3 $9 something *2 *1 $1 x $1 y $17 last-generated-id $4 10-0 $13 entries-added :10 \
             $11 first-entry *2 $3 8-0 *2 $1 a $1 b ",
        );
        let info = StreamInfo::read(&mut Cursor::new(&bytes)).unwrap();
        let expected = StreamInfo { length: 3, added: Some(10), last_generated: id(10), first: Some(id(8)) };
        assert_eq!(info, expected);
        assert_eq!(info.removed(), Some(7));
        let bytes = reply("*2 $11 first-entry $-1 ");
        assert_eq!(StreamInfo::read(&mut Cursor::new(&bytes)).unwrap(), StreamInfo::default());
    }

    #[test]
    fn the_group_is_found_among_others_and_a_lag_that_is_not_known_is_not_zero() {
        let bytes = reply(
            "*2 *4 $4 name $4 live $3 lag :9 *8 $4 name $9 processor $17 last-delivered-id $3 4-0 \
             $12 entries-read $-1 $3 lag $-1 ",
        );
        let group = |name| GroupInfo::read(&mut Cursor::new(&bytes), name).unwrap();
        let live = GroupInfo { lag: Lag::Known(9), ..GroupInfo::default() };
        let processor = GroupInfo { last_delivered: id(4), read: None, lag: Lag::Unknown };
        assert_eq!(group("live"), Some(live));
        assert_eq!(group("processor"), Some(processor));
        assert_eq!(group("other"), None);
    }

    #[test]
    fn pending_entries_are_counted_with_the_oldest_of_them() {
        let read = |text: &str| PendingInfo::read(&mut Cursor::new(&reply(text))).unwrap();
        assert_eq!(read("*4 :0 $-1 $-1 *-1 "), PendingInfo::default());
        let some = read("*4 :3 $3 3-0 $3 8-0 *1 *2 $1 c $1 3 ");
        assert_eq!(some, PendingInfo { count: 3, oldest: Some(id(3)) });
    }
}
