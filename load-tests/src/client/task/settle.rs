//! Waiting until all is quiet, and comparing.

use std::time::{Duration, Instant};

use super::{Next, Task};
use crate::client::connection::Stage;
use crate::client::world::World;
use crate::wire::{Call, Stream};

/// Between two looks at every device.
const PAUSE: Duration = Duration::from_millis(10);
/// Devices asked for their newest version at once.
const IN_FLIGHT: usize = 1000;

enum Phase {
    /// What was done is being answered and told.
    Quieting,
    /// Devices ask what is newest, from this one on.
    Asking(usize),
    /// What the answers showed to be missing may still come.
    Levelling,
}

pub(crate) struct Settle {
    phase: Phase,
    patience: Duration,
    deadline: Instant,
}

impl Settle {
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            phase: Phase::Quieting,
            patience,
            deadline: Instant::now() + patience,
        }
    }

    fn enter(&mut self, phase: Phase, now: Instant) {
        self.phase = phase;
        self.deadline = now + self.patience;
    }
}

impl Task for Settle {
    fn step(&mut self, world: &mut World, now: Instant) -> Next {
        let is_late = now >= self.deadline;
        match self.phase {
            Phase::Quieting => {
                if is_late || world.waiting() == 0 && world.oracle.is_level() {
                    self.enter(Phase::Asking(0), now);
                    return Next::At(now);
                }
            }
            Phase::Asking(mut slot) => {
                while slot < world.connections.len() && world.waiting() < IN_FLIGHT {
                    let account = Stream::Account(world.connections[slot].who.account);
                    if world.connections[slot].stage == Stage::Ready
                        && !world.connections[slot].stalled
                    {
                        let ack = world.oracle.position(slot, account).unwrap_or(0);
                        world.call(slot, Call::Ping { ack }, now);
                    }
                    slot += 1;
                }
                if slot < world.connections.len() && !is_late {
                    self.phase = Phase::Asking(slot);
                } else {
                    self.enter(Phase::Levelling, now);
                }
            }
            Phase::Levelling => {
                if is_late || world.waiting() == 0 && world.oracle.is_level() {
                    world.abandon_calls();
                    world.oracle.close();
                    let faults = std::mem::take(&mut world.oracle.faults);
                    world.tally.faults += faults;
                    return Next::Done;
                }
            }
        }
        Next::At(now + PAUSE)
    }

    fn progress(&self, world: &World) -> (u64, u64) {
        let all = world.connections.len() as u64;
        match self.phase {
            Phase::Quieting => (0, all),
            Phase::Asking(slot) => (slot as u64, all),
            Phase::Levelling => (all, all),
        }
    }
}
