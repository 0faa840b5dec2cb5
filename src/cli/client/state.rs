//! What a device holds and how it stays right (design section 4), apart from any I/O or clock.
//!
//! - Pushes and own answers about views carry a version: the next one is applied, older ones are ignored, later
//!   ones wait for those missing. Entries of a conversation's log carry a seq and follow the same rule.
//! - While a sync is under way, what else comes is held back and then judged by the same rules, so that an answer
//!   can't overwrite what is newer than it.

use std::collections::BTreeMap;

use super::row::{Known, Row};
use crate::domain::{ConversationId, Seq, UserId, Version};
use crate::protocol::answer::{Pong, Sync};
use crate::protocol::conversation::{ConversationEntry, Message};
use crate::protocol::push::{MessageRevoked, Origin, Push};

/// Most things held back or waiting. Beyond it they are dropped, and a sync fetches what they said.
const MOST_WAITING: usize = 1000;

/// One operation on the account's views.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Deleted {
        list: Vec<(ConversationId, Seq)>,
        cleared: bool,
    },
    /// How what it touched is now.
    Updated(Vec<ConversationEntry>),
}

/// Something that was applied and that the user may want to hear of.
#[derive(Debug)]
pub(super) enum News {
    /// By another device, or by the app's back end.
    Change(Change, Option<Origin>),
    Message(Message),
    Revoked(MessageRevoked),
    /// A sync is complete. `reset`: the list began anew.
    CaughtUp {
        reset: bool,
        entries: Vec<ConversationEntry>,
    },
}

/// What the state needs to get right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Nothing,
    /// Something is missing that may still be under way: sync unless it comes within 0.7 s.
    Missing,
    Sync,
}

/// What a page of a sync leaves to do.
#[derive(Debug)]
pub(super) enum Page {
    /// Ask for the next with this cursor.
    Next(String),
    Last(Vec<News>),
}

#[derive(Debug, Clone)]
enum Item {
    Change {
        /// None: not counted (a deletion that the other devices are not told of).
        version: Option<Version>,
        change: Change,
        origin: Option<Origin>,
        is_own: bool,
    },
    Entry(Entry),
}

/// An entry of a conversation's log.
#[derive(Debug, Clone)]
enum Entry {
    Message {
        message: Message,
        is_own: bool,
    },
    Revoked {
        revoked: MessageRevoked,
        is_own: bool,
    },
}

impl Entry {
    fn place(&self) -> (ConversationId, Seq) {
        match self {
            Self::Message { message, .. } => (message.conversation_id.clone(), message.seq),
            Self::Revoked { revoked, .. } => (revoked.conversation_id.clone(), revoked.seq),
        }
    }
}

/// A sync under way.
#[derive(Debug, Default)]
struct Syncing {
    reset: Option<bool>,
    entries: Vec<ConversationEntry>,
    held: Vec<Item>,
}

/// One device's copy of its account's conversations.
#[derive(Debug)]
pub(super) struct State {
    user: UserId,
    version: Version,
    cursor: Option<String>,
    rows: BTreeMap<ConversationId, Row>,
    /// Beyond a gap.
    early: BTreeMap<Version, Item>,
    early_entries: BTreeMap<(ConversationId, Seq), Entry>,
    /// The newest version the server is known to have.
    head: Version,
    /// Something is known to be wrong.
    unsure: bool,
    syncing: Option<Syncing>,
}

impl State {
    pub(super) fn new(user: UserId) -> Self {
        Self {
            user,
            version: Version(0),
            cursor: None,
            rows: BTreeMap::new(),
            early: BTreeMap::new(),
            early_entries: BTreeMap::new(),
            head: Version(0),
            unsure: false,
            syncing: None,
        }
    }

    /// The newest version applied.
    pub(super) fn version(&self) -> Version {
        self.version
    }

    pub(super) fn row(&self, id: &ConversationId) -> Option<&Row> {
        self.rows.get(id)
    }

    /// The list: pinned ones first, then by newest message.
    pub(super) fn list(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.values().filter(|row| row.is_listed()).collect();
        rows.sort_by_key(|row| {
            let time = row.last_message.as_ref().map_or(0, |last| last.time);
            (!row.is_pinned, -time)
        });
        rows
    }

    /// The last seq known of a conversation: up to where a deletion made here reaches.
    pub(super) fn last_seq(&self, id: &ConversationId) -> Option<Seq> {
        self.rows.get(id).map(|row| row.last_seq)
    }

