//! The same for each account of a block.

use std::time::{Duration, Instant};

use super::{Next, Task};
use crate::client::order::What;
use crate::client::world::World;
use crate::wire::Call;

/// Calls on their way at once.
const IN_FLIGHT: usize = 1000;
/// Until what was refused is asked for again: at once, it would soon be refused for its frequency, and the connection
/// closed.
const PAUSE: Duration = Duration::from_millis(100);
/// Accounts that a call adds to a group: as many as it may.
const INVITED: u32 = 500;

pub(crate) struct Each {
    first: usize,
    devices: usize,
    accounts: usize,
    what: What,
    begun: u64,
}

impl Each {
    pub(crate) fn new(world: &World, block: usize, what: What) -> Self {
        let shape = world.blocks[block];
        Self {
            first: world.slots(block).start,
            devices: shape.devices as usize,
            accounts: shape.accounts as usize,
            what,
            begun: 0,
        }
    }

    fn total(&self) -> u64 {
        let times = match self.what {
            What::Seed { conversations } => conversations,
            What::Delete { operations, .. } => operations,
            // One founds it, and in the end writes there: a group without a message is not listed.
            What::Gather if self.accounts == 0 => return 0,
            What::Gather => return 2 + (self.accounts as u64 - 1).div_ceil(u64::from(INVITED)),
        };
        self.accounts as u64 * u64::from(times)
    }

    /// Whose turn it is, and for what.
    fn next(&self) -> Option<(usize, Call)> {
        let all = self.accounts as u64;
        let turns = match self.what {
            What::Gather => 1,
            _ => all,
        };
        let account = usize::try_from(self.begun % turns).ok()?;
        let turn = u32::try_from(self.begun / turns).ok()?;
        let call = match self.what {
            What::Seed { .. } => Call::Seed { conversation: turn },
            What::Delete { conversations, .. } => Call::Delete {
                from: turn % conversations.max(1),
                count: 1,
            },
            What::Gather if turn == 0 => Call::Found,
            What::Gather if self.begun + 1 == self.total() => Call::Send,
            What::Gather => {
                let from = 1 + (turn - 1) * INVITED;
                let left = u32::try_from(self.accounts).ok()?.saturating_sub(from);
                Call::Invite {
                    from,
                    count: left.min(INVITED),
                }
            }
        };
        Some((account, call))
    }
}

impl Task for Each {
    fn step(&mut self, world: &mut World, now: Instant) -> Next {
        let most = match self.what {
            // Each needs the one before.
            What::Gather => 1,
            _ => IN_FLIGHT,
        };
        let is_due = |(refused, ..): &mut (Instant, usize, Call)| now >= *refused + PAUSE;
        let again: Vec<_> = world.put_off.extract_if(.., is_due).collect();
        for (_, slot, call) in again {
            world.call(slot, call, now);
        }
        while self.begun < self.total() && world.waiting() < most {
            let Some((account, call)) = self.next() else {
                return Next::Done;
            };
            world.call(self.first + account * self.devices, call, now);
            self.begun += 1;
        }
        if self.begun == self.total() && world.waiting() == 0 && world.put_off.is_empty() {
            Next::Done
        } else {
            Next::At(now + PAUSE)
        }
    }

    fn progress(&self, world: &World) -> (u64, u64) {
        (world.tally.answered, self.total())
    }
}
