//! What a device knows of one conversation, listed or not.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::types::{Conversation, Message, Tombstone, Unlisted};

/// One conversation, listed or not.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held {
    hidden_up_to: u64,
    history_floor: u64,
    read_up_to: u64,
    unread_count: u64,
    is_pinned: bool,
    membership: String,
    last_seq: u64,
    /// Seq of the newest message, or at least how far it can be.
    newest: u64,
    /// What has come by itself; `None` for a control entry.
    entries: BTreeMap<u64, Option<Message>>,
}

/// One line of the conversation list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) unread_count: u64,
    pub(crate) is_pinned: bool,
    pub(crate) membership: String,
    pub(crate) last_seq: u64,
    pub(crate) read_up_to: u64,
    pub(crate) hidden_up_to: u64,
    pub(crate) history_floor: u64,
    /// The newest message's ID, and whether it was revoked.
    pub(crate) last_message: Option<(String, bool)>,
}

impl Held {
    pub(super) fn new() -> Self {
        Self {
            hidden_up_to: 0,
            history_floor: 0,
            read_up_to: 0,
            unread_count: 0,
            is_pinned: false,
            membership: "active".into(),
            last_seq: 0,
            newest: 0,
            entries: BTreeMap::new(),
        }
    }

    pub(super) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    pub(super) fn is_listed(&self) -> bool {
        self.newest > self.hidden_up_to
    }

    pub(super) fn line(&self) -> Line {
        let readable = self.entries.range(self.history_floor + 1..);
        let last = readable
            .filter_map(|(_, message)| message.as_ref())
            .next_back();
        Line {
            unread_count: self.unread_count,
            is_pinned: self.is_pinned,
            membership: self.membership.clone(),
            last_seq: self.last_seq,
            read_up_to: self.read_up_to,
            hidden_up_to: self.hidden_up_to,
            history_floor: self.history_floor,
            last_message: last.map(|message| (message.id.clone(), message.is_revoked)),
        }
    }

    /// The next entry of the log.
    pub(super) fn append(&mut self, message: &Message, is_own: bool) {
        self.last_seq = message.seq;
        if message.is_control {
            self.entries.insert(message.seq, None);
            return;
        }
        self.entries.insert(message.seq, Some(message.clone()));
        self.newest = message.seq;
        self.unread_count += 1;
        // One has read what one answers.
        if is_own {
            self.read_up_to = message.seq;
            self.unread_count = 0;
        }
    }

    /// The next entry of the log says that an earlier one is revoked.
    pub(super) fn revoke(&mut self, seq: u64, revoked_seq: u64) {
        self.last_seq = seq;
        self.entries.insert(seq, None);
        if let Some(Some(message)) = self.entries.get_mut(&revoked_seq) {
            message.is_revoked = true;
            message.payload = Value::Null;
        }
    }

    /// Returns whether what came by itself was enough to tell how many are still unread.
    pub(super) fn delete(&mut self, up_to: u64, history_cleared: bool) -> bool {
        self.hidden_up_to = self.hidden_up_to.max(up_to);
        if history_cleared {
            self.clear(up_to);
        }
        self.is_pinned = false;
        if up_to <= self.read_up_to {
            return true;
        }
        self.read_up_to = up_to;
        self.unread_count = self.messages_after(up_to);
        (up_to + 1..=self.last_seq).all(|seq| self.entries.contains_key(&seq))
    }

    /// A client forgets what it holds at or below the floor.
    fn clear(&mut self, floor: u64) {
        self.history_floor = self.history_floor.max(floor);
        self.entries = self.entries.split_off(&(self.history_floor + 1));
    }

    fn messages_after(&self, seq: u64) -> u64 {
        let later = self.entries.range(seq + 1..);
        later.filter(|(_, message)| message.is_some()).count() as u64
    }

    pub(super) fn take_listed(&mut self, entry: &Conversation) {
        self.hidden_up_to = entry.hidden_up_to;
        self.history_floor = 0;
        self.clear(entry.history_floor);
        self.is_pinned = entry.is_pinned;
        self.membership.clone_from(&entry.membership);
        self.read_up_to = entry.read_up_to;
        // Messages that came since the entry was made, if it was long on its way.
        self.unread_count =
            entry.unread_count + self.messages_after(entry.last_seq.max(self.read_up_to));
        self.newest = self.newest.max(entry.last_message_seq);
        if let Some(message) = &entry.last_message {
            self.entries.insert(message.seq, Some(message.clone()));
        }
        self.last_seq = self.last_seq.max(entry.last_seq);
    }

    pub(super) fn take_tombstone(&mut self, entry: &Tombstone) {
        self.delete(entry.up_to, false);
        self.hidden_up_to = entry.up_to;
        self.last_seq = self.last_seq.max(entry.last_seq);
        self.read_up_to = self.read_up_to.max(entry.read_up_to);
        self.membership.clone_from(&entry.membership);
        self.history_floor = 0;
        self.clear(entry.history_floor);
    }

    pub(super) fn take_unlisted(&mut self, entry: &Unlisted) {
        self.is_pinned = entry.is_pinned;
        self.membership.clone_from(&entry.membership);
        self.last_seq = self.last_seq.max(entry.last_seq);
        if entry.read_up_to > self.read_up_to {
            self.read_up_to = entry.read_up_to;
            self.unread_count = self.messages_after(entry.read_up_to);
        }
    }
}
