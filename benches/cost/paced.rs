//! How long deletions take that come at a steady rate, whether or not earlier ones have been answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::ground::{self, Ground};
use super::pick;

const TICK: Duration = Duration::from_millis(1);

/// Sorted.
pub(crate) struct Latencies(Vec<Duration>);

/// Makes `calls` deletions of one conversation, `rate` a second, and times each from when it was due to its answer.
pub(crate) async fn run(ground: Arc<Ground>, calls: usize, rate: usize) -> Latencies {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut tasks = JoinSet::new();
    let (mut number, mut due_until) = (0, 0);
    while number < calls {
        let due = ticks.tick().await.into_std();
        due_until += rate * TICK.as_micros() as usize / 1_000_000;
        while number < due_until.min(calls) {
            tasks.spawn(one(Arc::clone(&ground), number, due));
            number += 1;
        }
    }
    let mut latencies = tasks.join_all().await;
    latencies.sort_unstable();
    Latencies(latencies)
}

async fn one(ground: Arc<Ground>, number: usize, due: Instant) -> Duration {
    let (account, nth) = pick(number, ground.accounts.len());
    let call = ground::deletion(&ground.accounts, account, nth, 1, number);
    ground
        .engine
        .delete(&ground.phone(account), call)
        .await
        .unwrap();
    due.elapsed()
}

impl Latencies {
    /// In words.
    pub(crate) fn show(&self) -> String {
        let at = |share: f64| {
            let index = (share * (self.0.len() - 1) as f64) as usize;
            self.0[index].as_secs_f64() * 1e3
        };
        format!(
            "answered after ms: p50 {:.2}, p99 {:.2}, p99.9 {:.2}, at most {:.2}",
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0)
        )
    }
}
