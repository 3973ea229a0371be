use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use processor_domain::Consumer;
use processor_domain::ports::{ConsumerGroup, StreamError};
use redis::{FromRedisValue, Value};

use crate::connections::RedisConnections;
use crate::entry_id;
use crate::error::{RedisFailure, Refusal};
use crate::wire::ProtocolError;

/// Most consumers asked about in one piece.
const CONSUMERS_IN_A_PIECE: usize = 100;

/// Most consumers removed in one step: a server does nothing else meanwhile.
const REMOVED_AT_ONCE: usize = 1000;

/// Removes the consumers that are gone, and answers with their names. They are looked at here, where nothing can
/// come between looking and removing: whatever is pending with a consumer that is removed would be lost.
///
/// A consumer shows that it is there by asking, whether or not there is anything for it; so it is the field
/// `idle` that counts, and not `inactive`, which is about entries that were found.
const REMOVE_THOSE_GONE: &str = r"
local stream, group, own = KEYS[1], ARGV[1], ARGV[2]
local idle, most = tonumber(ARGV[3]), tonumber(ARGV[4])
local removed = {}
local consumers = redis.pcall('XINFO', 'CONSUMERS', stream, group)
if consumers.err then return removed end
for _, flat in ipairs(consumers) do
  local consumer = {}
  for at = 1, #flat, 2 do consumer[flat[at]] = flat[at + 1] end
  if consumer.name ~= own and consumer.pending == 0 and consumer.idle > idle then
    redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer.name)
    removed[#removed + 1] = consumer.name
    if #removed == most then break end
  end
end
return removed
";

/// The consumers of a durable group on Redis.
#[derive(Clone, Debug)]
pub struct RedisConsumerGroup {
    connections: RedisConnections,
    stream: Box<str>,
    group: Box<str>,
    own: Box<str>,
}

impl RedisConsumerGroup {
    /// The group `group` of `stream`, in which this instance is the consumer `own`.
    #[must_use]
    pub fn new(
        connections: RedisConnections,
        stream: impl Into<Box<str>>,
        group: impl Into<Box<str>>,
        own: impl Into<Box<str>>,
    ) -> Self {
        Self { connections, stream: stream.into(), group: group.into(), own: own.into() }
    }

    /// The consumers as the server lists them; none if there is no such stream or group.
    async fn listed(&self) -> Result<Vec<Consumer>, RedisFailure> {
        let mut commands = redis::pipe();
        commands.cmd("XINFO").arg("CONSUMERS").arg(&*self.stream).arg(&*self.group);
        match self.connections.ask::<(Vec<HashMap<String, Value>>,)>(&self.stream, &commands).await {
            Ok((consumers,)) => consumers.into_iter().map(|consumer| self.read(&consumer)).collect(),
            Err(failure) if is_absent(&failure) => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }

    fn read(&self, fields: &HashMap<String, Value>) -> Result<Consumer, RedisFailure> {
        let name = field::<Vec<u8>>(fields, "name")?;
        let name: Box<str> = String::from_utf8_lossy(&name).into();
        Ok(Consumer {
            own: name == self.own,
            name,
            pending: field(fields, "pending")?,
            oldest_pending: None,
            idle: Duration::from_millis(field(fields, "idle")?),
        })
    }

    /// Asks for the oldest entry of each, which costs the server one lookup each.
    async fn ask_for_oldest(&self, consumers: &mut [&mut Consumer]) -> Result<(), RedisFailure> {
        let mut commands = redis::pipe();
        for consumer in &*consumers {
            let command = commands.cmd("XPENDING").arg(&*self.stream).arg(&*self.group);
            command.arg("-").arg("+").arg(1).arg(&*consumer.name);
        }
        let answers: Vec<Vec<Pending>> = self.connections.ask(&self.stream, &commands).await?;
        for (consumer, pending) in consumers.iter_mut().zip(answers) {
            let oldest = pending.first().map(|(id, ..)| entry_id::parse(id.as_bytes()));
            consumer.oldest_pending = oldest.transpose()?;
        }
        Ok(())
    }
}

/// Id, consumer, milliseconds since its last delivery, deliveries.
type Pending = (String, Vec<u8>, u64, u64);

fn field<T: FromRedisValue>(fields: &HashMap<String, Value>, name: &str) -> Result<T, RedisFailure> {
    let value = fields.get(name).ok_or(ProtocolError::Unexpected)?;
    T::from_redis_value_ref(value).map_err(|_| ProtocolError::Unexpected.into())
}

/// Whether what was asked about is not there: the group, or the whole stream.
fn is_absent(failure: &RedisFailure) -> bool {
    match failure {
        RedisFailure::Refused { refusal: Refusal::NoGroup, .. } => true,
        RedisFailure::Refused { message, .. } => message.contains("no such key"),
        _ => false,
    }
}

#[async_trait]
impl ConsumerGroup for RedisConsumerGroup {
    fn stream(&self) -> &str {
        &self.stream
    }

    async fn consumers(&self) -> Result<Vec<Consumer>, StreamError> {
        let mut consumers = self.listed().await?;
        let mut holding: Vec<_> = consumers.iter_mut().filter(|consumer| consumer.pending > 0).collect();
        for piece in holding.chunks_mut(CONSUMERS_IN_A_PIECE) {
            self.ask_for_oldest(piece).await?;
        }
        consumers.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(consumers)
    }

    async fn forget(&self, idle: Duration) -> Result<Vec<Box<str>>, StreamError> {
        let mut commands = redis::pipe();
        let script = commands.cmd("EVAL").arg(REMOVE_THOSE_GONE).arg(1).arg(&*self.stream);
        let idle = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
        script.arg(&*self.group).arg(&*self.own).arg(idle).arg(REMOVED_AT_ONCE);
        let (removed,): (Vec<Vec<u8>>,) = self.connections.ask(&self.stream, &commands).await?;
        Ok(removed.iter().map(|name| String::from_utf8_lossy(name).into()).collect())
    }
}
