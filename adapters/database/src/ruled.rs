//! What both databases mean by a ruling.

use processor_domain::{Faults, Ruling};

/// What operators say, as bits of the column `faults`.
pub(crate) const RULINGS: i32 = Faults::RULINGS.bits() as i32;
/// What takes the place away and was found without an operator.
pub(crate) const FOUND: i32 = Faults::FOUND.bits() as i32;
/// The place is wrong, an operator said.
pub(crate) const MARKED: i32 = bits(Some(Ruling::Faulty));
/// All that takes the place away.
const GEOMETRY: i32 = Faults::GEOMETRY.bits() as i32;
/// Faulty, and nobody said why.
const UNEXPLAINED: i32 = Faults::NONE.with(processor_domain::Fault::Unexplained).bits() as i32;

/// The faults in the column `faults`. Bits that are not known here are left out.
pub(crate) fn faults(column: Option<i32>) -> Faults {
    let bits = column.unwrap_or(0) & i32::from(u16::MAX);
    Faults::from_bits(u16::try_from(bits).unwrap_or(0))
}

/// Whether a position says where the car is as far as the rules are concerned: it takes the place of one that they
/// found fault with. What an operator says of the two does not change which is the better one.
pub(crate) const fn placed(faults: Faults) -> bool {
    faults.intersection(Faults::FOUND).is_empty()
}

/// Whether the place of a row gives way to one that is [`placed`]: what an operator called wrong, and nobody else
/// did, stays where it is, and so does what an operator confirmed.
pub(crate) fn gives_way(faulty: bool, column: Option<i32>) -> bool {
    let bits = column.unwrap_or(0);
    faulty && (bits & MARKED == 0 || bits & FOUND != 0)
}

const fn bits(ruling: Option<Ruling>) -> i32 {
    Faults::NONE.ruled(ruling).bits() as i32
}

/// The statement that brings rows of device `$1` from `from` to `to`, both expressions, in line with a ruling, or
/// with none. What is in line is not written.
///
/// A row that is faulty without a fault that says why keeps that as a fault of its own: without it, it would come
/// out good when the mark is taken back.
pub(crate) fn align(ruling: Option<Ruling>, from: &str, to: &str) -> String {
    let ruled = bits(ruling);
    let found = format!(
        "((coalesce(faults, 0) & ~{RULINGS}) | \
         CASE WHEN coalesce(faulty, false) AND (coalesce(faults, 0) & {GEOMETRY}) = 0 THEN {UNEXPLAINED} ELSE 0 END)"
    );
    let faulty = match ruling {
        Some(Ruling::Faulty) => "true".to_owned(),
        Some(Ruling::Good) => "false".to_owned(),
        None => format!("({found} & {GEOMETRY}) <> 0"),
    };
    format!(
        "UPDATE positions SET faults = nullif({found} | {ruled}, 0), faulty = {faulty} \
         WHERE device_id = $1 AND ts >= {from} AND ts < {to} AND (coalesce(faults, 0) & {RULINGS}) <> {ruled}"
    )
}
