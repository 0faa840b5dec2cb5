//! One WebSocket: the only place that reads and writes it.
//!
//! A connection is a task of few bytes: it is polled when there is something to do, and holds a buffer only as long
//! as something is incomplete. What is on its way out goes first; nothing else happens while the socket is full. Then
//! whichever is there:
//! - a message from the client, as long as no request of its is in hand: requests are answered one at a time, in
//!   the order in which they came;
//! - the answer to the request in hand;
//! - what the hub queued: pushes go on while a request is in hand;
//! - time: pings, silence, a login that does not come, a credential that runs out, a socket that stays full.
//!
//! With nothing left to do it lends the socket to the hub: a push is then written without waking the task.
//!
//! # Order on the wire
//! Pushes and answers carry versions, and a client that sees a gap waits before it asks. So an answer is written
//! where its operation belongs among the pushes: the hub leaves a mark in the actor's own queue as it tells the
//! others ([`Item::Answer`](crate::hub::Item::Answer)). What is queued before the mark is written first, what is
//! behind it waits for the answer.

mod calls;
mod claim;
mod connection;
mod end;
mod finish;
mod frame;
mod limit;
mod line;
mod login;
mod reader;
mod session;
mod socket;
#[cfg(test)]
mod tests;
mod timers;
pub(super) mod upgrade;

pub use socket::Socket;
pub use timers::Timers;

use std::sync::Arc;

use super::{Context, Peer};
use connection::Connection;

/// Serves one client until it goes or is sent away, and closes the socket. `early`: what was read from it already.
pub fn serve<S: Socket>(
    socket: S,
    early: &[u8],
    context: &Arc<Context>,
    peer: Arc<Peer>,
) -> impl Future<Output = ()> + Send + use<S> {
    Connection::new(socket, early, Arc::clone(context), peer)
}
