//! Withdrawals of credentials that may have met a login under way.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::NoPlace;
use super::registration::Arrival;
use crate::domain::app::{Standing, Verdict};
use crate::domain::{AccountKey, DeviceId};

/// Withdrawals remembered; a login that saw more than this go by is taken to have been hit.
const REMEMBERED: usize = 1024;

/// The moment at which a login began: how many withdrawals there had been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arriving(u64);

/// Whose credentials hold no longer.
#[derive(Debug, Clone)]
pub(super) enum Withdrawal {
    /// A device was logged out.
    Device(AccountKey, DeviceId),
    /// An app was disabled, or lost a key.
    App(Standing),
}

impl Withdrawal {
    /// What it means for a connection.
    pub(super) fn hits(&self, arrival: &Arrival) -> Option<NoPlace> {
        match self {
            Self::Device(account, device) => (*account == arrival.account
                && *device == arrival.device)
                .then_some(NoPlace::LoggedOut),
            Self::App(standing) if standing.app != arrival.app => None,
            Self::App(standing) => match standing.verdict(arrival.key) {
                Verdict::Holds => None,
                Verdict::AppDisabled => Some(NoPlace::AppDisabled),
                Verdict::KeyRetired => Some(NoPlace::KeyRetired),
            },
        }
    }
}

/// The newest withdrawals.
///
/// Between the check of a credential and the registration a withdrawal finds nobody to close, and the login knows
/// nothing of it. So each login asks, once it can be found, whether one came in between.
#[derive(Debug, Default)]
pub(super) struct Withdrawals {
    count: AtomicU64,
    /// Oldest first; the last is number `count`.
    newest: Mutex<VecDeque<Withdrawal>>,
}

impl Withdrawals {
    pub(super) fn arriving(&self) -> Arriving {
        Arriving(self.count.load(Ordering::SeqCst))
    }

    pub(super) fn note(&self, withdrawal: Withdrawal) {
        let mut newest = self.newest();
        if newest.len() == REMEMBERED {
            newest.pop_front();
        }
        newest.push_back(withdrawal);
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether the connection's credential was withdrawn since `arriving`, and how.
    pub(super) fn hit(&self, arriving: Arriving, arrival: &Arrival) -> Option<NoPlace> {
        if self.arriving() == arriving {
            return None;
        }
        let newest = self.newest();
        let since = self.arriving().0.saturating_sub(arriving.0);
        let since = usize::try_from(since).unwrap_or(usize::MAX);
        if since > newest.len() {
            return Some(NoPlace::LoggedOut);
        }
        let mut since = newest.iter().rev().take(since);
        since.find_map(|withdrawal| withdrawal.hits(arrival))
    }

    fn newest(&self) -> MutexGuard<'_, VecDeque<Withdrawal>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{KeyPrint, Platform, SdkAppId};

    fn arrival(account: i64) -> Arrival {
        Arrival {
            app: SdkAppId(1),
            key: KeyPrint(1),
            account: AccountKey(account),
            device: "phone".parse().unwrap(),
            platform: Platform::Web,
        }
    }

    fn logout(account: i64) -> Withdrawal {
        Withdrawal::Device(AccountKey(account), "phone".parse().unwrap())
    }

    #[test]
    fn a_login_that_saw_too_many_withdrawals_is_hit() {
        let withdrawals = Withdrawals::default();
        let early = withdrawals.arriving();
        for account in (0..).take(REMEMBERED + 1) {
            withdrawals.note(logout(account));
        }
        assert_eq!(
            withdrawals.hit(early, &arrival(-1)),
            Some(NoPlace::LoggedOut)
        );
        let late = withdrawals.arriving();
        assert_eq!(withdrawals.hit(late, &arrival(0)), None);
        withdrawals.note(logout(-1));
        assert_eq!(
            withdrawals.hit(late, &arrival(-1)),
            Some(NoPlace::LoggedOut)
        );
        assert_eq!(withdrawals.hit(late, &arrival(1)), None);
    }

    #[test]
    fn a_login_with_a_key_that_was_retired_meanwhile_is_hit() {
        let withdrawals = Withdrawals::default();
        let early = withdrawals.arriving();
        let standing = |app, disabled, keys: &[u64]| {
            Withdrawal::App(Standing {
                app: SdkAppId(app),
                disabled,
                keys: keys.iter().copied().map(KeyPrint).collect(),
            })
        };
        withdrawals.note(standing(2, true, &[]));
        withdrawals.note(standing(1, false, &[2, 1]));
        assert_eq!(withdrawals.hit(early, &arrival(0)), None);
        withdrawals.note(standing(1, false, &[3, 2]));
        assert_eq!(
            withdrawals.hit(early, &arrival(0)),
            Some(NoPlace::KeyRetired)
        );
        withdrawals.note(standing(1, true, &[1]));
        assert_eq!(
            withdrawals.hit(early, &arrival(0)),
            Some(NoPlace::AppDisabled)
        );
    }
}
