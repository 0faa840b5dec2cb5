//! What one device knows: the client's rules of design section 4, without any I/O.
//!
//! Feed it everything that comes in, in order. It applies version `v + 1`, ignores up to `v`, holds back what is
//! beyond a gap, and says when it has to ask ([`Replica::is_behind`]). It believes whole entries, and works out
//! the rest from what it is told, as an SDK has to.

mod held;

use std::collections::BTreeMap;

use serde_json::Value;

use super::types::{Deletion, Entry, Message, Push, SyncAnswer, read};
use held::{Held, Line};

#[derive(Debug, Clone, Default)]
pub(crate) struct Replica {
    user: String,
    version: u64,
    /// Where to resume from. Never beyond what has been applied.
    cursor: Option<String>,
    conversations: BTreeMap<String, Held>,
    /// Effects of versions beyond a gap.
    early: BTreeMap<u64, Effect>,
    /// Pushes that came while an answer was under way: its state may be older or newer than they are.
    waiting: Option<Vec<Push>>,
    /// Something is missing that only a sync brings.
    behind: bool,
}

/// What a version did.
#[derive(Debug, Clone)]
enum Effect {
    Deleted {
        list: Vec<(String, u64)>,
        history_cleared: bool,
    },
    Updated(Vec<Entry>),
}

