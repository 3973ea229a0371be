//! Some who watch all the time.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use futures::future::try_join_all;
use processor_domain::{DeviceId, Timestamp};
use processor_tests::{DirectusStub, Session, Viewer, Visitor, Whereabouts, connect_database};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::scene::Scene;

pub(crate) const RALLY: &str = "0f1a7f8e-32ab-4f0e-9c7e-0000000000a1";
const ANN: &str = "0f1a7f8e-32ab-4f0e-9c7e-0000000000b1";
const ANNS_SESSION: &str = "session-of-ann";

/// Longer than any fault takes to be mended: meanwhile nothing comes.
const PAUSE: Duration = Duration::from_mins(2);
/// How long a picture may take to be that of the table, when all is written.
const SHOWN: Duration = Duration::from_mins(1);

/// Lets the audience in to the rally.
pub(crate) fn let_in(directus: &DirectusStub) {
    directus.begin(ANNS_SESSION, Session::Of(ANN.to_owned()));
    directus.allow(ANN, RALLY);
}

/// Viewers of the steady instance. With every frame they check that none is missing before it and that no car moves back
/// in time; none of them may be sent away.
pub(crate) struct Audience {
    viewers: Vec<Viewer>,
}

/// The audience, while a chapter lasts.
pub(crate) struct Watching {
    over: watch::Sender<bool>,
    viewers: Vec<JoinHandle<anyhow::Result<Viewer>>>,
}

impl Audience {
    pub(crate) async fn enter(scene: &Scene, count: usize) -> anyhow::Result<Self> {
        let visitor = Visitor::at(&scene.steady().live_address().await).with_session(ANNS_SESSION);
        let mut viewers = Vec::new();
        for _ in 0..count {
            viewers.push(visitor.watch(&[RALLY]).await?);
        }
        Ok(Self { viewers })
    }

    pub(crate) fn watch(self) -> Watching {
        let over = watch::Sender::new(false);
        let watching = self.viewers.into_iter().map(|mut viewer| {
            let mut until = over.subscribe();
            tokio::spawn(async move {
                let end = async { Ok(until.wait_for(|over| *over).await.map(drop)?) };
                viewer.listen_during(PAUSE, end).await?;
                Ok(viewer)
            })
        });
        let viewers = watching.collect();
        Watching { over, viewers }
    }
}

impl Watching {
    /// The chapter is over and written: everybody sees every car where the table has it.
    pub(crate) async fn end(self, scene: &Scene) -> anyhow::Result<Audience> {
        let expected = whereabouts(scene.database_url()).await?;
        self.over.send_replace(true);
        let viewers = self.viewers.into_iter().map(async |viewer| {
            let mut viewer = viewer.await??;
            viewer.until_cars_are(SHOWN, RALLY, &expected).await?;
            anyhow::Ok(viewer)
        });
        Ok(Audience { viewers: try_join_all(viewers).await.context("a viewer")? })
    }
}

/// Where every car is: its newest row.
async fn whereabouts(database_url: &str) -> anyhow::Result<BTreeMap<DeviceId, Whereabouts>> {
    let sql = "SELECT DISTINCT ON (device_id) device_id, (extract(epoch FROM ts) * 1000000)::int8, latitude, longitude
                 FROM positions WHERE NOT faulty ORDER BY device_id, ts DESC";
    let database = connect_database(database_url).await?;
    let rows = database.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    database.close().await?;
    let place = |row: sea_orm::QueryResult| {
        let device: String = row.try_get_by_index(0)?;
        let ts = Timestamp::from_micros(row.try_get_by_index(1)?);
        let place = Whereabouts::new(ts, row.try_get_by_index(2)?, row.try_get_by_index(3)?);
        anyhow::Ok((DeviceId::parse(&device)?, place))
    };
    rows.into_iter().map(place).collect()
}
