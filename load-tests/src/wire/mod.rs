//! What goes over the sockets of a server. A peer that is to be measured too implements [`Wire`] in a file here.

pub(crate) mod chatsync;
pub(crate) mod event;
pub(crate) mod nats;
pub(crate) mod plain;
pub(crate) mod scan;
pub(crate) mod socketio;
pub(crate) mod xmpp;

use std::rc::Rc;

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
    /// The messages of a circle: of accounts that write to each other.
    Circle(u32),
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
    /// Write to the account's circle.
    Send,
    /// Make the circle's group, with this account alone.
    Found,
    /// Add `count` accounts to it, beginning so many after this one.
    Invite { from: u32, count: u32 },
    /// Say which version was applied, and ask for the newest.
    Ping { ack: u64 },
    /// Ask for what changed since the connection's cursor.
    Sync,
    /// Tell the account's other devices something, with the number that the harness gives it. Not acknowledged.
    Publish { number: u64 },
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
    /// The protocol wants this said: the next step of a login, or the answer to a sign of life.
    Reply(String),
    /// A login in several steps is complete.
    Ready,
    /// A login was turned down, or the connection is given up.
    TurnedDown(&'a str),
    /// Not what a server of this kind says.
    Garbled,
    Other,
}

/// What a client does first once the upgrade is there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Log in with a call of this number, which the server answers.
    Call(String),
    /// Say this, and wait for [`Event::Ready`].
    Say(String),
    /// Wait for the server to begin.
    Listen,
    /// There is no login.
    None,
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
    /// In a catch-up: the newest message of the circle.
    pub(crate) circle_seq: Option<u64>,
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
    Circle,
}

/// The protocols that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Protocol {
    Chatsync,
    Plain,
    SocketIo,
    Nats,
    Xmpp,
}

impl Protocol {
    /// What speaks it.
    pub(crate) fn wire(self, setup: &Setup) -> Rc<dyn Wire> {
        let host = setup.access.server.to_string();
        match self {
            Self::Chatsync => Rc::new(chatsync::Chatsync::new(setup)),
            Self::Plain => Rc::new(plain::Plain { host }),
            Self::SocketIo => Rc::new(socketio::SocketIo { host }),
            Self::Nats => Rc::new(nats::Nats { host }),
            Self::Xmpp => Rc::new(xmpp::Xmpp { host }),
        }
    }
}

/// A server's protocol.
pub(crate) trait Wire {
    /// Whether its messages are binary ones, not text.
    fn is_binary(&self) -> bool {
        false
    }
    /// The bytes that ask for the upgrade.
    fn handshake(&self, who: Who) -> Vec<u8>;
    /// The first message of a connection.
    fn open(&self, id: u64, who: Who, cursor: Option<&str>) -> Opening;
    /// Any later message; none if the protocol has no such call.
    fn call(&self, id: u64, who: Who, call: Call, cursor: Option<&str>) -> Option<String>;
    /// Understands a message of the server's, and gives each thing that it says to `each`.
    fn read(&self, who: Who, message: &[u8], each: &mut dyn FnMut(Event<'_>));
}

/// What a wire makes of a message, as text: an event is of its message's life.
#[cfg(test)]
fn heard(wire: &dyn Wire, message: &[u8]) -> Vec<String> {
    let mut heard = Vec::new();
    wire.read(event::tests::WHO, message, &mut |event| {
        heard.push(format!("{event:?}"));
    });
    heard
}
