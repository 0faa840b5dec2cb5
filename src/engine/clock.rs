//! What time it is, as something that tests can set.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::Millis;

/// Wall-clock time. Order never depends on it (versions and seqs do that); windows and stamps do.
pub trait Clock: Send + Sync + fmt::Debug {
    fn now(&self) -> Millis;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    }
}
