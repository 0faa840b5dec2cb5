//! One conversation as a device keeps it: floors, newest message, unread.

use crate::domain::{ConversationId, Seq};
use crate::protocol::conversation::{
    Conversation, GroupProfile, MembershipState, Message, Tombstone, Unlisted,
};

/// Listed or not: a deleted conversation is kept too, for when a message brings it back.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: ConversationId,
    pub(super) last_message: Option<Message>,
    pub(super) is_pinned: bool,
    pub(super) membership: MembershipState,
    pub(super) name: Option<String>,
    pub(super) read_up_to: Seq,
    /// Seq of the newest entry of which all before are known: what the gap rule counts from.
    pub(super) last_seq: Seq,
    /// Seq of the newest message; control entries left out.
    newest: Seq,
    hidden: Seq,
    unread: Unread,
}

/// The server counts up to some seq, the device from there on.
#[derive(Debug, Clone, Default)]
struct Unread {
    told: u64,
    told_at: Seq,
    since: Vec<Seq>,
}

/// What is left open when a device has only counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Exactly,
    /// The server must be asked for the unread count.
    Roughly,
}

impl Row {
    pub(super) fn new(id: ConversationId) -> Self {
        Self {
            id,
            last_message: None,
            is_pinned: false,
            membership: MembershipState::Active,
            name: None,
            read_up_to: Seq(0),
            last_seq: Seq(0),
            newest: Seq(0),
            hidden: Seq(0),
            unread: Unread::default(),
        }
    }

    /// Design 3.1: listed iff the newest message is above the deletion floor.
    pub(super) fn is_listed(&self) -> bool {
        self.newest > self.hidden
    }

    pub(super) fn unread_count(&self) -> u64 {
        if self.is_listed() {
            self.unread.told + self.unread.since.len() as u64
        } else {
            0
        }
    }

    /// Appends the log's next entry; `is_own`: written by this account.
    pub(super) fn append(&mut self, message: Message, is_own: bool) {
        self.last_seq = message.seq;
        if message.is_control {
            return;
        }
        self.newest = message.seq;
        if !is_own && message.seq > self.read_up_to {
            self.unread.since.push(message.seq);
        }
        self.last_message = Some(message);
    }

    /// The log's next entry says that `id` was revoked.
    pub(super) fn revoke(&mut self, seq: Seq, id: &str) {
        self.last_seq = seq;
        if let Some(message) = self.last_message.as_mut().filter(|last| last.id == id) {
            message.is_revoked = true;
            message.payload = None;
        }
    }

    /// Deleted up to here. A message above it was not seen by whoever deleted, and stays.
    pub(super) fn delete(&mut self, up_to: Seq, cleared: bool) -> Known {
        self.hidden = self.hidden.max(up_to);
        self.is_pinned = false;
        if cleared {
            self.clear(up_to);
        }
        self.read(up_to)
    }

    /// History up to here is gone.
    pub(super) fn clear(&mut self, up_to: Seq) {
        if self
            .last_message
            .as_ref()
            .is_some_and(|last| last.seq <= up_to)
        {
            self.last_message = None;
        }
    }

    pub(super) fn read(&mut self, up_to: Seq) -> Known {
        if up_to <= self.read_up_to {
            return Known::Exactly;
        }
        self.read_up_to = up_to;
        self.unread.since.retain(|seq| *seq > up_to);
        if up_to >= self.unread.told_at {
            self.unread.told = 0;
        }
        if self.unread.told == 0 {
            Known::Exactly
        } else {
            Known::Roughly
        }
    }

    /// Takes over the server's present state. Entries that came after it was read stay.
    pub(super) fn take(&mut self, told: Conversation) {
        let is_newer = told.last_seq >= self.last_seq;
        self.hidden = told.hidden_up_to;
        self.is_pinned = told.is_pinned;
        self.membership = told.membership;
        self.read_up_to = told.read_up_to;
        self.set_name(told.group_profile);
        self.unread.told = told.unread_count;
        self.unread.told_at = told.last_seq;
        self.unread.since.retain(|seq| *seq > told.last_seq);
        if is_newer {
            self.last_seq = told.last_seq;
            self.newest = told.last_message_seq;
            self.last_message = told.last_message;
        }
        self.clear(told.history_floor);
    }

    /// Takes over a deletion that happened while the device was away.
    pub(super) fn bury(&mut self, told: Tombstone) {
        self.last_seq = self.last_seq.max(told.last_seq);
        self.membership = told.membership;
        self.set_name(told.group_profile);
        // Not `delete`: a tombstone says how it is now, and an undone deletion may have gone further.
        self.hidden = told.up_to;
        self.is_pinned = false;
        self.clear(told.history_floor);
        self.read(told.read_up_to);
        // Hidden: every message it has lies below.
        self.unread = Unread::default();
    }

