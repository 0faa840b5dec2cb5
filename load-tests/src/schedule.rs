//! When operations arrive. The times don't depend on the server: one that is slow finds more of them waiting.

use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Arrivals {
    /// Independent of each other, as those of many people are.
    Poisson,
    /// Evenly spaced.
    Fixed,
}

/// Times in order, from a beginning to an end.
#[derive(Debug)]
pub(crate) struct Schedule {
    arrivals: Arrivals,
    /// Seconds between two, on average.
    gap: f64,
    next: Instant,
    end: Instant,
    random: fastrand::Rng,
}

impl Schedule {
    /// `rate` a second.
    pub(crate) fn new(
        arrivals: Arrivals,
        rate: f64,
        begin: Instant,
        length: Duration,
        seed: u64,
    ) -> Self {
        let mut schedule = Self {
            arrivals,
            gap: 1.0 / rate.max(1e-6),
            next: begin,
            end: begin + length,
            random: fastrand::Rng::with_seed(seed),
        };
        schedule.advance();
        schedule
    }

    /// The next time, if one is left.
    pub(crate) fn peek(&self) -> Option<Instant> {
        (self.next < self.end).then_some(self.next)
    }

    /// Takes the next time if it has come.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Instant> {
        let due = self.peek().filter(|next| *next <= now)?;
        self.advance();
        Some(due)
    }

    pub(crate) fn end(&self) -> Instant {
        self.end
    }

    fn advance(&mut self) {
        let gap = match self.arrivals {
            Arrivals::Fixed => self.gap,
            // The logarithm of 1 - x: x may be 0, and never is 1.
            Arrivals::Poisson => -self.gap * (1.0 - self.random.f64()).ln(),
        };
        self.next += Duration::from_secs_f64(gap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(arrivals: Arrivals) -> Vec<f64> {
        let begin = Instant::now();
        let length = Duration::from_secs(100);
        let mut schedule = Schedule::new(arrivals, 100.0, begin, length, 7);
        let mut times = Vec::new();
        while let Some(at) = schedule.take(begin + 2 * length) {
            times.push((at - begin).as_secs_f64());
        }
        times
    }

    #[test]
    fn fixed_arrivals_are_evenly_spaced() {
        let times = times(Arrivals::Fixed);
        assert!((9_998..=10_000).contains(&times.len()), "{}", times.len());
        assert!(
            times
                .windows(2)
                .all(|two| (two[1] - two[0] - 0.01).abs() < 1e-6)
        );
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_the_spread() {
        let times = times(Arrivals::Poisson);
        assert!((9_500..=10_500).contains(&times.len()), "{}", times.len());
        // Of an exponential distribution 1 - 1/e lies below the mean.
        let short = times
            .windows(2)
            .filter(|two| two[1] - two[0] < 0.01)
            .count();
        assert!((6_000..=6_650).contains(&short), "{short}");
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        let begin = Instant::now();
        let mut schedule = Schedule::new(Arrivals::Fixed, 10.0, begin, Duration::from_secs(1), 0);
        assert_eq!(schedule.take(begin + Duration::from_millis(99)), None);
        assert!(schedule.take(begin + Duration::from_millis(101)).is_some());
        assert_eq!(schedule.take(begin + Duration::from_millis(101)), None);
    }
}