impl Replica {
    pub(crate) fn new(user: &str) -> Self {
        Self {
            user: user.into(),
            ..Self::default()
        }
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// A cursor from somewhere else.
    pub(crate) fn remember_cursor(&mut self, cursor: &str) {
        self.cursor = Some(cursor.into());
    }

    /// Something is missing: ask `conversation.sync`.
    pub(crate) fn is_behind(&self) -> bool {
        self.behind || !self.early.is_empty()
    }

    /// The conversation list.
    pub(crate) fn list(&self) -> BTreeMap<String, Line> {
        let listed = self
            .conversations
            .iter()
            .filter(|(_, held)| held.is_listed());
        listed.map(|(id, held)| (id.clone(), held.line())).collect()
    }

    pub(crate) fn lists(&self, id: &str) -> bool {
        self.conversations.get(id).is_some_and(Held::is_listed)
    }

    /// The last seq this device knows of: what it deletes up to.
    pub(crate) fn last_seq(&self, id: &str) -> u64 {
        self.conversations.get(id).map_or(0, Held::last_seq)
    }

    /// A login or sync has been asked for.
    pub(crate) fn asked(&mut self) {
        self.waiting.get_or_insert_default();
    }

    /// A page of the answer.
    pub(crate) fn synced(&mut self, answer: &SyncAnswer) {
        if answer.reset {
            self.conversations.clear();
            self.early.clear();
            self.version = 0;
        }
        for entry in &answer.entries {
            self.take(entry);
        }
        self.cursor = Some(answer.cursor.clone());
        if answer.is_completed {
            self.version = self.version.max(answer.version);
            self.behind = false;
            self.early.retain(|version, _| *version > answer.version);
            self.apply_early();
            for push in self.waiting.take().unwrap_or_default() {
                self.pushed(&push);
            }
        }
    }

    /// The connection is gone, and with it what was on its way.
    pub(crate) fn disconnected(&mut self) {
        self.waiting = None;
        self.early.clear();
        self.behind = true;
    }

    pub(crate) fn pushed(&mut self, push: &Push) {
        if let Some(waiting) = &mut self.waiting {
            waiting.push(push.clone());
            return;
        }
        let params = &push.params;
        match push.method.as_str() {
            "conversation.deleted" => {
                let list: Vec<_> = params["conversationList"]
                    .as_array()
                    .map_or(&[][..], Vec::as_slice)
                    .iter()
                    .map(|entry| (read(&entry["conversationID"]), read(&entry["upTo"])))
                    .collect();
                let history_cleared = read(&params["historyCleared"]);
                self.did(
                    read(&params["version"]),
                    Effect::Deleted {
                        list,
                        history_cleared,
                    },
                );
            }
            "conversation.updated" => {
                let entries = Entry::read_all(&params["conversationList"]);
                self.did(read(&params["version"]), Effect::Updated(entries));
            }
            "message.received" => self.received(&read(&params["message"])),
            "message.revoked" => self.revoked(
                &read::<String>(&params["conversationID"]),
                read(&params["seq"]),
                read(&params["revokedSeq"]),
            ),
            "sync.hint" => self.behind = true,
            _ => {}
        }
    }

    /// A `pong`, which comes after every push that was sent before it.
    pub(crate) fn ponged(&mut self, head: u64, cursor: &str) {
        if head > self.version {
            self.behind = true;
        } else if !self.is_behind() && self.waiting.is_none() {
            self.cursor = Some(cursor.into());
        }
    }

    /// This device's own deletion.
    pub(crate) fn deleted(&mut self, answer: &Deletion, history_cleared: bool) {
        let done = answer.results.iter().filter(|result| result.code == 0);
        let effect = Effect::Deleted {
            list: done
                .map(|result| (result.conversation_id.clone(), result.up_to))
                .collect(),
            history_cleared,
        };
        if answer.synced {
            self.did(answer.version, effect);
        } else {
            self.apply(effect);
        }
    }

    /// Any other change of this device's own: the answer says what it made.
    pub(crate) fn changed(&mut self, answer: &Value) {
        let entries = answer["conversationList"].as_array();
        let entries = entries.map_or(&[][..], Vec::as_slice);
        let effect = Effect::Updated(entries.iter().map(Entry::read).collect());
        match answer["version"].as_u64() {
            Some(version) if answer["synced"] != false => self.did(version, effect),
            _ => self.apply(effect),
        }
    }

    /// A message, from whomever.
    pub(crate) fn received(&mut self, message: &Message) {
        let id = &message.conversation_id;
        if !self.gap(id, message.seq) {
            let is_own = message.from == self.user;
            self.held(id).append(message, is_own);
        }
    }

    /// A revoke: a control entry at `seq`.
    pub(crate) fn revoked(&mut self, id: &str, seq: u64, revoked_seq: u64) {
        if !self.gap(id, seq) {
            self.held(id).revoke(seq, revoked_seq);
        }
    }

    /// Whether an entry is not the next of its conversation; notes if some before it are missing.
    fn gap(&mut self, id: &str, seq: u64) -> bool {
        let last = self.last_seq(id);
        if seq > last + 1 {
            self.behind = true;
            // Of a conversation that this device hasn't seen, the first entry to come shows it all the same.
            return self.conversations.contains_key(id);
        }
        seq <= last
    }

    /// The rule of versions: the next is applied, an old one ignored, one beyond a gap held back.
    fn did(&mut self, version: u64, effect: Effect) {
        if version > self.version {
            self.early.insert(version, effect);
            self.apply_early();
        }
    }

    fn apply_early(&mut self) {
        while let Some(effect) = self.early.remove(&(self.version + 1)) {
            self.version += 1;
            self.apply(effect);
        }
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Deleted {
                list,
                history_cleared,
            } => {
                for (id, up_to) in list {
                    let exact = self.held(&id).delete(up_to, history_cleared);
                    self.behind |= !exact;
                }
            }
            Effect::Updated(entries) => entries.iter().for_each(|entry| self.take(entry)),
        }
    }

    fn take(&mut self, entry: &Entry) {
        let held = self.held(entry.id());
        match entry {
            Entry::Listed(entry) => held.take_listed(entry),
            Entry::Deleted(entry) => held.take_tombstone(entry),
            Entry::Unlisted(entry) => held.take_unlisted(entry),
        }
    }

    fn held(&mut self, id: &str) -> &mut Held {
        self.conversations
            .entry(id.into())
            .or_insert_with(Held::new)
    }
}
