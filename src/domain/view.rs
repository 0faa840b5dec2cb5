//! One account's view of one conversation: which of the log it lists, reads and has read.

use super::ids::{ConversationId, LogId, Millis, Seq, Version};

/// The end of a conversation's log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogHead {
    /// Seq of the newest entry, messages and control entries alike.
    pub last_seq: Seq,
    /// Seq of the newest *message*; control entries (a revoke, a group tip) don't move it.
    pub last_message_seq: Seq,
    /// Number of messages in the log since its beginning.
    pub message_count: u64,
}

impl LogHead {
    /// The end of the log once a message, or a control entry, has been appended.
    #[must_use]
    pub fn appended(self, is_control: bool) -> Self {
        let last_seq = self.last_seq.next();
        if is_control {
            return Self { last_seq, ..self };
        }
        Self {
            last_seq,
            last_message_seq: last_seq,
            message_count: self.message_count + 1,
        }
    }
}

/// What has happened to an account's part in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// A C2C or system conversation, or a group the account is in.
    Active,
    /// The log ends for this account where it left.
    Left { how: Leaving, at: LogHead },
}

/// How an account came to be outside a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    Quit,
    Kicked,
    Dissolved,
}

/// The two floors of design section 3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Floors {
    /// The conversation is listed iff its newest message is above this.
    pub hidden_upto: Seq,
    /// Entries at or below this can't be read any more.
    pub history_floor: Seq,
}

impl Floors {
    /// Raises each floor to at least `other`'s: monotone, so repeats and reorders are harmless.
    pub fn raise(&mut self, other: Self) {
        self.hidden_upto = self.hidden_upto.max(other.hidden_upto);
        self.history_floor = self.history_floor.max(other.history_floor);
    }
}

/// What a restore returns to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undo {
    pub floors: Floors,
    pub told: Floors,
    /// When the newest deletion that this undoes was made; the window runs from here.
    pub deleted_at: Millis,
}

impl Undo {
    /// Whether the deletion can still be undone.
    pub fn is_open(&self, now: Millis, window: Millis) -> bool {
        now - self.deleted_at <= window
    }
}

/// One account's row for one conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub conversation: ConversationId,
    pub log: LogId,
    /// What holds.
    pub floors: Floors,
    /// What the account's devices have been told of [`floors`](Self::floors).
    ///
    /// A deletion made while the switch is off raises the one and not the other, so that no later
    /// catch-up can give it away (design section 3, the switch).
    pub told: Floors,
    pub undo: Option<Undo>,
    pub read_upto: Seq,
    /// Number of messages in the log at or below `read_upto`.
    pub read_count: u64,
    pub is_pinned: bool,
    pub membership: Membership,
    /// The newest operation told to the account's devices that touched this row.
    pub version: Version,
}

/// What a device that catches up must be told of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// It is in the list.
    Listed,
    /// It was deleted, and the devices may know.
    Deleted,
    /// It is not in the list, and there is no deletion to tell: a group nobody has written to, or a deletion
    /// made while the switch was off. A device that shows it goes on doing so; one that doesn't, doesn't.
    Unlisted,
}

impl View {
    /// A view of a conversation the account has just come to.
    pub fn new(conversation: ConversationId, log: LogId) -> Self {
        Self {
            conversation,
            log,
            floors: Floors::default(),
            told: Floors::default(),
            undo: None,
            read_upto: Seq(0),
            read_count: 0,
            is_pinned: false,
            membership: Membership::Active,
            version: Version(0),
        }
    }

    /// The end of the log as far as this account may see.
    pub fn head(&self, log: LogHead) -> LogHead {
        match self.membership {
            Membership::Active => log,
            Membership::Left { at, .. } => at,
        }
    }

    /// Design 3.1: listed iff the newest message lies above `hidden_upto`.
    pub fn is_listed(&self, log: LogHead) -> bool {
        self.head(log).last_message_seq > self.floors.hidden_upto
    }

    pub fn listing(&self, log: LogHead) -> Listing {
        let newest = self.head(log).last_message_seq;
        if newest > self.floors.hidden_upto {
            Listing::Listed
        } else if self.told.hidden_upto > Seq(0) && newest <= self.told.hidden_upto {
            Listing::Deleted
        } else {
            Listing::Unlisted
        }
    }

    /// Messages above `read_upto`. A conversation that is not listed counts none.
    pub fn unread_count(&self, log: LogHead) -> u64 {
        if self.is_listed(log) {
            self.head(log).message_count.saturating_sub(self.read_count)
        } else {
            0
        }
    }

    /// Marks everything up to `upto` as read, where `count` messages lie at or below it.
    pub fn read(&mut self, upto: Seq, count: u64) {
        if upto > self.read_upto {
            self.read_upto = upto;
            self.read_count = count;
        }
    }

    pub fn is_active(&self) -> bool {
        self.membership == Membership::Active
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(last_seq: u64, last_message_seq: u64, message_count: u64) -> LogHead {
        LogHead {
            last_seq: Seq(last_seq),
            last_message_seq: Seq(last_message_seq),
            message_count,
        }
    }

    fn view() -> View {
        View::new(ConversationId::System, LogId(1))
    }

    #[test]
    fn a_conversation_without_messages_is_not_listed_and_not_deleted() {
        assert_eq!(view().listing(head(1, 0, 0)), Listing::Unlisted);
    }

    #[test]
    fn control_entries_neither_list_nor_count() {
        let mut view = view();
        view.floors.hidden_upto = Seq(5);
        view.told.hidden_upto = Seq(5);
        assert_eq!(view.listing(head(9, 5, 5)), Listing::Deleted);
        assert_eq!(view.unread_count(head(9, 5, 5)), 0);
    }

    #[test]
    fn an_untold_deletion_reads_as_unlisted() {
        let mut view = view();
        view.floors.hidden_upto = Seq(5);
        assert_eq!(view.listing(head(5, 5, 5)), Listing::Unlisted);
        assert_eq!(view.listing(head(6, 6, 6)), Listing::Listed);
    }

    #[test]
    fn the_log_ends_where_the_account_left() {
        let mut view = view();
        view.membership = Membership::Left {
            how: Leaving::Quit,
            at: head(4, 3, 3),
        };
        assert_eq!(view.head(head(90, 90, 80)), head(4, 3, 3));
        assert_eq!(view.unread_count(head(90, 90, 80)), 3);
    }

    #[test]
    fn reading_never_goes_back() {
        let mut view = view();
        view.read(Seq(7), 6);
        view.read(Seq(3), 3);
        assert_eq!((view.read_upto, view.read_count), (Seq(7), 6));
        assert_eq!(view.unread_count(head(9, 9, 8)), 2);
    }
}
