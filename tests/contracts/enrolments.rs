//! The promises of [`Enrolments`](processor_domain::ports::Enrolments), for every implementation.

use processor_database::Database;
use processor_domain::{Enrolment, EventId, RosterSchema, samples};

use crate::databases::{Sqlite, Timescale};
use crate::roster_source::cms::{
    add_event, enter, key, make_old_tables, make_tables, make_tables_with_keys, run,
};

/// Registers the device with this number, as its IMEI is written in the CMS.
async fn register(database: &Database, number: u32) -> anyhow::Result<()> {
    let imei = samples::device(number.into());
    run(database, &format!("INSERT INTO devices VALUES ('{}', '{imei}')", key(number))).await
}

async fn of(database: &Database, number: u64) -> anyhow::Result<Enrolment> {
    Ok(database.enrolments().enrolment(&samples::device(number)).await?)
}

fn event(number: u32) -> EventId {
    EventId::parse(&key(number)).expect("a key is an id")
}

async fn where_there_is_no_cms_it_says_so(database: &Database) -> anyhow::Result<()> {
    assert_eq!(of(database, 1).await?, Enrolment::absent());
    assert_eq!(database.enrolments().schema().await?, RosterSchema::Absent);
    Ok(())
}

async fn each_step_into_an_event_is_seen(database: &Database) -> anyhow::Result<()> {
    make_tables(database).await?;
    let schema = database.enrolments().schema().await?;
    let unknown = Enrolment { schema, registered: Some(false), ..Enrolment::absent() };
    assert_eq!(of(database, 1).await?, unknown);
    register(database, 1).await?;
    let registered = Enrolment { registered: Some(true), ..unknown };
    assert_eq!(of(database, 1).await?, registered);
    run(database, &format!("INSERT INTO entries VALUES ('{}', NULL)", key(8))).await?;
    enter(database, 8, 1).await?;
    let entered = Enrolment { entries: 1, entries_without_event: 1, ..registered };
    assert_eq!(of(database, 1).await?, entered);
    add_event(database, 9).await?;
    enter(database, 9, 1).await?;
    assert_eq!(of(database, 1).await?, Enrolment { entries: 2, events: vec![event(9)], ..entered });
    Ok(())
}

async fn what_it_says_is_what_the_roster_says(database: &Database) -> anyhow::Result<()> {
    make_tables(database).await?;
    for number in 1..=3 {
        register(database, number).await?;
        add_event(database, number).await?;
    }
    for (entry, device) in [(1, 1), (2, 1), (2, 2)] {
        enter(database, entry, device).await?;
    }
    let roster = database.roster_source().read_roster().await?;
    for number in 1..=4 {
        let mut events = of(database, number).await?.events;
        let mut of_roster = roster.events_of(&samples::device(number)).to_vec();
        events.sort();
        of_roster.sort();
        assert_eq!(events, of_roster, "device {number}");
    }
    Ok(())
}

async fn a_device_may_be_named_by_its_imei(database: &Database) -> anyhow::Result<()> {
    make_old_tables(database).await?;
    let imei = samples::device(1);
    run(
        database,
        &format!(
            "INSERT INTO entries VALUES ('e', '{}'); INSERT INTO entry_devices VALUES ('x', 'e', ' {imei} ')",
            key(1)
        ),
    )
    .await?;
    let expected = Enrolment {
        schema: RosterSchema::Imei,
        registered: None,
        entries: 1,
        entries_without_event: 0,
        events: vec![event(1)],
    };
    assert_eq!(of(database, 1).await?, expected);
    assert_eq!(of(database, 2).await?, Enrolment { entries: 0, events: vec![], ..expected });
    Ok(())
}

async fn both_ways_of_naming_may_be_mixed(database: &Database) -> anyhow::Result<()> {
    make_tables_with_keys(database, "varchar(255)").await?;
    run(database, "DROP TABLE entry_devices").await?;
    run(database, "CREATE TABLE entry_devices (id text, entry_id text, device_id text)").await?;
    register(database, 1).await?;
    for number in 1..=2 {
        add_event(database, number).await?;
    }
    enter(database, 1, 1).await?;
    let imei = samples::device(1);
    run(database, &format!("INSERT INTO entry_devices VALUES ('x', '{}', '{imei}')", key(2))).await?;
    let mut enrolment = of(database, 1).await?;
    enrolment.events.sort();
    let expected = Enrolment {
        schema: RosterSchema::ImeiOrKey,
        registered: Some(true),
        entries: 2,
        entries_without_event: 0,
        events: vec![event(1), event(2)],
    };
    assert_eq!(enrolment, expected);
    Ok(())
}

laws_hold_on_databases! { timescale: Timescale, sqlite: Sqlite => [
    super::where_there_is_no_cms_it_says_so,
    super::each_step_into_an_event_is_seen,
    super::what_it_says_is_what_the_roster_says,
    super::a_device_may_be_named_by_its_imei,
    super::both_ways_of_naming_may_be_mixed,
] }
