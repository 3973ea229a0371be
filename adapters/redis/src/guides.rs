//! Who is asked the way to a server.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::socket::Address;

/// Most that are remembered: more than a cluster has masters.
const MOST: usize = 1000;

/// Sentinels, or nodes of a cluster. One is asked for as long as it leads where it should: the first.
#[derive(Debug)]
pub(crate) struct Guides {
    /// Those of the configuration, who are never forgotten.
    named: Vec<Address>,
    known: Mutex<VecDeque<Address>>,
}

impl Guides {
    pub(crate) fn named(addresses: &[Address]) -> Self {
        Self { named: addresses.to_vec(), known: Mutex::new(addresses.iter().cloned().collect()) }
    }

    /// All of them, in the order in which they are to be asked.
    pub(crate) fn in_order(&self) -> Vec<Address> {
        self.lock().iter().cloned().collect()
    }

    /// The first one led astray: the others come first.
    pub(crate) fn doubt_first(&self) {
        self.lock().rotate_left(1);
    }

    /// This one did not answer: the others come first.
    pub(crate) fn doubt(&self, guide: &Address) {
        let mut known = self.lock();
        if let Some(at) = known.iter().position(|known| known == guide) {
            known.remove(at);
            known.push_back(guide.clone());
        }
    }

    /// This one knows best, whether or not it was known.
    pub(crate) fn prefer(&self, guide: Address) {
        let mut known = self.lock();
        known.retain(|known| *known != guide);
        known.push_front(guide);
        known.truncate(MOST);
    }

    /// These are all there are now, besides those that were named; who comes first does so still.
    pub(crate) fn learn(&self, others: impl IntoIterator<Item = Address>) {
        let mut known = self.lock();
        let mut all: VecDeque<Address> = known.front().cloned().into_iter().collect();
        for address in self.named.iter().cloned().chain(others) {
            if all.len() < MOST && !all.contains(&address) {
                all.push_back(address);
            }
        }
        *known = all;
    }

    /// The list is sound after every step, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Address>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> Address {
        Address { host: "host".into(), port }
    }

    fn ports(guides: &Guides) -> Vec<u16> {
        guides.in_order().iter().map(|guide| guide.port).collect()
    }

    #[test]
    fn the_first_is_asked_until_it_is_doubted() {
        let guides = Guides::named(&[at(1), at(2), at(3)]);
        assert_eq!(ports(&guides), [1, 2, 3]);
        guides.doubt(&at(1));
        assert_eq!(ports(&guides), [2, 3, 1]);
        guides.prefer(at(9));
        assert_eq!(ports(&guides), [9, 2, 3, 1]);
        guides.doubt(&at(7));
        assert_eq!(ports(&guides), [9, 2, 3, 1]);
        guides.doubt_first();
        assert_eq!(ports(&guides), [2, 3, 1, 9]);
    }

    #[test]
    fn those_that_are_gone_are_forgotten_and_those_that_were_named_are_not() {
        let guides = Guides::named(&[at(1), at(2)]);
        guides.prefer(at(3));
        guides.learn([at(4), at(2), at(4)]);
        assert_eq!(ports(&guides), [3, 1, 2, 4]);
        guides.doubt(&at(3));
        guides.learn([at(5)]);
        assert_eq!(ports(&guides), [1, 2, 5]);
    }
}
