//! What waits to be written to one connection.
//!
//! A push never waits for the connection: it is queued, or what is queued collapses into one `sync.hint`.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::domain::Version;
use crate::protocol::close::Close;

/// A text frame, encoded once; cloning it copies no text.
pub type Frame = Utf8Bytes;

/// A queue that has emptied gives back its memory if it had grown past this many places.
const KEPT_CAPACITY: usize = 16;

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

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    Queued,
    /// It was one too many: the queue has just become a hint.
    Collapsed,
    /// It went into the hint that is still to be written.
    Folded,
    /// The connection is being closed.
    Ignored,
}

#[derive(Debug)]
enum Queued {
    Push { frame: Frame, committed: Instant },
    Answer,
}

#[derive(Debug, Default)]
struct Queue {
    items: VecDeque<Queued>,
    frames: usize,
    bytes: usize,
    /// Set: `items` is empty, and pushes only raise this.
    hint: Option<Version>,
    notice: Option<Frame>,
    order: Option<Order>,
    /// The order was taken.
    over: bool,
    reader: Option<Waker>,
}

/// A bounded queue with many writers and one reader.
///
/// A plain mutex: it is held for a few instructions, never across an await, and the waker beside the queue costs
/// an idle connection nothing.
#[derive(Debug)]
pub struct Outbox {
    bounds: Bounds,
    queue: Mutex<Queue>,
}

impl Outbox {
    /// An empty queue.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            queue: Mutex::default(),
        }
    }

    /// Queues a push, or folds it into a hint of at least `head`.
    pub fn push(&self, frame: &Frame, head: Version, committed: Instant) -> Pushed {
        let mut queue = self.lock();
        if queue.is_deaf() {
            return Pushed::Ignored;
        }
        if let Some(hint) = &mut queue.hint {
            *hint = head.max(*hint);
            return Pushed::Folded;
        }
        let fits = queue.frames < self.bounds.frames
            && queue.bytes.saturating_add(frame.len()) <= self.bounds.bytes;
        let pushed = if fits {
            queue.frames += 1;
            queue.bytes += frame.len();
            queue.items.push_back(Queued::Push {
                frame: frame.clone(),
                committed,
            });
            Pushed::Queued
        } else {
            queue.collapse(head);
            Pushed::Collapsed
        };
        wake(queue);
        pushed
    }

    /// Drops all that is queued for a hint of at least `head`.
    pub fn collapse(&self, head: Version) -> Pushed {
        let mut queue = self.lock();
        if queue.is_deaf() {
            return Pushed::Ignored;
        }
        let pushed = if queue.hint.is_some() {
            Pushed::Folded
        } else {
            Pushed::Collapsed
        };
        queue.collapse(head);
        wake(queue);
        pushed
    }

    /// Marks where the answer to this connection's own operation belongs among the pushes.
    pub fn mark_answer(&self) {
        let mut queue = self.lock();
        let is_marked = matches!(queue.items.back(), Some(Queued::Answer));
        // In a collapsed queue there is no order left to keep.
        if !is_marked && queue.hint.is_none() && !queue.is_deaf() {
            queue.items.push_back(Queued::Answer);
            wake(queue);
        }
    }

    /// Queues something that the connection must be told whatever is queued; a later notice replaces one that
    /// was not yet taken.
    pub fn notice(&self, frame: Frame) {
        let mut queue = self.lock();
        if !queue.is_deaf() {
            queue.notice = Some(frame);
            wake(queue);
        }
    }

    /// Orders the connection to be closed. Of two orders the first holds, but a restart gives way.
    pub fn close(&self, order: Order) {
        let mut queue = self.lock();
        if queue.over || queue.order.as_ref().is_some_and(Order::is_immediate) {
            return;
        }
        if order.is_immediate() {
            queue.clear();
            queue.hint = None;
            queue.notice = None;
        }
        queue.order = Some(order);
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
        let queue = self.lock();
        queue.items.len()
            + usize::from(queue.hint.is_some())
            + usize::from(queue.notice.is_some())
            + usize::from(queue.order.is_some())
    }

    /// Whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the reader once the lock is free, so that it does not run into it.
fn wake(mut queue: MutexGuard<'_, Queue>) {
    let reader = queue.reader.take();
    drop(queue);
    if let Some(reader) = reader {
        reader.wake();
    }
}

impl Queue {
    fn is_deaf(&self) -> bool {
        self.over || self.order.as_ref().is_some_and(Order::is_immediate)
    }

    fn clear(&mut self) {
        self.items = VecDeque::new();
        self.frames = 0;
        self.bytes = 0;
    }

    fn collapse(&mut self, head: Version) {
        self.clear();
        self.hint = Some(self.hint.map_or(head, |hint| hint.max(head)));
    }

