//! What goes over the sockets of a server. A peer that is to be measured too implements [`Wire`] in a file here.

pub(crate) mod chatsync;
pub(crate) mod scan;

use serde::{Deserialize, Serialize};

use crate::client::order::Setup;

/// One device of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Who {
    pub(crate) account: u32,
    pub(crate) device: u32,
}

/// Numbers without holes that several devices follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stream {
    /// An account's versions.
    Account(u32),
    /// The messages between the accounts 2n and 2n + 1.
    Pair(u32),
}

/// What a device asks for after its login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Call {
    /// Delete `count` of the account's own conversations, from number `from` on.
    Delete { from: u32, count: u32 },
    /// Mark the conversation with this number as read.
    Read { conversation: u32 },
    /// Write into the conversation with this number, which makes it where it is missing.
    Seed { conversation: u32 },
    /// Write to the other account of the pair.
    Send,
    /// Say which version was applied, and ask for the newest.
    Ping { ack: u64 },
    /// Ask for what changed since the connection's cursor.
    Sync,
}

/// What a server says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    Answer {
        id: u64,
        answer: Answer<'a>,
    },
    Refusal {
        id: u64,
        code: i64,
    },
    Told(Told),
    /// Pushes were dropped.
    Hint,
    Other,
}

/// Members of an answer, as far as it has them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    /// The account's version, or the newest one in the answer to a ping.
    pub(crate) version: Option<u64>,
    /// The sequence number of a message that was sent.
    pub(crate) seq: Option<u64>,
    /// Whether the account's other devices are told.
    pub(crate) synced: bool,
    /// In a catch-up: the newest message between the accounts of the pair.
    pub(crate) pair_seq: Option<u64>,
    pub(crate) cursor: Option<&'a str>,
    pub(crate) conversations: usize,
    /// Entries of a catch-up.
    pub(crate) entries: usize,
    /// False: there are further pages.
    pub(crate) completed: bool,
    pub(crate) reset: bool,
    /// Those of several that did not succeed.
    pub(crate) failures: usize,
}

/// A numbered push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) stream: StreamKind,
    pub(crate) number: u64,
    /// The account that the content is of, if the content says so.
    pub(crate) owner: Option<u32>,
    pub(crate) content: Content,
}

/// What an operation was, as far as a push says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Content {
    /// The device that acted.
    pub(crate) device: Option<u32>,
    /// How many conversations were deleted.
    pub(crate) conversations: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamKind {
    Account,
    Pair,
}

/// The protocols that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Protocol {
    Chatsync,
}

impl Protocol {
    /// What speaks it.
    pub(crate) fn wire(self, setup: &Setup) -> Box<dyn Wire> {
        match self {
            Self::Chatsync => Box::new(chatsync::Chatsync::new(setup)),
        }
    }
}

/// A server's protocol.
pub(crate) trait Wire {
    /// The bytes that ask for the upgrade.
    fn handshake(&self) -> Vec<u8>;
    /// The first message of a connection.
    fn login(&self, id: u64, who: Who, cursor: Option<&str>) -> String;
    /// Any later message.
    fn call(&self, id: u64, who: Who, call: Call, cursor: Option<&str>) -> String;
    /// Understands a message of the server's.
    fn read<'a>(&self, message: &'a [u8]) -> Event<'a>;
}
