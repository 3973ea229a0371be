//! Takes over what other consumers left pending.

use std::collections::HashSet;

use processor_domain::{Delivery, EntryId, Receipt, Record};

use crate::connection::{Commands, Connection};
use crate::context::Context;
use crate::entries::Entries;
use crate::entry_id::{self, START};
use crate::error::RedisFailure;
use crate::settings::RedisStreamSettings;

/// Most pages looked through at a time. The server looks at ten pending entries for each one that is asked
/// for, so with 2000 in a batch these are 320,000.
const PAGES: usize = 16;

/// An entry that is taken over was delivered before; how often else is asked afterwards.
const AT_LEAST: u32 = 2;

/// At most one batch; `next` is where the search goes on.
///
/// A page without anything to take over does not end the search: the server looks at so many entries, whether
/// or not they have been idle long enough.
pub(crate) async fn reclaim(
    connection: &mut Connection,
    context: &Context,
    next: &mut EntryId,
) -> Result<Vec<Delivery>, RedisFailure> {
    let _recovery = context.recovery.lock().await;
    // The search finds this consumer's own entries, too. Those in its hands stay there.
    let in_flight = context.in_flight.snapshot();
    let mut batch = Vec::new();
    for _ in 0..PAGES {
        claim_page(connection, context, &in_flight, next, &mut batch).await?;
        if !batch.is_empty() || *next == START {
            break;
        }
    }
    batch.sort_unstable_by_key(|delivery| delivery.receipt.entry_id());
    if let (Some(first), Some(last)) = (batch.first(), batch.last()) {
        let (first, last) = (first.receipt.entry_id(), last.receipt.entry_id());
        let counted = context.deliveries_between(connection, first, last).await?;
        for delivery in &mut batch {
            if let Some(deliveries) = counted.get(&delivery.receipt.entry_id()) {
                delivery.deliveries = *deliveries;
            }
        }
    }
    context.note_in_flight(&batch);
    Ok(batch)
}

async fn claim_page(
    connection: &mut Connection,
    context: &Context,
    in_flight: &HashSet<EntryId>,
    next: &mut EntryId,
    batch: &mut Vec<Delivery>,
) -> Result<(), RedisFailure> {
    let RedisStreamSettings { stream, group, consumer, claim_idle, batch_size, .. } = &context.settings;
    let (idle, count) = (claim_idle.as_millis().to_string(), batch_size.to_string());
    let mut commands = Commands::default();
    commands.push(&["XAUTOCLAIM", stream, group, consumer, &idle, &next.to_string(), "COUNT", &count]);
    let mut replies = connection.ask(&commands).await?;

    replies.array_of(3)?;
    *next = entry_id::parse(replies.bytes()?)?;
    let now = context.clock.now();
    for entry in Entries::of(&mut replies)? {
        let entry = entry?;
        if !in_flight.contains(&entry.id) {
            batch.push(entry.deliver(&context.codec, now, AT_LEAST));
        }
    }
    // Their bodies were gone. The server has dropped them, so this is the last that is heard of them.
    for _ in 0..replies.array_or_nothing()? {
        let id = entry_id::parse(replies.bytes()?)?;
        if !in_flight.contains(&id) {
            let receipt = Receipt::of(id);
            batch.push(Delivery { receipt, record: Record::Lost, deliveries: AT_LEAST, trace_parent: None });
        }
    }
    Ok(())
}
