//! A connection of our own: commands out, replies into one buffer.
//!
//! The client library multiplexes commands and answers with a tree of values. A reader that blocks needs a
//! connection to itself, and a read of thousands of entries is cheaper walked over where it lies: 0.25 µs a
//! record instead of 1.3 µs.

use std::time::Duration;

use redis::{ConnectionInfo, IntoConnectionInfo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::error::{ConnectError, RedisFailure};
use crate::server::Greeting;
use crate::socket::{Address, Socket};
use crate::wire::{Cursor, ProtocolError, Scanner};

/// Room made for one read of the socket, in bytes: a full socket buffer of a usual system.
const READ_SIZE: usize = 128 * 1024;

/// Capacity up to which the buffer for replies is kept between them, in bytes. It normally holds one batch.
const KEPT_CAPACITY: usize = 8 * 1024 * 1024;

/// How to reach a server, and as whom.
pub(crate) struct Endpoint {
    address: Address,
    info: ConnectionInfo,
    connect_timeout: Duration,
    response_timeout: Duration,
    reply_limit: usize,
}

/// Limits of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Duration,
    /// Largest answer accepted, in bytes.
    pub(crate) reply_bytes: usize,
}

impl Endpoint {
    /// # Errors
    /// [`ConnectError::InvalidSetting`] if the URL cannot be used.
    pub(crate) fn new(url: &str, limits: Limits) -> Result<Self, ConnectError> {
        // The library's message does not repeat the URL, which may hold a password.
        let info = url.into_connection_info().map_err(|error| ConnectError::invalid("url", error))?;
        let address = Address::new(info.addr())?;
        let Limits { connect_timeout, response_timeout, reply_bytes } = limits;
        Ok(Self { address, info, connect_timeout, response_timeout, reply_limit: reply_bytes })
    }

    /// Host and port.
    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    /// A new connection, introduced to a server that will do. `name` is what `CLIENT LIST` shows.
    pub(crate) async fn open(&self, name: &str) -> Result<Connection, RedisFailure> {
        let socket = timeout(self.connect_timeout, self.address.open())
            .await
            .map_err(|_| RedisFailure::TimedOut(self.connect_timeout))?
            .map_err(RedisFailure::Connection)?;
        let mut connection = Connection {
            socket,
            buffer: Vec::new(),
            reply_limit: self.reply_limit,
            response_timeout: self.response_timeout,
        };
        self.introduce(&mut connection, name).await?;
        Ok(connection)
    }

    async fn introduce(&self, connection: &mut Connection, name: &str) -> Result<(), RedisFailure> {
        let redis = self.info.redis_settings();
        let name: String = name.chars().map(|c| if c.is_ascii_graphic() { c } else { '-' }).collect();
        let mut hello = vec!["HELLO", "2"];
        if let Some(password) = redis.password() {
            hello.extend(["AUTH", redis.username().unwrap_or("default"), password]);
        }
        hello.extend(["SETNAME", name.as_str()]);
        let mut commands = Commands::default();
        commands.push(&hello);
        if redis.db() != 0 {
            commands.push(&["SELECT", &redis.db().to_string()]);
        }
        let mut replies = connection.ask(&commands).await?;
        let greeting = Greeting::read(&mut replies)?;
        if redis.db() != 0 {
            replies.expect_ok()?;
        }
        greeting.check()
    }
}

/// Commands to be sent in one piece.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    bytes: Vec<u8>,
    count: usize,
}

impl Commands {
    pub(crate) fn push(&mut self, words: &[&str]) {
        self.count += 1;
        self.head(b'*', words.len());
        for word in words {
            self.head(b'$', word.len());
            self.bytes.extend_from_slice(word.as_bytes());
            self.bytes.extend_from_slice(b"\r\n");
        }
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn head(&mut self, kind: u8, number: usize) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
    }
}

/// A connection that nobody else uses.
///
/// After a failure that is not a refusal it must be dropped: what is still on its way belongs to a question
/// that nobody waits for any more. The same holds if the future of a question was dropped.
pub(crate) struct Connection {
    socket: Box<dyn Socket>,
    buffer: Vec<u8>,
    reply_limit: usize,
    response_timeout: Duration,
}

impl Connection {
    /// Sends commands and waits for all their replies. Which are errors is found out by looking at them.
    pub(crate) async fn ask(&mut self, commands: &Commands) -> Result<Cursor<'_>, RedisFailure> {
        self.ask_blocking(commands, Duration::ZERO).await
    }

    /// As [`Self::ask`], of a command that the server may hold back for so long.
    pub(crate) async fn ask_blocking(
        &mut self,
        commands: &Commands,
        blocking: Duration,
    ) -> Result<Cursor<'_>, RedisFailure> {
        let patience = blocking + self.response_timeout;
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_CAPACITY);
        within(patience, self.socket.write_all(&commands.bytes)).await?;
        within(patience, self.socket.flush()).await?;

        let mut scanner = Scanner::new(self.reply_limit);
        let (mut missing, mut end) = (commands.count, 0);
        while missing > 0 {
            if let Some(reply_end) = scanner.scan(&self.buffer)? {
                (missing, end) = (missing - 1, reply_end);
                continue;
            }
            if self.buffer.capacity() - self.buffer.len() < READ_SIZE / 2 {
                self.buffer.reserve(READ_SIZE);
            }
            if within(patience, self.socket.read_buf(&mut self.buffer)).await? == 0 {
                return Err(RedisFailure::Connection(std::io::ErrorKind::UnexpectedEof.into()));
            }
        }
        if end < self.buffer.len() {
            return Err(ProtocolError::Unexpected.into());
        }
        Ok(Cursor::new(&self.buffer))
    }
}

async fn within<T>(
    patience: Duration,
    io: impl Future<Output = std::io::Result<T>>,
) -> Result<T, RedisFailure> {
    timeout(patience, io)
        .await
        .map_err(|_| RedisFailure::TimedOut(patience))?
        .map_err(RedisFailure::Connection)
}
