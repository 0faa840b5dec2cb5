//! Knows what every device must have been told, and compares.
//!
//! A device follows streams: numbers that rise by one (an account's versions, a conversation's messages). What it
//! does itself it learns from the answer, what others do from a push; both together must be every number, once, in
//! order. No I/O and no clock: times come from outside.

mod faults;
#[cfg(test)]
mod tests;

pub(crate) use faults::Faults;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use crate::wire::{Content, Stream};

/// What a number that came in means.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// From the intended time of the operation to its arrival at a device other than the actor; each once.
    pub(crate) latencies: Vec<Duration>,
    /// The operation was acknowledged, and by now every device that follows has heard of it.
    pub(crate) is_complete: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Oracle {
    streams: HashMap<Stream, Log>,
    pub(crate) faults: Faults,
}

#[derive(Debug, Default)]
struct Log {
    followers: HashMap<usize, Follower>,
    operations: BTreeMap<u64, Operation>,
    head: u64,
    /// Answers that were lost with their connection: as many operations may be unknown.
    unknown: u64,
}

#[derive(Debug)]
struct Follower {
    /// What a login or a catch-up brought: up to here nothing is expected, and a push is ignored.
    base: u64,
    /// The highest number heard.
    at: u64,
    missing: BTreeSet<u64>,
}

/// What is known of one number.
#[derive(Debug, Default)]
struct Operation {
    /// When it was to be done, and what it was.
    done: Option<(Instant, Content)>,
    /// Arrivals before the answer, and what they said.
    waiting: Vec<(Instant, Content)>,
    heard: usize,
}

impl Oracle {
    /// A device begins to follow a stream, or has caught up: it has everything up to `number`.
    pub(crate) fn caught_up(&mut self, device: usize, stream: Stream, number: u64) {
        let log = self.streams.entry(stream).or_default();
        log.head = log.head.max(number);
        let follower = log.followers.entry(device).or_insert(Follower {
            base: number,
            at: number,
            missing: BTreeSet::new(),
        });
        follower.base = follower.base.max(number);
        follower.at = follower.at.max(number);
        follower.missing = follower.missing.split_off(&(number + 1));
    }

    /// A device no longer follows anything.
    pub(crate) fn left(&mut self, device: usize, streams: impl IntoIterator<Item = Stream>) {
        for stream in streams {
            if let Some(log) = self.streams.get_mut(&stream) {
                log.followers.remove(&device);
            }
        }
    }

    /// An operation's answer was lost with its connection: it may have been done, or not.
    pub(crate) fn unknown(&mut self, stream: Stream) {
        self.streams.entry(stream).or_default().unknown += 1;
    }

    /// The number up to which the device has followed.
    pub(crate) fn position(&self, device: usize, stream: Stream) -> Option<u64> {
        Some(self.streams.get(&stream)?.followers.get(&device)?.at)
    }

    /// The highest number that anything was heard of.
    pub(crate) fn newest(&self, stream: Stream) -> u64 {
        self.streams.get(&stream).map_or(0, |log| log.head)
    }

    /// A device's own operation was acknowledged with a number.
    pub(crate) fn done(
        &mut self,
        device: usize,
        content: Content,
        stream: Stream,
        number: u64,
        intended: Instant,
    ) -> Heard {
        let Self { streams, faults } = self;
        let log = streams.entry(stream).or_default();
        log.head = log.head.max(number);
        if let Some(follower) = log.followers.get_mut(&device) {
            follower.hear(number, faults);
        }
        let followers = log.followers.len();
        let operation = log.operations.entry(number).or_default();
        if operation.done.is_some() {
            faults.clashing += 1;
            return Heard::default();
        }
        operation.done = Some((intended, content));
        operation.heard += 1;
        let mut heard = Heard::default();
        for (at, told) in std::mem::take(&mut operation.waiting) {
            compare(content, told, faults);
            heard.latencies.push(at.saturating_duration_since(intended));
        }
        heard.is_complete = operation.heard >= followers;
        log.prune();
        heard
    }

    /// A device was told of a number.
    pub(crate) fn told(
        &mut self,
        device: usize,
        stream: Stream,
        number: u64,
        content: Content,
        at: Instant,
    ) -> Heard {
        let Self { streams, faults } = self;
        let log = streams.entry(stream).or_default();
        log.head = log.head.max(number);
        let Some(follower) = log.followers.get_mut(&device) else {
            // Before its login was answered.
            faults.unexplained += 1;
            return Heard::default();
        };
        if !follower.hear(number, faults) {
            return Heard::default();
        }
        let followers = log.followers.len();
        let operation = log.operations.entry(number).or_default();
        operation.heard += 1;
        let mut heard = Heard::default();
        match operation.done {
            Some((intended, done)) => {
                compare(done, content, faults);
                heard.latencies.push(at.saturating_duration_since(intended));
                heard.is_complete = operation.heard >= followers;
                log.prune();
            }
            None => operation.waiting.push((at, content)),
        }
        heard
    }

    /// A server says that this is the newest number.
    pub(crate) fn head(&mut self, stream: Stream, number: u64) {
        let log = self.streams.entry(stream).or_default();
        log.head = log.head.max(number);
    }

    /// Whether every device has everything.
    pub(crate) fn is_level(&self) -> bool {
        self.streams.values().all(|log| {
            log.followers
                .values()
                .all(|follower| follower.at == log.head && follower.missing.is_empty())
        })
    }

    /// Counts what is missing, now that nothing more will come, and begins anew from here.
    pub(crate) fn close(&mut self) {
        let Self { streams, faults } = self;
        for log in streams.values_mut() {
            for follower in log.followers.values_mut() {
                let missing = follower.missing.len() as u64 + (log.head - follower.at);
                faults.lost += missing;
                faults.behind += u64::from(missing > 0);
                follower.base = log.head;
                follower.at = log.head;
                follower.missing.clear();
            }
            let undone = log
                .operations
                .values()
                .filter(|operation| operation.done.is_none())
                .count() as u64;
            faults.unexplained += undone.saturating_sub(log.unknown);
            log.unknown = 0;
            log.operations.clear();
        }
    }
}

/// A push says nothing that was not so.
fn compare(done: Content, told: Content, faults: &mut Faults) {
    faults.misplaced += u64::from(told.device.is_some() && told.device != done.device);
    let is_other = told.conversations.is_some() && told.conversations != done.conversations;
    faults.garbled += u64::from(is_other);
}

impl Follower {
    /// Whether the number is one to count.
    fn hear(&mut self, number: u64, faults: &mut Faults) -> bool {
        if number <= self.base {
            return false;
        }
        if number > self.at {
            self.missing.extend(self.at + 1..number);
            self.at = number;
            return true;
        }
        if self.missing.remove(&number) {
            faults.disordered += 1;
            return true;
        }
        faults.twice += 1;
        false
    }
}

impl Log {
    /// Forgets operations that every device has heard of; looks rarely.
    fn prune(&mut self) {
        const MANY: usize = 64;
        if self.operations.len() < MANY || !self.operations.len().is_multiple_of(MANY) {
            return;
        }
        let all = self.followers.len();
        self.operations
            .retain(|_, operation| operation.done.is_none() || operation.heard < all);
    }
}
