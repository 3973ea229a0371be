//! The durable group.

use std::sync::atomic::Ordering;

use crate::connection::{Commands, Connection};
use crate::context::Context;
use crate::error::{RedisFailure, Refusal};
use crate::info::StreamInfo;

/// Makes sure that the group exists; says whether it had to be created.
///
/// It starts at the beginning of the stream, always: what was there before is written again, which writes
/// nothing, while what came in the meantime would otherwise never be read.
async fn ensure(connection: &mut Connection, context: &Context) -> Result<bool, RedisFailure> {
    let (stream, group) = (context.settings.stream.as_str(), context.settings.group.as_str());
    let mut commands = Commands::default();
    commands.push(&["XINFO", "STREAM", stream]);
    // Refused if there is no such stream yet.
    let removed =
        StreamInfo::read(&mut connection.ask(&commands).await?).ok().and_then(|info| info.removed());

    // A new group stands behind what was removed before its time. Told so, the server knows its lag, and
    // nobody takes those entries for lost.
    let removed = removed.map(|removed| removed.to_string());
    let mut create = vec!["XGROUP", "CREATE", stream, group, "0", "MKSTREAM"];
    if let Some(removed) = &removed {
        create.extend(["ENTRIESREAD", removed.as_str()]);
    }
    let mut commands = Commands::default();
    commands.push(&create);
    match connection.ask(&commands).await?.expect_ok() {
        Ok(()) => Ok(true),
        Err(failure) if failure.refusal() == Some(Refusal::BusyGroup) => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// Before the first read.
pub(crate) async fn create_first(connection: &mut Connection, context: &Context) -> Result<(), RedisFailure> {
    match ensure(connection, context).await {
        Ok(true) => {
            let (stream, group) = (&*context.settings.stream, &*context.settings.group);
            tracing::info!(stream, group, "created the group at the start of the stream");
            Ok(())
        }
        Ok(false) => Ok(()),
        // A full server refuses to create a group even if it exists; reading is not refused, and will tell.
        Err(failure) if failure.refusal() == Some(Refusal::OutOfMemory) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// After a read that did not find it; says whether it was gone indeed.
pub(crate) async fn create_anew(
    connection: &mut Connection,
    context: &Context,
) -> Result<bool, RedisFailure> {
    let created = ensure(connection, context).await?;
    if created {
        context.trimmed.group_is_new();
        context.group_recreated.fetch_add(1, Ordering::Relaxed);
        let (stream, group) = (&*context.settings.stream, &*context.settings.group);
        tracing::warn!(stream, group, "the group was gone; created it anew at the start of the stream");
    }
    Ok(created)
}
