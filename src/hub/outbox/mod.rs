//! What waits to be written to one connection.
//!
//! A push never waits for the connection: it is written at once, or queued, or what is queued collapses into one
//! `sync.hint`.

mod queue;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::domain::Version;
use crate::protocol::close::Close;
use queue::{Queue, Queued};

/// A text frame, encoded once; cloning it copies no text.
pub type Frame = Utf8Bytes;

/// The number of a push to very many: of two, the one with the lower number was committed first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn(pub u64);

/// How much may wait for one connection.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Pushes.
    pub frames: usize,
    /// Bytes of their text.
    pub bytes: usize,
}

/// Something for the connection's owner to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Write this.
    Push {
        frame: Frame,
        /// When its operation was committed.
        committed: Instant,
    },
    /// The answer to the request this connection has in flight belongs here: pushes queued behind this are of
    /// later commits than the request's own.
    Answer,
    /// Write `sync.hint` with this head: pushes were dropped.
    Hint(Version),
    /// Write this; it is not subject to the bounds.
    Notice(Frame),
    Close(Order),
}

/// An order to close. Never lost, whatever the state of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Told before the close frame.
    pub farewell: Option<Frame>,
    pub close: Close,
}

impl Order {
    /// A restart lets out what is queued; anything else means that the device is to hear no more.
    fn is_immediate(&self) -> bool {
        self.close != Close::Restart
    }
}

/// A connection's way to the network, for a push that need not wait.
pub trait Wire: Send + Sync + fmt::Debug {
    /// Writes a push as far as the network takes it now. Never waits.
    fn try_push(&self, frame: &Frame, committed: Instant) -> Sent;

    /// Where it leads.
    fn address(&self) -> IpAddr;
}

/// How much of a push the network took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    Whole,
    /// So many bytes, with what is written around a text.
    Part(usize),
    Nothing,
}

/// A push that went out in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    pub frame: Frame,
    pub committed: Instant,
    /// Bytes of it that went.
    pub written: usize,
}

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// The network has it.
    Written,
    Queued,
    /// It was one too many: the queue has just become a hint.
    Collapsed,
    /// It went into the hint that is still to be written.
    Folded,
    /// The connection is being closed.
    Ignored,
}

/// A bounded queue with many writers and one reader, and the turn at the wire.
///
/// A plain mutex: it is held for a few instructions, or for one write that does not wait, and never across an await.
#[derive(Debug)]
pub struct Outbox {
    most_frames: u32,
    most_bytes: u32,
    wire: Arc<dyn Wire>,
    queue: Mutex<Queue>,
}

impl Outbox {
    /// An empty queue before a wire, which is given no fan-out up to `turn`.
    pub fn new(bounds: Bounds, wire: Arc<dyn Wire>, turn: Turn) -> Self {
        Self {
            most_frames: u32::try_from(bounds.frames).unwrap_or(u32::MAX),
            most_bytes: u32::try_from(bounds.bytes).unwrap_or(u32::MAX),
            wire,
            queue: Mutex::new(Queue {
                turn,
                ..Queue::default()
            }),
        }
    }

    /// Lets pushes be written to the wire by whoever has them, until the reader is woken or [reclaims](Self::reclaim)
    /// it. For a reader that has written all it had, and waits.
    pub fn lend(&self) {
        let mut queue = self.lock();
        queue.is_lent = queue.waiting.is_none() && queue.reader.is_some() && !queue.over;
    }

    /// Ends the lending. Gives what a push left undone, to be written first.
    pub fn reclaim(&self) -> Option<Rest> {
        let mut queue = self.lock();
        queue.is_lent = false;
        let rest = queue.waiting.as_mut()?.rest.take();
        queue.tidy();
        rest
    }

    /// Writes a push, or queues it, or folds it into a hint of at least `head`.
    pub fn push(&self, frame: &Frame, head: Version, committed: Instant) -> Pushed {
        self.put(self.lock(), frame, head, committed)
    }

    /// As [`push`](Self::push), or without a frame as [`collapse`](Self::collapse), unless it has had this turn's push,
    /// or that of a later one.
    pub fn take_turn(
        &self,
        turn: Turn,
        frame: Option<&Frame>,
        head: Version,
        committed: Instant,
    ) -> Pushed {
        let mut queue = self.lock();
        if turn <= queue.turn {
            return Pushed::Ignored;
        }
        queue.turn = turn;
        match frame {
            Some(frame) => self.put(queue, frame, head, committed),
            None => fold(queue, head),
        }
    }

