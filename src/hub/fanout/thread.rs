//! The thread that brings fan-outs on their way.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::{self, Builder, JoinHandle};

use super::under_way::Batch;
use crate::bus::Audience;
use crate::hub::registration::Connection;
use crate::hub::roster::Roster;

/// The thread's name, as the system shows it.
pub(in crate::hub) const THREAD: &str = "chatsync-fanout";
/// Pushes that are written between two offers of the core: less than 0.1 ms, at some microseconds each. The system
/// takes the core from a thread that keeps it only after some milliseconds, however urgent the one that waits.
const GIVEN_AT_ONCE: usize = 8;
/// Likewise accounts and connections that are looked up: most of an audience may be away, or have had it.
const LOOKED_UP_AT_ONCE: usize = 64;

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
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("the thread for pushes to very many panicked");
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

/// A batch's way through its audience.
struct Round {
    batch: Batch,
    to: Audience,
    /// So many of its accounts have been looked up.
    accounts: usize,
    /// Their connections that are still to be given it.
    connections: Vec<Arc<Connection>>,
}

impl Round {
    fn new(batch: Batch) -> Self {
        Self {
            to: batch[0].to.clone(),
            batch,
            accounts: 0,
            connections: Vec::new(),
        }
    }

    /// Gives it to some, and itself back if there are more.
    fn go_on(mut self, roster: &Roster) -> Option<Self> {
        let accounts = self.to.accounts();
        let mut given = 0;
        for _ in 0..LOOKED_UP_AT_ONCE {
            if self.connections.is_empty()
                && let Some(account) = accounts.get(self.accounts)
            {
                self.accounts += 1;
                self.connections = roster.connections(*account);
            }
            // All that is under way to it: to come by once more would cost more.
            if let Some(connection) = self.connections.pop() {
                let told = connection.tell(|connection| roster.catch_up(connection));
                given += told.unwrap_or(1);
            }
            if given >= GIVEN_AT_ONCE {
                break;
            }
        }
        // Costs little where nobody waits for this core, unlike a sleep.
        thread::yield_now();
        if self.connections.is_empty() && self.accounts == accounts.len() {
            roster.finish(&self.batch);
            return None;
        }
        Some(self)
    }
}
