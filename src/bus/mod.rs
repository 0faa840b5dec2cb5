//! Carries what was committed to every hub.
//!
//! On one node that is a call; between nodes it will be a wake-up, never the truth (design section 9).

mod local;

pub use local::LocalBus;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::domain::app::Standing;
use crate::domain::{AccountKey, DeviceId, Position};
use crate::protocol::push::Push;

/// One authenticated connection; never used twice while the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// The consequences of one committed operation.
#[derive(Debug, Clone)]
pub struct Committed {
    pub notices: Vec<Notice>,
    /// The place of the newest log entry, if the operation appended one.
    pub position: Option<Position>,
    pub at: Instant,
}

/// The connection of whoever acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    pub account: AccountKey,
    pub connection: ConnectionId,
}

/// Something for connected devices.
#[derive(Debug, Clone)]
pub enum Notice {
    Push {
        to: Audience,
        /// Is not told: its answer tells it.
        except: Option<Own>,
        push: Push,
    },
    /// Close the device's connection: it was logged out.
    Logout {
        account: AccountKey,
        device: DeviceId,
    },
    /// Close the app's connections whose credentials hold no longer.
    Standing(Standing),
}

/// Whose devices a push goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    Account(AccountKey),
    Accounts(Arc<[AccountKey]>),
}

impl Audience {
    pub fn accounts(&self) -> &[AccountKey] {
        match self {
            Self::Account(account) => std::slice::from_ref(account),
            Self::Accounts(accounts) => accounts,
        }
    }

    /// The same with its accounts in ascending order.
    #[must_use]
    pub fn sorted(self) -> Self {
        match self {
            Self::Accounts(accounts) if !accounts.is_sorted() => {
                let mut accounts = accounts.to_vec();
                accounts.sort_unstable();
                Self::Accounts(accounts.into())
            }
            sorted => sorted,
        }
    }
}

/// Where the engine hands over what was committed, in commit order.
pub trait Bus: Send + Sync + fmt::Debug {
    fn publish(&self, committed: Committed);
}

/// Who is told. Must not block: it runs between two commits' answers.
pub trait Subscriber: Send + Sync + fmt::Debug {
    fn deliver(&self, committed: &Committed);
}
