use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::time::Duration;

use anyhow::{Context, bail};
use processor_domain::{DeviceId, EntryId, Timestamp};
use redis::aio::ConnectionLike;
use redis::streams::StreamRangeReply;
use redis::{AsyncCommands, pipe};

use crate::eventually::Patience;
use crate::{RedisServer, Sample};

mod books;

use books::Books;

type Key = (DeviceId, Timestamp);

/// What was given out on one stream, and whether all of it is accounted for.
///
/// The law of accounting, from ground truth alone (the ids that the stream gave out, the table, the dead
/// letters), because counters die with the process that holds them:
///
/// > entries given out = rows + entries whose key belongs to another entry + dead letters + lost
///
/// and nothing is pending.
#[derive(Debug)]
pub struct Ledger {
    stream: String,
    /// Everything that was ever sent, to know an entry again whose id was lost with a connection.
    sent: HashMap<Box<[u8]>, Option<Key>>,
    given: BTreeMap<EntryId, Option<Key>>,
    lost: BTreeSet<EntryId>,
    forgetful: bool,
    /// Devices whose rows are another ledger's matter are known by not having been sent to this one.
    beside_others: bool,
}

/// An account that closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Account {
    /// Entries given out.
    pub given: usize,
    /// Those that own a row.
    pub rows: usize,
    /// Those whose key belongs to another entry.
    pub repeats: usize,
    /// Those that are dead letters.
    pub dead_letters: usize,
    /// Those that are allowed to be lost, and are.
    pub lost: usize,
}

impl Ledger {
    /// The empty ledger of a stream.
    #[must_use]
    pub fn of(stream: &str) -> Self {
        Self {
            stream: stream.to_owned(),
            sent: HashMap::new(),
            given: BTreeMap::new(),
            lost: BTreeSet::new(),
            forgetful: false,
            beside_others: false,
        }
    }

    /// The same, if the table also holds what other streams gave out, of other devices.
    #[must_use]
    pub fn beside_others(self) -> Self {
        Self { beside_others: true, ..self }
    }

    /// How many entries were given out.
    #[must_use]
    pub fn given(&self) -> usize {
        self.given.len()
    }

    /// Puts records onto the stream and notes the ids that they are given, in this order.
    ///
    /// # Errors
    /// If the server does not take them all. Some may be on the stream without an id in the ledger:
    /// [`Self::recount`] finds them.
    pub async fn publish(
        &mut self,
        redis: &mut (impl ConnectionLike + Send),
        records: impl IntoIterator<Item = Sample>,
    ) -> anyhow::Result<Vec<EntryId>> {
        let mut ids = Vec::new();
        let mut records = records.into_iter().peekable();
        while records.peek().is_some() {
            let batch: Vec<Sample> = records.by_ref().take(1_000).collect();
            let mut adding = pipe();
            for record in &batch {
                adding.cmd("XADD").arg(&self.stream).arg("*").arg("payload").arg(&*record.payload);
                self.sent.insert(record.payload.clone(), record.key);
            }
            let given: Vec<String> = adding.query_async(redis).await?;
            for (id, record) in given.iter().zip(batch) {
                let id = id.parse()?;
                self.given.insert(id, record.key);
                ids.push(id);
            }
        }
        Ok(ids)
    }

    /// Counts again by what the stream holds: for a server that has lost entries, or answers about them.
    ///
    /// # Errors
    /// If the stream cannot be read, or holds a record that this ledger has not sent.
    pub async fn recount(&mut self, redis: &mut (impl ConnectionLike + Send + Sync)) -> anyhow::Result<()> {
        self.given.clear();
        let mut from = "-".to_owned();
        loop {
            let page: StreamRangeReply = redis.xrange_count(&self.stream, from, "+", 1_000).await?;
            let Some(last) = page.ids.last() else { return Ok(()) };
            from = format!("({}", last.id);
            for entry in page.ids {
                let payload: Vec<u8> =
                    entry.get("payload").with_context(|| format!("entry {} has no payload", entry.id))?;
                let key = self.sent.get(&*payload);
                let key = key.with_context(|| format!("entry {} was not sent by this test", entry.id))?;
                self.given.insert(entry.id.parse()?, *key);
            }
        }
    }

