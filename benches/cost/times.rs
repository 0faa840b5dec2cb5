//! Processor time, by thread.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

/// What something took.
pub(crate) struct Spent {
    wall: Duration,
    /// By the thread's name.
    processor: BTreeMap<String, Duration>,
}

/// Processor time of each of this process's threads so far, by the thread's id, with its name.
type Times = BTreeMap<String, (String, Duration)>;

pub(crate) fn measure(work: impl FnOnce()) -> Spent {
    let (before, began) = (times(), Instant::now());
    work();
    let wall = began.elapsed();
    let mut processor = BTreeMap::new();
    for (id, (name, time)) in times() {
        let earlier = before.get(&id).map_or(Duration::ZERO, |(_, time)| *time);
        *processor.entry(name).or_default() += time.saturating_sub(earlier);
    }
    Spent { wall, processor }
}

fn times() -> Times {
    let mut times = Times::new();
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let task = task.unwrap();
        let read = |file| fs::read_to_string(task.path().join(file)).unwrap();
        let name = read("comm").trim().replace("chatsync-", "");
        let nanos = read("schedstat")
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let id = task.file_name().to_string_lossy().into_owned();
        times.insert(id, (name, Duration::from_nanos(nanos)));
    }
    times
}

impl Spent {
    /// In words, for one of so many.
    pub(crate) fn of(&self, count: u32) -> String {
        let each = |time: &Duration| time.as_secs_f64() * 1e6 / f64::from(count);
        let all: Duration = self.processor.values().sum();
        let mut words = format!(
            "{:7.1} µs of processor, {:6.0}/s  ",
            each(&all),
            f64::from(count) / self.wall.as_secs_f64(),
        );
        for (name, time) in &self.processor {
            if each(time) >= 0.05 {
                write!(words, " {name} {:.1}", each(time)).unwrap();
            }
        }
        words
    }
}
