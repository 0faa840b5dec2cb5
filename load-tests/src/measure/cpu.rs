//! Processor time, from `/proc/PID/stat`.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

/// Processor time that a process has used, in user space and in the kernel, all threads.
pub(crate) fn used(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let ticks =
        ticks(&stat).ok_or_else(|| io::Error::other("/proc/PID/stat is not as expected"))?;
    let a_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_millis(ticks * 1000 / a_second.max(1)))
}

/// Processor time that this process's threads of these names have used.
pub(crate) fn of_threads(names: &[&str]) -> io::Result<Duration> {
    let mut sum = Duration::ZERO;
    for task in fs::read_dir("/proc/self/task")? {
        let folder = task?.path();
        // One that has ended meanwhile is not one of those that go on.
        let (Ok(name), Ok(times)) = (
            fs::read_to_string(folder.join("comm")),
            fs::read_to_string(folder.join("schedstat")),
        ) else {
            continue;
        };
        if names.contains(&name.trim()) {
            let nanos = times.split(' ').next().and_then(|nanos| nanos.parse().ok());
            sum += Duration::from_nanos(nanos.unwrap_or_default());
        }
    }
    Ok(sum)
}

/// Fields 14 and 15; the name in the second one may hold anything, brackets and spaces too.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Processor time of some processes over a stretch of time.
#[derive(Debug)]
pub(crate) struct Share {
    pids: Vec<u32>,
    began: Instant,
    before: Duration,
}

impl Share {
    pub(crate) fn begin(pids: &[u32]) -> Self {
        Self {
            pids: pids.to_vec(),
            began: Instant::now(),
            before: sum(pids),
        }
    }

    /// Processor time since the beginning, in percent of one core.
    pub(crate) fn percent(&self) -> f64 {
        let used = sum(&self.pids).saturating_sub(self.before);
        100.0 * used.as_secs_f64() / self.began.elapsed().as_secs_f64().max(1e-9)
    }

    /// Processor time since the beginning.
    pub(crate) fn used(&self) -> Duration {
        sum(&self.pids).saturating_sub(self.before)
    }
}

fn sum(pids: &[u32]) -> Duration {
    pids.iter().filter_map(|pid| used(*pid).ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_read_behind_any_name() {
        let stat = "12 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20 0 4 0";
        assert_eq!(ticks(stat), Some(42));
    }

    #[test]
    fn threads_are_told_apart_by_name() {
        let busy = std::thread::Builder::new().name("busy".into()).spawn(|| {
            let began = Instant::now();
            while of_threads(&["busy"]).unwrap() < Duration::from_millis(20) {
                assert!(began.elapsed() < Duration::from_secs(10));
            }
        });
        busy.unwrap().join().unwrap();
        assert_eq!(of_threads(&["busy", "nobody"]).unwrap(), Duration::ZERO);
    }

    #[test]
    fn ones_own_time_grows() {
        let pid = std::process::id();
        let before = used(pid).unwrap();
        let began = Instant::now();
        while used(pid).unwrap() == before && began.elapsed() < Duration::from_secs(10) {
            std::hint::black_box(before);
        }
        assert!(used(pid).unwrap() > before);
    }
}
