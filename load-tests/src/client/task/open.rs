//! Connecting and logging in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Next, Task};
use crate::client::connection::Stage;
use crate::client::order::Resume;
use crate::client::world::World;

/// A device that was refused tries again so often, and so long after the first refusal; twice as long after the
/// second, and so on.
const ATTEMPTS: u32 = 6;
const BACKOFF: Duration = Duration::from_millis(100);
/// Without any progress for so long, those on the way have failed.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Open {
    /// When each begins, in order of time.
    due: VecDeque<(Instant, usize)>,
    /// To be tried again: when, which, when it was to begin first, and how often it has been tried.
    again: Vec<(Instant, usize, Instant, u32)>,
    attempts: std::collections::HashMap<usize, u32>,
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
        let mut due: Vec<_> = slots
            .filter(|slot| connections[*slot].stage == Stage::Closed)
            .map(|slot| (now + jitter.mul_f64(random.f64()), slot))
            .collect();
        due.sort_unstable();
        Self {
            total: due.len() as u64,
            due: due.into(),
            again: Vec::new(),
            attempts: std::collections::HashMap::new(),
            in_flight,
            resume,
            given_up: 0,
            last: (0, now),
        }
    }

    /// Sorts those that did not get there: later again, or never.
    fn fallen(&mut self, world: &mut World, now: Instant) {
        for slot in std::mem::take(&mut world.fallen) {
            let attempt = self.attempts.entry(slot).or_default();
            *attempt += 1;
            if *attempt < ATTEMPTS {
                let pause = BACKOFF * 2u32.pow(*attempt - 1);
                let intended = world.connections[slot].intended;
                self.again.push((
                    now + pause.mul_f64(0.5 + world.random.f64()),
                    slot,
                    intended,
                    *attempt,
                ));
            } else {
                self.given_up += 1;
            }
        }
    }
}

impl Task for Open {
    fn step(&mut self, world: &mut World, now: Instant) -> Next {
        self.fallen(world, now);
        let resume = self.resume;
        self.again.retain(|(at, slot, intended, _)| {
            let is_due = *at <= now;
            if is_due {
                world.open(*slot, *intended, resume);
            }
            !is_due
        });
        while world.opening < self.in_flight
            && let Some((at, slot)) = self.due.pop_front_if(|(at, _)| *at <= now)
        {
            // Without jitter all are intended now, and those that must wait for others wait at the server's cost
            // only if all may be on the way at once.
            let intended = if self.in_flight == usize::MAX {
                at
            } else {
                now
            };
            world.open(slot, intended, resume);
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
        let soon = [
            self.due
                .front()
                .filter(|_| world.opening < self.in_flight)
                .map(|(at, _)| *at),
            self.again.iter().map(|(at, ..)| *at).min(),
            Some(now + Duration::from_millis(500)),
        ];
        Next::At(soon.into_iter().flatten().min().unwrap_or(now))
    }

    fn progress(&self, world: &World) -> (u64, u64) {
        (world.tally.opened, self.total)
    }
}
