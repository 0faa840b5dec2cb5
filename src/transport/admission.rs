//! How many connections there may be: in all, and of one address before they have logged in.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a connection is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    #[error("too many connections")]
    Server,
    #[error("too many connections of this address that have not logged in")]
    Address,
}

/// The doorkeeper. Connections of all kinds count: a page or a REST call is one that never logs in.
#[derive(Debug)]
pub struct Admission {
    most: usize,
    most_anonymous: usize,
    open: AtomicUsize,
    /// Only addresses that have some.
    anonymous: Mutex<HashMap<IpAddr, usize>>,
}

impl Admission {
    /// At most `most` connections, and `most_anonymous` of one address that have not logged in.
    pub fn new(most: usize, most_anonymous: usize) -> Self {
        Self {
            most,
            most_anonymous,
            open: AtomicUsize::new(0),
            anonymous: Mutex::default(),
        }
    }

    /// Lets a connection in, for as long as the answer is held.
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Admitted, Full> {
        let host = host(address);
        self.open
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| {
                (open < self.most).then_some(open + 1)
            })
            .map_err(|_| Full::Server)?;
        {
            let mut anonymous = self.anonymous();
            let count = anonymous.get(&host).copied().unwrap_or_default();
            if count >= self.most_anonymous {
                self.open.fetch_sub(1, Ordering::AcqRel);
                return Err(Full::Address);
            }
            anonymous.insert(host, count + 1);
        }
        Ok(Admitted {
            admission: Arc::clone(self),
            address: address.to_canonical(),
            is_anonymous: AtomicBool::new(true),
        })
    }

    /// Connections that are in.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    fn anonymous(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.anonymous
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whom an address stands for: an IPv6 host has a whole /64 to take addresses from.
pub(super) fn host(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// A connection's permit; dropping it lets another in.
#[derive(Debug)]
pub struct Admitted {
    admission: Arc<Admission>,
    address: IpAddr,
    is_anonymous: AtomicBool,
}

impl Admitted {
    /// Whom it was given to.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// It has logged in, and no longer counts against its address.
    pub fn identified(&self) {
        if !self.is_anonymous.swap(false, Ordering::AcqRel) {
            return;
        }
        let host = host(self.address);
        let mut anonymous = self.admission.anonymous();
        if let Some(count) = anonymous.get_mut(&host) {
            *count -= 1;
            if *count == 0 {
                anonymous.remove(&host);
            }
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.identified();
        self.admission.open.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_server_fills_up_and_empties() {
        let admission = Arc::new(Admission::new(2, 9));
        let one = admission.admit(address("10.0.0.1")).unwrap();
        let _two = admission.admit(address("10.0.0.2")).unwrap();
        let third = || admission.admit(address("10.0.0.3"));
        assert_eq!(third().unwrap_err(), Full::Server);
        drop(one);
        assert!(third().is_ok());
        assert_eq!(admission.open(), 1);
    }

    #[test]
    fn an_address_may_have_so_many_anonymous_connections() {
        let admission = Arc::new(Admission::new(99, 1));
        let one = admission.admit(address("10.0.0.1")).unwrap();
        let again = || admission.admit(address("::ffff:10.0.0.1"));
        assert_eq!(again().unwrap_err(), Full::Address);
        assert!(admission.admit(address("10.0.0.2")).is_ok());
        one.identified();
        one.identified();
        let two = again().unwrap();
        assert_eq!(again().unwrap_err(), Full::Address);
        drop((one, two));
        assert!(admission.anonymous().is_empty());
        assert_eq!(admission.open(), 0);
    }

    #[test]
    fn an_ipv6_host_is_its_64_bit_prefix() {
        let admission = Arc::new(Admission::new(99, 1));
        let _one = admission.admit(address("2001:db8::1")).unwrap();
        assert_eq!(
            admission.admit(address("2001:db8::2")).unwrap_err(),
            Full::Address
        );
        assert!(admission.admit(address("2001:db8:0:1::1")).is_ok());
    }
}
