//! The promises of [`ConsumerGroup`], for every implementation.
//!
//! [`laws`] has one function for each promise; [`consumer_group_contract`] makes a test of each for one
//! [`StreamFixture`](crate::position_stream::StreamFixture).
//!
//! [`ConsumerGroup`]: processor_domain::ports::ConsumerGroup

mod laws;
mod on_embedded;
mod on_redis;
mod on_redis_cluster;

/// Makes one test for each law, on a fixture of its own.
macro_rules! consumer_group_contract {
    ($fixture:ty) => {
        consumer_group_contract! { @laws each, $fixture }
    };
    // One test of all laws, one after the other, on servers that are costly to start.
    ($fixture:ty, all on $servers:ty) => {
        consumer_group_contract! { @laws all, $fixture, $servers }
    };
    (@laws $how:ident, $($of:ty),+) => {
        consumer_group_contract! { @$how $($of),+:
            each_consumer_is_listed_with_what_it_holds,
            one_that_asks_is_not_idle,
            only_those_that_hold_nothing_and_do_not_ask_are_forgotten,
            what_one_holds_that_is_gone_is_taken_over_and_then_it_is_forgotten,
            one_that_was_forgotten_and_asks_again_is_there_again,
            however_often_it_is_done_nothing_that_is_pending_is_lost,
        }
    };
    (@all $fixture:ty, $servers:ty: $($law:ident),+ $(,)?) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn every_promise_is_kept() -> anyhow::Result<()> {
            let servers = <$servers>::start().await?;
            $(
                println!("{}", stringify!($law));
                let fixture = <$fixture>::on(servers.server())?;
                let kept = super::laws::$law(&fixture).await;
                anyhow::Context::context(kept, stringify!($law))?;
            )+
            Ok(())
        }
    };
    (@each $fixture:ty: $($law:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $law() -> anyhow::Result<()> {
                let fixture = <$fixture as crate::position_stream::StreamFixture>::start().await?;
                super::laws::$law(&fixture).await
            }
        )+
    };
}
use consumer_group_contract;
