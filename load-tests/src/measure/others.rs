//! What else runs on the machine meanwhile.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Fallible;

/// Processor time of every program that has no part in a run, over a stretch of time.
///
/// The kernel's own threads are left out: most of what they do they do for those who take part.
#[derive(Debug)]
pub(crate) struct Others {
    taking_part: Vec<u32>,
    began: Instant,
    /// Nanoseconds of each thread.
    before: HashMap<u32, u64>,
}

impl Others {
    /// Of all but this process and these.
    pub(crate) fn begin(taking_part: impl IntoIterator<Item = u32>) -> Fallible<Self> {
        let taking_part: Vec<_> = taking_part
            .into_iter()
            .chain([std::process::id()])
            .collect();
        Ok(Self {
            before: threads(&taking_part)?,
            began: Instant::now(),
            taking_part,
        })
    }

    /// Since the beginning, in percent of one core; what has ended meanwhile is not in it.
    pub(crate) fn percent(&self) -> Fallible<f64> {
        let used: u64 = threads(&self.taking_part)?
            .into_iter()
            .map(|(thread, now)| now.saturating_sub(*self.before.get(&thread).unwrap_or(&0)))
            .sum();
        let seconds = self.began.elapsed().as_secs_f64().max(1e-9);
        Ok(100.0 * Duration::from_nanos(used).as_secs_f64() / seconds)
    }
}

/// Each thread with the nanoseconds that it has run. Clock ticks would not do: what keeps ticks from coming is not in them.
fn threads(taking_part: &[u32]) -> io::Result<HashMap<u32, u64>> {
    let mut threads = HashMap::new();
    for process in numbers(Path::new("/proc"))? {
        let folder = Path::new("/proc").join(process.to_string());
        if taking_part.contains(&process) || is_kernels(&folder) {
            continue;
        }
        // Whatever ends while it is looked at is not one of those that go on.
        for thread in numbers(&folder.join("task")).unwrap_or_default() {
            let times = fs::read_to_string(folder.join(format!("task/{thread}/schedstat")));
            let ran = times
                .ok()
                .and_then(|times| times.split(' ').next()?.parse().ok());
            threads.extend(ran.map(|ran| (thread, ran)));
        }
    }
    Ok(threads)
}

fn numbers(folder: &Path) -> io::Result<Vec<u32>> {
    let names =
        fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter_map(|name| name.parse().ok()).collect())
}

/// Nobody gave the kernel's threads a command line.
fn is_kernels(process: &Path) -> bool {
    fs::read(process.join("cmdline")).is_ok_and(|line| line.is_empty())
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    /// Never rests.
    struct Busy(Child);

    impl Busy {
        fn start() -> Self {
            let endless = ["-c", "while :; do :; done"];
            Self(Command::new("sh").args(endless).spawn().unwrap())
        }
    }

    impl Drop for Busy {
        fn drop(&mut self) {
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }

    #[test]
    fn one_that_takes_no_part_is_noticed_and_one_that_does_is_not() {
        let busy = Busy::start();
        let pid = busy.0.id();
        let ran = |taking_part: &[u32]| threads(taking_part).unwrap().get(&pid).copied();
        let began = Instant::now();
        // Until it has become what it is to run, it may look like one of the kernel's.
        while ran(&[]).unwrap_or(0) < 20_000_000 {
            assert!(began.elapsed() < Duration::from_secs(10));
        }
        assert_eq!(ran(&[pid]), None);

        let others = Others::begin([]).unwrap();
        let before = ran(&[]).unwrap();
        while ran(&[]).unwrap() < before + 20_000_000 {
            assert!(began.elapsed() < Duration::from_secs(20));
        }
        assert!(others.percent().unwrap() > 0.0);
    }

    /// There are none in a container.
    #[test]
    fn the_kernels_threads_are_none_of_them() {
        for process in numbers(Path::new("/proc")).unwrap() {
            let folder = Path::new("/proc").join(process.to_string());
            let name = fs::read_to_string(folder.join("comm")).unwrap_or_default();
            assert!(is_kernels(&folder) || name.trim() != "kthreadd");
        }
        assert!(!is_kernels(Path::new("/proc/self")));
    }
}
