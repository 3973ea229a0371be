//! The group of a live feed: one for each instance, so that each sees every entry.

use processor_domain::EntryId;

use crate::connection::{Commands, Connection};
use crate::entry_id;
use crate::error::{RedisFailure, Refusal};
use crate::info::StreamInfo;

/// What the names of such groups begin with, and of no others.
pub(crate) const PREFIX: &str = "live-broadcast-";

/// The name of an instance's group.
pub(crate) fn name(instance: &str) -> String {
    format!("{PREFIX}{instance}")
}

/// How far a stream is, or nothing if there is none. What the server itself says of a stream includes its first
/// and its last entry, whatever their size; those stay there.
const STREAM_INFO: &str = r"
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local flat, named = redis.call('XINFO', 'STREAM', KEYS[1]), {}
for at = 1, #flat, 2 do named[flat[at]] = flat[at + 1] end
return {named['last-generated-id'], named['length'], named['entries-added'] or -1}
";

/// How far a stream is. One that does not exist is empty.
pub(crate) async fn stream_info(
    connection: &mut Connection,
    stream: &str,
) -> Result<StreamInfo, RedisFailure> {
    let mut commands = Commands::default();
    commands.push(&["EVAL", STREAM_INFO, "1", stream]);
    let mut replies = connection.ask(&commands).await?;
    if replies.array()?.is_none() {
        return Ok(StreamInfo::default());
    }
    let last_generated = entry_id::parse(replies.bytes()?)?;
    let length = replies.count()?.unwrap_or_default();
    Ok(StreamInfo { length, added: replies.count()?, last_generated, first: None })
}

/// Makes the group stand after this entry, whether or not it exists; says whether it had to be created.
///
/// A group that exists is moved as well: it may have been moved on by an answer that was lost, or be left over
/// from an earlier start. A server whose memory is full refuses to create a group, but not to move it.
pub(crate) async fn stand_after(
    connection: &mut Connection,
    stream: &str,
    group: &str,
    consumer: &str,
    entry: EntryId,
) -> Result<bool, RedisFailure> {
    let after = entry.to_string();
    let mut commands = Commands::default();
    commands.push(&["XGROUP", "CREATE", stream, group, &after, "MKSTREAM"]);
    commands.push(&["XGROUP", "SETID", stream, group, &after]);
    // With a consumer, the group shows when it was last used, even if that was only now.
    commands.push(&["XGROUP", "CREATECONSUMER", stream, group, consumer]);
    let mut replies = connection.ask(&commands).await?;
    let created = replies.expect_ok();
    let moved = replies.expect_ok();
    match (created, moved) {
        (created, Ok(())) => Ok(created.is_ok()),
        (Err(refused), Err(_)) if refused.refusal() != Some(Refusal::BusyGroup) => Err(refused),
        (_, Err(refused)) => Err(refused),
    }
}

/// Takes the group away; that there is none is as good.
pub(crate) async fn destroy(
    connection: &mut Connection,
    stream: &str,
    group: &str,
) -> Result<(), RedisFailure> {
    let mut commands = Commands::default();
    commands.push(&["EXISTS", stream]);
    commands.push(&["XGROUP", "DESTROY", stream, group]);
    let mut replies = connection.ask(&commands).await?;
    let exists = replies.count()? != Some(0);
    match replies.expect_ok() {
        Err(failure) if failure.refusal().is_some() && !exists => Ok(()),
        answer => answer,
    }
}