    /// Takes over news that neither list nor hide.
    pub(super) fn note(&mut self, told: Unlisted) {
        self.is_pinned = told.is_pinned;
        self.membership = told.membership;
        self.set_name(told.group_profile);
        self.last_seq = self.last_seq.max(told.last_seq);
        // The server tells no count of what it doesn't list, so there is nothing to ask for.
        self.read(told.read_up_to);
    }

    fn set_name(&mut self, profile: Option<GroupProfile>) {
        if let Some(profile) = profile {
            self.name = Some(profile.name);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in crate::cli::client) fn message(conversation: &str, seq: u64, from: &str) -> Message {
        serde_json::from_value(json!({
            "ID": format!("m{seq}"), "conversationID": conversation, "seq": seq, "from": from, "time": seq,
            "type": "TIMTextElem", "payload": { "text": format!("text {seq}") },
            "isRevoked": false, "isControl": false,
        }))
        .unwrap()
    }

    pub(in crate::cli::client) fn conversation(id: &str, seq: u64, unread: u64) -> Conversation {
        serde_json::from_value(json!({
            "conversationID": id, "type": "C2C", "unreadCount": unread, "isPinned": false,
            "lastMessage": message(id, seq, "bob"), "lastSeq": seq, "readUpTo": seq - unread,
            "lastMessageSeq": seq, "hiddenUpTo": 0, "historyFloor": 0, "membership": "active",
        }))
        .unwrap()
    }

    fn row(seq: u64, unread: u64) -> Row {
        let told = conversation("C2Cbob", seq, unread);
        let mut row = Row::new(told.conversation_id.clone());
        row.take(told);
        row
    }

    #[test]
    fn a_deletion_hides_reads_and_unpins() {
        let mut row = row(5, 2);
        row.is_pinned = true;
        assert_eq!(row.delete(Seq(5), true), Known::Exactly);
        assert!(!row.is_listed() && !row.is_pinned && row.last_message.is_none());
        assert_eq!((row.unread_count(), row.read_up_to), (0, Seq(5)));
    }

    #[test]
    fn a_message_that_came_during_the_deletion_stays_listed() {
        let mut row = row(5, 2);
        row.append(message("C2Cbob", 6, "bob"), false);
        assert_eq!(row.delete(Seq(5), true), Known::Exactly);
        assert!(row.is_listed());
        assert_eq!(row.unread_count(), 1);
        assert_eq!(row.last_message.unwrap().seq, Seq(6));
    }

    #[test]
    fn only_a_message_brings_a_conversation_back() {
        let mut row = row(5, 0);
        row.delete(Seq(5), false);
        row.append(
            Message {
                is_control: true,
                ..message("C2Cbob", 6, "")
            },
            false,
        );
        row.revoke(Seq(7), "m5");
        assert!(!row.is_listed());
        assert_eq!(row.last_seq, Seq(7));
        row.append(message("C2Cbob", 8, "bob"), false);
        assert!(row.is_listed());
        assert_eq!(row.unread_count(), 1);
    }

    #[test]
    fn own_messages_are_not_unread() {
        let mut row = row(5, 0);
        row.append(message("C2Cbob", 6, "alice"), true);
        assert_eq!(row.unread_count(), 0);
    }

    #[test]
    fn reading_part_of_what_the_server_counted_must_be_asked() {
        let mut row = row(5, 3);
        row.append(message("C2Cbob", 6, "bob"), false);
        assert_eq!(row.read(Seq(3)), Known::Roughly);
        assert_eq!(row.read(Seq(5)), Known::Exactly);
        assert_eq!(row.unread_count(), 1);
        assert_eq!(row.read(Seq(2)), Known::Exactly);
        assert_eq!(row.read_up_to, Seq(5));
    }

    #[test]
    fn an_older_state_does_not_take_back_a_newer_message() {
        let mut row = row(5, 0);
        row.append(message("C2Cbob", 6, "bob"), false);
        row.take(conversation("C2Cbob", 5, 1));
        assert_eq!(row.last_seq, Seq(6));
        assert_eq!(row.unread_count(), 2);
        assert_eq!(row.last_message.unwrap().seq, Seq(6));
    }

    #[test]
    fn a_restored_conversation_is_listed_again() {
        let mut row = row(5, 0);
        row.delete(Seq(5), true);
        row.take(conversation("C2Cbob", 5, 0));
        assert!(row.is_listed() && row.last_message.is_some());
    }

    #[test]
    fn a_cleared_conversation_stays_listed_until_it_is_deleted() {
        let mut row = row(5, 0);
        row.take(Conversation {
            last_message: None,
            history_floor: Seq(5),
            ..conversation("C2Cbob", 5, 0)
        });
        assert!(row.is_listed());
        row.delete(Seq(5), false);
        assert!(!row.is_listed());
    }
}
