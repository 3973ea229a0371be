//! The whole program between real servers, one story to a file.
//!
//! A story begins with a [`Stage`], does something to the servers, the network or the program, and ends with an
//! account that closes: see [`processor_tests::Ledger`].

use std::time::Duration;

use processor_tests::{Account, Ledger, Processor, ProcessorBuilder, RedisServer, TimescaleServer, unique};

mod a_commit_whose_reply_is_lost;
mod a_configuration_with_faults;
mod a_database_that_goes_away;
mod from_the_stream_to_the_table;

/// How long the program may take for what it does at once.
const SOON: Duration = Duration::from_secs(30);

/// Servers, a stream of its own and a database of its own.
struct Stage {
    redis: RedisServer,
    timescale: TimescaleServer,
    stream: String,
    database_url: String,
}

impl Stage {
    /// Servers that the story leaves alone.
    async fn new() -> anyhow::Result<Self> {
        Self::on(RedisServer::start().await?, TimescaleServer::start().await?).await
    }

    async fn on(redis: RedisServer, timescale: TimescaleServer) -> anyhow::Result<Self> {
        let database_url = timescale.create_database().await?;
        Ok(Self { redis, timescale, stream: unique("telemetry"), database_url })
    }

    fn ledger(&self) -> Ledger {
        Ledger::of(&self.stream)
    }

    /// The program, set up for this stage.
    fn processor(&self) -> ProcessorBuilder {
        Processor::builder()
            .env("REDIS_URL", self.redis.url())
            .env("REDIS_TELEMETRY_STREAM", &self.stream)
            .env("DATABASE_URL", &self.database_url)
    }

    /// Waits until the account closes.
    async fn settled(&self, ledger: &Ledger) -> Account {
        ledger.until_settled(SOON, &self.redis, &self.database_url, "processor").await
    }
}
