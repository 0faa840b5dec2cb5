//! Knows what every device must have been told, and compares.
//!
//! A device follows streams: numbers that rise by one (an account's versions, a conversation's messages). What it
//! does itself it learns from the answer, what others do from a push; both together must be every number, once, in
//! order. No I/O and no clock: times come from outside.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::AddAssign;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::wire::{Content, Stream};

/// Broken promises. One of any kind fails a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Faults {
    /// Notifications that never came.
    pub(crate) lost: u64,
    /// Notifications that came again.
    pub(crate) twice: u64,
    /// Notifications that came after a later one.
    pub(crate) disordered: u64,
    /// Notifications of another account's doings, or that name the wrong device as the one that acted.
    pub(crate) misplaced: u64,
    /// Notifications of what nobody was told was done, and of what the switch forbade to tell.
    pub(crate) unexplained: u64,
    /// Operations with the number of another one.
    pub(crate) clashing: u64,
    /// Devices that were not at the newest number in the end.
    pub(crate) behind: u64,
    /// Calls that got no answer though the connection held.
    pub(crate) unanswered: u64,
    /// Notifications or answers with another content than was asked for.
    pub(crate) garbled: u64,
    /// Connections that the server closed, or that broke, unasked.
    pub(crate) cut: u64,
}

impl Faults {
    /// Each kind with its number.
    pub(crate) fn named(&self) -> [(&'static str, u64); 10] {
        [
            ("lost", self.lost),
            ("twice", self.twice),
            ("out of order", self.disordered),
            ("to the wrong account", self.misplaced),
            ("unexplained", self.unexplained),
            ("clashing numbers", self.clashing),
            ("devices not at head", self.behind),
            ("unanswered", self.unanswered),
            ("garbled", self.garbled),
            ("connections cut", self.cut),
        ]
    }
}

impl AddAssign for Faults {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.twice += other.twice;
        self.disordered += other.disordered;
        self.misplaced += other.misplaced;
        self.unexplained += other.unexplained;
        self.clashing += other.clashing;
        self.behind += other.behind;
        self.unanswered += other.unanswered;
        self.garbled += other.garbled;
        self.cut += other.cut;
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: Stream = Stream::Account(1);
    const OTHER: Stream = Stream::Account(2);

    fn by(device: u32) -> Content {
        Content {
            device: Some(device),
            conversations: Some(1),
        }
    }

    /// Three devices of an account at version 10; device 0 has done what became version 11 and 12.
    fn two_deletions() -> (Oracle, Instant) {
        let mut oracle = Oracle::default();
        let now = Instant::now();
        for device in 0..3 {
            oracle.caught_up(device, ACCOUNT, 10);
        }
        oracle.done(0, by(0), ACCOUNT, 11, now);
        oracle.done(0, by(0), ACCOUNT, 12, now);
        (oracle, now)
    }

    fn tell(oracle: &mut Oracle, device: usize, numbers: &[u64]) {
        for number in numbers {
            oracle.told(device, ACCOUNT, *number, by(0), Instant::now());
        }
    }

    fn closed(mut oracle: Oracle) -> Faults {
        oracle.close();
        oracle.faults
    }

    #[test]
    fn everything_told_once_and_in_order_is_no_fault() {
        let (mut oracle, _) = two_deletions();
        assert!(!oracle.is_level());
        tell(&mut oracle, 1, &[11, 12]);
        tell(&mut oracle, 2, &[11, 12]);
        assert!(oracle.is_level());
        assert_eq!(closed(oracle), Faults::default());
    }

    #[test]
    fn a_lost_notification_is_found() {
        let (mut oracle, _) = two_deletions();
        tell(&mut oracle, 1, &[11, 12]);
        tell(&mut oracle, 2, &[12]);
        let faults = Faults {
            lost: 1,
            behind: 1,
            ..Faults::default()
        };
        assert_eq!(closed(oracle), faults);
        // The last one is lost too, though no later one shows the gap.
        let (mut oracle, _) = two_deletions();
        tell(&mut oracle, 1, &[11, 12]);
        tell(&mut oracle, 2, &[11]);
        assert_eq!(closed(oracle), faults);
    }

    #[test]
    fn one_that_nobody_heard_of_is_found_by_the_servers_head() {
        let (mut oracle, _) = two_deletions();
        tell(&mut oracle, 1, &[11, 12]);
        tell(&mut oracle, 2, &[11, 12]);
        oracle.head(ACCOUNT, 13);
        assert_eq!(
            closed(oracle),
            Faults {
                lost: 3,
                behind: 3,
                ..Faults::default()
            }
        );
    }

    #[test]
    fn a_notification_that_comes_twice_is_found() {
        let (mut oracle, _) = two_deletions();
        tell(&mut oracle, 1, &[11, 11, 12]);
        tell(&mut oracle, 2, &[11, 12]);
        assert_eq!(
            closed(oracle),
            Faults {
                twice: 1,
                ..Faults::default()
            }
        );
    }

    #[test]
    fn an_echo_to_the_actor_is_found() {
        let (mut oracle, _) = two_deletions();
        tell(&mut oracle, 0, &[12]);
        tell(&mut oracle, 1, &[11, 12]);
        tell(&mut oracle, 2, &[11, 12]);
        assert_eq!(
            closed(oracle),
            Faults {
                twice: 1,
                ..Faults::default()
            }
        );
    }

