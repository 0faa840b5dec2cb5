//! Pushes to very many connections.
//!
//! Written to all of them in one go, such a push would keep everybody waiting who is told next. So it is only noted,
//! as [under way](UnderWay), and a [thread] for that gives it to one connection after another. Each connection still
//! gets its pushes in the order of their commits: who has something else for it first gives it what is under way to it.

mod thread;
mod under_way;

pub(super) use thread::Fanouts;
#[cfg(test)]
pub(super) use thread::THREAD;
pub(super) use under_way::UnderWay;
#[cfg(test)]
pub(super) use under_way::{Batch, MOST_UNDER_WAY};

use std::time::Instant;

use super::registration::Connection;
use super::{Frame, Pushed, Turn};
use crate::bus::{Audience, Own};
use crate::domain::Version;

/// A push to very many connections.
#[derive(Debug)]
pub(super) struct Fanout {
    pub(super) turn: Turn,
    pub(super) to: Audience,
    except: Option<Own>,
    /// None: a hint.
    frame: Option<Frame>,
    pub(super) version: Version,
    committed: Instant,
}

impl Fanout {
    fn is_for(&self, connection: &Connection) -> bool {
        let is_own = self
            .except
            .is_some_and(|own| own.connection == connection.id);
        let account = &connection.arrival.account;
        !is_own && self.to.accounts().binary_search(account).is_ok()
    }

    /// Gives it to a connection that it is for, unless that has had it. `head` is the account's.
    pub(super) fn give(&self, connection: &Connection, head: Version) -> Pushed {
        let frame = self.frame.as_ref();
        connection
            .outbox
            .take_turn(self.turn, frame, head, self.committed)
    }
}

/// What is to become a fan-out.
#[derive(Debug)]
pub(super) struct Push {
    pub(super) to: Audience,
    pub(super) except: Option<Own>,
    /// None: a hint.
    pub(super) frame: Option<Frame>,
    pub(super) version: Version,
    pub(super) committed: Instant,
}
