//! Account → devices, and how far each account's devices have been told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use smallvec::SmallVec;

use super::Pushed;
use super::fanout::{Fanout, UnderWay};
use super::registration::Connection;
use crate::bus::Own;
use crate::domain::cursor::Since;
use crate::domain::{AccountKey, Position, Version};

/// More connections than this are very many. To fewer a push is written at once: another thread would only be later.
pub(super) const MOST_AT_ONCE: usize = 64;
/// Accounts whose connections are counted before a push is written. Whoever is told next waits for that; with more there
/// are very many connections, or few of those who could have one.
const MOST_COUNTED: usize = 512;

/// Connections of one push, each with its account's head.
pub(super) type Few = SmallVec<[(Arc<Connection>, Version); 4]>;

/// The connections of one account; never empty while it is in the map.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// The newest version that is known to exist: pushed, or read from the store by one of its connections.
    head: AtomicU64,
    /// Every push up to this version is in the queues.
    pushed: AtomicU64,
    /// Oldest login first, and so by their numbers; no device twice.
    pub(super) connections: SmallVec<[Arc<Connection>; 2]>,
}

impl Account {
    pub(super) fn head(&self) -> Version {
        Version(self.head.load(Ordering::Acquire))
    }
}

/// Who is here.
#[derive(Debug, Default)]
pub(super) struct Roster {
    pub(super) accounts: DashMap<AccountKey, Account>,
    /// Every push of a commit up to here is in the queues.
    position: AtomicU64,
    pub(super) collapses: AtomicU64,
    pub(super) under_way: UnderWay,
}

impl Roster {
    /// An account's connections at this moment.
    pub(super) fn connections(&self, account: AccountKey) -> Vec<Arc<Connection>> {
        let account = self.accounts.get(&account);
        account.map_or_else(Vec::new, |account| account.connections.to_vec())
    }

    /// The connections of all of `accounts`; none if they are very many.
    pub(super) fn few(&self, accounts: &[AccountKey]) -> Option<Few> {
        if accounts.len() > MOST_COUNTED {
            return None;
        }
        let mut few = Few::new();
        for account in accounts {
            let Some(account) = self.accounts.get(account) else {
                continue;
            };
            if few.len() + account.connections.len() > MOST_AT_ONCE {
                return None;
            }
            let connections = account.connections.iter().map(Arc::clone);
            few.extend(connections.map(|connection| (connection, account.head())));
        }
        Some(few)
    }

    pub(super) fn find(&self, own: Own) -> Option<Arc<Connection>> {
        let account = self.accounts.get(&own.account)?;
        let connections = &account.connections;
        let at = connections.binary_search_by_key(&own.connection, |present| present.id);
        at.ok().map(|at| Arc::clone(&connections[at]))
    }

    pub(super) fn observe_head(&self, account: AccountKey, version: Version) {
        if let Some(account) = self.accounts.get(&account) {
            account.head.fetch_max(version.0, Ordering::AcqRel);
        }
    }

    /// Everything up to `version` is in the queues of the account's connections.
    pub(super) fn observe_pushed(&self, account: AccountKey, version: Version) {
        if let Some(account) = self.accounts.get(&account) {
            account.head.fetch_max(version.0, Ordering::AcqRel);
            account.pushed.fetch_max(version.0, Ordering::AcqRel);
        }
    }

    /// Likewise of everybody's.
    pub(super) fn observe_position(&self, position: Position) {
        self.position.fetch_max(position.0, Ordering::AcqRel);
    }

    /// The newest version of the account that is known to exist.
    pub(super) fn head(&self, account: AccountKey) -> Version {
        let account = self.accounts.get(&account);
        account.map_or_else(Version::default, |account| account.head())
    }

    pub(super) fn reached(&self, account: AccountKey) -> Since {
        let account = self.accounts.get(&account);
        let pushed = account.map_or(0, |account| account.pushed.load(Ordering::Acquire));
        Since {
            version: Version(pushed),
            position: Position(self.position.load(Ordering::Acquire)),
        }
    }

    /// Gives a connection all fan-outs that are under way to it, of those that it has not had. Tells how many.
    pub(super) fn catch_up(&self, connection: &Connection) -> usize {
        let mut given = 0;
        for fanout in self.under_way.to(connection) {
            // What is told to many accounts has none of their versions.
            let head = if fanout.version > Version::default() {
                fanout.version
            } else {
                self.head(connection.arrival.account)
            };
            let pushed = fanout.give(connection, head);
            given += usize::from(pushed != Pushed::Ignored);
            self.count(pushed);
        }
        given
    }

    /// Counts what became of a push.
    pub(super) fn count(&self, pushed: Pushed) {
        if pushed == Pushed::Collapsed {
            self.collapses.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The fan-outs have been given to all.
    pub(super) fn finish(&self, batch: &[Arc<Fanout>]) {
        for fanout in batch.iter().filter(|one| one.version > Version::default()) {
            for account in fanout.to.accounts() {
                self.observe_pushed(*account, fanout.version);
            }
        }
        if let Some(position) = self.under_way.finish(batch) {
            self.observe_position(position);
        }
    }
}
