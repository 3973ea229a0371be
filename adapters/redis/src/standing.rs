//! How far the group is with the stream.

use std::sync::atomic::Ordering;

use processor_domain::{EntryId, Standing};

use crate::connection::{Commands, Connection};
use crate::context::Context;
use crate::entries::Entries;
use crate::error::{RedisFailure, Refusal};
use crate::info::{self, GroupInfo, Lag, PendingInfo, StreamInfo};
use crate::settings::RedisStreamSettings;

/// Asks the server, in one turn if nothing is unread, else in two.
pub(crate) async fn standing(
    connection: &mut Connection,
    context: &Context,
) -> Result<Standing, RedisFailure> {
    let RedisStreamSettings { stream: name, group: group_name, .. } = &context.settings;
    let mut commands = Commands::default();
    info::ask_for_both(&mut commands, name);
    commands.push(&["XPENDING", name, group_name]);
    let mut replies = connection.ask(&commands).await?;
    let stream = StreamInfo::read(&mut replies)?;
    let group = GroupInfo::read(&mut replies, group_name)?;
    let pending = PendingInfo::read(&mut replies)?;
    let group = group.ok_or_else(|| RedisFailure::Refused {
        refusal: Refusal::NoGroup,
        message: "the stream has no such group".into(),
    })?;

    context.trimmed.observe(name, &stream, &group);
    let unread = first_unread(connection, name, &stream, &group).await?;
    let oldest = [pending.oldest, unread].into_iter().flatten().min();
    Ok(Standing {
        lag: match group.lag {
            Lag::Known(lag) => Some(lag),
            Lag::Unknown => None,
            Lag::Absent => Some(stream.length),
        },
        pending: pending.count,
        oldest_unprocessed: oldest.map(EntryId::received_at),
        trimmed_unread: context.trimmed.total(),
        group_recreated: context.group_recreated.load(Ordering::Relaxed),
        durable: None,
    })
}

/// The oldest entry that the group has not read, if there is one.
async fn first_unread(
    connection: &mut Connection,
    name: &str,
    stream: &StreamInfo,
    group: &GroupInfo,
) -> Result<Option<EntryId>, RedisFailure> {
    match stream.first {
        None => return Ok(None),
        Some(_) if group.last_delivered >= stream.last_generated => return Ok(None),
        Some(first) if first > group.last_delivered => return Ok(Some(first)),
        Some(_) => {}
    }
    let mut commands = Commands::default();
    commands.push(&["XRANGE", name, &format!("({}", group.last_delivered), "+", "COUNT", "1"]);
    let mut replies = connection.ask(&commands).await?;
    let first = Entries::of(&mut replies)?.next().transpose()?;
    Ok(first.map(|entry| entry.id))
}
