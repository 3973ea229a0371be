use processor_database::Database;
use processor_domain::Roster;
use processor_domain::ports::{StoreError, StoreFailure};

use super::cms::{self, add_device, add_event, enter, key};
use super::{pairs, set};

pub(crate) async fn where_there_is_no_cms_nobody_takes_part(database: &Database) -> anyhow::Result<()> {
    let source = database.roster_source();
    assert_eq!(source.read_roster().await?, Roster::default());
    cms::run(database, "CREATE TABLE devices (serial integer)").await?;
    assert_eq!(source.read_roster().await?, Roster::default());
    Ok(())
}

pub(crate) async fn a_cms_that_comes_later_is_found(database: &Database) -> anyhow::Result<()> {
    let source = database.roster_source();
    assert_eq!(source.read_roster().await?, Roster::default());
    cms::make_tables(database).await?;
    assert_eq!(source.read_roster().await?, Roster::default());
    add_event(database, 1).await?;
    add_device(database, 7).await?;
    enter(database, 1, 7).await?;
    assert_eq!(source.read_roster().await?.devices(), 1);
    Ok(())
}

pub(crate) async fn devices_are_named_by_key_in_the_tables_of_the_cms(
    database: &Database,
) -> anyhow::Result<()> {
    cms::make_tables(database).await?;
    add_event(database, 1).await?;
    cms::run(database, &format!("INSERT INTO devices VALUES ('{}', '000000338131000')", key(7))).await?;
    enter(database, 1, 7).await?;
    let roster = database.roster_source().read_roster().await?;
    assert_eq!(pairs(&roster, &[&key(1)]), set([&format!("000000338131000 {}", key(1))]));
    assert_eq!(roster.devices(), 1);
    Ok(())
}

pub(crate) async fn keys_may_be_numbers(database: &Database) -> anyhow::Result<()> {
    cms::make_tables_with_keys(database, "integer").await?;
    cms::run(
        database,
        "INSERT INTO events VALUES (42, 'Rally');
         INSERT INTO entries VALUES (1, 42);
         INSERT INTO devices VALUES (9, '356307042441013');
         INSERT INTO entry_devices VALUES (1, 1, 9)",
    )
    .await?;
    let roster = database.roster_source().read_roster().await?;
    assert_eq!(pairs(&roster, &["42"]), set(["356307042441013 42"]));
    Ok(())
}

pub(crate) async fn devices_are_named_by_imei_in_old_fixtures(database: &Database) -> anyhow::Result<()> {
    cms::make_old_tables(database).await?;
    let rows = "INSERT INTO entries VALUES ('e1', 'rally_1');
                INSERT INTO entry_devices VALUES ('1', 'e1', '000000338131000')";
    cms::run(database, rows).await?;
    let expected = set(["000000338131000 rally_1"]);
    let source = database.roster_source();
    assert_eq!(pairs(&source.read_roster().await?, &["rally_1"]), expected);
    // With a table of devices beside it that has nothing to do with it.
    cms::run(database, "CREATE TABLE devices (id integer, imei text); INSERT INTO devices VALUES (1, '7')")
        .await?;
    assert_eq!(pairs(&source.read_roster().await?, &["rally_1"]), expected);
    Ok(())
}

pub(crate) async fn both_ways_of_naming_may_be_mixed_where_the_column_is_text(
    database: &Database,
) -> anyhow::Result<()> {
    cms::make_old_tables(database).await?;
    let key = key(7);
    cms::run(
        database,
        &format!(
            "CREATE TABLE devices (id varchar(36), imei text);
             INSERT INTO devices VALUES ('{key}', '700000000000000');
             INSERT INTO entries VALUES ('e1', '42');
             INSERT INTO entry_devices VALUES ('1', 'e1', '{key}'), ('2', 'e1', '800000000000000')"
        ),
    )
    .await?;
    let roster = database.roster_source().read_roster().await?;
    assert_eq!(pairs(&roster, &["42"]), set(["700000000000000 42", "800000000000000 42"]));
    assert_eq!(roster.devices(), 2);
    Ok(())
}

