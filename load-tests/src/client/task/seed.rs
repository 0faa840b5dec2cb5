//! Making conversations.

use std::time::{Duration, Instant};

use super::{Next, Task};
use crate::client::world::World;
use crate::wire::Call;

/// Messages on their way at once.
const IN_FLIGHT: usize = 1000;

pub(crate) struct Seed {
    first: usize,
    devices: usize,
    accounts: usize,
    conversations: u32,
    begun: u64,
}

impl Seed {
    pub(crate) fn new(world: &World, block: usize, conversations: u32) -> Self {
        let shape = world.blocks[block];
        Self {
            first: world.slots(block).start,
            devices: shape.devices as usize,
            accounts: shape.accounts as usize,
            conversations,
            begun: 0,
        }
    }

    fn total(&self) -> u64 {
        self.accounts as u64 * u64::from(self.conversations)
    }
}

impl Task for Seed {
    fn step(&mut self, world: &mut World, now: Instant) -> Next {
        while self.begun < self.total() && world.waiting() < IN_FLIGHT {
            let all = self.accounts as u64;
            let (Ok(account), Ok(conversation)) = (
                usize::try_from(self.begun % all),
                u32::try_from(self.begun / all),
            ) else {
                return Next::Done;
            };
            world.call(
                self.first + account * self.devices,
                Call::Seed { conversation },
                now,
            );
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
