//! Seeking the highest rate that a server keeps up with.

use super::real;
use crate::Fallible;

/// Rates are told apart down to 2^-4 of the last one that was too high.
const HALVINGS: u32 = 4;

/// Doubles a rate until it is too high, then halves the step. A rate is too high when it was not good twice: once may
/// be chance.
pub(crate) fn top(first: f64, mut is_good: impl FnMut(f64) -> Fallible<bool>) -> Fallible<f64> {
    let (mut good, mut bad) = (0.0, None);
    let mut rate = first;
    loop {
        if is_good(rate)? || is_good(rate)? {
            good = rate;
        } else {
            bad = Some(rate);
        }
        rate = match bad {
            None => good * 2.0,
            Some(bad) if bad - good > bad / real(1u64 << HALVINGS) => f64::midpoint(good, bad),
            Some(_) => return Ok(good),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_found_from_below_and_from_above() {
        for first in [100.0, 10_000.0, 64_000.0] {
            let found = top(first, |rate| Ok(rate <= 10_000.0)).unwrap();
            assert!(
                (9_300.0..=10_000.0).contains(&found),
                "{found} from {first}"
            );
        }
    }

    #[test]
    fn a_rate_that_was_bad_once_gets_a_second_chance() {
        let mut bad = 0;
        let found = top(100.0, |rate| {
            let is_first = rate <= 10_000.0 && bad == 0;
            bad += usize::from(is_first);
            Ok(rate <= 10_000.0 && !is_first)
        });
        assert!(found.unwrap() > 9_000.0);
    }
}
