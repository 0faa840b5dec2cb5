//! What devices hear, and what the oracle makes of it.

use std::rc::Rc;
use std::time::Instant;

use chatsync::protocol::code::Code;

use super::{Pending, World};
use crate::client::connection::Stage;
use crate::oracle::Heard;
use crate::wire::{Answer, Call, Content, Event, Stream, StreamKind, Told};

impl World {
    pub(super) fn message(&mut self, slot: usize, message: &[u8], now: Instant) {
        let wire = Rc::clone(&self.wire);
        let who = self.connections[slot].who;
        wire.read(who, message, &mut |event| self.event(slot, event, now));
    }

    fn event(&mut self, slot: usize, event: Event<'_>, now: Instant) {
        // What stood behind the end is not heard any more.
        if self.connections[slot].stage == Stage::Closed {
            return;
        }
        match event {
            Event::Answer { id, answer } => match self.take_call(id) {
                Some(pending) if pending.slot == slot => self.answered(pending, &answer, now),
                _ => self.tally.faults.garbled += 1,
            },
            Event::Refusal { id, code } => {
                *self.tally.refused.entry(code).or_default() += 1;
                match self.take_call(id).map(|pending| pending.call) {
                    Some(None) => self.fall(slot, &format!("login: error {code}")),
                    // What is done later counts on it.
                    Some(Some(call @ Call::Seed { .. }))
                        if code == i64::from(Code::TRY_AGAIN.number) =>
                    {
                        self.put_off.push((now, slot, call));
                    }
                    _ => {}
                }
            }
            Event::Told(told) => self.told(slot, told, now),
            Event::Hint => {
                self.tally.hints += 1;
                self.send(slot, Call::Sync, now);
            }
            Event::Reply(message) => self.say(slot, &message),
            Event::Ready => self.let_in(slot, now),
            Event::TurnedDown(why) => self.ended(slot, why),
            Event::Garbled => self.garbled(slot, "not what such a server says"),
            Event::Other => {}
        }
    }

    /// A login without an answer is complete: from here on the device follows its account.
    pub(super) fn let_in(&mut self, slot: usize, now: Instant) {
        let connection = &self.connections[slot];
        if connection.stage != Stage::LoggingIn {
            return;
        }
        let (account, intended) = (Stream::Account(connection.who.account), connection.intended);
        let newest = self.oracle.newest(account);
        self.oracle.caught_up(slot, account, newest);
        self.logged_in(slot, intended, now);
    }

    fn logged_in(&mut self, slot: usize, intended: Instant, now: Instant) {
        self.connections[slot].stage = Stage::Ready;
        self.opening -= 1;
        self.tally.opened += 1;
        self.tally
            .login
            .record(now.saturating_duration_since(intended));
    }

    fn answered(&mut self, pending: Pending, answer: &Answer<'_>, now: Instant) {
        let Pending {
            slot,
            intended,
            call,
        } = pending;
        let connection = &mut self.connections[slot];
        if let Some(cursor) = answer.cursor {
            connection.cursor = Some(cursor.to_owned());
        }
        let who = connection.who;
        let account = Stream::Account(who.account);
        match call {
            None | Some(Call::Sync) => self.caught_up(slot, intended, answer, now),
            Some(Call::Ping { .. }) => {
                if let Some(head) = answer.version {
                    self.oracle.head(account, head);
                }
            }
            Some(call) => {
                self.tally.answered += 1;
                self.tally
                    .answer
                    .record(now.saturating_duration_since(intended));
                self.tally.faults.garbled += u64::from(!is_whole(call, answer));
                let content = Content {
                    device: Some(who.device),
                    conversations: Some(answer.conversations),
                };
                let heard = match (call, answer.version, answer.seq) {
                    (Call::Seed { .. } | Call::Found | Call::Invite { .. }, ..) => return,
                    (Call::Send, _, Some(seq)) => {
                        let circle = self.circle(who.account);
                        self.oracle
                            .done(slot, Content::default(), circle, seq, intended)
                    }
                    _ if !answer.synced => {
                        self.tally.unsynced += 1;
                        return;
                    }
                    (_, Some(version), _) => {
                        self.oracle.done(slot, content, account, version, intended)
                    }
                    _ => return,
                };
                self.heard(&heard);
            }
        }
    }

    /// The answer to a login or a catch-up: asks for the next page, or is done.
    fn caught_up(&mut self, slot: usize, intended: Instant, answer: &Answer<'_>, now: Instant) {
        self.tally.pages += 1;
        self.tally.entries += answer.entries as u64;
        self.tally.resets += u64::from(answer.reset);
        if !answer.completed {
            self.send(slot, Call::Sync, intended);
            return;
        }
        let connection = &mut self.connections[slot];
        let account = Stream::Account(connection.who.account);
        if let Some(anchor) = connection.anchor.take() {
            connection.cursor = Some(anchor);
        }
        let told = answer.circle_seq.or(connection.circle_at.take());
        let is_new = connection.stage == Stage::LoggingIn;
        let circle = self.circle(self.connections[slot].who.account);
        if let Some(seq) = told.or(is_new.then_some(0)) {
            self.oracle.caught_up(slot, circle, seq);
        }
        if is_new {
            self.logged_in(slot, intended, now);
        }
        match answer.version {
            Some(version) => self.oracle.caught_up(slot, account, version),
            None => self.tally.faults.garbled += 1,
        }
    }

    fn told(&mut self, slot: usize, told: Told, now: Instant) {
        let own = self.connections[slot].who.account;
        let (stream, is_own) = match told.stream {
            StreamKind::Account => (
                Stream::Account(own),
                told.owner.is_none_or(|owner| owner == own),
            ),
            StreamKind::Circle => {
                let circle = self.circle(own);
                let is_own = told.owner.is_none_or(|from| self.circle(from) == circle);
                (circle, is_own)
            }
        };
        self.tally.told += 1;
        if is_own {
            let heard = self
                .oracle
                .told(slot, stream, told.number, told.content, now);
            self.heard(&heard);
        } else {
            self.tally.faults.misplaced += 1;
        }
    }

    pub(super) fn heard(&mut self, heard: &Heard) {
        for latency in &heard.latencies {
            self.tally.delivery.record(*latency);
        }
        self.complete += u64::from(heard.is_complete);
    }
}

/// Whether the answer covers all that was asked for.
fn is_whole(call: Call, answer: &Answer<'_>) -> bool {
    match call {
        Call::Delete { count, .. } => {
            answer.failures == 0
                && answer.conversations == count as usize
                && answer.version.is_some()
        }
        _ => answer.failures == 0,
    }
}
