//! What the coordinating process and a client process say to each other: a line of JSON each.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::measure::times::Times;
use crate::oracle::Faults;
use crate::schedule::Arrivals;
use crate::wire::Protocol;

/// Where the clients connect to, and with what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Access {
    pub(crate) protocol: Protocol,
    pub(crate) server: SocketAddr,
    pub(crate) app: u32,
    pub(crate) secret_key: String,
}

/// What a client process is told first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) access: Access,
    /// Begins every requestID.
    pub(crate) run: String,
    pub(crate) seed: u64,
    pub(crate) blocks: Vec<Block>,
    /// How many accounts, one numbered after the other, write to each other: 2 to each other alone, more in a group.
    pub(crate) circle: u32,
}

/// Accounts with the same number of devices, all of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) first_account: u32,
    pub(crate) accounts: u32,
    pub(crate) devices: u32,
    /// The number of the first one: two blocks may share accounts.
    pub(crate) first_device: u32,
}

impl Block {
    pub(crate) fn new(first_account: u32, accounts: u32, devices: u32) -> Self {
        Self {
            first_account,
            accounts,
            devices,
            first_device: 0,
        }
    }

    pub(crate) fn connections(self) -> usize {
        self.accounts as usize * self.devices as usize
    }
}

/// What a client process is to do; it answers each with [`Word::Done`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Connect and log in the first `connections` of a block that are not connected.
    Open {
        block: usize,
        connections: usize,
        /// Most at once.
        in_flight: usize,
        /// Spread evenly at random over so many milliseconds.
        jitter_ms: u64,
        resume: Resume,
    },
    /// Close all of a block but the first `keep`.
    Close { block: usize, keep: usize },
    /// The first device of each account of a block does something.
    Each { block: usize, what: What },
    /// The last device of each account of a block reads nothing, or reads again.
    Stall { block: usize, on: bool },
    /// Operations that arrive by themselves.
    Drive(Drive),
    /// Operations of one account's first device, each as soon as fewer than so many are under way: not yet heard of by
    /// everybody.
    Pulse {
        block: usize,
        account: u32,
        under_way: u64,
        operations: u64,
        /// At most so long, in milliseconds.
        millis: u64,
    },
    /// Wait until all that was done is answered and told, ask for every account's newest version, and compare.
    Settle { patience_ms: u64 },
    /// End the process.
    Stop,
}

/// What a login brings along.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Resume {
    /// Nothing: a snapshot is asked for.
    #[default]
    Nothing,
    /// The cursor of the connection before.
    Cursor,
    /// Likewise; and the next login brings the same one again.
    SameCursor,
}

/// What each account does, as fast as it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum What {
    /// Makes conversations, from number 0 on.
    Seed { conversations: u32 },
    /// Deletes a conversation so often, one of the first few in turn.
    Delete { operations: u32, conversations: u32 },
    /// The block's first account makes a group of all.
    Gather,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Drive {
    pub(crate) block: usize,
    pub(crate) arrivals: Arrivals,
    /// Operations a second, of this process.
    pub(crate) rate: f64,
    pub(crate) millis: u64,
    /// What is done, each as often as its weight.
    pub(crate) mix: Vec<(u32, Action)>,
    /// Conversations that each account has.
    pub(crate) conversations: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// Delete so many conversations with one call.
    Delete { batch: u32 },
    /// Mark one as read.
    Read,
    /// Write to the account's circle.
    Send,
    /// Tell the account's other devices something; always its first device does.
    Publish,
}

/// What a client process says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Word {
    Progress {
        done: u64,
        of: u64,
    },
    Done(Box<Tally>),
    /// It can't go on.
    Failed(String),
}

/// What was counted while an order was carried out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Logged in and caught up.
    pub(crate) opened: u64,
    /// Why connections could not be opened.
    pub(crate) failed: BTreeMap<String, u64>,
    /// Codes of the server's close frames.
    pub(crate) closed: BTreeMap<u16, u64>,
    /// Entries of catch-ups, pages of them, and snapshots.
    pub(crate) entries: u64,
    pub(crate) pages: u64,
    pub(crate) resets: u64,
    /// Bytes received.
    pub(crate) received: u64,
    /// Operations due, and those sent in time.
    pub(crate) offered: u64,
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    /// Of these, operations that are told to nobody.
    pub(crate) unsynced: u64,
    pub(crate) refused: BTreeMap<i64, u64>,
    /// Numbered pushes.
    pub(crate) told: u64,
    pub(crate) hints: u64,
    pub(crate) pings: u64,
    /// From the intended time to the answer to a login and its last page.
    pub(crate) login: Times,
    /// From the intended time to the answer.
    pub(crate) answer: Times,
    /// From the intended time to each other device.
    pub(crate) delivery: Times,
    /// Seconds that the order took.
    pub(crate) seconds: f64,
    pub(crate) faults: Faults,
}

impl AddAssign for Tally {
    /// Of processes that worked at the same time.
    fn add_assign(&mut self, other: Self) {
        add(&mut self.failed, other.failed);
        add(&mut self.closed, other.closed);
        add(&mut self.refused, other.refused);
        self.opened += other.opened;
        self.entries += other.entries;
        self.pages += other.pages;
        self.resets += other.resets;
        self.received += other.received;
        self.offered += other.offered;
        self.sent += other.sent;
        self.answered += other.answered;
        self.unsynced += other.unsynced;
        self.told += other.told;
        self.hints += other.hints;
        self.pings += other.pings;
        self.login += other.login;
        self.answer += other.answer;
        self.delivery += other.delivery;
        self.seconds = self.seconds.max(other.seconds);
        self.faults += other.faults;
    }
}

fn add<K: Ord>(sum: &mut BTreeMap<K, u64>, other: BTreeMap<K, u64>) {
    for (key, count) in other {
        *sum.entry(key).or_default() += count;
    }
}