pub(crate) async fn a_device_may_take_part_in_several_events_and_an_event_have_many_devices(
    database: &Database,
) -> anyhow::Result<()> {
    cms::make_tables(database).await?;
    for event in 1..=2 {
        add_event(database, event).await?;
    }
    for device in 1..=3 {
        add_device(database, device).await?;
        enter(database, 1, device).await?;
    }
    enter(database, 2, 3).await?;
    // A second entry of the same event with the same device.
    cms::run(database, &format!("INSERT INTO entries VALUES ('{}', '{}')", key(10), key(1))).await?;
    enter(database, 10, 3).await?;
    let (first, second) = (key(1), key(2));
    let roster = database.roster_source().read_roster().await?;
    let expected = [format!("1 {first}"), format!("2 {first}"), format!("3 {first}"), format!("3 {second}")];
    assert_eq!(pairs(&roster, &[&first, &second]), expected.into());
    assert_eq!(roster.devices(), 3);
    Ok(())
}

pub(crate) async fn a_device_that_moves_is_in_exactly_one_event_at_every_reading(
    database: &Database,
) -> anyhow::Result<()> {
    cms::make_tables(database).await?;
    for event in 1..=2 {
        add_event(database, event).await?;
    }
    add_device(database, 7).await?;
    enter(database, 1, 7).await?;
    let moves = async {
        for round in 0..50 {
            let entry = key(round % 2 + 1);
            cms::run(database, &format!("UPDATE entry_devices SET entry_id = '{entry}'")).await?;
        }
        anyhow::Ok(())
    };
    let source = database.roster_source();
    let readings = async {
        for _ in 0..50 {
            let roster = source.read_roster().await?;
            assert_eq!(pairs(&roster, &[&key(1), &key(2)]).len(), 1);
        }
        anyhow::Ok(())
    };
    futures::try_join!(moves, readings)?;
    assert_eq!(pairs(&source.read_roster().await?, &[&key(1)]), set([]));
    assert_eq!(pairs(&source.read_roster().await?, &[&key(2)]).len(), 1);
    Ok(())
}

pub(crate) async fn what_is_not_filled_in_yet_takes_part_in_nothing(
    database: &Database,
) -> anyhow::Result<()> {
    cms::make_tables(database).await?;
    add_event(database, 1).await?;
    let (entry, free, nameless) = (key(1), key(2), key(9));
    cms::run(
        database,
        &format!(
            "INSERT INTO entries VALUES ('{free}', NULL);
             INSERT INTO devices VALUES ('{nameless}', NULL);
             INSERT INTO entry_devices VALUES
                 ('{}', '{entry}', '{nameless}'), ('{}', '{entry}', NULL), ('{}', NULL, NULL)",
            key(101),
            key(102),
            key(103)
        ),
    )
    .await?;
    add_device(database, 7).await?;
    enter(database, 2, 7).await?;
    assert_eq!(database.roster_source().read_roster().await?, Roster::default());
    Ok(())
}

pub(crate) async fn ids_that_cannot_be_do_not_keep_the_others_out(database: &Database) -> anyhow::Result<()> {
    cms::make_old_tables(database).await?;
    cms::run(
        database,
        "INSERT INTO entries VALUES ('e1', '42'), ('e2', '../users/me');
         INSERT INTO entry_devices VALUES
             ('1', 'e1', '1'), ('2', 'e1', 'not a device'), ('3', 'e2', '1'), ('4', 'e1', ''), ('5', 'e1', ' 2 ')",
    )
    .await?;
    let roster = database.roster_source().read_roster().await?;
    assert_eq!(pairs(&roster, &["42"]), set(["1 42", "2 42"]));
    assert_eq!(roster.devices(), 2);
    Ok(())
}

/// They are being made anew by whoever owns them: until then the roster read last is the better one.
pub(crate) async fn tables_that_vanish_are_an_outage_and_not_an_empty_roster(
    database: &Database,
) -> anyhow::Result<()> {
    cms::make_tables(database).await?;
    let source = database.roster_source();
    source.read_roster().await?;
    cms::run(database, "DROP TABLE entry_devices").await?;
    let gone = source.read_roster().await;
    assert!(matches!(gone, Err(StoreError::Unavailable { kind: StoreFailure::Schema, .. })), "{gone:?}");
    cms::run(database, "CREATE TABLE entry_devices (entry_id text, device_id text)").await?;
    assert_eq!(source.read_roster().await?, Roster::default());
    Ok(())
}
