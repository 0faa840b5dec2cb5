//! A clock that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};

use chatsync::domain::Millis;
use chatsync::engine::Clock;

/// When every test begins.
pub(crate) const START: Millis = 1_790_000_000_000;
pub(crate) const SECOND: Millis = 1000;
pub(crate) const HOUR: Millis = 3600 * SECOND;
pub(crate) const DAY: Millis = 24 * HOUR;

#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(START))
    }

    pub(crate) fn advance(&self, by: Millis) {
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Millis {
        self.0.load(Ordering::SeqCst)
    }
}
