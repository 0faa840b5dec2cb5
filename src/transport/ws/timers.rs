//! One clock and one alarm clock for all connections.
//!
//! A timer of its own would cost each connection more than all it has to remember; and a reading of the clock, each
//! message. Deadlines here are coarse: they are met within four ticks, never early.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use slab::Slab;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

const TICK: Duration = Duration::from_millis(100);
/// In so many parts all alarms are looked at in a tick while somebody asks for something. At once, the pings of a tick
/// would keep them waiting: 19,000 connections have 63, and as many answers. Where nobody waits at once is cheaper.
const PARTS: u32 = 10;
/// So many alarms that lie together are of one part.
const BLOCK: usize = 64;

/// A moment: ticks since the start. It lasts for 13 years.
pub(super) type Tick = u32;
pub(super) const NEVER: Tick = Tick::MAX;
/// 2³² divided by the golden ratio. Of its multiples, modulo 2³², each falls into one of the largest gaps between those
/// before (Knuth, The Art of Computer Programming, volume 3, section 6.4).
const GOLDEN: u32 = 0x9E37_79B9;

/// Where an alarm is: one above its index, for an `Option` of it to take four bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(NonZeroU32);

impl Place {
    fn new(index: usize) -> Self {
        // There are fewer descriptors than that.
        let above = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
        Self(NonZeroU32::new(above).unwrap_or(NonZeroU32::MAX))
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Who waits for the clock.
#[derive(Debug)]
struct Alarm {
    at: Tick,
    waker: Waker,
}

/// The clock, and who is to be woken when.
#[derive(Debug)]
pub struct Timers {
    began: Instant,
    now: AtomicU32,
    /// Somebody has asked for something in this tick.
    is_asked: AtomicBool,
    is_draining: AtomicBool,
    is_halted: AtomicBool,
    alarms: Mutex<Slab<Alarm>>,
    /// What was [spread](Self::spread) last: so much of 2³² parts of a time.
    share: AtomicU32,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            now: AtomicU32::new(0),
            is_asked: AtomicBool::new(false),
            is_draining: AtomicBool::new(false),
            is_halted: AtomicBool::new(false),
            alarms: Mutex::default(),
            share: AtomicU32::new(0),
        }
    }
}

impl Timers {
    /// Keeps the time until `halt`. Wakes everybody when the drain begins, and at the halt.
    pub async fn run(&self, draining: &CancellationToken, halt: &CancellationToken) {
        loop {
            tokio::select! {
                () = self.look_at_all() => {}
                () = draining.cancelled(), if !self.is_draining() => {
                    self.is_draining.store(true, Ordering::Release);
                    self.wake_all();
                }
                () = halt.cancelled() => {
                    self.is_halted.store(true, Ordering::Release);
                    self.wake_all();
                    return;
                }
            }
        }
    }

    pub(super) fn now(&self) -> Tick {
        self.now.load(Ordering::Relaxed)
    }

    /// Somebody asks for something, and will notice what keeps the server busy.
    pub(super) fn note_asked(&self) {
        // Written once in a tick: all cores read it.
        if !self.is_asked.load(Ordering::Relaxed) {
            self.is_asked.store(true, Ordering::Relaxed);
        }
    }

    /// Whether that was noted since it was last asked here.
    pub(super) fn take_asked(&self) -> bool {
        self.is_asked.swap(false, Ordering::Relaxed)
    }

    /// The first tick at which so much time has certainly gone by from now.
    pub(super) fn after(&self, time: Duration) -> Tick {
        later(self.now(), time)
    }

    /// As [`after`](Self::after), but after a part of that time, each caller another: however many there are, they
    /// share it out evenly. For what all who came at once would else do at once.
    pub(super) fn spread(&self, time: Duration) -> Tick {
        let share = self.share.fetch_add(GOLDEN, Ordering::Relaxed);
        let share = f64::from(share.wrapping_add(GOLDEN)) / f64::from(u32::MAX);
        self.after(time.mul_f64(share))
    }

