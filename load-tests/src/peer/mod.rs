//! Other servers that can do a part of what chatsync does, to be measured beside it: each started in a folder of its
//! own, on a free port of 127.0.0.1, with the settings in `load-tests/peers`.

mod ejabberd;
mod install;
mod nats;
mod node;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::Fallible;
use crate::server::{self, Server};
use crate::wire::Protocol;

pub(crate) use install::install;

/// A server to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// socket.io, a room for each user
    #[value(name = "socket.io")]
    SocketIo,
    /// A server of a few lines on ws
    Ws,
    /// A server of a few lines on uWebSockets, a topic for each user
    Uwebsockets,
    /// ejabberd, XMPP over WebSocket, an account for each user
    Ejabberd,
    /// nats-server over WebSocket, a subject for each user
    Nats,
}

impl Peer {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SocketIo => "socket.io",
            Self::Ws => "ws",
            Self::Uwebsockets => "uWebSockets",
            Self::Ejabberd => "ejabberd",
            Self::Nats => "nats-server",
        }
    }

    /// What a connection has been through when it counts as ready.
    pub(crate) fn login(self) -> &'static str {
        match self {
            Self::Ws | Self::Uwebsockets => "none: the address names the user",
            Self::SocketIo => "namespace connected, room joined; no credential",
            Self::Ejabberd => "SASL PLAIN, resource bound",
            Self::Nats => "CONNECT, subscription; no credential",
        }
    }

    /// How one device's event reaches the user's others.
    pub(crate) fn event(self) -> &'static str {
        match self {
            Self::SocketIo => "an event to the user's room",
            Self::Ws => "a message, sent on to each",
            Self::Uwebsockets => "a message to the user's topic",
            Self::Ejabberd => "a headline to the own bare address",
            Self::Nats => "a message to the user's subject",
        }
    }

    /// What was installed.
    pub(crate) fn version(self, folder: &Path) -> Fallible<String> {
        match self {
            Self::SocketIo => node::version(folder, "socket.io"),
            Self::Ws => node::version(folder, "ws"),
            Self::Uwebsockets => node::version(folder, "uwebsockets"),
            Self::Ejabberd => ejabberd::version(),
            Self::Nats => nats::version(),
        }
    }

    /// Starts it, with so many accounts where it has any.
    pub(crate) fn start(self, folder: &Path, accounts: u32) -> Fallible<Server> {
        let started = match self {
            Self::SocketIo => node::start(folder, "socket.io.js", Protocol::SocketIo),
            Self::Ws => node::start(folder, "ws.js", Protocol::Plain),
            Self::Uwebsockets => node::start(folder, "uwebsockets.js", Protocol::Plain),
            Self::Ejabberd => ejabberd::start(accounts),
            Self::Nats => nats::start(),
        };
        started.map_err(|error| format!("{} did not start: {error}", self.name()).into())
    }
}

/// What an installed program prints.
fn output(name: &str, arguments: &[&str]) -> Fallible<String> {
    server::output(&program(name)?, arguments)
}

/// Where an installed program is.
fn program(name: &str) -> Fallible<PathBuf> {
    Ok(install::find(name).ok_or_else(|| format!("{name} is not installed"))?)
}
