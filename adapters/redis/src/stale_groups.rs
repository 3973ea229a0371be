//! Takes away the groups of instances that are gone: a server keeps them for ever.

use std::time::Duration;

use crate::connection::{Commands, Connection};
use crate::error::RedisFailure;
use crate::live_group;

/// Most groups looked at in one piece. A server does nothing else while it looks at one, but does between two.
const GROUPS_IN_A_PIECE: usize = 100;

/// Takes the group away if it is stale, and answers 1 if it did. It is looked at once more here, where nothing
/// can come between looking and taking: an instance that has come back in the meantime keeps its group.
///
/// An instance shows that it is there by asking, whether or not there is anything for it; so it is the field
/// `idle` that counts, and not `inactive`, which is about entries that were found.
const REMOVE_IF_STALE: &str = r"
local stream, group = KEYS[1], ARGV[1]
local gone_after, unused_after = tonumber(ARGV[2]), tonumber(ARGV[3])

local function fields(flat)
  local named = {}
  for at = 1, #flat, 2 do named[flat[at]] = flat[at + 1] end
  return named
end

local consumers = redis.pcall('XINFO', 'CONSUMERS', stream, group)
if consumers.err then return 0 end
for _, consumer in ipairs(consumers) do
  if fields(consumer).idle <= gone_after then return 0 end
end
if #consumers == 0 then
  local time = redis.call('TIME')
  local oldest = tonumber(time[1]) * 1000 - unused_after
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local found = fields(flat)
    if found.name == group and tonumber(string.match(found['last-delivered-id'], '^%d+')) >= oldest then
      return 0
    end
  end
end
return redis.call('XGROUP', 'DESTROY', stream, group)
";

/// When a group counts as stale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// If none of its consumers has asked for anything for so long.
    pub(crate) gone_after: Duration,
    /// If it has no consumers, and its last entry is older than that.
    pub(crate) unused_after: Duration,
}

/// Takes stale live groups away, all but `own`, and says how many they were.
pub(crate) async fn remove(
    connection: &mut Connection,
    stream: &str,
    own: &str,
    limits: Limits,
) -> Result<usize, RedisFailure> {
    let (gone_after, unused_after) =
        (limits.gone_after.as_millis().to_string(), limits.unused_after.as_millis().to_string());
    let mut removed = 0;
    for piece in others(connection, stream, own).await?.chunks(GROUPS_IN_A_PIECE) {
        let mut commands = Commands::default();
        for group in piece {
            commands.push(&["EVAL", REMOVE_IF_STALE, "1", stream, group, &gone_after, &unused_after]);
        }
        let mut replies = connection.ask(&commands).await?;
        for _ in piece {
            removed += usize::from(replies.count()? == Some(1));
        }
    }
    Ok(removed)
}

/// The live groups of other instances. A name that is no text is none of ours.
async fn others(connection: &mut Connection, stream: &str, own: &str) -> Result<Vec<String>, RedisFailure> {
    let mut commands = Commands::default();
    commands.push(&["XINFO", "GROUPS", stream]);
    let mut replies = connection.ask(&commands).await?;
    let mut found = Vec::new();
    for _ in 0..replies.array_or_nothing()? {
        for _ in 0..replies.array_or_nothing()? / 2 {
            if replies.bytes()? != b"name" {
                replies.skip()?;
                continue;
            }
            let name = std::str::from_utf8(replies.bytes()?).ok();
            found.extend(
                name.filter(|name| name.starts_with(live_group::PREFIX) && *name != own).map(Into::into),
            );
        }
    }
    Ok(found)
}