    /// Notes that these entries are allowed to be lost: the test has trimmed them from the stream.
    pub fn allow_lost(&mut self, entries: impl IntoIterator<Item = EntryId>) {
        self.lost.extend(entries);
    }

    /// Notes that a server has taken over which need not have had everything: what it does not hold may all the same
    /// have been read of the other one before. To be counted again.
    pub const fn allow_forgotten(&mut self) {
        self.forgetful = true;
    }

    /// Closes the account of one group, by the stream's server and the database at `database_url`.
    ///
    /// # Errors
    /// If it does not close, with what is missing, too much, or pending; or if one of the two cannot be asked.
    pub async fn check(
        &self,
        redis: &RedisServer,
        database_url: &str,
        group: &str,
    ) -> anyhow::Result<Account> {
        let books = Books::read(redis, database_url, &self.stream, group).await?;
        let (account, mut faults) = self.settle(&books);
        let unread = self.given.range((Bound::Excluded(books.last_delivered), Bound::Unbounded));
        faults.push(listed("never delivered", unread.map(|(id, _)| id)));
        faults.push(listed("pending", &books.pending));
        faults.retain(|fault| !fault.is_empty());
        if !faults.is_empty() {
            bail!("the account of {} does not close ({account:?})\n{}", self.stream, faults.join("\n"));
        }
        Ok(account)
    }

    /// Waits until the account closes, and returns it.
    ///
    /// # Panics
    /// If it does not within `limit`, with what is missing, too much, or pending.
    pub async fn until_settled(
        &self,
        limit: Duration,
        redis: &RedisServer,
        database_url: &str,
        group: &str,
    ) -> Account {
        let patience = Patience::new(limit, "the account closes");
        loop {
            match self.check(redis, database_url, group).await {
                Ok(account) => return account,
                Err(error) => patience.look_again(&error).await,
            }
        }
    }

    /// Whether it was sent, and may have gone with the server that took it.
    fn is_forgotten(&self, key: &Key) -> bool {
        self.forgetful && self.sent.values().any(|sent| sent.as_ref() == Some(key))
    }

    /// What became of every entry, and what should not be; nothing of a kind is empty text.
    fn settle(&self, books: &Books) -> (Account, Vec<String>) {
        let mut account = Account { given: self.given.len(), ..Account::default() };
        let mut owned = BTreeMap::new();
        let mut missing = Vec::new();
        for (id, key) in &self.given {
            let row = key.is_some_and(|key| books.rows.contains_key(&key));
            match key {
                _ if books.dead.contains(id) => account.dead_letters += 1,
                Some(key) if row && owned.contains_key(key) => account.repeats += 1,
                Some(key) if row => {
                    owned.insert(*key, *id);
                    account.rows += 1;
                }
                _ if self.lost.contains(id) => account.lost += 1,
                Some((device, ts)) => missing.push(format!("{id} ({device} at {ts})")),
                None => missing.push(format!("{id} (not a position)")),
            }
        }
        let devices: BTreeSet<&DeviceId> = self.sent.values().flatten().map(|(device, _)| device).collect();
        let strangers = books
            .rows
            .keys()
            .filter(|key| !owned.contains_key(*key) && !self.is_forgotten(key))
            .filter(|(device, _)| !self.beside_others || devices.contains(device))
            .map(|(device, ts)| format!("{device} at {ts}"));
        let repeated = books
            .rows
            .iter()
            .filter(|(_, count)| **count > 1)
            .map(|((device, ts), count)| format!("{device} at {ts}: {count} times"));
        let dead_strangers = books.dead.iter().filter(|id| !self.forgetful && !self.given.contains_key(*id));
        let faults = vec![
            listed("neither in the table nor a dead letter", missing),
            listed("in the table and not to be there", strangers),
            listed("in the table more than once", repeated),
            listed("dead letters of no entry", dead_strangers),
        ];
        (account, faults)
    }
}

/// A line of at most ten of them; empty if there are none.
fn listed<T: ToString>(what: &str, things: impl IntoIterator<Item = T>) -> String {
    let things: Vec<String> = things.into_iter().map(|thing| thing.to_string()).collect();
    match things.len() {
        0 => String::new(),
        1..=10 => format!("{} {what}: {}", things.len(), things.join(", ")),
        many => format!("{many} {what}: {}, …", things[..10].join(", ")),
    }
}

#[cfg(test)]
mod tests;
