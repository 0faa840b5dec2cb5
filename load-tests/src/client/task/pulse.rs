//! One account's operations, a few under way at once: each begins when everybody has heard of enough of those before.

use std::time::{Duration, Instant};

use super::{Next, Task};
use crate::client::world::World;
use crate::wire::Call;

pub(crate) struct Pulse {
    slot: usize,
    most_under_way: u64,
    operations: u64,
    begun: u64,
    complete_before: u64,
    deadline: Instant,
}

impl Pulse {
    pub(crate) fn new(
        world: &World,
        block: usize,
        account: u32,
        most_under_way: u64,
        operations: u64,
        most: Duration,
    ) -> Self {
        let devices = world
            .blocks
            .get(block)
            .map_or(0, |block| block.devices as usize);
        Self {
            slot: world.slots(block).start + account as usize * devices,
            most_under_way,
            operations,
            begun: 0,
            complete_before: world.complete,
            deadline: Instant::now() + most,
        }
    }
}

impl Task for Pulse {
    fn step(&mut self, world: &mut World, now: Instant) -> Next {
        let under_way = self.begun - (world.complete - self.complete_before);
        let is_over = self.begun == self.operations || now >= self.deadline;
        if is_over && under_way == 0 {
            return Next::Done;
        }
        // Somebody did not hear it: comparing will show whom.
        if now >= self.deadline + Duration::from_secs(10) {
            return Next::Done;
        }
        if !is_over && under_way < self.most_under_way {
            world.tally.offered += 1;
            if !world.call(self.slot, Call::Delete { from: 0, count: 1 }, now) {
                return Next::Done;
            }
            world.tally.sent += 1;
            self.begun += 1;
        }
        Next::At(now + Duration::from_millis(500))
    }

    fn progress(&self, _: &World) -> (u64, u64) {
        (self.begun, self.operations)
    }
}