    /// The server sends its clients away.
    pub(super) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Acquire)
    }

    /// Whoever is still here is cut off.
    pub(super) fn is_halted(&self) -> bool {
        self.is_halted.load(Ordering::Acquire)
    }

    /// A place for an alarm; it is to be given back.
    pub(super) fn add(&self, at: Tick, waker: Waker) -> Place {
        Place::new(self.alarms().insert(Alarm { at, waker }))
    }

    pub(super) fn set(&self, place: Place, at: Tick) {
        if let Some(alarm) = self.alarms().get_mut(place.index()) {
            alarm.at = at;
        }
    }

    pub(super) fn remove(&self, place: Place) {
        let removed = self.alarms().try_remove(place.index());
        // Not under the lock: a waker's end may be its task's, and with it of a connection that has an alarm.
        drop(removed);
    }

    /// Takes a tick.
    async fn look_at_all(&self) {
        let parts = if self.take_asked() { PARTS } else { 1 };
        for part in 0..parts {
            sleep(TICK / parts).await;
            let ticks = self.began.elapsed().as_millis() / TICK.as_millis();
            let now = Tick::try_from(ticks).unwrap_or(NEVER);
            self.now.store(now, Ordering::Relaxed);
            self.due(part, parts, now).into_iter().for_each(Waker::wake);
        }
    }

    fn due(&self, part: u32, parts: u32, now: Tick) -> Vec<Waker> {
        let mut due = Vec::new();
        let mut alarms = self.alarms();
        let (first, step) = (part as usize * BLOCK, parts as usize * BLOCK);
        let blocks = (first..alarms.capacity()).step_by(step);
        for index in blocks.flat_map(|first| first..first + BLOCK) {
            if let Some(alarm) = alarms.get_mut(index)
                && alarm.at <= now
            {
                // Once; whoever is woken sets it again.
                alarm.at = NEVER;
                due.push(alarm.waker.clone());
            }
        }
        due
    }

    fn wake_all(&self) {
        let all: Vec<_> = self
            .alarms()
            .iter()
            .map(|(_, alarm)| alarm.waker.clone())
            .collect();
        all.into_iter().for_each(Waker::wake);
    }

    fn alarms(&self) -> MutexGuard<'_, Slab<Alarm>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first tick at which so much time has certainly gone by since a moment within `from`.
pub(super) fn later(from: Tick, time: Duration) -> Tick {
    let ticks = time.as_millis().div_ceil(TICK.as_millis());
    let ticks = Tick::try_from(ticks).unwrap_or(NEVER);
    from.saturating_add(ticks).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use tokio::time::timeout;

    use super::*;

    /// So many were woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many of 1,000 that are due were woken after each part of a tick.
    async fn woken_by_and_by(is_asked: bool) -> Vec<usize> {
        let timers = Timers::default();
        let woken = Arc::new(Woken::default());
        for _ in 0..1000 {
            timers.add(0, Arc::clone(&woken).into());
        }
        if is_asked {
            timers.note_asked();
        }
        let tick = timers.look_at_all();
        tokio::pin!(tick);
        let mut after = Vec::new();
        for _ in 0..PARTS {
            _ = timeout(TICK / PARTS, &mut tick).await;
            after.push(woken.0.load(Ordering::Relaxed));
        }
        after
    }

    /// Found by a trace: ten times a second both cores had a millisecond of pings and their answers to do, and whoever
    /// deleted something just then waited for it.
    #[tokio::test(start_paused = true)]
    async fn while_somebody_asks_those_who_are_due_are_woken_by_and_by() {
        let after = woken_by_and_by(true).await;
        assert!(
            after.windows(2).all(|two| two[1] - two[0] <= 2 * BLOCK),
            "{after:?}"
        );
        assert_eq!(after.last(), Some(&1000));
    }

    #[tokio::test(start_paused = true)]
    async fn while_nobody_asks_those_who_are_due_are_woken_at_once() {
        let after = woken_by_and_by(false).await;
        assert_eq!(after[..9], [0; 9]);
        assert_eq!(after.last(), Some(&1000));
    }
}
