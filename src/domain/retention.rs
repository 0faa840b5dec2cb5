//! How long history is kept, where an app limits it ([`Features::history_retention`](super::Features)).
//!
//! 1. An entry older than the limit has expired, and with it everything before it in its log. Whoever reads a log
//!    backwards comes to its beginning there ([`Horizon`]). That holds at once, for everybody, swept or not.
//! 2. Some time later the expired part is erased ([`last_expired`]). Seqs and the number of messages in a log go on
//!    as if it were still there.
//! 3. When it is erased, what nobody can read any more counts as read; and a conversation lives as long as its newest
//!    message: when that is gone the conversation is gone from the list of everyone, and a pin with it
//!    ([`expire`]). That is an operation on each view it changes, with a version, told to all devices alike, so that
//!    those that were away agree with those that were not. It is no user's deletion: the switch has no say in it.
//! 4. A new message lists such a conversation again, as after a deletion.
//! 5. An undo brings back no more than is kept: not what has expired, and no conversation whose newest message has
//!    ([`deletion::restore`](super::deletion::restore)).
//! 6. A limit that is raised or lifted gives back what was not erased yet, and nothing else.

use super::ids::{Millis, Seq};
use super::view::{Floors, LogHead, View};

const DAY: Millis = 24 * 60 * 60 * 1000;
/// The least that history can be kept. Answers are remembered for about as long, for retries.
pub const SHORTEST: Millis = DAY;
/// The most that can be asked for, but for ever.
pub const LONGEST: Millis = 3650 * DAY;

/// How far back history reaches at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon(Millis);

impl Horizon {
    /// Where an app that keeps history for `retention` has it at `now`; `None` keeps it for ever.
    pub fn of(retention: Option<Millis>, now: Millis) -> Self {
        Self(retention.map_or(Millis::MIN, |kept| now.saturating_sub(kept)))
    }

    /// Whether an entry of this time has expired.
    pub fn is_past(self, time: Millis) -> bool {
        time < self.0
    }

    /// Whether there is none: everything is kept.
    pub fn is_unlimited(self) -> bool {
        self.0 == Millis::MIN
    }

    /// The same, `by` earlier.
    #[must_use]
    pub fn earlier(self, by: Millis) -> Self {
        Self(self.0.saturating_sub(by))
    }

    /// The oldest time that has not expired.
    pub fn time(self) -> Millis {
        self.0
    }
}

/// An entry, apart from what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub seq: Seq,
    pub time: Millis,
    /// Number of messages at or below `seq`.
    pub message_count: u64,
}

/// An expired entry of a log, with none that expired right after it; `None` if the oldest has not expired. `first`
/// gives the first entry at or after a seq, and is asked as often as the number of entries has binary digits.
///
/// Times rise with the seqs, but for a clock that was set back. Then any such entry will do: everything before it
/// can't be read either (rule 1).
pub fn last_expired<E>(
    log: LogHead,
    horizon: Horizon,
    first: impl Fn(Seq) -> Result<Option<Mark>, E>,
) -> Result<Option<Mark>, E> {
    let Some(mut expired) = first(Seq(0))?.filter(|oldest| horizon.is_past(oldest.time)) else {
        return Ok(None);
    };
    let mut kept = log.last_seq.next();
    while expired.seq.next() < kept {
        let middle = Seq(expired.seq.0.midpoint(kept.0));
        match first(middle)?.filter(|found| found.seq < kept && horizon.is_past(found.time)) {
            Some(found) => expired = found,
            None => kept = middle,
        }
    }
    Ok(Some(expired))
}

