//! When a connection ends: whether to come back, and when. No I/O.

use std::time::Duration;

use crate::domain::Millis;
use crate::protocol::code::Code;

/// Most that is waited between two attempts, unless the server said so.
const LONGEST: Duration = Duration::from_secs(30);
const FIRST: Duration = Duration::from_millis(500);
/// A server that says more than this is not believed.
const LONGEST_TOLD: Duration = Duration::from_mins(5);

/// What the end of a connection means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// Come back, after a while.
    Again(String),
    /// Come back with a new credential.
    Refresh(String),
    /// Coming back will not help.
    Stop(String),
}

/// Understands a close code: 4000–4499 reconnect, 4500–4999 stop (design section 6).
pub(super) fn closed(code: u16, reason: &str) -> End {
    let text = format!("closed with {code}: {reason}");
    match code {
        4401 => End::Refresh(text),
        4500..=4999 => End::Stop(text),
        // The standard ones mean a restart, an overload or a fault somewhere: all pass.
        _ => End::Again(text),
    }
}

/// Understands a refused login.
pub(super) fn refused(code: i32, text: String) -> End {
    let passes = [Code::INTERNAL, Code::TRY_AGAIN, Code::OVER_FREQUENCY_LIMIT];
    if code == Code::USERSIG_EXPIRED.number {
        End::Refresh(text)
    } else if passes.iter().any(|known| known.number == code) {
        End::Again(text)
    } else {
        End::Stop(text)
    }
}

/// Understands a handshake that was answered with an HTTP status instead of an upgrade.
pub(super) fn handshake(status: u16) -> End {
    let text = format!("no WebSocket there: HTTP status {status}");
    match status {
        408 | 429 | 500..=599 => End::Again(text),
        _ => End::Stop(text),
    }
}

/// How long to wait before each attempt.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    /// From `server.draining`: not before this.
    told: Option<Millis>,
}

impl Backoff {
    /// Logged in: the next end is a new story.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The server is about to restart, and said after how many milliseconds to come back.
    pub(super) fn draining(&mut self, now: Millis, retry_after: u64) {
        let longest = LONGEST_TOLD.as_millis();
        let wait = u128::from(retry_after).min(longest);
        self.told = Some(now.saturating_add(Millis::try_from(wait).unwrap_or(0)));
    }

    /// Full jitter: anything up to a ceiling that doubles, so that clients cut off together come back apart.
    /// What the server told is taken as it is, since it spreads them itself. `random`: any number.
    pub(super) fn next(&mut self, now: Millis, random: u64) -> Duration {
        if let Some(told) = self.told.take() {
            return Duration::from_millis(u64::try_from(told - now).unwrap_or(0));
        }
        let ceiling = FIRST
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let ceiling = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(random % (ceiling + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::close::Close;

    #[test]
    fn close_codes_are_taken_by_their_class() {
        for close in Close::ALL {
            let end = closed(close.code(), close.reason());
            match close.code() {
                4401 => assert!(matches!(end, End::Refresh(_))),
                4500.. => assert!(matches!(end, End::Stop(_))),
                _ => assert!(matches!(end, End::Again(_))),
            }
        }
        assert!(matches!(closed(4499, ""), End::Again(_)));
        assert!(matches!(closed(4999, ""), End::Stop(_)));
    }

    #[test]
    fn a_refused_login_stops_unless_it_passes() {
        let refused = |code: Code| refused(code.number, String::new());
        assert!(matches!(refused(Code::USERSIG_WRONG_KEY), End::Stop(_)));
        assert!(matches!(refused(Code::USERSIG_EXPIRED), End::Refresh(_)));
        assert!(matches!(refused(Code::TRY_AGAIN), End::Again(_)));
        assert!(matches!(handshake(404), End::Stop(_)));
        assert!(matches!(handshake(503), End::Again(_)));
    }

    #[test]
    fn waits_grow_to_a_ceiling_and_begin_anew() {
        let mut backoff = Backoff::default();
        assert!(backoff.next(0, 29_999) <= FIRST);
        for _ in 0..40 {
            assert!(backoff.next(0, u64::MAX) <= LONGEST);
        }
        assert_eq!(backoff.next(0, 29_999), Duration::from_millis(29_999));
        backoff.succeeded();
        assert!(backoff.next(0, 29_999) <= FIRST);
    }

    #[test]
    fn what_a_draining_server_said_is_kept_once() {
        let mut backoff = Backoff::default();
        backoff.draining(1_000, 5_000);
        assert_eq!(backoff.next(2_000, 7), Duration::from_secs(4));
        assert!(backoff.next(2_000, 7) <= FIRST);
        backoff.draining(1_000, 5_000);
        assert_eq!(backoff.next(9_000, 7), Duration::ZERO);
        backoff.draining(0, u64::MAX);
        assert_eq!(backoff.next(0, 7), LONGEST_TOLD);
    }
}
