//! The thread that brings fan-outs on their way.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::{self, Builder, JoinHandle};

use super::Fanout;
use crate::hub::registration::Connection;
use crate::hub::roster::Roster;

/// The thread's name, as the system shows it.
pub(in crate::hub) const THREAD: &str = "chatsync-fanout";
/// Connections that are written to between two offers of the core: less than 0.1 ms, at some microseconds each. The
/// system takes the core from a thread that keeps it only after some milliseconds, however urgent the one that waits.
const AT_ONCE: usize = 8;
/// The thread; dropping it waits until all that is under way has been given.
#[derive(Debug)]
pub(in crate::hub) struct Fanouts {
    roster: Arc<Roster>,
    thread: Option<JoinHandle<()>>,
}

impl Fanouts {
    pub(in crate::hub) fn start(roster: Arc<Roster>) -> io::Result<Self> {
        let theirs = Arc::clone(&roster);
        let thread = Builder::new()
            .name(THREAD.into())
            .spawn(move || run(&theirs))?;
        Ok(Self {
            roster,
            thread: Some(thread),
        })
    }
}

impl Drop for Fanouts {
    fn drop(&mut self) {
        self.roster.under_way.end();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn run(roster: &Roster) {
    let mut in_hand = VecDeque::new();
    loop {
        let unfinished = in_hand
            .pop_front()
            .and_then(|round: Round| round.go_on(roster));
        let begun = roster
            .under_way
            .begin(unfinished.is_some() || !in_hand.is_empty());
        // Who has come meanwhile goes before who has had a turn.
        in_hand.extend(begun.into_iter().map(Round::new));
        in_hand.extend(unfinished);
        if in_hand.is_empty() {
            return;
        }
    }
}

/// A fan-out's way through its audience.
struct Round {
    fanout: Arc<Fanout>,
    /// So many of its accounts have been looked up.
    accounts: usize,
    /// Their connections that are still to be given it.
    connections: Vec<Arc<Connection>>,
}

impl Round {
    fn new(fanout: Arc<Fanout>) -> Self {
        Self {
            fanout,
            accounts: 0,
            connections: Vec::new(),
        }
    }

    /// Gives it to some, and itself back if there are more.
    fn go_on(mut self, roster: &Roster) -> Option<Self> {
        let accounts = self.fanout.to.accounts();
        for _ in 0..AT_ONCE {
            if self.connections.is_empty()
                && let Some(account) = accounts.get(self.accounts)
            {
                self.accounts += 1;
                self.connections = roster.connections(*account);
            }
            if let Some(connection) = self.connections.pop()
                && self.fanout.is_for(&connection)
            {
                roster.give(&self.fanout, &connection);
            }
        }
        // Costs little where nobody waits for this core, unlike a sleep.
        thread::yield_now();
        if self.connections.is_empty() && self.accounts == accounts.len() {
            roster.finish(&self.fanout);
            return None;
        }
        Some(self)
    }
}
