//! Which fan-outs are under way, and what may not be said to have been told before they have come through.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use super::{Fanout, Push};
use crate::bus::Audience;
use crate::domain::Position;
use crate::hub::Turn;
use crate::hub::registration::Connection;

/// Audiences that the thread has in hand, each in its turn: the few of one need not wait for the many of another.
const MOST_IN_HAND: usize = 8;
/// Fan-outs under way, before an audience that has more coming gets one hint in place of all that the thread has not
/// begun. What is held in memory are their frames, and the list of each audience.
pub(in crate::hub) const MOST_UNDER_WAY: usize = 256;

/// The fan-outs that are under way, oldest first.
///
/// Noted by one thread, that of the commits in their order; begun and finished by one, but looked at by all.
#[derive(Debug, Default)]
pub(in crate::hub) struct UnderWay {
    /// How many there are: mostly none, and then nobody need look.
    count: AtomicUsize,
    state: Mutex<State>,
    /// Something was noted, or the end.
    noted: Condvar,
}

/// Fan-outs to one audience, oldest first; never none.
pub(in crate::hub) type Batch = Vec<Arc<Fanout>>;

#[derive(Debug, Default)]
struct State {
    list: VecDeque<Entry>,
    newest: Turn,
    /// Something may be begun.
    has_changed: bool,
    is_over: bool,
}

#[derive(Debug)]
struct Entry {
    fanout: Arc<Fanout>,
    /// The thread has it in hand.
    is_in_hand: bool,
    is_done: bool,
    /// How far commits had come before the next one: so far all is in the queues once this and those before it are done.
    position: Option<Position>,
}

impl UnderWay {
    /// The newest turn there has been.
    pub(in crate::hub) fn newest(&self) -> Turn {
        self.state().newest
    }

    /// Notes a push as under way.
    pub(in crate::hub) fn add(&self, push: Push) {
        let mut state = self.state();
        state.newest = Turn(state.newest.0 + 1);
        let turn = state.newest;
        let Push {
            to,
            except,
            frame,
            version,
            committed,
        } = push;
        let mut fanout = Fanout {
            turn,
            to: to.sorted(),
            except,
            frame,
            version,
            committed,
        };
        let mut position = None;
        if state.list.len() >= MOST_UNDER_WAY {
            fanout.frame = None;
            position = state.supersede(&mut fanout);
        }
        state.list.push_back(Entry {
            fanout: Arc::new(fanout),
            is_in_hand: false,
            is_done: false,
            position,
        });
        self.count.store(state.list.len(), Ordering::Release);
        state.has_changed = true;
        drop(state);
        self.noted.notify_one();
    }

    /// Commits have come to `position`. Gives it back if nothing is under way that was committed before.
    pub(in crate::hub) fn hold(&self, position: Position) -> Option<Position> {
        if self.count.load(Ordering::Acquire) == 0 {
            return Some(position);
        }
        match self.state().list.back_mut() {
            Some(last) => {
                last.position = last.position.max(Some(position));
                None
            }
            None => Some(position),
        }
    }

    /// Those that are for this connection, oldest first.
    pub(in crate::hub) fn to(&self, connection: &Connection) -> SmallVec<[Arc<Fanout>; 4]> {
        if self.count.load(Ordering::Acquire) == 0 {
            return SmallVec::new();
        }
        let state = self.state();
        let entries = state.list.iter();
        entries
            .filter(|entry| !entry.is_done && entry.fanout.is_for(connection))
            .map(|entry| Arc::clone(&entry.fanout))
            .collect()
    }

    /// Takes fan-outs in hand, those to one audience together. If there are none yet, waits for some; none then means that
    /// it is over.
    pub(in crate::hub) fn begin(&self, has_any: bool) -> Vec<Batch> {
        let mut state = self.state();
        loop {
            let begun = state.begin();
            if has_any || !begun.is_empty() || state.is_over {
                return begun;
            }
            state = self
                .noted
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes those out that have been given to all. Gives how far all is in the queues, if that is further than before.
    pub(in crate::hub) fn finish(&self, batch: &[Arc<Fanout>]) -> Option<Position> {
        let mut state = self.state();
        let turns = batch.first()?.turn..=batch.last()?.turn;
        for entry in &mut state.list {
            let is_among = turns.contains(&entry.fanout.turn);
            entry.is_done |= is_among && batch.iter().any(|one| Arc::ptr_eq(one, &entry.fanout));
        }
        let mut reached = None;
        while let Some(entry) = state.list.pop_front_if(|entry| entry.is_done) {
            reached = reached.max(entry.position);
        }
        self.count.store(state.list.len(), Ordering::Release);
        state.has_changed = true;
        reached
    }

    pub(in crate::hub) fn end(&self) {
        self.state().is_over = true;
        self.noted.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Those to be taken in hand now, unless others to the same audience are. What comes meanwhile waits for them: each
    /// way through an audience brings all that had come when it began.
    fn begin(&mut self) -> Vec<Batch> {
        if !std::mem::take(&mut self.has_changed) {
            return Vec::new();
        }
        let in_hand = self
            .list
            .iter()
            .filter(|entry| entry.is_in_hand && !entry.is_done);
        let mut busy: Vec<Audience> = Vec::new();
        for entry in in_hand {
            if !busy.contains(&entry.fanout.to) {
                busy.push(entry.fanout.to.clone());
            }
        }
        let mut begun: Vec<Batch> = Vec::new();
        for entry in self.list.iter_mut().filter(|entry| !entry.is_in_hand) {
            let to = &entry.fanout.to;
            let known = begun.iter().position(|batch| batch[0].to == *to);
            let has_room = busy.len() + begun.len() < MOST_IN_HAND;
            let fanout = Arc::clone(&entry.fanout);
            match known {
                Some(at) => begun[at].push(fanout),
                None if has_room && !busy.contains(to) => begun.push(vec![fanout]),
                None => continue,
            }
            entry.is_in_hand = true;
        }
        begun
    }

    /// Takes out those to the same audience that the thread has not begun: `hint` tells of them too, also those few who
    /// had them already. Gives the position that was held by them and those after them, to be held by the hint.
    fn supersede(&mut self, hint: &mut Fanout) -> Option<Position> {
        let mut position = None;
        let mut has_any = false;
        self.list.retain_mut(|entry| {
            let is_old = !entry.is_in_hand && entry.fanout.to == hint.to;
            if is_old {
                // Its own device knows only what it did itself.
                hint.except = None;
            }
            has_any |= is_old;
            if has_any {
                position = position.max(entry.position.take());
            }
            !is_old
        });
        position
    }
}
