//! How often one connection may ask.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::settings::LimitSettings;

/// A client that was refused so many times its burst, without ever pausing, is closed.
const PATIENCE: u32 = 10;
/// Without a refusal, after which the client counts as having paused.
const PAUSE: Duration = Duration::from_secs(1);

/// What is to be done with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Allowed,
    /// Nothing is done; it may ask again after this.
    Refused(Duration),
    /// It was told often enough.
    Hopeless,
}

type Bucket = RateLimiter<
    NotKeyed,
    InMemoryState,
    MonotonicClock,
    NoOpMiddleware<<MonotonicClock as Clock>::Instant>,
>;

/// A token bucket, and the patience with those who find it empty.
#[derive(Debug)]
pub(super) struct Limit {
    bucket: Bucket,
    /// Most clients never get to it.
    refused: Option<Box<Refused>>,
}

#[derive(Debug)]
struct Refused {
    count: u32,
    last: Instant,
}

impl Limit {
    pub(super) fn new(limits: &LimitSettings) -> Self {
        let rate = NonZeroU32::new(limits.requests_per_second).unwrap_or(NonZeroU32::MIN);
        Self {
            bucket: RateLimiter::direct_with_clock(
                Quota::per_second(rate).allow_burst(burst(limits)),
                MonotonicClock,
            ),
            refused: None,
        }
    }

    /// Counts one frame; `limits` are those it was made with.
    pub(super) fn check(&mut self, limits: &LimitSettings) -> Verdict {
        let Err(not_until) = self.bucket.check() else {
            return Verdict::Allowed;
        };
        let now = Instant::now();
        let refused = self.refused.get_or_insert_with(|| {
            Box::new(Refused {
                count: 0,
                last: now,
            })
        });
        if now.duration_since(refused.last) > PAUSE {
            refused.count = 0;
        }
        refused.last = now;
        refused.count += 1;
        if refused.count > burst(limits).get().saturating_mul(PATIENCE) {
            Verdict::Hopeless
        } else {
            Verdict::Refused(not_until.wait_time_from(MonotonicClock.now()))
        }
    }
}

fn burst(limits: &LimitSettings) -> NonZeroU32 {
    NonZeroU32::new(limits.request_burst).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_refused_and_in_the_end_hopeless() {
        let limits = LimitSettings {
            requests_per_second: 1,
            request_burst: 3,
            ..LimitSettings::default()
        };
        let mut limit = Limit::new(&limits);
        let verdicts: Vec<_> = (0..34).map(|_| limit.check(&limits)).collect();
        assert_eq!(verdicts[..3], [Verdict::Allowed; 3]);
        for verdict in &verdicts[3..33] {
            let Verdict::Refused(wait) = verdict else {
                panic!("{verdicts:?}");
            };
            assert!(*wait > Duration::ZERO && *wait <= Duration::from_secs(1));
        }
        assert_eq!(verdicts[33], Verdict::Hopeless);
    }

    #[test]
    fn a_limit_of_nothing_still_lets_one_through() {
        let limits = LimitSettings {
            requests_per_second: 0,
            request_burst: 0,
            ..LimitSettings::default()
        };
        assert_eq!(Limit::new(&limits).check(&limits), Verdict::Allowed);
    }
}
