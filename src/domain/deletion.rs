//! The deletion rules of design section 3: state, not log.

use super::ids::{Millis, Seq};
use super::view::{Floors, LogHead, Undo, View};

/// The most conversations one call may name (seed page, note 3).
pub const MAX_CONVERSATIONS: usize = 100;

/// How a deletion is to be made; the same for every conversation of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// Raise the history floor too (the default of the API).
    pub clear_history: bool,
    /// The switch, as it stood in the deletion's own transaction.
    pub synced: bool,
    pub now: Millis,
    /// How long a deletion can be undone.
    pub undo_window: Millis,
}

/// Up to where an operation on a conversation reaches: what the client knew of, else everything,
/// and never beyond what exists at commit (3.1), so that nothing is wiped unseen.
pub fn reach(known: Option<Seq>, head: LogHead) -> Seq {
    known.map_or(head.last_seq, |seq| seq.min(head.last_seq))
}

impl Deletion {
    /// Deletes `view` up to `upto`, at or below which lie `read_count` messages.
    ///
    /// Costs the same whatever the length of the history. A deletion of a conversation that is already
    /// deleted joins the deletion it repeats: restoring undoes both, back to where it was last listed.
    pub fn apply(self, view: &mut View, log: LogHead, upto: Seq, read_count: u64) {
        view.undo = self.undo(view, log);

        let raised = Floors {
            hidden_upto: upto,
            history_floor: if self.clear_history { upto } else { Seq(0) },
        };
        view.floors.raise(raised);
        if self.synced {
            view.told.raise(raised);
        }
        view.read(upto, read_count);
        view.is_pinned = false;
    }
}

impl Deletion {
    /// What a restore is to return to after this deletion of `view` as it is now.
    fn undo(self, view: &View, log: LogHead) -> Option<Undo> {
        let is_deleted = !view.is_listed(log) && view.floors.hidden_upto > Seq(0);
        if !is_deleted {
            return Some(Undo {
                floors: view.floors,
                told: view.told,
                deleted_at: self.now,
            });
        }
        // A repeat of what can't be undone any more brings nothing back: its history may be erased.
        view.undo.map(|undo| {
            if undo.is_open(self.now, self.undo_window) {
                Undo {
                    deleted_at: self.now,
                    ..undo
                }
            } else {
                undo
            }
        })
    }
}

/// Raises only the history floor: the conversation stays listed, and stays empty if a deletion is undone.
pub fn clear_history(view: &mut View, upto: Seq, read_count: u64) {
    let raised = Floors {
        hidden_upto: Seq(0),
        history_floor: upto,
    };
    view.floors.raise(raised);
    view.told.raise(raised);
    if let Some(undo) = &mut view.undo {
        undo.floors.raise(raised);
        undo.told.raise(raised);
    }
    view.read(upto, read_count);
}

/// Why a deletion can't be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRestorable {
    /// Or what it would bring back is gone.
    #[error("the undo window has passed")]
    WindowPassed,
}

/// Returns both floors to what they were before the newest deletion (3.8).
///
/// Restoring what is listed and has nothing to undo succeeds and changes nothing: two devices may both undo. Where
/// there are messages, but the newest is not `kept` any more, there is no conversation to bring back.
pub fn restore(
    view: &mut View,
    log: LogHead,
    kept: bool,
    now: Millis,
    window: Millis,
) -> Result<(), NotRestorable> {
    match view.undo {
        _ if !kept && view.head(log).last_message_seq > Seq(0) => Err(NotRestorable::WindowPassed),
        Some(undo) if undo.is_open(now, window) => {
            view.floors = undo.floors;
            view.told = undo.told;
            view.undo = None;
            Ok(())
        }
        None if view.is_listed(log) => Ok(()),
        _ => Err(NotRestorable::WindowPassed),
    }
}

/// Whether a restore would take back the deletion of `view` up to `upto` that was made at `made_at`, rather than
/// a newer one that stands apart from it, or nothing at all.
pub fn is_undoable(view: &View, upto: Seq, made_at: Millis, now: Millis, window: Millis) -> bool {
    view.undo.is_some_and(|undo| {
        undo.deleted_at >= made_at && undo.floors.hidden_upto < upto && undo.is_open(now, window)
    })
}

