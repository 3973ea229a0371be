//! Reads the stream: first what this consumer left pending, then what is new.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use processor_domain::{DeadLetterReason, Delivery, EntryId, Receipt, Record};
use tokio::time::Instant;

use crate::connection::{Commands, Connection};
use crate::context::{Context, Deliveries};
use crate::entries::Entries;
use crate::entry_id::{self, START};
use crate::error::{RedisFailure, Remedy};
use crate::group;
use crate::group_read::GroupRead;
use crate::info::{self, GroupInfo, StreamInfo};
use crate::portion::Portion;
use crate::settings::RedisStreamSettings;

/// How long to read without looking for gaps after what tells of them was too large to be answered.
const BLIND: Duration = Duration::from_mins(1);

/// The one who reads, on a connection of its own: a read that blocks would hold up all else on it.
pub(crate) struct Reader {
    /// `None` before the first read and after every failure.
    connection: Option<Connection>,
    step: Step,
    portion: Portion,
    /// Until when not to look for gaps.
    blind_until: Option<Instant>,
    /// What was in flight when the group was created anew, and would now be read again from the start.
    rewound: HashSet<EntryId>,
    /// The first entry of what is being read again.
    reading: Option<EntryId>,
    /// An entry so large that it alone exceeds what an answer may be.
    oversized: Option<EntryId>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// What is pending here after this entry.
    OwnPending {
        after: EntryId,
    },
    New,
}

impl Step {
    const FIRST: Self = Self::OwnPending { after: START };
}

impl Reader {
    /// Reads on `connection`, fresh from the server.
    pub(crate) fn new(connection: Connection, settings: &RedisStreamSettings) -> Self {
        Self {
            connection: Some(connection),
            step: Step::FIRST,
            portion: Portion::new(settings.batch_size, settings.batch_bytes),
            blind_until: None,
            rewound: HashSet::new(),
            reading: None,
            oversized: None,
        }
    }

    /// The next batch; empty if nothing came in time.
    ///
    /// After a failure nothing is known of what the server did: it may have delivered entries in an answer
    /// that was lost. So the connection is given up, and the next call starts with what is pending here. The
    /// same happens if the future is dropped: the connection is taken out for as long as it runs.
    pub(crate) async fn next(&mut self, context: &Context) -> Result<Vec<Delivery>, RedisFailure> {
        let unseen = context.unseen.swap(false, Ordering::Relaxed);
        let connection = context.current(self.connection.take()).await;
        if unseen || connection.is_none() {
            self.step = Step::FIRST;
        }
        let mut connection = match connection {
            Some(connection) => connection,
            None => context.connect("reader").await?,
        };
        let read = self.read(&mut connection, context).await;
        match &read {
            Ok(_) => self.connection = Some(connection),
            Err(RedisFailure::TooLarge { .. }) => self.ask_for_less(),
            Err(failure) if failure.remedy() == Remedy::CreateGroup => {
                // If this fails, the next read will say the same.
                self.connection = self.create_group(context).await.ok();
            }
            Err(_) => {}
        }
        if read.is_err() {
            self.step = Step::FIRST;
        }
        read
    }

    async fn read(
        &mut self,
        connection: &mut Connection,
        context: &Context,
    ) -> Result<Vec<Delivery>, RedisFailure> {
        while let Step::OwnPending { after } = self.step {
            let batch = self.own_pending(connection, context, after).await?;
            if !batch.is_empty() {
                return Ok(batch);
            }
        }
        self.new_entries(connection, context).await
    }