    /// Writes to the wire that is lent. The rest of a push that went in part is kept for the reader.
    fn write(&self, queue: &mut Queue, frame: &Frame, committed: Instant) -> Sent {
        let sent = self.wire.try_push(frame, committed);
        if let Sent::Part(written) = sent {
            queue.waiting().rest = Some(Rest {
                frame: frame.clone(),
                committed,
                written,
            });
        }
        sent
    }

    fn put(
        &self,
        mut queue: MutexGuard<'_, Queue>,
        frame: &Frame,
        head: Version,
        committed: Instant,
    ) -> Pushed {
        if queue.is_deaf() {
            return Pushed::Ignored;
        }
        if queue.is_lent && queue.waiting.is_none() {
            match self.write(&mut queue, frame, committed) {
                Sent::Whole => return Pushed::Written,
                Sent::Part(_) => {
                    wake(queue);
                    return Pushed::Queued;
                }
                Sent::Nothing => {}
            }
        }
        let waiting = queue.waiting();
        if let Some(hint) = &mut waiting.hint {
            *hint = head.max(*hint);
            return Pushed::Folded;
        }
        let fits = waiting.frames < self.most_frames as usize
            && waiting.bytes.saturating_add(frame.len()) <= self.most_bytes as usize;
        let pushed = if fits {
            waiting.frames += 1;
            waiting.bytes += frame.len();
            waiting.items.push_back(Queued::Push {
                frame: frame.clone(),
                committed,
            });
            Pushed::Queued
        } else {
            waiting.collapse(head);
            Pushed::Collapsed
        };
        wake(queue);
        pushed
    }

    /// Drops all that is queued for a hint of at least `head`.
    pub fn collapse(&self, head: Version) -> Pushed {
        fold(self.lock(), head)
    }

    /// Marks where the answer to this connection's own operation belongs among the pushes. Wakes nobody: the answer,
    /// which follows, does.
    pub fn mark_answer(&self) {
        let mut queue = self.lock();
        if queue.is_deaf() {
            return;
        }
        let waiting = queue.waiting();
        let is_marked = matches!(waiting.items.back(), Some(Queued::Answer));
        // In a collapsed queue there is no order left to keep.
        if !is_marked && waiting.hint.is_none() {
            waiting.items.push_back(Queued::Answer);
        }
    }

    /// Queues something that the connection must be told whatever is queued; a later notice replaces one that
    /// was not yet taken.
    pub fn notice(&self, frame: Frame) {
        let mut queue = self.lock();
        if !queue.is_deaf() {
            queue.waiting().notice = Some(frame);
            wake(queue);
        }
    }

    /// Orders the connection to be closed. Of two orders the first holds, but a restart gives way.
    pub fn close(&self, order: Order) {
        let mut queue = self.lock();
        if queue.is_deaf() {
            return;
        }
        let waiting = queue.waiting();
        if order.is_immediate() {
            waiting.clear();
            waiting.hint = None;
            waiting.notice = None;
        }
        waiting.order = Some(order);
        wake(queue);
    }

    /// The next thing to do, if there is one.
    pub fn try_take(&self) -> Option<Item> {
        self.lock().take()
    }

    /// As [`try_take`](Self::try_take), or wakes the task once there is something. For one reader only.
    pub fn poll_take(&self, context: &mut Context<'_>) -> Poll<Item> {
        let mut queue = self.lock();
        if let Some(item) = queue.take() {
            return Poll::Ready(item);
        }
        match &mut queue.reader {
            Some(reader) => reader.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// How many things can be taken now.
    pub fn len(&self) -> usize {
        self.lock().waiting.as_ref().map_or(0, |waiting| {
            waiting.items.len()
                + usize::from(waiting.hint.is_some())
                + usize::from(waiting.notice.is_some())
                + usize::from(waiting.order.is_some())
        })
    }

    /// Whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the wire leads.
    pub fn address(&self) -> IpAddr {
        self.wire.address()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fold(mut queue: MutexGuard<'_, Queue>, head: Version) -> Pushed {
    if queue.is_deaf() {
        return Pushed::Ignored;
    }
    let waiting = queue.waiting();
    let pushed = if waiting.hint.is_some() {
        Pushed::Folded
    } else {
        Pushed::Collapsed
    };
    waiting.collapse(head);
    wake(queue);
    pushed
}

/// Wakes the reader once the lock is free, so that it does not run into it.
fn wake(mut queue: MutexGuard<'_, Queue>) {
    queue.is_lent = false;
    let reader = queue.reader.take();
    drop(queue);
    if let Some(reader) = reader {
        reader.wake();
    }
}
