use std::time::Duration;

use processor_domain::ports::Verdict;
use processor_domain::{Faults, Judged, Novelty, samples};
use processor_migration::{
    Edition, MigrationError, MigrationSettings, Storage, down, drop_old, migrate, status,
};
use processor_tests::{TimescaleServer, connect_database};

use super::*;
use crate::databases::{DatabaseFixture, Sqlite};

const ALL: [&str; 4] =
    ["m0001_positions", "m0002_dead_letters", "m0003_dead_letters_in_order", "m0004_marks"];

async fn applied(connection: &DatabaseConnection) -> anyhow::Result<Vec<(String, bool)>> {
    Ok(status(connection).await?.into_iter().map(|state| (state.name, state.applied)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_gets_the_table_that_others_rely_on() -> anyhow::Result<()> {
    let server = TimescaleServer::start().await?;
    let database = empty(&server).await?;
    let connection = database.connection();
    let settings =
        MigrationSettings { chunk_interval: Duration::from_hours(12), ..MigrationSettings::default() };
    assert_eq!(applied(connection).await?, ALL.map(|name| (name.to_owned(), false)));

    let report = migrate(connection, &settings).await?;
    assert_eq!(report.applied, ALL);
    assert!(!report.adopted);
    let Storage::Hypertable { version, .. } = report.storage else { panic!("{:?}", report.storage) };
    assert!(version > (2, 0, 0), "{version:?}");
    assert_eq!(applied(connection).await?, ALL.map(|name| (name.to_owned(), true)));
    assert_eq!(
        columns(connection).await?,
        [
            "device_id text!",
            "ts timestamp with time zone!",
            "latitude double precision!",
            "longitude double precision!",
            "altitude real",
            "angle real",
            "speed real",
            "satellites smallint",
            "priority smallint! 0",
            "attributes jsonb! '{}'::jsonb",
            "faulty boolean! false",
            "ingested_at timestamp with time zone! now()",
            "faults integer",
        ]
    );
    assert_eq!(
        indexes(connection).await?,
        ["CREATE UNIQUE INDEX positions_device_ts_idx ON public.positions USING btree (device_id, ts DESC)"]
    );
    let interval = "SELECT time_interval::text FROM timescaledb_information.dimensions \
                    WHERE hypertable_name = 'positions'";
    assert_eq!(texts(connection, interval).await?, ["12:00:00"]);

    let again = migrate(connection, &settings).await?;
    assert_eq!((again.applied, again.storage), (Vec::new(), report.storage));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn places_that_are_no_numbers_do_not_get_in() -> anyhow::Result<()> {
    let server = TimescaleServer::start().await?;
    let database = empty(&server).await?;
    migrate(database.connection(), &MigrationSettings::default()).await?;
    let sqlite = Sqlite::start().await?;
    let at = |connection: &DatabaseConnection, latitude: &str| {
        let connection = connection.clone();
        let insert =
            format!("INSERT INTO positions (device_id, ts, latitude, longitude) VALUES ('1', {latitude}, 0)");
        async move { connection.execute_unprepared(&insert).await.is_ok() }
    };
    for bad in ["'NaN'", "'Infinity'", "'-Infinity'"] {
        assert!(!at(database.connection(), &format!("now(), {bad}")).await, "{bad}");
    }
    assert!(at(database.connection(), "now(), 214.7").await, "trackers send such numbers");
    for bad in ["9e999", "-9e999", "9e999 - 9e999"] {
        assert!(!at(sqlite.database.connection(), &format!("1, {bad}")).await, "{bad}");
    }
    assert!(at(sqlite.database.connection(), "1, 214.7").await);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_can_be_taken_back_and_applied_again() -> anyhow::Result<()> {
    let server = TimescaleServer::start().await?;
    let timescale = empty(&server).await?;
    let sqlite = Sqlite::start().await?;
    let settings = MigrationSettings::default();
    for connection in [timescale.connection(), sqlite.database.connection()] {
        migrate(connection, &settings).await?;
        down(connection, &settings, Some(1)).await?;
        assert_eq!(applied(connection).await?, ALL.map(|name| (name.to_owned(), name != ALL[3])));
        assert_eq!(migrate(connection, &settings).await?.applied, [ALL[3]]);
        down(connection, &settings, None).await?;
        assert!(connection.execute_unprepared("SELECT * FROM positions").await.is_err());
        assert!(connection.execute_unprepared("SELECT * FROM dead_letters").await.is_err());
        assert!(connection.execute_unprepared("SELECT * FROM marks").await.is_err());
        assert_eq!(migrate(connection, &settings).await?.applied, ALL);
        connection.execute_unprepared("SELECT * FROM positions, dead_letters, marks").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_start_at_once_do_not_disturb_each_other() -> anyhow::Result<()> {
    let server = TimescaleServer::start().await?;
    let url = server.create_database().await?;
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let settings = DatabaseSettings::of(&url);
            tokio::spawn(async move {
                let database = Database::connect(settings).await?;
                anyhow::Ok(migrate(database.connection(), &MigrationSettings::default()).await?)
            })
        })
        .collect();
    let mut applied = Vec::new();
    for task in tasks {
        applied.extend(task.await??.applied);
    }
    assert_eq!(applied, ALL, "one of them did it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_migrates_for_too_long_is_named_as_the_cause() -> anyhow::Result<()> {
    let server = TimescaleServer::start().await?;
    let database = empty(&server).await?;
    let pool = database.connection().get_postgres_connection_pool();
    let mut other = pool.acquire().await?;
    // The key is known to all versions: instances of different ones may start at once.
    sea_orm::sqlx::query("SELECT pg_advisory_lock(x'70726f636573736f'::bigint)").execute(&mut *other).await?;
    let settings =
        MigrationSettings { lock_timeout: Duration::from_millis(100), ..MigrationSettings::default() };
    let error = migrate(database.connection(), &settings).await.unwrap_err();
    assert!(matches!(error, MigrationError::Locked(_)), "{error:?}");
    assert!(error.to_string().contains("another instance"), "{error}");
    other.close().await?;
    assert_eq!(migrate(database.connection(), &settings).await?.applied, ALL);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_postgresql_works() -> anyhow::Result<()> {
    let server = TimescaleServer::start_with(&["-c", "shared_preload_libraries="]).await?;
    let database = empty(&server).await?;
    let connection = database.connection();
    let report = migrate(connection, &MigrationSettings::default()).await?;
    assert_eq!((report.storage, report.applied), (Storage::PlainTable, ALL.map(str::to_owned).to_vec()));
    let batch: Vec<Judged> = (0..1_000)
        .map(|device| Judged {
            position: samples::position().device(device).build(),
            faults: Faults::NONE,
            novelty: Novelty::Fresh,
        })
        .collect();
    let store = database.position_store();
    assert_eq!(store.commit(&batch).await?, vec![Verdict::Stored; 1_000]);
    assert_eq!(store.commit(&batch).await?, vec![Verdict::Duplicate; 1_000]);
    let memory = database.device_memory(std::sync::Arc::new(processor_domain::ports::SystemClock));
    assert_eq!(memory.recall_recent(7).await?.len(), 7);
    assert_eq!(memory.recall(&[samples::device(3), samples::device(3_000)]).await?.len(), 1);
    let dropped = drop_old(connection, Duration::from_hours(1)).await?;
    assert_eq!((dropped.rows, dropped.chunks), (1_000, 0));

    let compressed =
        MigrationSettings { compress_after: Some(Duration::from_hours(1)), ..MigrationSettings::default() };
    let error = migrate(connection, &compressed).await.unwrap_err();
    assert!(matches!(error, MigrationError::Compression(_)), "{error:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn compression_is_had_where_the_edition_has_it_and_refused_where_not() -> anyhow::Result<()> {
    let server = TimescaleServer::start().await?;
    let database = empty(&server).await?;
    let connection = database.connection();
    let settings = MigrationSettings {
        compress_after: Some(Duration::from_hours(30 * 24)),
        ..MigrationSettings::default()
    };
    let result = migrate(connection, &settings).await;
    let report = migrate(connection, &MigrationSettings::default()).await?;
    match report.storage {
        Storage::Hypertable { edition: Edition::Apache, .. } => {
            let error = result.unwrap_err();
            assert!(
                matches!(&error, MigrationError::Compression(why) if why.contains("Apache")),
                "{error:?}"
            );
        }
        Storage::Hypertable { edition: Edition::Community, .. } => {
            result?;
            migrate(connection, &settings).await?;
            let policies = "SELECT config->>'compress_after' FROM timescaledb_information.jobs \
                            WHERE proc_name = 'policy_compression' AND hypertable_name = 'positions'";
            assert_eq!(texts(connection, policies).await?, ["720:00:00"]);
        }
        other => panic!("{other:?}"),
    }
    Ok(())
}

/// Has all who ask this database told that its TimescaleDB is an older one.
const OLDER: &str = "CREATE SCHEMA older;
    CREATE VIEW older.pg_extension AS SELECT extname, '2.18.2' AS extversion FROM pg_catalog.pg_extension;
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, older, pg_catalog', current_database()); END $$";

#[tokio::test(flavor = "multi_thread")]
async fn compression_that_would_lose_positions_keeps_the_program_from_starting() -> anyhow::Result<()> {
    let server = TimescaleServer::start().await?;
    let url = server.create_database().await?;
    let outside = connect_database(&url).await?;
    let database = Database::connect(DatabaseSettings::of(&url)).await?;
    let settings = MigrationSettings::default();
    migrate(database.connection(), &settings).await?;
    outside.execute_unprepared(OLDER).await?;
    let database = Database::connect(DatabaseSettings::of(&url)).await?;
    let Storage::Hypertable { version, .. } = migrate(database.connection(), &settings).await?.storage else {
        anyhow::bail!("no hypertable");
    };
    assert_eq!(version, (2, 18, 2), "older, and harmless while nothing is compressed");

    let compressed = |on: u8| {
        format!(
            "UPDATE _timescaledb_catalog.hypertable SET compression_state = {on} WHERE table_name = 'positions'"
        )
    };
    outside.execute_unprepared(&compressed(1)).await?;
    let error = migrate(database.connection(), &settings).await.unwrap_err();
    assert!(error.to_string().contains("TimescaleDB 2.18.2 loses positions"), "{error}");
    outside.execute_unprepared(&compressed(0)).await?;
    migrate(database.connection(), &settings).await?;
    Ok(())
}
