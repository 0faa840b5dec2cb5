//! What a server can do wrong.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Broken promises. One of any kind fails a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Faults {
    /// Notifications that never came.
    pub(crate) lost: u64,
    /// Notifications that came again.
    pub(crate) twice: u64,
    /// Notifications that came after a later one.
    pub(crate) disordered: u64,
    /// Notifications of another account's doings, or that name the wrong device as the one that acted.
    pub(crate) misplaced: u64,
    /// Notifications of what nobody was told was done, and of what the switch forbade to tell.
    pub(crate) unexplained: u64,
    /// Operations with the number of another one.
    pub(crate) clashing: u64,
    /// Devices that were not at the newest number in the end.
    pub(crate) behind: u64,
    /// Calls that got no answer though the connection held.
    pub(crate) unanswered: u64,
    /// Notifications or answers with another content than was asked for.
    pub(crate) garbled: u64,
    /// Connections that the server closed, or that broke, unasked.
    pub(crate) cut: u64,
}

impl Faults {
    /// Each kind with its number.
    pub(crate) fn named(&self) -> [(&'static str, u64); 10] {
        [
            ("lost", self.lost),
            ("twice", self.twice),
            ("out of order", self.disordered),
            ("to the wrong account", self.misplaced),
            ("unexplained", self.unexplained),
            ("clashing numbers", self.clashing),
            ("devices not at head", self.behind),
            ("unanswered", self.unanswered),
            ("garbled", self.garbled),
            ("connections cut", self.cut),
        ]
    }
}

impl AddAssign for Faults {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.twice += other.twice;
        self.disordered += other.disordered;
        self.misplaced += other.misplaced;
        self.unexplained += other.unexplained;
        self.clashing += other.clashing;
        self.behind += other.behind;
        self.unanswered += other.unanswered;
        self.garbled += other.garbled;
        self.cut += other.cut;
    }
}
