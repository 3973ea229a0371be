use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use processor_domain::{DeviceId, Timestamp};
use processor_tests::{
    DeviceNaming, DirectusStub, DirectusTables, Picture, Processor, ProcessorBuilder, Session, Viewer,
    Visitor, Whereabouts, records,
};

use crate::Stage;

/// The event of most stories, and another one; and one that is in no story.
pub(crate) const RALLY: &str = "0f1a7f8e-32ab-4f0e-9c7e-0000000000a1";
pub(super) const OTHER_RALLY: &str = "0f1a7f8e-32ab-4f0e-9c7e-0000000000a2";

/// A user who may see [`RALLY`], and the value of the cookie of its session.
pub(crate) const ANN: &str = "0f1a7f8e-32ab-4f0e-9c7e-0000000000b1";
pub(super) const ANNS_SESSION: &str = "session-of-ann";

/// A stage with a CMS: a stub that says who may see what, and the tables that it has in the database.
pub(crate) struct LiveStage {
    pub(crate) stage: Stage,
    pub(crate) directus: DirectusStub,
    pub(super) tables: DirectusTables,
}

impl LiveStage {
    /// On servers that the story leaves alone.
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Self::on(Stage::new().await?, DeviceNaming::ByKey).await
    }

    pub(crate) async fn on(stage: Stage, naming: DeviceNaming) -> anyhow::Result<Self> {
        let directus = DirectusStub::start().await?;
        directus.begin(ANNS_SESSION, Session::Of(ANN.to_owned()));
        directus.allow(ANN, RALLY);
        let tables = DirectusTables::create(&stage.database_url, naming).await?;
        Ok(Self { stage, directus, tables })
    }

    /// The program, set up for this stage. What is due every few seconds is due soon.
    pub(crate) fn processor(&self) -> ProcessorBuilder {
        self.stage
            .processor()
            .env("DIRECTUS_URL", self.directus.url())
            .env("LIVE_DEVICE_EVENT_REFRESH_MS", "200")
            .env("LIVE_RECHECK_MS", "1000")
    }

    /// Where every one of these cars is: its newest row that is not faulty.
    pub(super) async fn whereabouts(
        &self,
        cars: impl IntoIterator<Item = DeviceId>,
    ) -> anyhow::Result<BTreeMap<DeviceId, Whereabouts>> {
        let newest = "SELECT DISTINCT ON (device_id) concat_ws(' ', device_id,
                (extract(epoch FROM ts) * 1000000)::bigint, latitude, longitude)
            FROM positions WHERE NOT faulty ORDER BY device_id, ts DESC";
        let rows: Vec<String> = self.stage.query(newest).await?;
        let known: BTreeMap<DeviceId, Whereabouts> =
            rows.iter().map(|row| whereabouts(row)).collect::<anyhow::Result<_>>()?;
        let cars = cars.into_iter();
        Ok(cars.filter_map(|car| known.get(&car).map(|whereabouts| (car, whereabouts.clone()))).collect())
    }
}

fn whereabouts(row: &str) -> anyhow::Result<(DeviceId, Whereabouts)> {
    let mut words = row.split(' ');
    let mut word = || words.next().with_context(|| row.to_owned());
    let device = DeviceId::parse(word()?)?;
    let ts = Timestamp::from_micros(word()?.parse()?);
    Ok((device, Whereabouts::new(ts, word()?.parse()?, word()?.parse()?)))
}

/// Ann at the door of the program, from its own page.
pub(crate) async fn ann(processor: &Processor) -> Visitor {
    Visitor::at(&processor.live_address().await).with_session(ANNS_SESSION)
}

/// The first so many devices of those that [`records`] are of.
pub(super) fn devices(count: u32) -> Vec<DeviceId> {
    records(count, 1).filter_map(|sample| sample.key).map(|(device, _)| device).collect()
}

/// How many frames of [`RALLY`] a viewer was told.
pub(super) fn frames(viewer: &Viewer) -> u64 {
    viewer.picture(RALLY).map_or(0, Picture::frames)
}

/// How many moves of cars there were in them.
pub(super) fn moves(viewer: &Viewer) -> u64 {
    viewer.picture(RALLY).map_or(0, Picture::moves)
}

/// How long a picture may take to be that of the table, which was looked at when all was written.
pub(super) const SHOWN: Duration = Duration::from_secs(20);
