//! What only a server has: schemas, rights and outages.

use processor_database::{Database, DatabaseSettings};
use processor_domain::ports::{StoreError, StoreFailure};
use processor_tests::unique;

use super::cms::{self, add_device, add_event, enter, key};
use super::{pairs, set};
use crate::databases::{DatabaseFixture, Timescale};

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_are_those_that_the_search_path_finds() -> anyhow::Result<()> {
    let timescale = Timescale::start().await?;
    cms::run(timescale.database(), "CREATE SCHEMA cms; CREATE TABLE entry_devices (device_id text)").await?;
    let url = format!("{}?options=-csearch_path%3Dcms,public", timescale.url);
    let database = Database::connect(DatabaseSettings::of(url)).await?;
    cms::make_tables(&database).await?;
    add_event(&database, 1).await?;
    add_device(&database, 7).await?;
    enter(&database, 1, 7).await?;
    let roster = database.roster_source().read_roster().await?;
    assert_eq!(pairs(&roster, &[&key(1)]), set([&format!("7 {}", key(1))]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_may_not_be_read_are_an_error_and_not_an_empty_roster() -> anyhow::Result<()> {
    let timescale = Timescale::start().await?;
    cms::make_tables(timescale.database()).await?;
    let role = unique("reader");
    timescale.server.exec(&format!("CREATE ROLE {role} LOGIN PASSWORD 'reader'")).await?;
    let url = timescale.url.replacen("postgres:postgres@", &format!("{role}:reader@"), 1);
    let refused = Database::connect(DatabaseSettings::of(url)).await?.roster_source().read_roster().await;
    timescale.server.exec(&format!("DROP ROLE {role}")).await?;
    assert!(
        matches!(refused, Err(StoreError::Unavailable { kind: StoreFailure::Permission, .. })),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_server_is_unavailable_and_a_server_that_is_back_is_asked_again() -> anyhow::Result<()> {
    let timescale = Timescale::start_alone().await?;
    cms::make_tables(timescale.database()).await?;
    add_event(timescale.database(), 1).await?;
    add_device(timescale.database(), 7).await?;
    enter(timescale.database(), 1, 7).await?;
    let source = timescale.database().roster_source();
    let before = source.read_roster().await?;
    assert_eq!(before.devices(), 1);
    timescale.server.kill().await?;
    let refused = source.read_roster().await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    timescale.server.restart().await?;
    assert_eq!(source.read_roster().await?, before);
    Ok(())
}
