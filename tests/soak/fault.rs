//! What can break.

use std::time::Duration;

use processor_tests::{Chance, Signal};
use tokio::time::sleep;

use crate::scene::Scene;

/// Something that breaks, and is whole again some seconds later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    InstanceKilled,
    InstanceStopped,
    RedisKilled,
    RedisFrozen,
    DatabaseKilled,
    DatabaseStopped,
    DatabaseFrozen,
    ConnectionsCut,
    RedisUnreachable,
    DatabaseUnreachable,
    NetworkSilent,
}

impl Fault {
    pub(crate) const ALL: [Self; 11] = [
        Self::InstanceKilled,
        Self::InstanceStopped,
        Self::RedisKilled,
        Self::RedisFrozen,
        Self::DatabaseKilled,
        Self::DatabaseStopped,
        Self::DatabaseFrozen,
        Self::ConnectionsCut,
        Self::RedisUnreachable,
        Self::DatabaseUnreachable,
        Self::NetworkSilent,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::InstanceKilled => "an instance is killed and started again",
            Self::InstanceStopped => "an instance is stopped and started again",
            Self::RedisKilled => "Redis is killed",
            Self::RedisFrozen => "Redis is frozen",
            Self::DatabaseKilled => "the database is killed",
            Self::DatabaseStopped => "the database is stopped",
            Self::DatabaseFrozen => "the database is frozen",
            Self::ConnectionsCut => "all connections are cut, three times",
            Self::RedisUnreachable => "Redis refuses connections",
            Self::DatabaseUnreachable => "the database refuses connections",
            Self::NetworkSilent => "nothing passes the network",
        }
    }

    /// Breaks it at some moment of the next seconds, and mends it some seconds later.
    ///
    /// # Errors
    /// If it cannot be broken or mended, or an instance that is asked to stop does not end with 0.
    pub(crate) async fn strike(self, scene: &mut Scene, chance: &mut Chance) -> anyhow::Result<()> {
        let moment = |chance: &mut Chance, range| Duration::from_millis(chance.within(range));
        // The moment is the matter of this story, so nothing is waited for.
        sleep(moment(chance, 0..10_000)).await;
        let away = moment(chance, 2_000..15_000);
        eprintln!("{} for {away:?}", self.name());
        match self {
            Self::InstanceKilled => {
                scene.struck().kill().await?;
                sleep(away).await;
                scene.start_again().await?;
            }
            Self::InstanceStopped => {
                scene.struck().signal(Signal::SIGTERM)?;
                let code = scene.struck().wait_exit(Duration::from_secs(30)).await?;
                anyhow::ensure!(code == 0, "an instance that was asked to stop ended with {code}");
                sleep(away).await;
                scene.start_again().await?;
            }
            Self::RedisKilled => {
                scene.redis().kill().await?;
                sleep(away).await;
                scene.redis().restart().await?;
            }
            Self::RedisFrozen => {
                scene.redis().pause().await?;
                sleep(away).await;
                scene.redis().unpause().await?;
            }
            Self::DatabaseKilled => {
                scene.database().kill().await?;
                sleep(away).await;
                scene.database().restart().await?;
            }
            Self::DatabaseStopped => {
                scene.database().stop().await?;
                sleep(away).await;
                scene.database().restart().await?;
            }
            Self::DatabaseFrozen => {
                scene.database().pause().await?;
                sleep(away).await;
                scene.database().unpause().await?;
            }
            Self::ConnectionsCut => {
                for _ in 0..3 {
                    scene.to_redis().cut();
                    scene.to_database().cut();
                    sleep(away / 3).await;
                }
            }
            Self::RedisUnreachable => {
                scene.to_redis().refuse().await;
                sleep(away).await;
                scene.to_redis().accept().await?;
            }
            Self::DatabaseUnreachable => {
                scene.to_database().refuse().await;
                sleep(away).await;
                scene.to_database().accept().await?;
            }
            Self::NetworkSilent => {
                scene.to_redis().block();
                scene.to_database().block();
                sleep(away).await;
                scene.to_redis().unblock();
                scene.to_database().unblock();
            }
        }
        Ok(())
    }
}
