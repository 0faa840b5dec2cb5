//! What devices say.

use std::time::Instant;

use super::{Pending, World};
use crate::client::connection::Stage;
use crate::client::frame;
use crate::client::order::Resume;
use crate::wire::{Call, Content, Opening, Stream};

impl World {
    /// Sends a call; its latency runs from `intended`. False if the device is not logged in.
    pub(crate) fn call(&mut self, slot: usize, call: Call, intended: Instant) -> bool {
        if self.connections[slot].stage != Stage::Ready {
            return false;
        }
        self.send(slot, call, intended);
        true
    }

    /// Sends something to the account's other devices that the server does not acknowledge. False if the device is
    /// not logged in.
    pub(crate) fn publish(&mut self, slot: usize, intended: Instant) -> bool {
        let connection = &self.connections[slot];
        let who = connection.who;
        let account = Stream::Account(who.account);
        let number = self.oracle.newest(account) + 1;
        let message = self.wire.call(0, who, Call::Publish { number }, None);
        let Some(message) = message.filter(|_| connection.stage == Stage::Ready) else {
            return false;
        };
        // It is done once it is sent: its delivery must not be heard of before.
        let content = Content {
            device: Some(who.device),
            conversations: None,
        };
        let heard = self.oracle.done(slot, content, account, number, intended);
        self.heard(&heard);
        self.tally.answered += 1;
        self.say(slot, &message);
        true
    }

    /// Sends a call, if the server knows it.
    pub(super) fn send(&mut self, slot: usize, call: Call, intended: Instant) {
        let id = self.next_id;
        let connection = &self.connections[slot];
        let cursor = connection.cursor.as_deref();
        if let Some(message) = self.wire.call(id, connection.who, call, cursor) {
            self.ask(slot, Some(call), &message, intended);
        }
    }

    /// The upgrade is there: begins to log in.
    pub(super) fn log_in(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        connection.stage = Stage::LoggingIn;
        let intended = connection.intended;
        let cursor = connection.cursor.as_deref();
        let cursor = cursor.filter(|_| connection.resume != Resume::Nothing);
        match self.wire.open(self.next_id, connection.who, cursor) {
            Opening::Call(message) => self.ask(slot, None, &message, intended),
            Opening::Say(message) => self.say(slot, &message),
            Opening::Listen => {}
            Opening::None => self.let_in(slot, Instant::now()),
        }
    }

    /// Sends a message with the next id, which the server will answer.
    fn ask(&mut self, slot: usize, call: Option<Call>, message: &str, intended: Instant) {
        self.connections[slot].waiting += 1;
        self.calls.insert(
            self.next_id,
            Pending {
                slot,
                intended,
                call,
            },
        );
        self.next_id += 1;
        self.say(slot, message);
    }

    pub(super) fn say(&mut self, slot: usize, message: &str) {
        let mut bytes = Vec::with_capacity(message.len() + 14);
        if self.wire.is_binary() {
            frame::binary(&mut bytes, message.as_bytes());
        } else {
            frame::text(&mut bytes, message.as_bytes());
        }
        if let Err(error) = self.connections[slot].write(&bytes) {
            self.broke(slot, &error);
        }
    }

    pub(super) fn take_call(&mut self, id: u64) -> Option<Pending> {
        let pending = self.calls.remove(&id)?;
        let waiting = &mut self.connections[pending.slot].waiting;
        *waiting = waiting.saturating_sub(1);
        Some(pending)
    }
}
