//! Connecting and logging in.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::{Duration, Instant};

use super::{Next, Task};
use crate::client::connection::Stage;
use crate::client::order::Resume;
use crate::client::world::World;

/// A device that was refused tries again so often, and so long after the first refusal; twice as long after the
/// second, and so on.
const ATTEMPTS: u32 = 6;
const BACKOFF: Duration = Duration::from_millis(100);
/// Begun before the sockets are looked at again.
const BURST: usize = 64;
/// Without any progress for so long, those on the way have failed.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Open {
    /// When each begins, the earliest on top.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    attempts: HashMap<usize, u32>,
    in_flight: usize,
    resume: Resume,
    total: u64,
    given_up: u64,
    last: (u64, Instant),
}

impl Open {
    /// Opens those of `slots` that are closed.
    pub(crate) fn new(
        world: &mut World,
        slots: std::ops::Range<usize>,
        in_flight: usize,
        jitter: Duration,
        resume: Resume,
    ) -> Self {
        let now = Instant::now();
        let random = &mut world.random;
        let connections = &world.connections;
        let due: BinaryHeap<_> = slots
            .filter(|slot| connections[*slot].stage == Stage::Closed)
            .map(|slot| Reverse((now + jitter.mul_f64(random.f64()), slot)))
            .collect();
        Self {
            total: due.len() as u64,
            due,
            attempts: HashMap::new(),
            in_flight,
            resume,
            given_up: 0,
            last: (0, now),
        }
    }

    /// Those that did not get there try again later, or never.
    fn fallen(&mut self, world: &mut World, now: Instant) {
        for slot in std::mem::take(&mut world.fallen) {
            let attempt = self.attempts.entry(slot).or_default();
            *attempt += 1;
            if *attempt < ATTEMPTS {
                let pause = BACKOFF * 2u32.pow(*attempt - 1);
                let at = now + pause.mul_f64(0.5 + world.random.f64());
                self.due.push(Reverse((at, slot)));
            } else {
                self.given_up += 1;
            }
        }
    }

    /// When the next one may begin.
    fn next(&self, world: &World) -> Option<Instant> {
        let Reverse((at, _)) = self.due.peek()?;
        (world.opening < self.in_flight).then_some(*at)
    }

    fn begin(&mut self, world: &mut World, now: Instant) {
        let Some(Reverse((at, slot))) = self.due.pop() else {
            return;
        };
        // One that tries again is measured from its first try; one that had to wait for others to be let in, from
        // when it could begin; and in a storm all, from when they were to begin.
        let intended = match (self.attempts.contains_key(&slot), self.in_flight) {
            (true, _) => world.connections[slot].intended,
            (false, usize::MAX) => at,
            (false, _) => now,
        };
        world.open(slot, intended, self.resume);
    }
}

impl Task for Open {
    fn step(&mut self, world: &mut World, now: Instant) -> Next {
        self.fallen(world, now);
        let mut begun = 0;
        while begun < BURST && self.next(world).is_some_and(|at| at <= now) {
            self.begin(world, now);
            begun += 1;
        }
        let done = world.tally.opened + self.given_up;
        if done >= self.total {
            return Next::Done;
        }
        if done != self.last.0 {
            self.last = (done, now);
        } else if now > self.last.1 + PATIENCE {
            let stuck = self.total - done;
            *world.tally.failed.entry("no answer".into()).or_default() += stuck;
            return Next::Done;
        }
        let later = now + Duration::from_millis(500);
        Next::At(self.next(world).map_or(later, |at| at.min(later)))
    }

    fn progress(&self, world: &World) -> (u64, u64) {
        (world.tally.opened, self.total)
    }
}