/// Up to where nobody looking through `view` will ever read again: what may be physically erased.
pub fn erasable_upto(view: &View, now: Millis, window: Millis) -> Seq {
    match view.undo {
        Some(undo) if undo.is_open(now, window) => {
            undo.floors.history_floor.min(view.floors.history_floor)
        }
        _ => view.floors.history_floor,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ConversationId, LogId};

    const WINDOW: Millis = 1000;

    fn log(seq: u64) -> LogHead {
        LogHead {
            last_seq: Seq(seq),
            last_message_seq: Seq(seq),
            message_count: seq,
        }
    }

    fn view() -> View {
        View::new(ConversationId::System, LogId(1))
    }

    fn delete(
        view: &mut View,
        seq: u64,
        upto: u64,
        clear_history: bool,
        synced: bool,
        now: Millis,
    ) {
        Deletion {
            clear_history,
            synced,
            now,
            undo_window: WINDOW,
        }
        .apply(view, log(seq), Seq(upto), upto);
    }

    fn floors(hidden: u64, history: u64) -> Floors {
        Floors {
            hidden_upto: Seq(hidden),
            history_floor: Seq(history),
        }
    }

    #[test]
    fn reach_is_what_the_client_knew_capped_by_what_exists() {
        assert_eq!(reach(None, log(9)), Seq(9));
        assert_eq!(reach(Some(Seq(4)), log(9)), Seq(4));
        assert_eq!(reach(Some(Seq(400)), log(9)), Seq(9));
    }

    #[test]
    fn a_deletion_hides_reads_and_unpins() {
        let mut view = view();
        view.is_pinned = true;
        delete(&mut view, 9, 9, true, true, 0);
        assert_eq!((view.floors, view.told), (floors(9, 9), floors(9, 9)));
        assert_eq!(
            (view.read_upto, view.is_pinned, view.is_listed(log(9))),
            (Seq(9), false, false)
        );
        assert!(view.is_listed(log(10)));
    }

    #[test]
    fn keeping_history_raises_one_floor_only() {
        let mut view = view();
        delete(&mut view, 9, 9, false, true, 0);
        assert_eq!(view.floors, floors(9, 0));
    }

    #[test]
    fn a_message_that_arrived_unseen_survives() {
        let mut view = view();
        delete(&mut view, 10, 9, true, true, 0);
        assert!(view.is_listed(log(10)));
        assert_eq!(view.unread_count(log(10)), 1);
    }

    #[test]
    fn an_older_deletion_arriving_late_changes_no_floor() {
        let mut view = view();
        delete(&mut view, 9, 9, true, true, 0);
        delete(&mut view, 9, 4, true, true, 1);
        assert_eq!(view.floors, floors(9, 9));
    }

    #[test]
    fn while_the_switch_is_off_nothing_is_told() {
        let mut view = view();
        delete(&mut view, 9, 9, true, false, 0);
        assert_eq!((view.floors, view.told), (floors(9, 9), floors(0, 0)));
    }

    #[test]
    fn restoring_returns_both_floors() {
        let mut view = view();
        delete(&mut view, 5, 5, true, true, 0);
        delete(&mut view, 9, 9, true, true, 10);
        assert_eq!(
            restore(&mut view, log(9), true, 10 + WINDOW, WINDOW),
            Ok(())
        );
        assert_eq!(view.floors, floors(5, 5));
    }

    #[test]
    fn restoring_undoes_a_deletion_together_with_its_repeats() {
        let mut view = view();
        delete(&mut view, 9, 9, false, true, 0);
        delete(&mut view, 9, 9, true, true, 900);
        assert_eq!(restore(&mut view, log(9), true, 1500, WINDOW), Ok(()));
        assert_eq!(view.floors, floors(0, 0));
    }

    /// Found by the convergence model: the repeat made the undo record young again, and a restore listed a
    /// conversation whose history had been erased.
    #[test]
    fn repeating_a_deletion_does_not_reopen_its_window() {
        let mut view = view();
        delete(&mut view, 9, 9, true, true, 0);
        delete(&mut view, 9, 9, true, true, WINDOW + 1);
        assert_eq!(
            restore(&mut view, log(9), true, WINDOW + 2, WINDOW),
            Err(NotRestorable::WindowPassed)
        );
        assert_eq!(erasable_upto(&view, WINDOW + 2, WINDOW), Seq(9));
    }

    #[test]
    fn after_the_window_nothing_is_restored() {
        let mut view = view();
        delete(&mut view, 9, 9, true, true, 0);
        assert_eq!(
            restore(&mut view, log(9), true, WINDOW + 1, WINDOW),
            Err(NotRestorable::WindowPassed)
        );
        assert_eq!(view.floors, floors(9, 9));
    }

    #[test]
    fn restoring_twice_succeeds() {
        let mut view = view();
        delete(&mut view, 9, 9, true, true, 0);
        assert_eq!(restore(&mut view, log(9), true, 1, WINDOW), Ok(()));
        assert_eq!(restore(&mut view, log(9), true, 2, WINDOW), Ok(()));
    }

    #[test]
    fn a_deletion_is_undoable_until_it_is_undone_or_too_old_or_a_newer_stands() {
        let mut view = view();
        delete(&mut view, 5, 5, true, true, 10);
        let first = |view: &View, now| is_undoable(view, Seq(5), 10, now, WINDOW);
        assert!(first(&view, 10 + WINDOW));
        assert!(!first(&view, 11 + WINDOW));
        // A repeat is undone with what it repeats.
        delete(&mut view, 5, 5, true, true, 20);
        assert!(first(&view, 30) && is_undoable(&view, Seq(5), 20, 30, WINDOW));
        // After a message it is another deletion, and the first one stays.
        delete(&mut view, 6, 6, true, true, 40);
        assert!(!first(&view, 50) && is_undoable(&view, Seq(6), 40, 50, WINDOW));
        restore(&mut view, log(6), true, 60, WINDOW).unwrap();
        assert!(!is_undoable(&view, Seq(6), 40, 70, WINDOW));
    }

    #[test]
    fn cleared_history_stays_cleared_when_a_deletion_is_undone() {
        let mut view = view();
        delete(&mut view, 5, 5, true, true, 0);
        clear_history(&mut view, Seq(7), 7);
        assert_eq!(restore(&mut view, log(7), true, 1, WINDOW), Ok(()));
        assert_eq!(view.floors, floors(0, 7));
    }

    #[test]
    fn nothing_is_erasable_that_an_undo_could_bring_back() {
        let mut view = view();
        delete(&mut view, 5, 5, true, true, 0);
        assert_eq!(erasable_upto(&view, WINDOW, WINDOW), Seq(0));
        assert_eq!(erasable_upto(&view, WINDOW + 1, WINDOW), Seq(5));
    }
}
