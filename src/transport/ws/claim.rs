//! How far the cursor in a pong may claim the client has come.

use crate::domain::Version;
use crate::domain::cursor::Since;

/// What a connection has been told.
///
/// A pong's cursor says "you have all of this". That holds for every push the connection was sent and for what it was
/// answered itself, but not for pushes that a hint replaced, nor for the pages of a list that the client has not asked
/// for yet. Until a sync that began after the last hint has been answered to its end, the claim stays where it was: a
/// client that resumes from it gets some things twice, and misses none.
#[derive(Debug, Default)]
pub(super) struct Claim {
    since: Since,
    is_behind: bool,
    hints: u32,
    /// Hints there had been when the first page of a list, not yet complete, was asked for.
    paging: Option<u32>,
}

impl Claim {
    /// Of a client whose login was answered with all up to `version`, or with the first page of that.
    pub(super) fn at_login(version: Version, is_completed: bool) -> Self {
        let mut claim = Self {
            is_behind: true,
            ..Self::default()
        };
        claim.sync_begins();
        claim.sync_ends(version, is_completed);
        claim
    }

    /// A hint was written.
    pub(super) fn hinted(&mut self) {
        self.hints = self.hints.wrapping_add(1);
        self.is_behind = true;
    }

    /// A page of a list is about to be read from the store.
    pub(super) fn sync_begins(&mut self) {
        self.paging.get_or_insert(self.hints);
    }

    /// The page was read; `is_completed`: it was the last, and all up to `version` has been answered.
    pub(super) fn sync_ends(&mut self, version: Version, is_completed: bool) {
        if is_completed && self.paging.take() == Some(self.hints) {
            self.is_behind = false;
            self.since.version = self.since.version.max(version);
        }
    }

    /// What may be claimed where pushes up to `reached` have been written.
    pub(super) fn of(&mut self, reached: Since) -> Since {
        if !self.is_behind {
            self.since.version = self.since.version.max(reached.version);
            self.since.position = self.since.position.max(reached.position);
        }
        self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Position;

    fn at(version: u64) -> Since {
        Since {
            version: Version(version),
            position: Position(version),
        }
    }

    #[test]
    fn a_client_that_gets_every_push_has_all() {
        let mut claim = Claim::at_login(Version(0), true);
        assert_eq!(claim.of(at(3)), at(3));
        assert_eq!(claim.of(at(5)), at(5));
    }

    /// It is in the store a moment before it is pushed, and after a restart nothing has been pushed at all.
    #[test]
    fn what_the_login_answered_is_claimed_whether_or_not_it_was_pushed() {
        let mut claim = Claim::at_login(Version(5), true);
        assert_eq!(claim.of(at(3)).version, Version(5));
        assert_eq!(claim.of(at(7)).version, Version(7));
    }

    #[test]
    fn a_hint_holds_the_claim_until_a_sync() {
        let mut claim = Claim::at_login(Version(0), true);
        claim.of(at(3));
        claim.hinted();
        assert_eq!(claim.of(at(9)), at(3));
        claim.sync_begins();
        assert_eq!(claim.of(at(9)), at(3));
        claim.sync_ends(Version(0), true);
        assert_eq!(claim.of(at(9)), at(9));
    }

    #[test]
    fn a_hint_during_a_sync_asks_for_another() {
        let mut claim = Claim::at_login(Version(0), true);
        claim.hinted();
        claim.sync_begins();
        claim.hinted();
        claim.sync_ends(Version(0), true);
        assert_eq!(claim.of(at(9)), Since::default());
        claim.sync_begins();
        claim.sync_ends(Version(0), true);
        assert_eq!(claim.of(at(9)), at(9));
    }

    #[test]
    fn a_list_counts_once_its_last_page_was_read() {
        let mut claim = Claim::at_login(Version(0), false);
        claim.sync_begins();
        claim.sync_ends(Version(0), false);
        assert_eq!(claim.of(at(9)), Since::default());
        claim.sync_begins();
        claim.sync_ends(Version(0), true);
        assert_eq!(claim.of(at(9)), at(9));
    }

    #[test]
    fn a_hint_between_two_pages_counts_against_the_list() {
        let mut claim = Claim::at_login(Version(0), false);
        claim.hinted();
        claim.sync_begins();
        claim.sync_ends(Version(0), true);
        assert_eq!(claim.of(at(9)), Since::default());
    }
}
