use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use sea_orm::ConnectionTrait;

use crate::container::{Container, START_LIMIT};
use crate::eventually::Patience;
use crate::setting::setting;
use crate::{connect_database, unique};

const SHARED: &str = "PROCESSOR_TEST_DATABASE_URL";

/// A PostgreSQL server with TimescaleDB.
///
/// The image is `processor-test/timescaledb:pg17`, or what `PROCESSOR_TEST_TIMESCALE_IMAGE` names; user,
/// password and maintenance database are `postgres`.
#[derive(Debug)]
pub struct TimescaleServer {
    url: String,
    container: Option<Container>,
    /// Databases to be dropped from a shared server.
    created: Mutex<Vec<String>>,
}

impl TimescaleServer {
    /// A server; the running one at `PROCESSOR_TEST_DATABASE_URL` if that is set.
    ///
    /// For tests that stay in a database of their own.
    ///
    /// # Errors
    /// If there is none to be had, with what to do about it.
    pub async fn start() -> anyhow::Result<Self> {
        match setting(SHARED) {
            Some(url) => {
                connect_database(&url).await.with_context(|| format!("no server where {SHARED} says"))?;
                Ok(Self { url, container: None, created: Mutex::default() })
            }
            None => Self::start_alone().await,
        }
    }

    /// A server for this test alone, in a container in any case.
    ///
    /// # Errors
    /// If there is none to be had, with what to do about it.
    pub async fn start_alone() -> anyhow::Result<Self> {
        Self::start_with(&[]).await
    }

    /// A server for this test alone, in a container in any case, with these arguments (`-c name=value`).
    ///
    /// It does not wait for the disk: what is committed outlives the server's process all the same.
    ///
    /// # Errors
    /// If there is none to be had, with what to do about it.
    pub async fn start_with(args: &[&str]) -> anyhow::Result<Self> {
        let image = setting("PROCESSOR_TEST_TIMESCALE_IMAGE")
            .unwrap_or_else(|| "processor-test/timescaledb:pg17".into());
        Self::start_image(&image, args).await
    }

    /// As [`Self::start_with`], of another image than the usual one (`name:tag`): without TimescaleDB, say.
    ///
    /// # Errors
    /// If there is none to be had, with what to do about it.
    pub async fn start_image(image: &str, args: &[&str]) -> anyhow::Result<Self> {
        let args = [&["postgres", "-c", "fsync=off"], args].concat();
        // The public images do not start without a password.
        let container = Container::start(image, 5432, &args, &[("POSTGRES_PASSWORD", "postgres")]).await?;
        let url = format!("postgres://postgres:postgres@127.0.0.1:{}/postgres", container.port());
        let server = Self { url, container: Some(container), created: Mutex::default() };
        server.until_it_answers().await?;
        Ok(server)
    }

    /// Where the maintenance database is: `postgres://user:password@host:port/database`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the database `name` of this server is.
    #[must_use]
    pub fn url_of(&self, name: &str) -> String {
        let (server, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let server = server.rsplit_once('/').map_or(server, |(server, _)| server);
        let question = if query.is_empty() { "" } else { "?" };
        format!("{server}/{name}{question}{query}")
    }

    /// Makes an empty database of a name that no other test has, and returns its URL.
    ///
    /// The extension is not in it yet: the migrations put it there.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn create_database(&self) -> anyhow::Result<String> {
        let name = unique("test");
        // Nobody is ever connected to template0, while TimescaleDB's workers may be to template1.
        self.exec(&format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
        let url = self.url_of(&name);
        if self.container.is_none()
            && let Ok(mut created) = self.created.lock()
        {
            created.push(name);
        }
        Ok(url)
    }

    /// The same server without the detour of a published port, for measuring: valid until it is stopped.
    ///
    /// # Errors
    /// If this is a shared server, or its address is not known.
    pub async fn direct_url_of(&self, url: &str) -> anyhow::Result<String> {
        let container = self.own()?;
        let published = format!("127.0.0.1:{}/", container.port());
        Ok(url.replacen(&published, &format!("{}:5432/", container.address().await?), 1))
    }

    /// The processor time that the server has used so far.
    ///
    /// # Errors
    /// If this is a shared server, or the engine does not know.
    pub async fn cpu(&self) -> anyhow::Result<Duration> {
        self.own()?.cpu().await
    }

    /// Runs one statement in the maintenance database.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn exec(&self, sql: &str) -> anyhow::Result<()> {
        exec(&self.url, sql).await
    }

    /// Asks the server to end, connections or not, and waits until it has.
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

    /// Starts a server that was stopped or killed, at the same address and with its data, and waits until it
    /// answers.
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
        let patience = Patience::new(START_LIMIT, "PostgreSQL answers");
        while let Err(error) = self.exec("SELECT 1").await {
            if patience.is_over() {
                return Err(error.context(container.last_words().await));
            }
            patience.look_again(&error).await;
        }
        Ok(())
    }
}

/// A shared server gets back what was taken from it; a container goes with all that is in it.
impl Drop for TimescaleServer {
    fn drop(&mut self) {
        let created = self.created.get_mut().map(std::mem::take).unwrap_or_default();
        if created.is_empty() {
            return;
        }
        let url = self.url.clone();
        let dropping = thread::spawn(move || -> anyhow::Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            for name in created {
                runtime.block_on(exec(&url, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))?;
            }
            Ok(())
        });
        match dropping.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("test databases stay on the shared server: {error:#}"),
            Err(_) => eprintln!("test databases stay on the shared server"),
        }
    }
}

async fn exec(url: &str, sql: &str) -> anyhow::Result<()> {
    let database = connect_database(url).await?;
    database.execute_unprepared(sql).await.with_context(|| format!("refused: {sql}"))?;
    database.close().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_killed_server_comes_back_at_its_address_with_what_was_committed() -> anyhow::Result<()> {
        let server = TimescaleServer::start_alone().await?;
        let url = server.create_database().await?;
        exec(&url, "CREATE EXTENSION timescaledb").await?;
        exec(&url, "CREATE TABLE kept (a int)").await?;
        server.kill().await?;
        assert!(exec(&url, "TABLE kept").await.is_err());
        server.restart().await?;
        exec(&url, "TABLE kept").await?;

        server.stop().await?;
        server.restart().await?;
        exec(&url, "TABLE kept").await
    }

    #[test]
    fn a_database_has_its_own_url_on_the_server() {
        let server =
            |url: &str| TimescaleServer { url: url.into(), container: None, created: Mutex::default() };
        assert_eq!(server("postgres://u:p@h:1/postgres").url_of("a"), "postgres://u:p@h:1/a");
        assert_eq!(server("postgres://h/x?sslmode=disable").url_of("a"), "postgres://h/a?sslmode=disable");
    }
}
