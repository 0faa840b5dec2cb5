//! One clock and one alarm clock for all connections.
//!
//! A timer of its own would cost each connection more than all it has to remember; and a reading of the clock, each
//! message. Deadlines here are coarse: they are met within a tick, never early.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use slab::Slab;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Between two looks at the clock.
const TICK: Duration = Duration::from_millis(100);

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
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.tick(),
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

    fn tick(&self) {
        let ticks = self.began.elapsed().as_millis() / TICK.as_millis();
        let now = Tick::try_from(ticks).unwrap_or(NEVER);
        self.now.store(now, Ordering::Relaxed);
        let mut due = Vec::new();
        for (_, alarm) in self.alarms().iter_mut() {
            if alarm.at <= now {
                // Once; whoever is woken sets it again.
                alarm.at = NEVER;
                due.push(alarm.waker.clone());
            }
        }
        due.into_iter().for_each(Waker::wake);
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