    fn take(&mut self) -> Option<Item> {
        if let Some(order) = self.order.take_if(|order| order.is_immediate()) {
            self.over = true;
            return Some(Item::Close(order));
        }
        if let Some(frame) = self.notice.take() {
            return Some(Item::Notice(frame));
        }
        if let Some(queued) = self.items.pop_front() {
            if self.items.is_empty() && self.items.capacity() > KEPT_CAPACITY {
                self.items = VecDeque::new();
            }
            return Some(match queued {
                Queued::Push { frame, committed } => {
                    self.frames -= 1;
                    self.bytes -= frame.len();
                    Item::Push { frame, committed }
                }
                Queued::Answer => Item::Answer,
            });
        }
        if let Some(head) = self.hint.take() {
            return Some(Item::Hint(head));
        }
        let order = self.order.take()?;
        self.over = true;
        Some(Item::Close(order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(frames: usize, bytes: usize) -> Outbox {
        Outbox::new(Bounds { frames, bytes })
    }

    fn push(outbox: &Outbox, text: &str, head: u64) -> Pushed {
        outbox.push(&text.into(), Version(head), Instant::now())
    }

    /// What is taken, in words.
    fn taken(outbox: &Outbox) -> Vec<String> {
        std::iter::from_fn(|| outbox.try_take())
            .map(|item| match item {
                Item::Push { frame, .. } => frame.to_string(),
                Item::Answer => "answer".into(),
                Item::Hint(head) => format!("hint {head}"),
                Item::Notice(frame) => format!("notice {frame}"),
                Item::Close(order) => format!("close {}", order.close.code()),
            })
            .collect()
    }

    fn order(close: Close) -> Order {
        Order {
            farewell: None,
            close,
        }
    }

    #[test]
    fn pushes_come_out_in_order() {
        let outbox = outbox(3, 100);
        for (head, text) in ["a", "b", "c"].into_iter().enumerate() {
            assert_eq!(push(&outbox, text, head as u64), Pushed::Queued);
        }
        assert_eq!(taken(&outbox), ["a", "b", "c"]);
        assert!(outbox.is_empty());
    }

    #[test]
    fn one_frame_too_many_collapses_the_queue_into_a_hint() {
        let outbox = outbox(2, 100);
        push(&outbox, "a", 1);
        push(&outbox, "b", 2);
        assert_eq!(push(&outbox, "c", 3), Pushed::Collapsed);
        assert_eq!(push(&outbox, "d", 4), Pushed::Folded);
        assert_eq!(taken(&outbox), ["hint 4"]);
        assert_eq!(push(&outbox, "e", 5), Pushed::Queued);
        assert_eq!(taken(&outbox), ["e"]);
    }

    #[test]
    fn one_byte_too_many_collapses_the_queue_into_a_hint() {
        let outbox = outbox(100, 4);
        push(&outbox, "ab", 1);
        push(&outbox, "cd", 2);
        assert_eq!(push(&outbox, "e", 3), Pushed::Collapsed);
        assert_eq!(taken(&outbox), ["hint 3"]);
    }

    #[test]
    fn taking_makes_room() {
        let outbox = outbox(1, 2);
        for head in 1..100 {
            assert_eq!(push(&outbox, "ab", head), Pushed::Queued);
            assert_eq!(taken(&outbox), ["ab"]);
        }
    }

    #[test]
    fn a_hint_never_goes_back() {
        let outbox = outbox(0, 0);
        push(&outbox, "a", 9);
        push(&outbox, "b", 3);
        outbox.collapse(Version(5));
        assert_eq!(taken(&outbox), ["hint 9"]);
    }

    #[test]
    fn a_kick_is_first_and_silences_the_rest() {
        let outbox = outbox(2, 100);
        push(&outbox, "a", 1);
        outbox.notice("bye".into());
        outbox.close(order(Close::Kicked));
        outbox.close(order(Close::Revoked));
        assert_eq!(push(&outbox, "b", 2), Pushed::Ignored);
        assert_eq!(taken(&outbox), ["close 4509"]);
        assert_eq!(push(&outbox, "c", 3), Pushed::Ignored);
        outbox.close(order(Close::Revoked));
        assert_eq!(taken(&outbox), Vec::<String>::new());
    }

    #[test]
    fn a_kick_is_not_lost_in_a_full_queue() {
        let outbox = outbox(1, 100);
        push(&outbox, "a", 1);
        push(&outbox, "b", 2);
        outbox.close(order(Close::Kicked));
        assert_eq!(taken(&outbox), ["close 4509"]);
    }

    #[test]
    fn a_restart_lets_the_queue_out_first_and_gives_way_to_a_kick() {
        let outbox = outbox(9, 100);
        push(&outbox, "a", 1);
        outbox.notice("draining".into());
        outbox.close(order(Close::Restart));
        push(&outbox, "b", 2);
        assert_eq!(taken(&outbox), ["notice draining", "a", "b", "close 1012"]);

        let outbox = self::outbox(9, 100);
        outbox.close(order(Close::Restart));
        outbox.close(order(Close::Revoked));
        assert_eq!(taken(&outbox), ["close 4501"]);
    }

    #[test]
    fn an_answer_keeps_its_place() {
        let outbox = outbox(9, 100);
        push(&outbox, "a", 1);
        outbox.mark_answer();
        outbox.mark_answer();
        push(&outbox, "c", 3);
        assert_eq!(taken(&outbox), ["a", "answer", "c"]);
    }

    #[tokio::test]
    async fn a_waiting_reader_is_woken() {
        let outbox = std::sync::Arc::new(outbox(9, 100));
        let taken = std::future::poll_fn(|context| outbox.poll_take(context));
        let pushed = async {
            tokio::task::yield_now().await;
            push(&outbox, "a", 1);
        };
        let (item, ()) = tokio::join!(taken, pushed);
        assert!(matches!(item, Item::Push { frame, .. } if frame == "a"));
    }
}
