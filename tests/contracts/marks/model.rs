use std::collections::BTreeMap;

use processor_database::Database;
use processor_domain::{Fault, Faults, Mark, Ruling, Rulings, Timestamp, samples};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{at, everything_of, new_mark, read_all, second, store};

#[derive(Debug, Clone)]
enum Step {
    Store(Vec<(u64, u64, bool)>),
    Mark { device: u64, from: u64, length: u64, good: bool },
    TakeBack(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        prop::collection::vec((0_u64..3, 0_u64..30, any::<bool>()), 1..10).prop_map(Step::Store),
        (0_u64..3, 0_u64..30, 1_u64..15, any::<bool>()).prop_map(|(device, from, length, good)| Step::Mark {
            device,
            from,
            length,
            good
        }),
        any::<prop::sample::Index>().prop_map(Step::TakeBack),
    ]
}

/// What is to be there: what was found of each position, and the marks.
#[derive(Default)]
struct Model {
    found: BTreeMap<(u64, u64), Faults>,
    marks: Vec<Mark>,
}

impl Model {
    fn rulings(&self) -> Rulings {
        self.marks.iter().collect()
    }

    fn faults(&self) -> Vec<(String, Timestamp, Faults, bool)> {
        let rulings = self.rulings();
        let ruled = |((device, number), found): (&(u64, u64), &Faults)| {
            let device = samples::device(*device);
            let faults = found.ruled(rulings.on(&device, second(*number)));
            (device.to_string(), second(*number), faults, faults.faulty())
        };
        self.found.iter().map(ruled).collect()
    }
}

/// Positions are judged by the marks that there are, as they are in life.
pub(crate) async fn marks_at_random_do_what_the_model_does(database: &Database) -> anyhow::Result<()> {
    let mut runner = TestRunner::deterministic();
    let steps = prop::collection::vec(step(), 60).new_tree(&mut runner);
    let steps = steps.map_err(|reason| anyhow::anyhow!("{reason}"))?.current();
    let mut model = Model::default();
    let by = samples::words("race control");
    for step in steps {
        match step {
            Step::Store(positions) => {
                let rulings = model.rulings();
                for (device, number, is_faulty) in positions {
                    let found = if is_faulty { Faults::from(Fault::NoFix) } else { Faults::NONE };
                    if model.found.contains_key(&(device, number)) {
                        continue;
                    }
                    let faults = found.ruled(rulings.on(&samples::device(device), second(number)));
                    store(database, vec![(at(device, number), faults)]).await?;
                    model.found.insert((device, number), found);
                }
            }
            Step::Mark { device, from, length, good } => {
                let ruling = if good { Ruling::Good } else { Ruling::Faulty };
                let said = new_mark(device, from, from + length, ruling);
                model.marks.push(database.marks().mark(&said).await?.mark);
            }
            Step::TakeBack(index) if !model.marks.is_empty() => {
                let mark = index.get(&model.marks).id;
                database.marks().take_back(mark, &by).await?;
                model.marks.retain(|there| there.id != mark);
            }
            Step::TakeBack(_) => {}
        }
        let found = read_all(database, &everything_of(0..3), 1_000).await?;
        let found: Vec<_> = found
            .into_iter()
            .map(|kept| (kept.position.device_id.to_string(), kept.position.ts, kept.faults, kept.faulty))
            .collect();
        assert_eq!(found, model.faults());
    }
    Ok(())
}
