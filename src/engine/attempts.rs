//! Who has guessed too often.
//!
//! Kept in memory: nobody who guesses can restart the server. Bounded: when it is full, whoever was quiet for the
//! longest is forgotten.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::{Millis, OperatorName};

const SECOND: Millis = 1000;
const MINUTE: Millis = 60 * SECOND;
/// Wrong passwords for a name, after which it is locked…
const FOR_A_NAME: u32 = 5;
/// …for so long.
const LOCKED: Millis = 15 * MINUTE;
/// Wrong passwords from an address, after which each further one makes it wait twice as long as the one before…
const FROM_AN_ADDRESS: u32 = 10;
/// …but no longer than this.
const LONGEST: Millis = 15 * MINUTE;
/// Names and addresses that are remembered.
const REMEMBERED: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    names: HashMap<OperatorName, Tries>,
    addresses: HashMap<IpAddr, Tries>,
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    count: u32,
    last: Millis,
    /// Refused until then.
    until: Millis,
}

impl Attempts {
    /// Counts an attempt as a wrong one before it is looked at, so that many at once count as many. Refused with the
    /// milliseconds to wait.
    pub(super) fn begin(
        &self,
        now: Millis,
        name: Option<&OperatorName>,
        from: IpAddr,
    ) -> Result<(), Millis> {
        let mut state = self.state();
        let State { names, addresses } = &mut *state;
        let of_name = name.map_or(0, |name| wait(names, name, now));
        let longest = of_name.max(wait(addresses, &from, now));
        if longest > 0 {
            return Err(longest);
        }
        count(addresses, from, now, |tries| {
            let over = tries.saturating_sub(FROM_AN_ADDRESS);
            (SECOND << over.min(20)).min(LONGEST) * Millis::from(over > 0)
        });
        if let Some(name) = name {
            count(names, name.clone(), now, |tries| {
                LOCKED * Millis::from(tries >= FOR_A_NAME)
            });
        }
        Ok(())
    }

    /// It was the right one: all is forgiven.
    pub(super) fn succeeded(&self, name: &OperatorName, from: IpAddr) {
        let mut state = self.state();
        state.names.remove(name);
        state.addresses.remove(&from);
    }

    /// It was not looked at, for reasons of the server's own.
    pub(super) fn withdraw(&self, name: Option<&OperatorName>, from: IpAddr) {
        let mut state = self.state();
        let State { names, addresses } = &mut *state;
        let of_name = name.and_then(|name| names.get_mut(name));
        for tries in of_name.into_iter().chain(addresses.get_mut(&from)) {
            tries.count = tries.count.saturating_sub(1);
            tries.until = 0;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait<K: Hash + Eq>(tries: &HashMap<K, Tries>, who: &K, now: Millis) -> Millis {
    tries.get(who).map_or(0, |tries| (tries.until - now).max(0))
}

/// Counts one more of `who`; `pause`: how long such a number of tries has to wait.
fn count<K: Hash + Eq + Clone>(
    all: &mut HashMap<K, Tries>,
    who: K,
    now: Millis,
    pause: impl FnOnce(u32) -> Millis,
) {
    if all.len() >= REMEMBERED && !all.contains_key(&who) {
        all.retain(|_, tries| !tries.is_over(now));
        let quietest = all.iter().min_by_key(|(_, tries)| tries.last);
        if let Some(who) = quietest.map(|(who, _)| who.clone())
            && all.len() >= REMEMBERED
        {
            all.remove(&who);
        }
    }
    let tries = all.entry(who).or_insert(Tries {
        count: 0,
        last: now,
        until: 0,
    });
    if tries.is_over(now) {
        tries.count = 0;
    }
    tries.count = tries.count.saturating_add(1);
    tries.last = now;
    tries.until = now + pause(tries.count);
}

impl Tries {
    /// Long enough ago to begin anew.
    fn is_over(self, now: Millis) -> bool {
        now - self.last >= LOCKED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn name(text: &str) -> OperatorName {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_is_locked_after_five_and_free_again_after_a_quarter_of_an_hour() {
        let attempts = Attempts::default();
        let admin = name("admin");
        for now in 0..5 {
            assert_eq!(attempts.begin(now, Some(&admin), FROM), Ok(()));
        }
        let other: IpAddr = [10, 0, 0, 1].into();
        assert_eq!(attempts.begin(10, Some(&admin), other), Err(LOCKED - 6));
        assert_eq!(attempts.begin(10, Some(&name("bob")), other), Ok(()));
        assert_eq!(attempts.begin(4 + LOCKED, Some(&admin), FROM), Ok(()));
        assert_eq!(attempts.begin(4 + LOCKED, Some(&admin), FROM), Ok(()));
    }

    #[test]
    fn the_right_password_forgives() {
        let attempts = Attempts::default();
        let admin = name("admin");
        for now in 0..100 {
            assert_eq!(attempts.begin(now, Some(&admin), FROM), Ok(()));
            attempts.succeeded(&admin, FROM);
        }
    }

    #[test]
    fn what_was_not_looked_at_does_not_count() {
        let attempts = Attempts::default();
        let admin = name("admin");
        for now in 0..100 {
            assert_eq!(attempts.begin(now, Some(&admin), FROM), Ok(()));
            attempts.withdraw(Some(&admin), FROM);
        }
    }

    #[test]
    fn an_address_waits_longer_and_longer_whatever_the_names() {
        let attempts = Attempts::default();
        let mut now = 0;
        let mut waits = Vec::new();
        for number in 0..25 {
            now += waits.last().copied().unwrap_or(0);
            let guessed = name(&format!("name {number}"));
            assert_eq!(attempts.begin(now, Some(&guessed), FROM), Ok(()));
            waits.push(attempts.begin(now, None, FROM).err().unwrap_or(0));
            if waits.last() == Some(&0) {
                attempts.withdraw(None, FROM);
            }
        }
        assert_eq!(waits[..10], [0; 10]);
        assert_eq!(waits[10..13], [2 * SECOND, 4 * SECOND, 8 * SECOND]);
        assert!(waits.contains(&LONGEST), "{waits:?}");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_newest_stay() {
        let attempts = Attempts::default();
        for number in 0..=u32::try_from(REMEMBERED).unwrap() {
            let from = IpAddr::V4(number.into());
            let name = name(&number.to_string());
            for _ in 0..FOR_A_NAME {
                assert_eq!(attempts.begin(number.into(), Some(&name), from), Ok(()));
            }
        }
        assert_eq!(attempts.state().names.len(), REMEMBERED);
        let newest = name(&REMEMBERED.to_string());
        assert!(attempts.begin(0, Some(&newest), FROM).is_err());
        assert!(attempts.begin(0, Some(&name("0")), FROM).is_ok());
    }
}