    pub(super) fn want(&self) -> Want {
        if self.syncing.is_some() {
            Want::Nothing
        } else if self.unsure {
            Want::Sync
        } else if self.head > self.version
            || !self.early.is_empty()
            || !self.early_entries.is_empty()
        {
            Want::Missing
        } else {
            Want::Nothing
        }
    }

    /// Begins a login's or a `conversation.sync`'s catch-up, from the cursor returned (none: everything).
    pub(super) fn begin_sync(&mut self) -> Option<String> {
        self.syncing = Some(Syncing::default());
        self.unsure = false;
        self.cursor.clone()
    }

    /// The connection is gone: what was under way will come with the catch-up.
    pub(super) fn disconnected(&mut self) {
        self.syncing = None;
        self.early.clear();
        self.early_entries.clear();
    }

    /// Takes one page of a catch-up.
    pub(super) fn page(&mut self, page: Sync) -> Page {
        let mut syncing = self.syncing.take().unwrap_or_default();
        match syncing.reset {
            None => syncing.reset = Some(page.reset),
            // The history was replaced between two pages: only what comes from now on counts.
            Some(false) if page.reset => {
                syncing.reset = Some(true);
                syncing.entries.clear();
            }
            Some(_) => {}
        }
        syncing.entries.extend(page.conversation_list);
        if !page.is_completed {
            self.syncing = Some(syncing);
            return Page::Next(page.cursor);
        }

        let reset = syncing.reset == Some(true);
        if reset {
            self.rows.clear();
            self.version = page.version;
            self.head = page.version;
        } else {
            self.version = self.version.max(page.version);
        }
        self.cursor = Some(page.cursor);
        for entry in syncing.entries.clone() {
            self.take(entry);
        }
        // What waited before the sync began was committed before it was read: the answer covers it, and where it
        // says less (a control entry in a hidden conversation) nothing is missed. Waiting on would never end.
        self.early.clear();
        self.head = self.version;
        let waited = std::mem::take(&mut self.early_entries);
        let mut news = vec![News::CaughtUp {
            reset,
            entries: syncing.entries,
        }];
        for ((conversation, seq), entry) in waited {
            if self.last_seq(&conversation).is_none_or(|last| seq > last) {
                self.append(entry, &mut news);
            }
        }
        for item in syncing.held {
            self.judge(item, &mut news);
        }
        Page::Last(news)
    }

    /// Takes a push. Those about the connection, not the conversations, are the caller's.
    pub(super) fn push(&mut self, push: Push) -> Vec<News> {
        let item = match push {
            Push::ConversationDeleted(push) => Item::Change {
                version: Some(push.version),
                change: Change::Deleted {
                    list: push
                        .conversation_list
                        .into_iter()
                        .map(|deleted| (deleted.conversation_id, deleted.up_to))
                        .collect(),
                    cleared: push.history_cleared,
                },
                origin: push.origin,
                is_own: false,
            },
            Push::ConversationUpdated(push) => Item::Change {
                version: Some(push.version),
                change: Change::Updated(push.conversation_list),
                origin: push.origin,
                is_own: false,
            },
            Push::MessageReceived(push) => Item::Entry(Entry::Message {
                message: push.message,
                is_own: false,
            }),
            Push::MessageRevoked(revoked) => Item::Entry(Entry::Revoked {
                revoked,
                is_own: false,
            }),
            Push::SyncHint(hint) => {
                self.head = self.head.max(hint.head);
                self.unsure = true;
                return Vec::new();
            }
            Push::KickedOut(_) | Push::ServerDraining(_) => return Vec::new(),
        };
        self.arrived(item)
    }

    /// Takes what this device did itself, from the answer. `version`: none if it was not counted.
    pub(super) fn own(&mut self, version: Option<Version>, change: Change) -> Vec<News> {
        self.arrived(Item::Change {
            version,
            change,
            origin: None,
            is_own: true,
        })
    }

    /// Takes the message this device sent, from the answer.
    pub(super) fn own_message(&mut self, message: Message) -> Vec<News> {
        self.arrived(Item::Entry(Entry::Message {
            message,
            is_own: true,
        }))
    }

    /// Takes the revocation this device made, from the answer.
    pub(super) fn own_revoke(&mut self, revoked: MessageRevoked) -> Vec<News> {
        self.arrived(Item::Entry(Entry::Revoked {
            revoked,
            is_own: true,
        }))
    }

