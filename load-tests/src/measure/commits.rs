//! How long the store's commits took meanwhile, by the server's own figures: what a late answer waited for.

use std::ops::{AddAssign, Sub};

/// In the text of `/metrics`.
const FIGURE: &str = "chatsync_store_commit_seconds_bucket{le=\"";

/// How many commits took at most so long.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Commits {
    /// Milliseconds, rising, the last one infinite; and how many took no longer.
    within: Vec<(f64, u64)>,
}

impl Commits {
    /// Since the server started, by a page of its figures; nothing if they are not on it.
    pub(crate) fn read(page: &str) -> Option<Self> {
        let bucket = |line: &str| {
            let (seconds, count) = line.strip_prefix(FIGURE)?.split_once("\"} ")?;
            let seconds: f64 = seconds.parse().ok()?;
            Some((seconds * 1e3, count.split(' ').next()?.parse().ok()?))
        };
        let within: Vec<_> = page.lines().filter_map(bucket).collect();
        (!within.is_empty()).then_some(Self { within })
    }

    pub(crate) fn count(&self) -> u64 {
        self.within.last().map_or(0, |(_, all)| *all)
    }

    /// Milliseconds that so many percent of them did not exceed, rounded up to twice as much at most.
    pub(crate) fn at_most(&self, percent: u64) -> f64 {
        let rank = (u128::from(self.count()) * u128::from(percent)).div_ceil(100);
        let reached = |(_, count): &&(f64, u64)| u128::from(*count) >= rank;
        self.within
            .iter()
            .find(reached)
            .map_or(0.0, |(millis, _)| *millis)
    }
}

/// What came between two looks; nothing if the server started anew meanwhile.
impl Sub for Commits {
    type Output = Self;

    fn sub(mut self, before: Self) -> Self {
        for ((_, count), (_, earlier)) in self.within.iter_mut().zip(before.within) {
            *count = count.saturating_sub(earlier);
        }
        self
    }
}

/// Of two stretches.
impl AddAssign for Commits {
    fn add_assign(&mut self, other: Self) {
        for ((_, count), (_, further)) in self.within.iter_mut().zip(other.within) {
            *count += further;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    fn page(counts: [u64; 3]) -> String {
        let bounds = ["0.0002", "0.0004", "+Inf"];
        let lines = bounds.iter().zip(counts);
        let text: Vec<_> = lines
            .map(|(bound, count)| format!("{FIGURE}{bound}\"}} {count}\n"))
            .collect();
        format!(
            "# TYPE chatsync_store_commit_seconds histogram\nchatsync_connections 4\n{}# EOF\n",
            text.concat()
        )
    }

    #[test]
    fn a_stretch_has_what_came_between_two_looks() {
        let before = Commits::read(&page([5, 6, 6])).unwrap();
        let after = Commits::read(&page([103, 105, 106])).unwrap();
        let mut between = after - before;
        assert_eq!(between.count(), 100);
        assert!(near(between.at_most(98), 0.2), "{between:?}");
        assert!(near(between.at_most(99), 0.4), "{between:?}");
        assert!(between.at_most(100).is_infinite(), "{between:?}");
        between += between.clone();
        assert_eq!(between.count(), 200);
        assert!(near(between.at_most(99), 0.4), "{between:?}");
    }

    #[test]
    fn a_server_that_started_anew_has_none_to_tell_of() {
        let before = Commits::read(&page([5, 6, 6])).unwrap();
        let after = Commits::read(&page([1, 2, 2])).unwrap();
        assert_eq!((after - before).count(), 0);
    }

    #[test]
    fn a_server_without_the_figure_has_none() {
        assert_eq!(Commits::read("chatsync_connections 4\n# EOF\n"), None);
        assert_eq!(Commits::read(""), None);
    }
}
