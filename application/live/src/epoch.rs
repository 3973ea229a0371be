//! Which life of a topic a number counts in.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// One life of a topic, from its first viewer on one instance until it is forgotten there.
///
/// Numbers of frames mean something only together with it: another instance, or this one after a restart,
/// counts anew. It is random, so two lives do not share one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(u64);

impl Epoch {
    pub(crate) fn random() -> Self {
        Self(random())
    }

    /// Reads what [`fmt::Display`] wrote. `None` for any other text: it is nobody's epoch.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let hex = text.len() == 16 && text.bytes().all(plain);
        hex.then(|| u64::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Epoch({self})")
    }
}

/// How far a viewer had come when it was cut off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Since {
    /// In which life of the topic.
    pub epoch: Epoch,
    /// The number of the last frame it had, or that of its snapshot.
    pub seq: u64,
}

/// A number nobody can know beforehand; good enough to tell things apart and to spread them, not for secrets.
pub(crate) fn random() -> u64 {
    // Every such state has keys of its own, taken from the randomness of the operating system.
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_the_same_and_text_leads_back() {
        let (one, other) = (Epoch::random(), Epoch::random());
        assert_ne!(one, other);
        assert_eq!(Epoch::parse(&one.to_string()), Some(one));
        for text in ["", "1", "+123456789abcdef", "0123456789ABCDEF", "0123456789abcdef0", "é123456789abcde"]
        {
            assert_eq!(Epoch::parse(text), None, "{text:?}");
        }
    }
}
