//! A connection's queue, as it stands between two calls.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Instant;

use super::{Frame, Item, Order, Rest, Turn};
use crate::domain::Version;

#[derive(Debug)]
pub(super) enum Queued {
    Push { frame: Frame, committed: Instant },
    Answer,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Only while there is something: an idle connection has no queue.
    pub(super) waiting: Option<Box<Waiting>>,
    /// Nobody writes to the wire but whoever holds this queue's lock.
    pub(super) is_lent: bool,
    /// The newest fan-out that it was given.
    pub(super) turn: Turn,
    /// The order to close was taken.
    pub(super) over: bool,
    pub(super) reader: Option<Waker>,
}

#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// To be written before anything else.
    pub(super) rest: Option<Rest>,
    pub(super) items: VecDeque<Queued>,
    pub(super) frames: usize,
    pub(super) bytes: usize,
    /// Set: `items` is empty, and pushes only raise this.
    pub(super) hint: Option<Version>,
    pub(super) notice: Option<Frame>,
    pub(super) order: Option<Order>,
}

impl Queue {
    pub(super) fn waiting(&mut self) -> &mut Waiting {
        self.waiting.get_or_insert_default()
    }

    pub(super) fn is_deaf(&self) -> bool {
        let order = self
            .waiting
            .as_ref()
            .and_then(|waiting| waiting.order.as_ref());
        self.over || order.is_some_and(Order::is_immediate)
    }

    pub(super) fn take(&mut self) -> Option<Item> {
        let item = self.waiting.as_mut()?.take();
        self.over |= matches!(item, Some(Item::Close(_)));
        self.tidy();
        item
    }

    /// Gives the memory back once nothing waits.
    pub(super) fn tidy(&mut self) {
        self.waiting.take_if(|waiting| waiting.is_empty());
    }
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_none()
            && self.items.is_empty()
            && self.hint.is_none()
            && self.notice.is_none()
            && self.order.is_none()
    }

    pub(super) fn clear(&mut self) {
        self.items = VecDeque::new();
        self.frames = 0;
        self.bytes = 0;
    }

    pub(super) fn collapse(&mut self, head: Version) {
        self.clear();
        self.hint = Some(self.hint.map_or(head, |hint| hint.max(head)));
    }

    pub(super) fn take(&mut self) -> Option<Item> {
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
