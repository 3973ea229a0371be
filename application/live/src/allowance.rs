use std::num::NonZeroU32;

use tokio::time::Instant;

/// How many messages may still come: it grows with time, up to a limit.
#[derive(Debug)]
pub(crate) struct Allowance {
    per_second: f64,
    most: f64,
    left: f64,
    counted_at: Instant,
}

impl Allowance {
    pub(crate) fn new(per_second: NonZeroU32, most: NonZeroU32) -> Self {
        let most = f64::from(most.get());
        Self { per_second: f64::from(per_second.get()), most, left: most, counted_at: Instant::now() }
    }

    /// Takes one; `false` if there is none.
    pub(crate) fn take(&mut self) -> bool {
        let now = Instant::now();
        let grown = now.duration_since(self.counted_at).as_secs_f64() * self.per_second;
        self.left = (self.left + grown).min(self.most);
        self.counted_at = now;
        let there = self.left >= 1.0;
        if there {
            self.left -= 1.0;
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn allows_a_burst_and_then_so_many_a_second() {
        let count = |number| NonZeroU32::new(number).unwrap();
        let mut allowance = Allowance::new(count(4), count(3));
        let mut allowed = || std::iter::from_fn(|| allowance.take().then_some(())).count();
        assert_eq!(allowed(), 3);
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(allowed(), 2);
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!(allowed(), 3);
    }
}
