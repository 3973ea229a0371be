//! Several positions with one key in one batch.

use std::cmp::Ordering;

use processor_domain::ports::Verdict;
use processor_domain::{DeviceId, Judged, Timestamp};

/// A batch, or a part of it, arranged so that one statement never meets a key twice.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Layers {
    /// Indices into the batch. Within a layer keys differ and are in order, which keeps writers that share keys
    /// from waiting for each other in a circle; what shares a key is spread over the layers in batch order, so
    /// the first one is written first.
    pub(crate) layers: Vec<Vec<usize>>,
    /// What is the same as an earlier one in all that is stored: it needs no statement.
    echoes: Vec<Echo>,
}

/// A position that repeats another one of the batch.
#[derive(Debug, PartialEq, Eq)]
struct Echo {
    index: usize,
    /// The one that it repeats, which is in a layer.
    of: usize,
}

pub(crate) fn key(judged: &Judged) -> (&DeviceId, Timestamp) {
    (&judged.position.device_id, judged.position.ts)
}

/// The order of keys, for indices into `batch`.
pub(crate) fn by_key(batch: &[Judged]) -> impl Fn(&usize, &usize) -> Ordering {
    |one, other| key(&batch[*one]).cmp(&key(&batch[*other]))
}

impl Layers {
    /// Arranges those of `batch` at `indices`, which are in batch order.
    pub(crate) fn of(batch: &[Judged], mut indices: Vec<usize>) -> Self {
        indices.sort_by(by_key(batch));
        if indices.windows(2).all(|pair| key(&batch[pair[0]]) != key(&batch[pair[1]])) {
            let layers = if indices.is_empty() { Vec::new() } else { vec![indices] };
            return Self { layers, echoes: Vec::new() };
        }
        let mut arranged = Self::default();
        for same_key in indices.chunk_by(|a, b| key(&batch[*a]) == key(&batch[*b])) {
            let mut distinct: Vec<usize> = Vec::with_capacity(1);
            for &index in same_key {
                let earlier = distinct.iter().find(|earlier| same_row(&batch[**earlier], &batch[index]));
                if let Some(&of) = earlier {
                    arranged.echoes.push(Echo { index, of });
                    continue;
                }
                if arranged.layers.len() == distinct.len() {
                    arranged.layers.push(Vec::new());
                }
                arranged.layers[distinct.len()].push(index);
                distinct.push(index);
            }
        }
        arranged
    }

    /// Says of each echo what follows from what became of the one that it repeats.
    pub(crate) fn echo(&self, verdicts: &mut [Verdict]) {
        for Echo { index, of } in &self.echoes {
            verdicts[*index] = match &verdicts[*of] {
                refused @ Verdict::Refused(_) => refused.clone(),
                _ => Verdict::Duplicate,
            };
        }
    }
}

/// Whether two positions with one key are the same in all that is stored of them.
fn same_row(a: &Judged, b: &Judged) -> bool {
    let (p, q) = (&a.position, &b.position);
    a.faults == b.faults
        && p.coordinates == q.coordinates
        && p.altitude == q.altitude
        && p.heading == q.heading
        && p.speed == q.speed
        && p.satellites == q.satellites
        && p.priority == q.priority
        && p.attributes == q.attributes
}

#[cfg(test)]
mod tests {
    use super::*;
    use processor_domain::{Faults, Novelty, samples};
    use proptest::prelude::*;

    fn judged(device: u64, second: i64, attributes: &str) -> Judged {
        let ts = Timestamp::from_micros(second * 1_000_000);
        let position = samples::position().device(device).at_moment(ts).attributes(attributes).build();
        Judged { position, faults: Faults::NONE, novelty: Novelty::Suspect }
    }

    #[test]
    fn repeats_go_to_later_layers_and_echoes_to_none() {
        let batch = [
            judged(2, 1, r#"{"a":1}"#),
            judged(1, 1, "{}"),
            judged(2, 1, r#"{"b":1}"#),
            judged(2, 1, r#"{"a":1}"#),
        ];
        let Layers { layers, echoes } = Layers::of(&batch, (0..4).collect());
        assert_eq!(layers, [vec![1, 0], vec![2]]);
        assert_eq!(echoes, [Echo { index: 3, of: 0 }]);
    }

    proptest! {
        #[test]
        fn each_index_has_one_place_and_layers_have_ordered_keys(
            rows in prop::collection::vec((0_u64..4, 0_i64..4, 0_u8..3), 0..60)
        ) {
            let batch: Vec<Judged> =
                rows.iter().map(|(d, t, a)| judged(*d, *t, &format!("{{\"a\":{a}}}"))).collect();
            let arranged = Layers::of(&batch, (0..batch.len()).collect());
            let mut places: Vec<usize> = arranged.layers.iter().flatten().copied().collect();
            places.extend(arranged.echoes.iter().map(|echo| echo.index));
            places.sort_unstable();
            prop_assert_eq!(places, (0..batch.len()).collect::<Vec<_>>());
            for layer in &arranged.layers {
                prop_assert!(layer.windows(2).all(|pair| key(&batch[pair[0]]) < key(&batch[pair[1]])));
            }
            for Echo { index, of } in &arranged.echoes {
                prop_assert!(of < index && key(&batch[*of]) == key(&batch[*index]));
            }
        }
    }
}
