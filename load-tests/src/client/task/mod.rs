//! What a client process does for an order, step by step between the events of its sockets.

pub(crate) mod drive;
pub(crate) mod each;
pub(crate) mod open;
pub(crate) mod pulse;
pub(crate) mod settle;

use std::time::Instant;

use super::world::World;

/// An order being carried out.
pub(crate) trait Task {
    /// Does what is due now.
    fn step(&mut self, world: &mut World, now: Instant) -> Next;

    /// How much is done, of how much.
    fn progress(&self, world: &World) -> (u64, u64);
}

/// When a task wants to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// At this time, or after an event.
    At(Instant),
    Done,
}
