//! A real server, real WebSockets, and devices that tell what they see.
//!
//! - [`TestServer`] runs the server in this process, on port 0, on a clock that tests set.
//! - [`ServerProcess`] runs the real binary, so that it can be killed.
//! - [`TestDevice`] is one device on the wire; what it receives it applies to its [`Replica`].
//! - [`Browser`] calls what the console's pages call.
//! - [`Figures`] are what `/metrics` shows.
//! - [`Replica`](replica::Replica) is the client's side of the protocol without any I/O.
//!
//! Nothing sleeps: a device waits for what it expects, and "nothing came" is shown by a ping, whose answer the
//! server sends after every push that was queued before it.

mod browser;
mod clock;
mod device;
mod figures;
mod process;
mod replica;
mod server;
mod story;
mod types;
mod wire;

pub(crate) use browser::{Answer, Browser, Streamed};
pub(crate) use clock::{DAY, HOUR, SECOND, START};
pub(crate) use device::{Event, TestDevice, Who};
pub(crate) use figures::Figures;
pub(crate) use process::{Ended, Launch, ServerProcess};
pub(crate) use server::{APP, Host, OTHER_APP, TestServer, key_of, unused_number, user_sig};
pub(crate) use story::{all_show, text_message};
pub(crate) use types::{Entry, Message, RpcError, SyncAnswer};
pub(crate) use wire::PATIENCE;
