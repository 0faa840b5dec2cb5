//! Logouts that may have met a login under way.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::{AccountKey, DeviceId};

/// Logouts remembered; a login that saw more than this go by is taken to have been hit.
const REMEMBERED: usize = 1024;

/// The moment at which a login began: how many logouts there had been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arriving(u64);

/// The newest logouts.
///
/// Between the check of a credential and the registration a logout finds nobody to close, and the login knows
/// nothing of it. So each login asks, once it can be found, whether one came in between.
#[derive(Debug, Default)]
pub(super) struct Logouts {
    count: AtomicU64,
    /// Oldest first; the last is number `count`.
    newest: Mutex<VecDeque<(AccountKey, DeviceId)>>,
}

impl Logouts {
    pub(super) fn arriving(&self) -> Arriving {
        Arriving(self.count.load(Ordering::SeqCst))
    }

    pub(super) fn note(&self, account: AccountKey, device: &DeviceId) {
        let mut newest = self.newest();
        if newest.len() == REMEMBERED {
            newest.pop_front();
        }
        newest.push_back((account, device.clone()));
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether the device was logged out since `arriving`.
    pub(super) fn hit(&self, arriving: Arriving, account: AccountKey, device: &DeviceId) -> bool {
        if self.arriving() == arriving {
            return false;
        }
        let newest = self.newest();
        let since = self.arriving().0.saturating_sub(arriving.0);
        let since = usize::try_from(since).unwrap_or(usize::MAX);
        since > newest.len()
            || newest
                .iter()
                .rev()
                .take(since)
                .any(|(a, d)| *a == account && d == device)
    }

    fn newest(&self) -> MutexGuard<'_, VecDeque<(AccountKey, DeviceId)>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_that_saw_too_many_logouts_is_hit() {
        let logouts = Logouts::default();
        let (early, device) = (logouts.arriving(), "phone".parse().unwrap());
        for account in 0..=REMEMBERED as i64 {
            logouts.note(AccountKey(account), &device);
        }
        assert!(logouts.hit(early, AccountKey(-1), &device));
        let late = logouts.arriving();
        assert!(!logouts.hit(late, AccountKey(0), &device));
        logouts.note(AccountKey(-1), &device);
        assert!(logouts.hit(late, AccountKey(-1), &device));
        assert!(!logouts.hit(late, AccountKey(1), &device));
    }
}
