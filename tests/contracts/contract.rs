//! Makes tests of the laws of a port: each on a fixture of its own.

/// The laws in the module `laws` beside this one, on fixtures that a trait starts.
macro_rules! laws_hold {
    // One test for each.
    ([$trait:path] [$fixture:ty] $($law:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $law() -> anyhow::Result<()> {
                let fixture = <$fixture as $trait>::start().await?;
                super::laws::$law(&fixture).await
            }
        )+
    };
    // One test of all, one after the other, on servers that are costly to start.
    ([$trait:path] [$fixture:ty, all on $servers:ty] $($law:ident),+ $(,)?) => {
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
}

/// Laws on kinds of databases: a module of tests for each kind, in which each law has a database of its own.
macro_rules! laws_hold_on_databases {
    ($($module:ident: $fixture:ty),+ => $laws:tt) => {
        $(
            laws_hold_on_databases! { @$module $fixture => $laws }
        )+
    };
    (@$module:ident $fixture:ty => [$($suite:ident::$law:ident),+ $(,)?]) => {
        mod $module {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $law() -> anyhow::Result<()> {
                    let fixture = <$fixture as crate::databases::DatabaseFixture>::start().await?;
                    $suite::$law(crate::databases::DatabaseFixture::database(&fixture)).await
                }
            )+
        }
    };
}
