//! Pushes that wait for their turn at the network.
//!
//! A push to very many devices would keep everybody waiting who is told next, if it were written in one go. So only
//! the first are written at once; the others by a thread of their own, which takes breaks.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SendError, Sender, channel};
use std::thread::{self, Builder, JoinHandle};
use std::time::Duration;

use super::registration::Connection;

/// The thread's name, as the system shows it.
pub(super) const THREAD: &str = "chatsync-fanout";
/// Connections that are written to between two breaks: some 0.3 ms, at some microseconds each.
const AT_ONCE: usize = 64;
/// Of one push so many are written to without a break: for these few milliseconds the system can be left to share the
/// cores out.
pub(super) const WITHOUT_BREAK: usize = 1_024;
/// Long enough for others to do what they were woken for meanwhile; it makes a push to 10,000 half as slow again.
const BREAK: Duration = Duration::from_micros(150);

/// Connections with something [deferred](super::Pushed::Deferred); each is in here once at most.
#[derive(Debug)]
pub(super) struct Deferred {
    queue: Option<Sender<Vec<Arc<Connection>>>>,
    thread: Option<JoinHandle<()>>,
}

impl Deferred {
    pub(super) fn start() -> io::Result<Self> {
        let (queue, queued) = channel();
        let thread = Builder::new()
            .name(THREAD.into())
            .spawn(move || run(&queued))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    pub(super) fn add(&self, connections: Vec<Arc<Connection>>) {
        if let Some(queue) = &self.queue
            && !connections.is_empty()
            && let Err(SendError(connections)) = queue.send(connections)
        {
            // Only a panic ends the thread before its queue; they are told all the same.
            write(&connections);
        }
    }
}

impl Drop for Deferred {
    /// Waits until all that was deferred is written.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Writes until the queue is given up, and all that was in it is written.
fn run(queued: &Receiver<Vec<Arc<Connection>>>) {
    for connections in queued {
        write(&connections);
    }
}

fn write(connections: &[Arc<Connection>]) {
    for (turn, part) in connections.chunks(AT_ONCE).enumerate() {
        if turn * AT_ONCE >= WITHOUT_BREAK {
            thread::sleep(BREAK);
        }
        for connection in part {
            connection.outbox.write_deferred();
        }
    }
}
