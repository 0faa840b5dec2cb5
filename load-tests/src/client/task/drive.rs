//! Operations that arrive by a schedule, whatever the server does.

use std::time::{Duration, Instant};

use super::{Next, Task};
use crate::client::connection::Stage;
use crate::client::order::{self, Action};
use crate::client::world::World;
use crate::schedule::Schedule;
use crate::wire::Call;

/// Sent before the sockets are looked at again.
const BURST: usize = 32;
/// An operation sent so long after the end still counts as sent in time.
const GRACE: Duration = Duration::from_millis(50);

pub(crate) struct Drive {
    order: order::Drive,
    schedule: Schedule,
    /// The block's first place, and its number of accounts and devices.
    block: (usize, usize, usize),
    weight: u32,
    begin: Instant,
}

impl Drive {
    pub(crate) fn new(world: &mut World, order: order::Drive) -> Self {
        let begin = Instant::now();
        let length = Duration::from_millis(order.millis);
        let schedule = Schedule::new(
            order.arrivals,
            order.rate,
            begin,
            length,
            world.random.u64(..),
        );
        let first = world.slots(order.block).start;
        let block = world.blocks[order.block];
        Self {
            weight: order.mix.iter().map(|(weight, _)| weight).sum(),
            block: (first, block.accounts as usize, block.devices as usize),
            order,
            schedule,
            begin,
        }
    }

    /// Somebody does something. False if nobody could.
    fn act(&self, world: &mut World, intended: Instant) -> bool {
        let (first, accounts, devices) = self.block;
        let account = first + world.random.usize(..accounts) * devices;
        let action = self.action(&mut world.random);
        if action == Action::Publish {
            return world.publish(account, intended);
        }
        let chosen = account + world.random.usize(..devices);
        let is_able = |slot: &usize| {
            let connection = &world.connections[*slot];
            connection.stage == Stage::Ready && !connection.stalled
        };
        let Some(slot) = std::iter::once(chosen)
            .chain(account..account + devices)
            .find(is_able)
        else {
            return false;
        };
        let conversations = self.order.conversations;
        let call = match action {
            Action::Delete { batch } => Call::Delete {
                from: world.random.u32(..=conversations.saturating_sub(batch)),
                count: batch,
            },
            Action::Read => Call::Read {
                conversation: world.random.u32(..conversations.max(1)),
            },
            Action::Send | Action::Publish => Call::Send,
        };
        world.call(slot, call, intended)
    }

    fn action(&self, random: &mut fastrand::Rng) -> Action {
        let mut lot = random.u32(..self.weight.max(1));
        let mut action = Action::Read;
        for (weight, candidate) in &self.order.mix {
            action = *candidate;
            if lot < *weight {
                break;
            }
            lot -= weight;
        }
        action
    }
}

impl Task for Drive {
    fn step(&mut self, world: &mut World, now: Instant) -> Next {
        let end = self.schedule.end();
        let is_late = now > end + GRACE;
        let mut sent = 0;
        while sent < BURST || is_late {
            let Some(intended) = self.schedule.take(now) else {
                break;
            };
            world.tally.offered += 1;
            if !is_late && self.act(world, intended) {
                world.tally.sent += 1;
            }
            sent += 1;
        }
        match self.schedule.peek() {
            Some(next) => Next::At(next),
            None if now < end => Next::At(end),
            None => Next::Done,
        }
    }

    fn progress(&self, _: &World) -> (u64, u64) {
        let millis = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        (millis.min(self.order.millis), self.order.millis)
    }
}
