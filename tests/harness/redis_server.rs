use std::time::Duration;

use anyhow::Context;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};

use crate::KeyConnection;
use crate::container::{Container, START_LIMIT};
use crate::eventually::Patience;
use crate::setting::setting;

const SHARED: &str = "PROCESSOR_TEST_REDIS_URL";

/// A Redis server.
///
/// The image is `processor-test/redis:8`, or what `PROCESSOR_TEST_REDIS_IMAGE` names.
#[derive(Debug)]
pub struct RedisServer {
    url: String,
    container: Option<Container>,
}

impl RedisServer {
    /// Arguments with which the server keeps everything it has confirmed, even if it is killed.
    pub const DURABLE: &[&str] = &["--save", "", "--appendonly", "yes", "--appendfsync", "always"];

    /// A server that keeps nothing on disk; the running one at `PROCESSOR_TEST_REDIS_URL` if that is set.
    ///
    /// For tests that leave others alone: no `FLUSHALL`, no `CONFIG SET`, no stopping.
    ///
    /// # Errors
    /// If there is none to be had, with what to do about it.
    pub async fn start() -> anyhow::Result<Self> {
        match setting(SHARED) {
            Some(url) => {
                let server = Self { url, container: None };
                server.connection().await.with_context(|| format!("no server where {SHARED} says"))?;
                Ok(server)
            }
            None => Self::start_alone().await,
        }
    }

    /// A server for this test alone, in a container in any case, that keeps nothing on disk.
    ///
    /// # Errors
    /// If there is none to be had, with what to do about it.
    pub async fn start_alone() -> anyhow::Result<Self> {
        Self::start_with(&["--save", "", "--appendonly", "no"]).await
    }

    /// A server for this test alone, in a container in any case, with these arguments.
    ///
    /// # Errors
    /// If there is none to be had, with what to do about it.
    pub async fn start_with(args: &[&str]) -> anyhow::Result<Self> {
        let image = setting("PROCESSOR_TEST_REDIS_IMAGE").unwrap_or_else(|| "processor-test/redis:8".into());
        Self::start_image(&image, args).await
    }

    /// As [`Self::start_with`], of another image than the usual one (`name:tag`): of Valkey, say.
    ///
    /// # Errors
    /// If there is none to be had, with what to do about it.
    pub async fn start_image(image: &str, args: &[&str]) -> anyhow::Result<Self> {
        // An image that is given nothing but options starts the server that it has.
        let container = Container::start(image, 6379, args, &[]).await?;
        let server =
            Self { url: format!("redis://127.0.0.1:{}", container.port()), container: Some(container) };
        server.until_it_answers().await?;
        Ok(server)
    }

    /// Servers that run, and are not this one's to stop: at `redis://…`, `redis+sentinel://…` or `redis+cluster://…`.
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), container: None }
    }

    /// Where it is: `redis://host:port`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same server without the detour of a published port, for measuring: valid until it is stopped.
    ///
    /// # Errors
    /// If this is a shared server, or its address is not known.
    pub async fn direct_url(&self) -> anyhow::Result<String> {
        Ok(format!("redis://{}:6379", self.own()?.address().await?))
    }

    /// The processor time that the server has used so far.
    ///
    /// # Errors
    /// If this is a shared server, or the engine does not know.
    pub async fn cpu(&self) -> anyhow::Result<Duration> {
        self.own()?.cpu().await
    }

    /// A connection with a response time limit of ten seconds.
    ///
    /// # Errors
    /// If the server does not take it.
    pub async fn connection(&self) -> anyhow::Result<MultiplexedConnection> {
        Self::connect(&self.url).await
    }

    /// A connection to the one of several servers that has `key`.
    ///
    /// # Errors
    /// If it is not found, or does not take it.
    pub async fn connection_for(&self, key: &str) -> anyhow::Result<KeyConnection> {
        KeyConnection::to(&self.url, key).await
    }

    /// As [`Self::connection`], to the server at `url`: for a task that may outlive the test, and must not be the last
    /// to hold its server.
    ///
    /// # Errors
    /// If the server does not take it.
    pub async fn connect(url: &str) -> anyhow::Result<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(5)))
            .set_response_timeout(Some(Duration::from_secs(10)));
        let mut connection = Client::open(url)?.get_multiplexed_async_connection_with_config(&config).await?;
        redis::cmd("PING").query_async::<()>(&mut connection).await?;
        Ok(connection)
    }

    /// Asks the server to end, and waits until it has.
    ///
    /// # Errors
    /// If this is a shared server, or it does not end.
    pub async fn stop(&self) -> anyhow::Result<()> {
        self.own()?.stop().await
    }

    /// Ends the server without asking it (SIGKILL).
    ///
    /// # Errors
    /// If this is a shared server.
    pub async fn kill(&self) -> anyhow::Result<()> {
        self.own()?.kill().await
    }

    /// Starts a server that was stopped or killed, at the same address and with the data it has kept, and
    /// waits until it answers.
    ///
    /// # Errors
    /// If this is a shared server, or it does not answer.
    pub async fn restart(&self) -> anyhow::Result<()> {
        self.own()?.restart().await?;
        self.until_it_answers().await
    }

    /// Freezes the server: connections stay and nothing answers.
    ///
    /// # Errors
    /// If this is a shared server.
    pub async fn pause(&self) -> anyhow::Result<()> {
        self.own()?.pause().await
    }

    /// Ends [`Self::pause`].
    ///
    /// # Errors
    /// If this is a shared server.
    pub async fn unpause(&self) -> anyhow::Result<()> {
        self.own()?.unpause().await
    }

    fn own(&self) -> anyhow::Result<&Container> {
        self.container.as_ref().with_context(|| {
            format!("the server at {SHARED} is not this test's to stop: take one by start_alone")
        })
    }

    async fn until_it_answers(&self) -> anyhow::Result<()> {
        let container = self.own()?;
        let patience = Patience::new(START_LIMIT, "Redis answers");
        while let Err(error) = self.connection().await {
            if patience.is_over() {
                return Err(error.context(container.last_words().await));
            }
            patience.look_again(&error).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use redis::AsyncCommands;

    use super::*;

    #[tokio::test]
    async fn a_killed_server_comes_back_at_its_address_with_what_it_confirmed() -> anyhow::Result<()> {
        let server = RedisServer::start_with(RedisServer::DURABLE).await?;
        let () = server.connection().await?.set("a", 1).await?;
        server.kill().await?;
        assert!(server.connection().await.is_err());
        server.restart().await?;
        assert_eq!(server.connection().await?.get("a").await, Ok(Some(1)));

        server.stop().await?;
        assert!(server.connection().await.is_err());
        server.restart().await?;
        assert_eq!(server.connection().await?.get("a").await, Ok(Some(1)));
        Ok(())
    }

    #[tokio::test]
    async fn a_frozen_server_answers_when_it_thaws() -> anyhow::Result<()> {
        let server = RedisServer::start_alone().await?;
        let mut connection = server.connection().await?;
        server.pause().await?;
        let mut asking = std::pin::pin!(async {
            let answer: redis::RedisResult<String> = connection.ping().await;
            answer
        });
        assert!(tokio::time::timeout(Duration::from_millis(300), &mut asking).await.is_err());
        server.unpause().await?;
        assert_eq!(asking.await, Ok("PONG".to_owned()));
        Ok(())
    }

    #[tokio::test]
    async fn a_shared_server_cannot_be_stopped() {
        let server = RedisServer { url: "redis://localhost".into(), container: None };
        let error = server.kill().await.expect_err("it is shared").to_string();
        assert!(error.contains("start_alone"), "{error}");
    }
}
