//! Durations, counted by size.

use std::ops::AddAssign;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Significant digits that are kept.
const DIGITS: u8 = 3;
/// What takes longer counts as this long: an hour, in nanoseconds.
const MOST: u64 = 3_600_000_000_000;

/// Many durations, from a nanosecond to an hour, each to three digits.
#[derive(Debug, Clone)]
pub(crate) struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        #[expect(
            clippy::expect_used,
            reason = "any bounds and up to 5 digits are taken"
        )]
        Self(Histogram::new_with_bounds(1, MOST, DIGITS).expect("within bounds"))
    }
}

impl Times {
    pub(crate) fn record(&mut self, time: Duration) {
        self.record_n(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), 1);
    }

    fn record_n(&mut self, nanos: u64, count: u64) {
        self.0.saturating_record_n(nanos.max(1), count);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// Milliseconds that `percent` of all took at most.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        millis(self.0.value_at_percentile(percent))
    }

    /// The usual points.
    pub(crate) fn summary(&self) -> Summary {
        Summary {
            count: self.count(),
            p50: self.percentile(50.0),
            p90: self.percentile(90.0),
            p99: self.percentile(99.0),
            p999: self.percentile(99.9),
            max: millis(self.0.max()),
        }
    }

    /// Points of a curve: a share of all in percent, and the milliseconds that it took at most.
    pub(crate) fn curve(&self) -> Vec<(f64, f64)> {
        [
            0.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99, 100.0,
        ]
        .map(|percent| (percent, self.percentile(percent)))
        .to_vec()
    }
}

#[expect(clippy::cast_precision_loss, reason = "three digits are enough")]
fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

impl AddAssign for Times {
    fn add_assign(&mut self, other: Self) {
        for bucket in other.0.iter_recorded() {
            self.record_n(
                bucket.value_iterated_to(),
                bucket.count_since_last_iteration(),
            );
        }
    }
}

/// Milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Summary {
    pub(crate) count: u64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

/// As pairs of nanoseconds and how often: what a client process hands to the one that asked.
impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter_recorded().map(|bucket| {
            (
                bucket.value_iterated_to(),
                bucket.count_since_last_iteration(),
            )
        }))
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut times = Self::default();
        for (nanos, count) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            times.record_n(nanos, count);
        }
        Ok(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_survive_the_way_between_processes() {
        let mut times = Times::default();
        for millis in 1..=1000 {
            times.record(Duration::from_millis(millis));
        }
        let mut sum: Times = serde_json::from_str(&serde_json::to_string(&times).unwrap()).unwrap();
        sum += times;
        let summary = sum.summary();
        assert_eq!(summary.count, 2000);
        assert!((summary.p50 - 500.0).abs() < 1.0, "{summary:?}");
        assert!((summary.p99 - 990.0).abs() < 1.0, "{summary:?}");
        assert!((summary.max - 1000.0).abs() < 1.0, "{summary:?}");
    }
}
