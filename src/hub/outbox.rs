//! What waits to be written to one connection.
//!
//! A push never waits for the connection: it is written at once, or queued, or what is queued collapses into one
//! `sync.hint`.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::domain::Version;
use crate::protocol::close::Close;

/// A text frame, encoded once; cloning it copies no text.
pub type Frame = Utf8Bytes;

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

#[derive(Debug)]
enum Queued {
    Push { frame: Frame, committed: Instant },
    Answer,
}

#[derive(Debug, Default)]
struct Queue {
    /// Only while there is something: an idle connection has no queue.
    waiting: Option<Box<Waiting>>,
    /// Nobody writes to the wire but whoever holds this queue's lock.
    is_lent: bool,
    /// The order to close was taken.
    over: bool,
    reader: Option<Waker>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// To be written before anything else.
    rest: Option<Rest>,
    items: VecDeque<Queued>,
    frames: usize,
    bytes: usize,
    /// Set: `items` is empty, and pushes only raise this.
    hint: Option<Version>,
    notice: Option<Frame>,
    order: Option<Order>,
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
    /// An empty queue before a wire.
    pub fn new(bounds: Bounds, wire: Arc<dyn Wire>) -> Self {
        Self {
            most_frames: u32::try_from(bounds.frames).unwrap_or(u32::MAX),
            most_bytes: u32::try_from(bounds.bytes).unwrap_or(u32::MAX),
            wire,
            queue: Mutex::default(),
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
        self.put(frame, head, committed, true)
    }

    /// As [`push`](Self::push), leaving the writing to the reader.
    pub fn queue(&self, frame: &Frame, head: Version, committed: Instant) -> Pushed {
        self.put(frame, head, committed, false)
    }

    fn put(&self, frame: &Frame, head: Version, committed: Instant, at_once: bool) -> Pushed {
        let mut queue = self.lock();
        if queue.is_deaf() {
            return Pushed::Ignored;
        }
        if at_once && queue.is_lent && queue.waiting.is_none() {
            match self.wire.try_push(frame, committed) {
                Sent::Whole => return Pushed::Written,
                Sent::Part(written) => {
                    queue.waiting().rest = Some(Rest {
                        frame: frame.clone(),
                        committed,
                        written,
                    });
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
        let mut queue = self.lock();
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

    /// Marks where the answer to this connection's own operation belongs among the pushes.
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
            wake(queue);
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

/// Wakes the reader once the lock is free, so that it does not run into it.
fn wake(mut queue: MutexGuard<'_, Queue>) {
    queue.is_lent = false;
    let reader = queue.reader.take();
    drop(queue);
    if let Some(reader) = reader {
        reader.wake();
    }
}

impl Queue {
    fn waiting(&mut self) -> &mut Waiting {
        self.waiting.get_or_insert_default()
    }

    fn is_deaf(&self) -> bool {
        let order = self
            .waiting
            .as_ref()
            .and_then(|waiting| waiting.order.as_ref());
        self.over || order.is_some_and(Order::is_immediate)
    }

    fn take(&mut self) -> Option<Item> {
        let item = self.waiting.as_mut()?.take();
        self.over |= matches!(item, Some(Item::Close(_)));
        self.tidy();
        item
    }

    /// Gives the memory back once nothing waits.
    fn tidy(&mut self) {
        self.waiting.take_if(|waiting| waiting.is_empty());
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.rest.is_none()
            && self.items.is_empty()
            && self.hint.is_none()
            && self.notice.is_none()
            && self.order.is_none()
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
            return Some(Item::Close(order));
        }
        if let Some(frame) = self.notice.take() {
            return Some(Item::Notice(frame));
        }
        if let Some(queued) = self.items.pop_front() {
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
        self.order.take().map(Item::Close)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// A network that takes so many bytes, and shows them.
    #[derive(Debug, Default)]
    struct Pipe {
        room: Mutex<usize>,
        taken: Mutex<String>,
    }

    impl Wire for Pipe {
        fn try_push(&self, frame: &Frame, _: Instant) -> Sent {
            let mut room = self.room.lock().unwrap();
            let count = frame.len().min(*room);
            *room -= count;
            self.taken.lock().unwrap().push_str(&frame[..count]);
            match count {
                0 => Sent::Nothing,
                count if count == frame.len() => Sent::Whole,
                count => Sent::Part(count),
            }
        }

        fn address(&self) -> IpAddr {
            Ipv4Addr::LOCALHOST.into()
        }
    }

    fn outbox(frames: usize, bytes: usize) -> Outbox {
        Outbox::new(Bounds { frames, bytes }, Arc::new(Pipe::default()))
    }

    /// An empty queue before a network that takes so many bytes.
    fn outbox_with_room(room: usize) -> (Outbox, Arc<Pipe>) {
        let bounds = Bounds {
            frames: 9,
            bytes: 100,
        };
        let pipe = Arc::new(Pipe::default());
        *pipe.room.lock().unwrap() = room;
        (Outbox::new(bounds, Arc::<Pipe>::clone(&pipe)), pipe)
    }

    /// As the reader does before it rests.
    fn rest(outbox: &Outbox) {
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(outbox.poll_take(&mut context), Poll::Pending);
        outbox.lend();
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
        let outbox = Arc::new(outbox(9, 100));
        let taken = std::future::poll_fn(|context| outbox.poll_take(context));
        let pushed = async {
            tokio::task::yield_now().await;
            push(&outbox, "a", 1);
        };
        let (item, ()) = tokio::join!(taken, pushed);
        assert!(matches!(item, Item::Push { frame, .. } if frame == "a"));
    }

    #[test]
    fn a_push_goes_straight_to_a_wire_that_is_lent() {
        let (outbox, pipe) = outbox_with_room(99);
        assert_eq!(push(&outbox, "a", 1), Pushed::Queued, "nobody rests yet");
        assert_eq!(taken(&outbox), ["a"]);
        rest(&outbox);
        assert_eq!(push(&outbox, "b", 2), Pushed::Written);
        assert_eq!(push(&outbox, "c", 3), Pushed::Written);
        assert_eq!(outbox.reclaim(), None);
        assert_eq!(
            push(&outbox, "d", 4),
            Pushed::Queued,
            "it is the reader's again"
        );
        assert_eq!(taken(&outbox), ["d"]);
        assert_eq!(*pipe.taken.lock().unwrap(), "bc");
    }

    #[test]
    fn what_a_full_wire_did_not_take_is_the_readers_to_write_in_order() {
        let (outbox, pipe) = outbox_with_room(4);
        rest(&outbox);
        assert_eq!(push(&outbox, "abc", 1), Pushed::Written);
        assert_eq!(push(&outbox, "def", 2), Pushed::Queued);
        // There is room again, and still nobody overtakes.
        *pipe.room.lock().unwrap() = 99;
        assert_eq!(push(&outbox, "ghi", 3), Pushed::Queued);
        assert_eq!(*pipe.taken.lock().unwrap(), "abcd");
        let left = outbox.reclaim().unwrap();
        assert_eq!((left.frame.as_str(), left.written), ("def", 1));
        assert_eq!(taken(&outbox), ["ghi"]);

        let (outbox, _) = outbox_with_room(0);
        rest(&outbox);
        assert_eq!(push(&outbox, "abc", 1), Pushed::Queued);
        assert_eq!(outbox.reclaim(), None);
        assert_eq!(taken(&outbox), ["abc"]);
    }

    #[test]
    fn a_wire_is_lent_only_while_nothing_waits() {
        let (outbox, pipe) = outbox_with_room(99);
        push(&outbox, "a", 1);
        outbox.lend();
        assert_eq!(push(&outbox, "b", 2), Pushed::Queued);
        assert_eq!(taken(&outbox), ["a", "b"]);
        rest(&outbox);
        outbox.close(order(Close::Kicked));
        assert_eq!(push(&outbox, "c", 3), Pushed::Ignored);
        assert_eq!(taken(&outbox), ["close 4509"]);
        outbox.lend();
        assert_eq!(push(&outbox, "d", 4), Pushed::Ignored);
        assert_eq!(*pipe.taken.lock().unwrap(), "");
    }

    #[test]
    fn a_kick_does_not_cut_a_push_in_two() {
        let (outbox, _) = outbox_with_room(1);
        rest(&outbox);
        push(&outbox, "abc", 1);
        outbox.close(order(Close::Kicked));
        assert!(outbox.reclaim().is_some_and(|rest| rest.written == 1));
        assert_eq!(taken(&outbox), ["close 4509"]);
    }

    #[test]
    fn an_idle_queue_takes_no_memory() {
        let outbox = outbox(9, 100);
        push(&outbox, "a", 1);
        taken(&outbox);
        assert!(outbox.lock().waiting.is_none());
    }
}
