//! A store of a few lines, to compare with.

use std::collections::{BTreeMap, BTreeSet};

use processor_database::Database;
use processor_database::entity::positions::Model;
use processor_domain::ports::Verdict::{self, Duplicate, Merged, Stored};
use processor_domain::{Fault, Faults, Judged, Novelty, Priority, Timestamp, samples};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::databases::rows;

/// What a row says, without what no position says.
#[derive(Clone, PartialEq, Debug)]
struct Row {
    latitude: f64,
    priority: i16,
    faults: Option<i32>,
    faulty: bool,
    attributes: BTreeMap<String, i64>,
}

#[derive(Default)]
struct StoreModel(BTreeMap<(String, Timestamp), Row>);

impl StoreModel {
    fn commit(&mut self, Judged { position, faults, .. }: &Judged) -> Verdict {
        let new = Row {
            latitude: position.coordinates.latitude(),
            priority: i16::from(position.priority.number()),
            faults: (!faults.is_empty()).then(|| i32::from(faults.bits())),
            faulty: faults.faulty(),
            attributes: serde_json::from_str(position.attributes.as_json()).unwrap_or_default(),
        };
        let key = (position.device_id.to_string(), position.ts);
        let Some(row) = self.0.get_mut(&key) else {
            self.0.insert(key, new);
            return Stored;
        };
        let before = row.clone();
        for (name, value) in new.attributes {
            row.attributes.entry(name).or_insert(value);
        }
        row.priority = row.priority.max(new.priority);
        if row.faulty && !new.faulty {
            (row.latitude, row.faulty, row.faults) = (new.latitude, new.faulty, new.faults);
        }
        if *row == before { Duplicate } else { Merged }
    }
}

fn row_of(model: Model) -> anyhow::Result<((String, Timestamp), Row)> {
    let row = Row {
        latitude: model.latitude,
        priority: model.priority,
        faults: model.faults,
        faulty: model.faulty,
        attributes: serde_json::from_str(&model.attributes.0)?,
    };
    Ok(((model.device_id, model.ts.0), row))
}

prop_compose! {
    /// Positions of so few keys that they meet again and again, with hints that are right and wrong.
    fn judged()(
        device in 0_u64..12,
        second in 0_i64..6,
        latitude in -90.0..90.0_f64,
        priority in 0_i64..3,
        faults in prop::sample::select(vec![Faults::NONE, Fault::Late.into(), Fault::NoFix.into()]),
        attributes in prop::collection::btree_map("[a-d]", 0_i64..3, 0..3),
        fresh in any::<bool>(),
    ) -> Judged {
        let position = samples::position()
            .device(device)
            // A day apart: in several chunks.
            .at_moment(Timestamp::from_millis(1_777_000_000_000 + second * 86_400_000))
            .at(latitude, 25.0)
            .priority(Priority::from_number(priority))
            .attributes(&serde_json::json!(attributes).to_string())
            .build();
        Judged { position, faults, novelty: if fresh { Novelty::Fresh } else { Novelty::Suspect } }
    }
}

/// The batch among a thousand rows that are new for certain, so that it goes the way of many.
///
/// With `honest` the hints are right: what is called fresh is not there. Else they are what they are.
fn among_many(batch: &[Judged], number: i64, honest: bool, model: &StoreModel) -> Vec<Judged> {
    let ts = Timestamp::from_millis(1_777_000_000_000 - (number + 1) * 1_000);
    let mut all: Vec<Judged> = (0..1_000)
        .map(|device| Judged {
            position: samples::position().device(1_000 + device).at_moment(ts).attributes("{}").build(),
            faults: Faults::NONE,
            novelty: Novelty::Fresh,
        })
        .collect();
    let mut seen = BTreeSet::new();
    for (place, judged) in batch.iter().enumerate() {
        let mut judged = judged.clone();
        if honest {
            let key = (judged.position.device_id.to_string(), judged.position.ts);
            let new = !model.0.contains_key(&key) && seen.insert(key);
            judged.novelty = if new { Novelty::Fresh } else { Novelty::Suspect };
        }
        all.insert(place * 16, judged);
    }
    all
}

pub(crate) async fn batches_at_random_do_what_the_model_does(database: &Database) -> anyhow::Result<()> {
    let mut runner = TestRunner::deterministic();
    let batches = prop::collection::vec(prop::collection::vec(judged(), 0..60), 12);
    for case in 0..6 {
        let batches = batches.new_tree(&mut runner).map_err(|reason| anyhow::anyhow!("{reason}"))?.current();
        let mut model = StoreModel::default();
        let store = database.position_store();
        for (number, batch) in (0..).zip(&batches) {
            // Few rows with any hints, many with any hints, many with right hints.
            let batch = match case % 3 {
                0 => batch.clone(),
                kind => among_many(batch, number, kind == 2, &model),
            };
            let verdicts = store.commit(&batch).await?;
            let expected: Vec<Verdict> = batch.iter().map(|judged| model.commit(judged)).collect();
            assert!(verdicts == expected, "case {case}: {verdicts:?} for {batch:#?}");
        }
        let stored: BTreeMap<_, _> =
            rows(database).await?.into_iter().map(row_of).collect::<anyhow::Result<_>>()?;
        assert_eq!(stored, model.0, "case {case}");
        sea_orm::ConnectionTrait::execute_unprepared(database.connection(), "DELETE FROM positions").await?;
    }
    Ok(())
}
