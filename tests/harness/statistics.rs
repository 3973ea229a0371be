//! What is made of several measurements.

use std::time::Duration;

/// The middle one of several values, or the middle between the two; no number of none.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}

/// How much a value grows in an hour: the slope of the line that is nearest to the points, by least squares. No
/// number of fewer than two moments.
#[must_use]
pub fn slope_an_hour(points: &[(Duration, f64)]) -> f64 {
    let hours = |time: &Duration| time.as_secs_f64() / 3_600.0;
    let count = points.len() as f64;
    let mean_time = points.iter().map(|(time, _)| hours(time)).sum::<f64>() / count;
    let mean = points.iter().map(|(_, value)| value).sum::<f64>() / count;
    let together: f64 = points.iter().map(|(time, value)| (hours(time) - mean_time) * (value - mean)).sum();
    let spread: f64 = points.iter().map(|(time, _)| (hours(time) - mean_time).powi(2)).sum();
    together / spread
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn what_grows_by_one_a_minute_grows_by_sixty_an_hour() {
        let minute = |number: u32| (Duration::from_mins(number.into()), 7.0 + f64::from(number));
        let points: Vec<_> = (0..10).map(minute).collect();
        assert!((slope_an_hour(&points) - 60.0).abs() < 1e-6);
        assert!(slope_an_hour(&points[..1]).is_nan());
    }
}
