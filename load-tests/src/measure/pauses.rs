//! How long the machine stands still: what a thread notices that does nothing but look at the clock.

use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at the clock lies less than a microsecond. Whatever is longer than this is not the thread's own.
const NOTICED: Duration = Duration::from_micros(100);

/// What the threads noticed, one for each core: interrupts, others that ran, and, on a virtual machine, the time that
/// its host gave to somebody else.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pauses {
    /// Of the time of all cores; from 0 to 1.
    pub(crate) share: f64,
    pub(crate) longest: Duration,
}

/// Looks for so long, on all cores at once.
pub(crate) fn pauses(length: Duration) -> Pauses {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let looks: Vec<_> = (0..cores)
        .map(|_| thread::spawn(move || look(length)))
        .collect();
    let found: Vec<_> = looks
        .into_iter()
        .filter_map(|look| look.join().ok())
        .collect();
    let lost: Duration = found.iter().map(|(lost, _)| *lost).sum();
    let all = length.saturating_mul(u32::try_from(found.len()).unwrap_or(u32::MAX));
    Pauses {
        share: lost.as_secs_f64() / all.as_secs_f64().max(1e-9),
        longest: found
            .iter()
            .map(|(_, longest)| *longest)
            .max()
            .unwrap_or_default(),
    }
}

/// The sum of the pauses, and the longest.
fn look(length: Duration) -> (Duration, Duration) {
    let begin = Instant::now();
    let (mut lost, mut longest) = (Duration::ZERO, Duration::ZERO);
    let mut looked = begin;
    while looked - begin < length {
        let now = Instant::now();
        let pause = now - looked;
        if pause > NOTICED {
            lost += pause;
            longest = longest.max(pause);
        }
        looked = now;
    }
    (lost, longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where more threads want to run than there are cores, each stands still while another runs.
    #[test]
    fn a_machine_that_is_shared_stands_still_for_each_of_its_threads() {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let busy: Vec<_> = (0..2 * cores)
            .map(|_| thread::spawn(|| look(Duration::from_millis(800))))
            .collect();
        let pauses = pauses(Duration::from_millis(600));
        for thread in busy {
            thread.join().unwrap();
        }
        assert!(pauses.share > 0.1, "{pauses:?}");
        assert!(pauses.longest > Duration::from_millis(1), "{pauses:?}");
    }
}
