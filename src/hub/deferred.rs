//! Pushes that wait for their turn at the network.
//!
//! A push to very many devices would keep everybody waiting who is told next, if it were written in one go. So only
//! the first are written at once; the others by a thread of their own, a few of each push in turn, which lets others
//! have its core again and again.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SendError, Sender, channel};
use std::thread::{self, Builder, JoinHandle};

use super::registration::Connection;

/// The thread's name, as the system shows it.
pub(super) const THREAD: &str = "chatsync-fanout";
/// Connections that are written to between two offers of the core: less than 0.1 ms, at some microseconds each. The
/// system takes the core from a thread that keeps it only after some milliseconds, however urgent the one that waits.
const AT_ONCE: usize = 8;

/// Connections with something [deferred](super::Pushed::Deferred); each is in here once at most.
#[derive(Debug)]
pub(super) struct Deferred {
    queue: Option<Sender<Fanout>>,
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

    /// Has the connections of one push written to.
    pub(super) fn add(&self, connections: Vec<Arc<Connection>>) {
        let fanout = Fanout {
            connections,
            written: 0,
        };
        if let Some(queue) = &self.queue
            && !fanout.is_over()
            && let Err(SendError(mut fanout)) = queue.send(fanout)
        {
            // Only a panic ends the thread before its queue; they are told all the same.
            while !fanout.is_over() {
                fanout.write_some();
            }
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

/// Writes until the queue is given up, and all that was in it is written. Some of each push in turn: the few of one need
/// not wait for the many of another.
fn run(queued: &Receiver<Fanout>) {
    let mut under_way = VecDeque::new();
    while let Some(mut fanout) = under_way.pop_front().or_else(|| queued.recv().ok()) {
        fanout.write_some();
        // Who has come meanwhile goes before who has had a turn.
        under_way.extend(queued.try_iter());
        if !fanout.is_over() {
            under_way.push_back(fanout);
        }
    }
}

/// The connections of one push.
#[derive(Debug)]
struct Fanout {
    connections: Vec<Arc<Connection>>,
    /// So many of them have been written to.
    written: usize,
}

impl Fanout {
    fn is_over(&self) -> bool {
        self.written == self.connections.len()
    }

    fn write_some(&mut self) {
        let left = &self.connections[self.written..];
        let some = &left[..left.len().min(AT_ONCE)];
        for connection in some {
            connection.outbox.write_deferred();
        }
        self.written += some.len();
        // Costs little where nobody waits for this core, unlike a sleep.
        thread::yield_now();
    }
}