/// Takes the expired part of its log, up to `expired`, from a view. Returns whether that changed anything.
pub fn expire(view: &mut View, log: LogHead, expired: Mark) -> bool {
    let before = view.clone();
    let head = view.head(log);
    if view.read_count < expired.message_count.min(head.message_count) {
        let upto = expired.seq.min(head.last_seq);
        view.read(upto, expired.message_count.min(head.message_count));
    }
    let newest = head.last_message_seq;
    // Told, although it may have been deleted in secret: it is gone for everyone.
    let is_shown = newest > view.floors.hidden_upto || newest > view.told.hidden_upto;
    if newest <= expired.seq && is_shown {
        let gone = Floors {
            hidden_upto: newest,
            history_floor: newest,
        };
        view.floors.raise(gone);
        view.told.raise(gone);
        view.is_pinned = false;
    }
    *view != before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deletion::{self, Deletion, NotRestorable};
    use crate::domain::view::Leaving;
    use crate::domain::{ConversationId, Listing, LogId, Membership};

    fn log(last_seq: u64, last_message_seq: u64, message_count: u64) -> LogHead {
        LogHead {
            last_seq: Seq(last_seq),
            last_message_seq: Seq(last_message_seq),
            message_count,
        }
    }

    fn view() -> View {
        View::new(ConversationId::System, LogId(1))
    }

    fn upto(seq: u64) -> Mark {
        Mark {
            seq: Seq(seq),
            time: 0,
            message_count: seq,
        }
    }

    #[test]
    fn what_is_as_old_as_the_limit_is_kept() {
        let horizon = Horizon::of(Some(10), 100);
        assert!(horizon.is_past(89) && !horizon.is_past(90));
        assert!(!Horizon::of(None, 100).is_past(Millis::MIN));
    }

    /// Every log of up to six entries, some of them erased, at any horizon.
    #[test]
    fn the_last_expired_entry_is_found() {
        for length in 0..=6_u64 {
            for erased in 0..=length {
                for horizon in 0..=7 {
                    let marks: Vec<_> = (erased + 1..=length)
                        .map(|seq| Mark {
                            seq: Seq(seq),
                            time: seq.cast_signed(),
                            message_count: seq,
                        })
                        .collect();
                    let found =
                        last_expired(log(length, length, length), Horizon(horizon), |from| {
                            Ok::<_, ()>(marks.iter().find(|mark| mark.seq >= from).copied())
                        });
                    let expected = marks.iter().rev().find(|mark| mark.time < horizon);
                    assert_eq!(found, Ok(expected.copied()), "{length} {erased} {horizon}");
                }
            }
        }
    }

    #[test]
    fn where_the_clock_was_set_back_an_expired_entry_is_found_all_the_same() {
        let times = [50, 60, 10, 20, 30];
        let first = |from: Seq| {
            let marks = (1..).zip(times).map(|(seq, time)| Mark {
                seq: Seq(seq),
                time,
                message_count: seq,
            });
            let mut marks = marks.filter(|mark| mark.seq >= from);
            Ok::<_, ()>(marks.next())
        };
        let found = |horizon| last_expired(log(5, 5, 5), Horizon(horizon), first);
        assert_eq!(found(15), Ok(None), "the oldest is looked at first");
        assert_eq!(found(55).unwrap().unwrap().seq, Seq(5));
    }

    #[test]
    fn part_of_the_history_goes_and_counts_as_read() {
        let mut view = view();
        view.is_pinned = true;
        assert!(expire(&mut view, log(5, 5, 5), upto(3)));
        assert_eq!(
            (view.read_upto, view.unread_count(log(5, 5, 5))),
            (Seq(3), 2)
        );
        assert!(view.is_listed(log(5, 5, 5)) && view.is_pinned);
        assert!(!expire(&mut view, log(5, 5, 5), upto(3)), "nothing new");
    }

    #[test]
    fn what_was_read_changes_nothing() {
        let mut view = view();
        view.read(Seq(4), 4);
        assert!(!expire(&mut view, log(5, 5, 5), upto(3)));
    }

    #[test]
    fn a_conversation_lives_as_long_as_its_newest_message() {
        let mut view = view();
        view.is_pinned = true;
        assert!(expire(&mut view, log(6, 5, 5), upto(5)));
        assert_eq!(view.listing(log(6, 5, 5)), Listing::Deleted);
        assert!(!view.is_pinned);
        assert_eq!(view.listing(log(7, 7, 6)), Listing::Listed);
        assert_eq!(view.unread_count(log(7, 7, 6)), 1);
    }

    #[test]
    fn one_that_never_had_a_message_is_left_alone() {
        assert!(!expire(
            &mut view(),
            log(2, 0, 0),
            Mark {
                message_count: 0,
                ..upto(2)
            }
        ));
    }

    #[test]
    fn who_left_loses_it_by_the_newest_message_there_was() {
        let mut view = view();
        view.membership = Membership::Left {
            how: Leaving::Quit,
            at: log(4, 3, 3),
        };
        let head = log(9, 9, 8);
        assert!(
            expire(&mut view, head, upto(2)),
            "two are not unread any more"
        );
        assert_eq!((view.unread_count(head), view.is_listed(head)), (1, true));
        assert!(expire(&mut view, head, upto(7)));
        assert_eq!(view.listing(head), Listing::Deleted);
        assert_eq!((view.read_upto, view.read_count), (Seq(4), 3));
    }

    #[test]
    fn what_was_deleted_in_secret_is_told_to_be_gone() {
        let mut view = view();
        delete(&mut view, false);
        assert_eq!(view.listing(log(5, 5, 5)), Listing::Unlisted);
        assert!(expire(&mut view, log(5, 5, 5), upto(5)));
        assert_eq!(view.listing(log(5, 5, 5)), Listing::Deleted);
    }

    #[test]
    fn what_was_deleted_and_told_stays_as_it_is() {
        let mut view = view();
        delete(&mut view, true);
        assert!(!expire(&mut view, log(5, 5, 5), upto(5)));
    }

    #[test]
    fn a_conversation_whose_newest_message_is_gone_is_not_restored() {
        let mut view = view();
        delete(&mut view, true);
        let deleted = view.clone();
        assert_eq!(
            deletion::restore(&mut view, log(5, 5, 5), false, 1, 1000),
            Err(NotRestorable::WindowPassed)
        );
        assert_eq!(view, deleted);
        // A message that came since is there to be listed.
        assert_eq!(
            deletion::restore(&mut view, log(6, 6, 6), true, 1, 1000),
            Ok(())
        );
    }

    fn delete(view: &mut View, synced: bool) {
        Deletion {
            clear_history: true,
            synced,
            now: 0,
            undo_window: 1000,
        }
        .apply(view, log(5, 5, 5), Seq(5), 5);
    }
}
