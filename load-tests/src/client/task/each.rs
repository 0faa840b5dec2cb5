//! The same for each account of a block.

use std::time::{Duration, Instant};

use super::{Next, Task};
use crate::client::order::What;
use crate::client::world::World;
use crate::wire::Call;

/// Calls on their way at once.
const IN_FLIGHT: usize = 1000;

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
        };
        self.accounts as u64 * u64::from(times)
    }
}

impl Task for Each {
    fn step(&mut self, world: &mut World, now: Instant) -> Next {
        while self.begun < self.total() && world.waiting() < IN_FLIGHT {
            let all = self.accounts as u64;
            let (Ok(account), Ok(turn)) = (
                usize::try_from(self.begun % all),
                u32::try_from(self.begun / all),
            ) else {
                return Next::Done;
            };
            let call = match self.what {
                What::Seed { .. } => Call::Seed { conversation: turn },
                What::Delete { conversations, .. } => Call::Delete {
                    from: turn % conversations.max(1),
                    count: 1,
                },
            };
            world.call(self.first + account * self.devices, call, now);
            self.begun += 1;
        }
        if self.begun == self.total() && world.waiting() == 0 {
            Next::Done
        } else {
            Next::At(now + Duration::from_millis(100))
        }
    }

    fn progress(&self, world: &World) -> (u64, u64) {
        (world.tally.answered, self.total())
    }
}