    #[test]
    fn a_notification_out_of_order_is_found() {
        let (mut oracle, _) = two_deletions();
        tell(&mut oracle, 1, &[12, 11]);
        tell(&mut oracle, 2, &[11, 12]);
        assert_eq!(
            closed(oracle),
            Faults {
                disordered: 1,
                ..Faults::default()
            }
        );
    }

    #[test]
    fn a_notification_to_another_account_is_found() {
        let (mut oracle, now) = two_deletions();
        tell(&mut oracle, 1, &[11, 12]);
        tell(&mut oracle, 2, &[11, 12]);
        oracle.caught_up(9, OTHER, 10);
        oracle.told(9, OTHER, 11, by(0), now);
        assert_eq!(
            closed(oracle),
            Faults {
                unexplained: 1,
                ..Faults::default()
            }
        );
    }

    #[test]
    fn a_notification_that_names_another_actor_is_found() {
        for told_first in [false, true] {
            let mut oracle = Oracle::default();
            let now = Instant::now();
            oracle.caught_up(0, ACCOUNT, 10);
            oracle.caught_up(1, ACCOUNT, 10);
            if told_first {
                oracle.told(1, ACCOUNT, 11, by(5), now);
            }
            oracle.done(0, by(0), ACCOUNT, 11, now);
            if !told_first {
                oracle.told(1, ACCOUNT, 11, by(5), now);
            }
            assert_eq!(
                closed(oracle),
                Faults {
                    misplaced: 1,
                    ..Faults::default()
                }
            );
        }
    }

    #[test]
    fn a_notification_of_fewer_conversations_is_found() {
        let (mut oracle, now) = two_deletions();
        tell(&mut oracle, 1, &[11, 12]);
        tell(&mut oracle, 2, &[11]);
        let part = Content {
            conversations: Some(0),
            ..by(0)
        };
        oracle.told(2, ACCOUNT, 12, part, now);
        let faults = Faults {
            garbled: 1,
            ..Faults::default()
        };
        assert_eq!(closed(oracle), faults);
    }

    #[test]
    fn two_operations_with_one_number_are_found() {
        let (mut oracle, now) = two_deletions();
        tell(&mut oracle, 1, &[11]);
        tell(&mut oracle, 2, &[11, 12]);
        oracle.done(1, by(1), ACCOUNT, 12, now);
        assert_eq!(
            closed(oracle),
            Faults {
                clashing: 1,
                ..Faults::default()
            }
        );
    }

    #[test]
    fn what_nobody_did_is_found_unless_an_answer_was_lost() {
        let mut oracle = Oracle::default();
        oracle.caught_up(0, ACCOUNT, 10);
        oracle.told(0, ACCOUNT, 11, Content::default(), Instant::now());
        oracle.told(0, ACCOUNT, 12, Content::default(), Instant::now());
        oracle.unknown(ACCOUNT);
        assert_eq!(
            closed(oracle),
            Faults {
                unexplained: 1,
                ..Faults::default()
            }
        );
    }

    #[test]
    fn a_catch_up_covers_what_was_missed_and_pushes_up_to_it_are_ignored() {
        let (mut oracle, _) = two_deletions();
        tell(&mut oracle, 1, &[11, 12]);
        tell(&mut oracle, 2, &[12]);
        oracle.caught_up(2, ACCOUNT, 12);
        tell(&mut oracle, 2, &[11, 12]);
        assert_eq!(closed(oracle), Faults::default());
    }

    #[test]
    fn a_device_that_left_is_not_waited_for() {
        let (mut oracle, _) = two_deletions();
        tell(&mut oracle, 1, &[11, 12]);
        oracle.left(2, [ACCOUNT]);
        assert!(oracle.is_level());
        assert_eq!(closed(oracle), Faults::default());
    }

    #[test]
    fn latency_runs_from_the_intended_time_also_if_the_push_is_before_the_answer() {
        let mut oracle = Oracle::default();
        let intended = Instant::now();
        let after = |ms| intended + Duration::from_millis(ms);
        for device in 0..3 {
            oracle.caught_up(device, ACCOUNT, 0);
        }
        assert_eq!(
            oracle.told(1, ACCOUNT, 1, by(0), after(3)),
            Heard::default()
        );
        let answered = oracle.done(0, by(0), ACCOUNT, 1, intended);
        assert_eq!(answered.latencies, [Duration::from_millis(3)]);
        assert!(!answered.is_complete);
        let last = oracle.told(2, ACCOUNT, 1, by(0), after(5));
        assert_eq!(last.latencies, [Duration::from_millis(5)]);
        assert!(last.is_complete);
    }

    #[test]
    fn what_everybody_heard_is_forgotten() {
        let mut oracle = Oracle::default();
        let now = Instant::now();
        oracle.caught_up(0, ACCOUNT, 0);
        oracle.caught_up(1, ACCOUNT, 0);
        for number in 1..=10_000 {
            oracle.done(0, by(0), ACCOUNT, number, now);
            oracle.told(1, ACCOUNT, number, by(0), now);
        }
        assert!(oracle.streams[&ACCOUNT].operations.len() <= 128);
    }
}
