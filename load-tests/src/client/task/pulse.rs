//! One account's operations, each once everybody has heard of the one before: one frame in each socket's write.

use std::time::{Duration, Instant};

use super::{Next, Task};
use crate::client::world::World;
use crate::wire::Call;

pub(crate) struct Pulse {
    slot: usize,
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
        operations: u64,
        most: Duration,
    ) -> Self {
        let devices = world
            .blocks
            .get(block)
            .map_or(0, |block| block.devices as usize);
        Self {
            slot: world.slots(block).start + account as usize * devices,
            operations,
            begun: 0,
            complete_before: world.complete,
            deadline: Instant::now() + most,
        }
    }
}

impl Task for Pulse {
    fn step(&mut self, world: &mut World, now: Instant) -> Next {
        let is_heard = world.complete - self.complete_before == self.begun;
        if is_heard && (self.begun == self.operations || now >= self.deadline) {
            return Next::Done;
        }
        // Somebody did not hear it: comparing will show whom.
        if now >= self.deadline + Duration::from_secs(10) {
            return Next::Done;
        }
        if is_heard {
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
