//! Tables `positions` that were there before.

use processor_migration::{MigrationError, MigrationSettings, Storage, down, migrate};
use processor_tests::TimescaleServer;

use super::*;
use crate::databases::rows;
use crate::position_store::{laws, model, refusals};

/// As the former service made it: a primary key, and beside it the index that its snapshot query uses.
const FORMER: &str = "CREATE TABLE positions (
        device_id text NOT NULL, ts timestamptz NOT NULL, latitude double precision NOT NULL,
        longitude double precision NOT NULL, altitude real, angle real, speed real, satellites smallint,
        priority smallint, attributes jsonb, PRIMARY KEY (device_id, ts)
    );
    CREATE INDEX positions_device_ts_idx ON positions (device_id, ts DESC)";
const HYPERTABLE: &str = "CREATE EXTENSION timescaledb; SELECT create_hypertable('positions', 'ts')";
const ROW: &str = "INSERT INTO positions (device_id, ts, latitude, longitude)
    VALUES ('000000000000001', '2026-05-01T10:00:00Z', 1, 2)";

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_the_former_service_is_taken_as_it_is() -> anyhow::Result<()> {
    let server = TimescaleServer::start().await?;
    for hypertable in [true, false] {
        let database = empty(&server).await?;
        let connection = database.connection();
        connection.execute_unprepared(FORMER).await?;
        if hypertable {
            connection.execute_unprepared(HYPERTABLE).await?;
        }
        connection.execute_unprepared(ROW).await?;
        let before = indexes(connection).await?;

        let report = migrate(connection, &MigrationSettings::default()).await?;
        assert!(report.adopted);
        assert_eq!(matches!(report.storage, Storage::Hypertable { .. }), hypertable);
        assert_eq!(indexes(connection).await?, before);
        let columns = columns(connection).await?;
        for added in ["faulty boolean! false", "ingested_at timestamp with time zone now()", "faults integer"]
        {
            assert!(columns.iter().any(|column| column == added), "{added}: {columns:?}");
        }
        // A row of the former service, with nulls where there are none today, can be united with as well.
        let batch = [super::super::position_store::suspect(
            processor_domain::samples::position().device(1).attributes(r#"{"new":1}"#).build(),
        )];
        let store = database.position_store();
        assert_eq!(store.commit(&batch).await?, [processor_domain::ports::Verdict::Merged]);
        assert_eq!(store.commit(&batch).await?, [processor_domain::ports::Verdict::Duplicate]);
        connection.execute_unprepared("DELETE FROM positions").await?;

        model::batches_at_random_do_what_the_model_does(&database).await?;
        refusals::many_refused_rows_are_told_apart(&database).await?;
        connection.execute_unprepared("DELETE FROM positions").await?;
        laws::batches_of_any_size_are_stored(&database).await?;

        let kept = rows(&database).await?.len();
        down(connection, &MigrationSettings::default(), None).await?;
        assert_eq!(rows(&database).await?.len(), kept, "it is not ours to drop");
        migrate(connection, &MigrationSettings::default()).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_cannot_be_written_safely_is_refused_with_the_reason() -> anyhow::Result<()> {
    let server = TimescaleServer::start().await?;
    let after = async |change: &str| {
        let database = empty(&server).await?;
        database.connection().execute_unprepared(&format!("{FORMER}; {ROW}; {change}")).await?;
        match migrate(database.connection(), &MigrationSettings::default()).await {
            Ok(report) => anyhow::bail!("{change}: {report:?}"),
            Err(error) => anyhow::Ok(error),
        }
    };
    let error = after("ALTER TABLE positions DROP CONSTRAINT positions_pkey").await?;
    assert!(matches!(error, MigrationError::NoUniqueKey), "{error:?}");
    let error =
        after("ALTER TABLE positions DROP CONSTRAINT positions_pkey, ADD UNIQUE (device_id, ts, latitude)")
            .await?;
    assert!(matches!(error, MigrationError::NoUniqueKey), "{error:?}");
    let error = after(
        "ALTER TABLE positions ADD COLUMN stage uuid NOT NULL DEFAULT gen_random_uuid(); \
                       ALTER TABLE positions ALTER COLUMN stage DROP DEFAULT",
    )
    .await?;
    assert!(
        matches!(&error, MigrationError::UnknownMandatoryColumn(column) if column == "stage"),
        "{error:?}"
    );
    let error = after("ALTER TABLE positions ALTER COLUMN attributes TYPE json").await?;
    assert!(
        matches!(&error, MigrationError::ColumnType { column, found, .. } if column == "attributes" && found == "json"),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_table_without_a_key_gets_one() -> anyhow::Result<()> {
    let server = TimescaleServer::start().await?;
    let database = empty(&server).await?;
    let connection = database.connection();
    let change = "ALTER TABLE positions DROP CONSTRAINT positions_pkey";
    connection.execute_unprepared(&format!("{FORMER}; {change}")).await?;
    migrate(connection, &MigrationSettings::default()).await?;
    let indexes = indexes(connection).await?;
    assert!(indexes[0].starts_with("CREATE UNIQUE INDEX positions_device_ts_idx"), "{indexes:?}");
    Ok(())
}
