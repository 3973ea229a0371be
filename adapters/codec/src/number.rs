//! What the digits of a JSON number mean.

/// 2^53-1: the largest whole number that readers with only double precision know from its neighbours.
pub(crate) const MAX_SAFE_INTEGER: i128 = (1 << 53) - 1;

/// Digits of a decimal number that double precision keeps, whatever they are.
pub(crate) const SAFE_DIGITS: usize = 15;

/// Whether the text of a JSON value is a number.
pub(crate) fn is_number(json: &str) -> bool {
    matches!(json.as_bytes().first(), Some(b'-' | b'0'..=b'9'))
}

/// The whole number that these decimal digits are, if it fits.
pub(crate) fn integer(digits: &str) -> Option<i128> {
    // Most numbers are short, and reading those is quicker.
    digits.parse::<i64>().map(i128::from).or_else(|_| digits.parse()).ok()
}

/// The JSON number with these digits, if it is whole: exact if it is written as such, and with a fraction or an
/// exponent up to 2^53-1.
pub(crate) fn whole(digits: &str) -> Option<i128> {
    integer(digits).or_else(|| {
        let number = float(digits)?;
        #[expect(clippy::cast_possible_truncation, reason = "whole and small enough")]
        (number.fract() == 0.0 && number.abs() <= MAX_SAFE_FLOAT).then_some(number as i128)
    })
}

const MAX_SAFE_FLOAT: f64 = MAX_SAFE_INTEGER as f64;

/// The JSON number with these digits in double precision; not if that makes it infinite, or makes it zero though
/// it is not.
pub(crate) fn float(digits: &str) -> Option<f64> {
    let number = digits.parse::<f64>().ok().filter(|number| number.is_finite())?;
    (number != 0.0 || is_zero(digits)).then_some(number)
}

/// Whether no digit before the exponent is other than zero.
fn is_zero(digits: &str) -> bool {
    let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
    !mantissa.contains(|char: char| matches!(char, '1'..='9'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_exact_however_they_are_written() {
        for (digits, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("-0.0e5", Some(0)),
            ("12345", Some(12345)),
            ("1.0", Some(1)),
            ("1e3", Some(1000)),
            ("1.5", None),
            ("9007199254740993", Some(9_007_199_254_740_993)),
            ("9007199254740991.0", Some(9_007_199_254_740_991)),
            ("9007199254740992.0", None),
            ("18446744073709551616", Some(18_446_744_073_709_551_616)),
            ("-170141183460469231731687303715884105728", Some(i128::MIN)),
            ("170141183460469231731687303715884105728", None),
            ("1e21", None),
            ("1e-400", None),
            ("0e-400", Some(0)),
        ] {
            assert_eq!(whole(digits), expected, "{digits}");
        }
    }

    #[test]
    fn what_double_precision_cannot_hold_is_no_float() {
        for (digits, expected) in [
            ("1.5", Some(1.5)),
            ("-1.5E-3", Some(-0.0015)),
            ("1e308", Some(1e308)),
            ("1e309", None),
            ("-1e999999999999", None),
            ("1e-400", None),
            ("0e-400", Some(0.0)),
        ] {
            assert_eq!(float(digits), expected, "{digits}");
        }
    }
}