    /// Takes a pong: it may show that a push was lost, or that all is well up to its cursor.
    pub(super) fn pong(&mut self, pong: Pong) {
        self.head = self.head.max(pong.head);
        if pong.head == self.version && self.syncing.is_none() && self.want() == Want::Nothing {
            self.cursor = Some(pong.cursor);
        }
    }

    fn arrived(&mut self, item: Item) -> Vec<News> {
        let mut news = Vec::new();
        match &mut self.syncing {
            Some(syncing) if syncing.held.len() < MOST_WAITING => syncing.held.push(item),
            Some(_) => self.unsure = true,
            None => self.judge(item, &mut news),
        }
        news
    }

    /// The gap rule.
    fn judge(&mut self, item: Item, news: &mut Vec<News>) {
        if self.early.len() + self.early_entries.len() >= MOST_WAITING {
            self.early.clear();
            self.early_entries.clear();
            self.unsure = true;
        }
        match item {
            Item::Change { version: None, .. } => self.apply(item, news),
            Item::Change {
                version: Some(version),
                ..
            } => {
                if version > self.version {
                    self.early.insert(version, item);
                    self.settle(news);
                }
            }
            Item::Entry(entry) => {
                let (conversation, seq) = entry.place();
                match self.rows.get(&conversation) {
                    // Never heard of, or deleted before this device's snapshot: its past is not missed, but how
                    // many of its messages are unread only the server knows.
                    None => {
                        self.unsure |= seq > Seq(1);
                        self.append(entry, news);
                    }
                    Some(row) if seq > row.last_seq => {
                        self.early_entries
                            .insert((conversation.clone(), seq), entry);
                        self.settle_entries(&conversation, news);
                    }
                    Some(_) => {}
                }
            }
        }
    }

    /// Applies the changes that no gap precedes any more.
    fn settle(&mut self, news: &mut Vec<News>) {
        while let Some(item) = self.early.remove(&self.version.next()) {
            self.version = self.version.next();
            self.apply(item, news);
        }
    }

    /// Likewise for the entries of one conversation's log.
    fn settle_entries(&mut self, conversation: &ConversationId, news: &mut Vec<News>) {
        while let Some(last) = self.last_seq(conversation)
            && let Some(entry) = self
                .early_entries
                .remove(&(conversation.clone(), last.next()))
        {
            self.append(entry, news);
        }
    }

    fn append(&mut self, entry: Entry, news: &mut Vec<News>) {
        let (conversation, _) = entry.place();
        let row = row_of(&mut self.rows, &conversation);
        match entry {
            Entry::Message { message, is_own } => {
                row.append(message.clone(), message.from == self.user.as_str());
                if !is_own {
                    news.push(News::Message(message));
                }
            }
            Entry::Revoked { revoked, is_own } => {
                row.revoke(revoked.seq, &revoked.id);
                if !is_own {
                    news.push(News::Revoked(revoked));
                }
            }
        }
    }

    fn apply(&mut self, item: Item, news: &mut Vec<News>) {
        let Item::Change {
            change,
            origin,
            is_own,
            ..
        } = item
        else {
            return;
        };
        match &change {
            Change::Deleted { list, cleared } => {
                for (id, up_to) in list {
                    let known = row_of(&mut self.rows, id).delete(*up_to, *cleared);
                    self.unsure |= known == Known::Roughly;
                }
            }
            Change::Updated(entries) => {
                for entry in entries.clone() {
                    self.take(entry);
                }
            }
        }
        if !is_own {
            news.push(News::Change(change, origin));
        }
    }

    /// Takes over a conversation's present state.
    fn take(&mut self, entry: ConversationEntry) {
        match entry {
            ConversationEntry::Listed(told) => {
                row_of(&mut self.rows, &told.conversation_id).take(*told);
            }
            ConversationEntry::Deleted(told) => {
                row_of(&mut self.rows, &told.conversation_id).bury(told);
            }
            ConversationEntry::Unlisted(told) => {
                let id = told.conversation_id.clone();
                row_of(&mut self.rows, &id).note(told);
            }
        }
    }
}

fn row_of<'a>(rows: &'a mut BTreeMap<ConversationId, Row>, id: &ConversationId) -> &'a mut Row {
    rows.entry(id.clone())
        .or_insert_with(|| Row::new(id.clone()))
}

#[cfg(test)]
mod tests;
