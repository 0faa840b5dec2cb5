//! A duration that is scraped as a histogram, and watched second by second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::histogram::Histogram;

/// Values below this have a place each, in microseconds…
const EXACT: u64 = 16;
/// …and from there on each doubling has so many, so that a place is at most an eighth wide.
const STEPS: u64 = 8;
/// Doublings from `EXACT` on: up to half a minute. What is longer counts as that.
const DOUBLINGS: u64 = 21;
const PLACES: usize = 184;
const _: () = assert!(PLACES as u64 == EXACT + DOUBLINGS * STEPS);

/// Counts durations.
#[derive(Debug, Clone)]
pub struct Latency {
    histogram: Histogram,
    recent: Arc<[AtomicU64; PLACES]>,
}

/// Of the durations since they were last taken, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantiles {
    pub p50: f64,
    pub p99: f64,
}

impl Latency {
    /// One that counts into `histogram`, in seconds, too.
    pub fn new(histogram: Histogram) -> Self {
        Self {
            histogram,
            recent: Arc::new([const { AtomicU64::new(0) }; PLACES]),
        }
    }

    /// Counts one duration, in seconds.
    pub fn observe(&self, seconds: f64) {
        self.histogram.observe(seconds);
        let micros = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let micros = u64::try_from(micros.as_micros()).unwrap_or(u64::MAX);
        if let Some(count) = self.recent.get(place(micros)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What the durations since the last call were like, to an eighth; `None` if there was none.
    pub fn take(&self) -> Option<Quantiles> {
        let counts: Vec<u64> = self
            .recent
            .iter()
            .map(|count| count.swap(0, Ordering::Relaxed))
            .collect();
        let all: u64 = counts.iter().sum();
        let quantile = |percent: u64| {
            let rank = (all * percent).div_ceil(100);
            let mut below = 0;
            let found = counts.iter().position(|count| {
                below += count;
                below >= rank
            });
            millis(found.unwrap_or(PLACES - 1))
        };
        (all > 0).then(|| Quantiles {
            p50: quantile(50),
            p99: quantile(99),
        })
    }
}

/// Where a duration of so many microseconds is counted.
fn place(micros: u64) -> usize {
    let place = if micros < EXACT {
        micros
    } else {
        let doubling = u64::from(micros.ilog2()) - u64::from(EXACT.ilog2());
        let step = (micros >> (doubling + 1)) - STEPS;
        EXACT + doubling * STEPS + step
    };
    usize::try_from(place).map_or(PLACES - 1, |place| place.min(PLACES - 1))
}

/// The middle of a place.
fn millis(place: usize) -> f64 {
    let place = u64::try_from(place).unwrap_or_default();
    let (least, width) = match place.checked_sub(EXACT) {
        None => (place, 1),
        Some(above) => {
            let (doubling, step) = (above / STEPS, above % STEPS);
            ((STEPS + step) << (doubling + 1), 1 << (doubling + 1))
        }
    };
    let middle = u32::try_from(least + width / 2).unwrap_or(u32::MAX);
    f64::from(middle) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latency() -> Latency {
        Latency::new(Histogram::new([1.0]))
    }

    #[test]
    fn a_place_holds_what_is_counted_there_to_an_eighth() {
        for micros in (0..2_000_000).step_by(7).chain([1 << 20, 1 << 24]) {
            let told = millis(place(micros)) * 1000.0;
            let micros = f64::from(u32::try_from(micros).unwrap());
            assert!(
                (told - micros).abs() <= micros / 8.0 + 1.0,
                "{micros}: {told}"
            );
        }
        assert_eq!(place(u64::MAX), PLACES - 1);
    }

    #[test]
    fn quantiles_are_those_since_they_were_last_taken() {
        let latency = latency();
        assert_eq!(latency.take(), None);
        for micros in 1..=1000 {
            latency.clone().observe(f64::from(micros) / 1e6);
        }
        let Quantiles { p50, p99 } = latency.take().unwrap();
        assert!((0.45..0.55).contains(&p50), "{p50}");
        assert!((0.90..1.10).contains(&p99), "{p99}");
        assert_eq!(latency.take(), None);
        latency.observe(2.0);
        let Quantiles { p50, p99 } = latency.take().unwrap();
        assert!(p50 > 1900.0 && p99 < 2300.0, "{p50} {p99}");
    }

    #[test]
    fn nonsense_is_counted_as_nothing() {
        let latency = latency();
        for seconds in [f64::NAN, -1.0, f64::INFINITY, 1e300] {
            latency.observe(seconds);
        }
        assert_eq!(latency.take().map(|taken| taken.p50), Some(0.0));
    }
}
