//! What is to be known of a server before it is relied on.

use crate::connection::{Commands, Connection};
use crate::error::RedisFailure;
use crate::wire::Cursor;

/// The oldest server that will do: it is the first to say how many entries a group has read, and to tell of
/// pending entries whose body is gone.
const OLDEST_MAJOR: u32 = 7;

/// What a server says of itself when a connection is introduced.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Greeting {
    version: String,
    role: String,
    mode: String,
}

impl Greeting {
    pub(crate) fn read(replies: &mut Cursor<'_>) -> Result<Self, RedisFailure> {
        let mut greeting = Self::default();
        for _ in 0..replies.array_or_nothing()? / 2 {
            match replies.bytes()? {
                b"version" => greeting.version = replies.text()?,
                b"role" => greeting.role = replies.text()?,
                b"mode" => greeting.mode = replies.text()?,
                _ => replies.skip()?,
            }
        }
        Ok(greeting)
    }

    /// Valkey counts on from the Redis that it came from, so its versions compare as Redis' do.
    pub(crate) fn check(&self) -> Result<(), RedisFailure> {
        let major = self.version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if major.is_some_and(|major| major < OLDEST_MAJOR) {
            return Err(RedisFailure::TooOld { version: self.version.as_str().into() });
        }
        if self.mode == "sentinel" || matches!(self.role.as_str(), "replica" | "slave") {
            let role = if self.mode == "sentinel" { "sentinel" } else { "replica" };
            return Err(RedisFailure::NotPrimary { role: role.into() });
        }
        Ok(())
    }
}

/// Whether a server keeps what it has confirmed. `None` where it does not say: `CONFIG` may be forbidden.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Durability {
    /// Whether it may evict a stream, groups and all, when memory runs out.
    evicts_streams: Option<bool>,
    /// Whether it writes to disk at all: an append-only file or snapshots.
    persists: Option<bool>,
}

impl Durability {
    /// Asks the server.
    pub(crate) async fn ask(connection: &mut Connection) -> Result<Self, RedisFailure> {
        let mut commands = Commands::default();
        commands.push(&["CONFIG", "GET", "maxmemory", "maxmemory-policy", "appendonly", "save"]);
        let mut replies = connection.ask(&commands).await?;
        if replies.is_refusal() {
            return Ok(Self::default());
        }
        Self::read(&mut replies)
    }

    fn read(replies: &mut Cursor<'_>) -> Result<Self, RedisFailure> {
        let (mut bounded, mut evicts, mut appends, mut snapshots) = (None, None, None, None);
        for _ in 0..replies.array_or_nothing()? / 2 {
            let (name, value) = (replies.bytes()?, replies.bytes()?);
            match name {
                b"maxmemory" => bounded = Some(value != b"0"),
                b"maxmemory-policy" => evicts = Some(value.starts_with(b"allkeys")),
                b"appendonly" => appends = Some(value == b"yes"),
                b"save" => snapshots = Some(!value.is_empty()),
                _ => {}
            }
        }
        Ok(Self {
            evicts_streams: bounded.zip(evicts).map(|(bounded, evicts)| bounded && evicts),
            persists: appends.zip(snapshots).map(|(appends, snapshots)| appends || snapshots),
        })
    }

    /// Whether the stream outlives a restart and a full memory.
    pub(crate) fn is_sound(self) -> Option<bool> {
        match (self.evicts_streams, self.persists) {
            (Some(true), _) | (_, Some(false)) => Some(false),
            (Some(false), Some(true)) => Some(true),
            _ => None,
        }
    }

    /// Says once what an operator should know.
    pub(crate) fn warn(self, stream: &str) {
        if self.evicts_streams == Some(true) {
            tracing::warn!(
                stream,
                "the Redis server evicts keys when its memory is full, whole streams among them: set \
                 maxmemory-policy to noeviction"
            );
        }
        if self.persists == Some(false) {
            tracing::warn!(
                stream,
                "the Redis server keeps nothing on disk: what is in the stream is lost when it restarts"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting(version: &str, role: &str, mode: &str) -> Greeting {
        Greeting { version: version.into(), role: role.into(), mode: mode.into() }
    }

    #[test]
    fn a_greeting_is_read_past_what_is_not_asked_of_it() {
        let reply = b"*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n8.0.2\r\n$5\r\nproto\r\n:2\r\n\
            $2\r\nid\r\n:29\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n\
            *1\r\n*4\r\n$4\r\nname\r\n$9\r\nvectorset\r\n$4\r\nargs\r\n*0\r\n";
        let read = Greeting::read(&mut Cursor::new(reply)).unwrap();
        assert_eq!(read, greeting("8.0.2", "master", "standalone"));
    }

    #[test]
    fn only_a_primary_of_version_7_or_newer_will_do() {
        let check = |version, role, mode| greeting(version, role, mode).check().map_err(|e| e.to_string());
        assert_eq!(check("7.0.0", "master", "standalone"), Ok(()));
        assert_eq!(check("10.1.0", "master", "cluster"), Ok(()));
        assert_eq!(check("unstable", "master", "standalone"), Ok(()));
        assert_eq!(
            check("6.2.14", "master", "standalone"),
            Err("the server is version 6.2.14; 7.0 or newer is needed".into())
        );
        assert_eq!(
            check("8.0.2", "replica", "standalone"),
            Err("the server is a replica; a primary is needed".into())
        );
        assert_eq!(
            check("8.0.2", "master", "sentinel"),
            Err("the server is a sentinel; a primary is needed".into())
        );
    }

    #[test]
    fn durability_is_what_the_configuration_says() {
        let read = |pairs: &[(&str, &str)]| {
            let mut commands = Commands::default();
            let words: Vec<&str> = pairs.iter().flat_map(|(name, value)| [*name, *value]).collect();
            commands.push(&words);
            let durability = Durability::read(&mut Cursor::new(commands.bytes())).unwrap();
            (durability.evicts_streams, durability.persists, durability.is_sound())
        };
        let policy = "maxmemory-policy";
        assert_eq!(
            read(&[("maxmemory", "0"), (policy, "allkeys-lru"), ("appendonly", "no"), ("save", "")]),
            (Some(false), Some(false), Some(false))
        );
        assert_eq!(
            read(&[("maxmemory", "9"), (policy, "allkeys-lru"), ("appendonly", "yes"), ("save", "")]),
            (Some(true), Some(true), Some(false))
        );
        assert_eq!(
            read(&[("maxmemory", "9"), (policy, "noeviction"), ("appendonly", "no"), ("save", "3600 1")]),
            (Some(false), Some(true), Some(true))
        );
        assert_eq!(read(&[]), (None, None, None));
        assert_eq!(read(&[("appendonly", "no"), ("save", "")]), (None, Some(false), Some(false)));
    }
}
