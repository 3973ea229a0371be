//! What both databases mean by the faults of a row.

use processor_domain::Faults;

/// The faults of a row; none in tables of others, which do not say.
pub(crate) fn faults(bits: Option<i32>) -> Faults {
    bits.and_then(|bits| u16::try_from(bits).ok()).map_or(Faults::NONE, Faults::from_bits)
}