    /// One page of what is pending here and not in flight.
    ///
    /// The server counts a delivery for every entry that is read again, and does not say how many there were.
    /// So it is first asked what there is, and then for no more than what is not in flight.
    async fn own_pending(
        &mut self,
        connection: &mut Connection,
        context: &Context,
        after: EntryId,
    ) -> Result<Vec<Delivery>, RedisFailure> {
        let _recovery = context.recovery.lock().await;
        let in_flight = context.in_flight.snapshot();
        let page = context.own_pending(connection, &format!("({after}"), self.portion.count()).await?;
        let Some((page_end, _)) = page.last() else {
            self.step = Step::New;
            return Ok(Vec::new());
        };
        self.step = Step::OwnPending { after: *page_end };
        let unseen = |(id, _): &Deliveries| !in_flight.contains(id);
        let Some(first) = page.iter().position(unseen) else { return Ok(Vec::new()) };
        let last = page.iter().rposition(unseen).unwrap_or(first);
        if self.oversized.take_if(|id| *id == page[first].0).is_some() {
            self.step = Step::OwnPending { after: page[first].0 };
            let batch = vec![too_large(context, page[first])];
            context.note_in_flight(&batch);
            return Ok(batch);
        }

        let wanted = &page[first..=last];
        self.reading = Some(wanted[0].0);
        let before: HashMap<EntryId, u32> = wanted.iter().copied().filter(unseen).collect();
        let mut commands = Commands::default();
        let start = entry_id::before(wanted[0].0).to_string();
        own_read(&context.settings, &start, wanted.len()).push(&mut commands);
        let mut replies = connection.ask(&commands).await?;

        let now = context.clock.now();
        let mut batch = Vec::with_capacity(before.len());
        for entry in Entries::of_read(&mut replies)? {
            let entry = entry?;
            if let Some(deliveries) = before.get(&entry.id) {
                // The server does not count the delivery of a body that is gone.
                let deliveries = deliveries.saturating_add(u32::from(entry.has_body()));
                batch.push(entry.deliver(&context.codec, now, deliveries));
            }
        }
        self.reading = None;
        context.note_in_flight(&batch);
        Ok(batch)
    }

    async fn new_entries(
        &mut self,
        connection: &mut Connection,
        context: &Context,
    ) -> Result<Vec<Delivery>, RedisFailure> {
        let settings = &context.settings;
        let count = self.portion.count();
        let mut commands = Commands::default();
        // Once the group has read past a gap, it is too late to see it. Asking before every read takes no turn
        // of its own, and of the server's time a few microseconds for a batch.
        let looks = self.blind_until.is_none_or(|until| until <= Instant::now());
        if looks {
            info::ask_for_both(&mut commands, &settings.stream);
        }
        let read = own_read(settings, GroupRead::NEW, count);
        GroupRead { block: Some(settings.block), ..read }.push(&mut commands);
        let mut replies = connection.ask_blocking(&commands, settings.block).await?;
        if looks {
            let (mut stream, mut group) = (replies, replies);
            group.skip()?;
            replies.skip()?;
            replies.skip()?;
            // If these two were refused, the read was so, too, and says why.
            if let (Ok(stream), Ok(Some(group))) =
                (StreamInfo::read(&mut stream), GroupInfo::read(&mut group, &settings.group))
            {
                context.trimmed.observe(&settings.stream, &stream, &group);
            }
        }

        let bytes = replies.remaining();
        let entries = Entries::of_read(&mut replies)?;
        let seen = entries.left();
        let mut batch = Vec::with_capacity(seen.min(count));
        let now = context.clock.now();
        for entry in entries {
            let entry = entry?;
            if self.rewound.is_empty() || !self.rewound.remove(&entry.id) {
                batch.push(entry.deliver(&context.codec, now, 1));
            }
        }
        self.portion.weigh(seen, bytes);
        if let (false, Some(last)) = (self.rewound.is_empty(), batch.last()) {
            self.rewound.retain(|id| *id > last.receipt.entry_id());
        }
        context.note_in_flight(&batch);
        Ok(batch)
    }

    /// The answer exceeded what an answer may be. What it held is pending here now: ask again in halves, and
    /// in the end go without the one entry that is too large by itself.
    fn ask_for_less(&mut self) {
        if self.portion.halve() {
            return;
        }
        match self.step {
            Step::OwnPending { .. } => self.oversized = self.reading,
            // What the server says of a stream includes its first and its last entry.
            Step::New => self.blind_until = Some(Instant::now() + BLIND),
        }
    }

    async fn create_group(&mut self, context: &Context) -> Result<Connection, RedisFailure> {
        let mut connection = context.connect("reader").await?;
        if group::create_anew(&mut connection, context).await? {
            self.rewound = context.in_flight.snapshot();
        }
        Ok(connection)
    }
}

/// A read of what is pending here after an entry, or of what is new.
fn own_read<'a>(settings: &'a RedisStreamSettings, after: &'a str, count: usize) -> GroupRead<'a> {
    GroupRead {
        stream: &settings.stream,
        group: &settings.group,
        consumer: &settings.consumer,
        after,
        count,
        block: None,
        acknowledged: false,
    }
}

/// What can be said of an entry that cannot be read.
fn too_large(context: &Context, (id, deliveries): Deliveries) -> Delivery {
    let limit = context.settings.reply_bytes;
    Delivery {
        receipt: Receipt::of(id),
        record: Record::Undecodable {
            reason: DeadLetterReason::TooLarge,
            detail: format!("the entry is larger than {limit} bytes and was not read").into(),
            payload: Box::default(),
        },
        deliveries,
        trace_parent: None,
    }
}
