//! The reference: what two people's conversations must look like, as plainly as it can be said. It shares no code
//! with the server.

use std::collections::BTreeMap;

pub(super) const ALICE: usize = 0;
pub(super) const BOB: usize = 1;
pub(super) const USERS: [&str; 2] = ["alice", "bob"];
pub(super) const DEVICES: usize = 3;

/// The conversations each of the two has, as the other half of a name: the pair, the group, their notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Conv {
    Pair,
    Team,
    System,
}

impl Conv {
    pub(super) const ALL: [Self; 3] = [Self::Pair, Self::Team, Self::System];

    pub(super) fn id(self, user: usize) -> String {
        match self {
            Self::Pair => format!("C2C{}", USERS[1 - user]),
            Self::Team => "GROUPteam".into(),
            Self::System => "@TIM#SYSTEM".into(),
        }
    }
}

#[derive(Debug, Clone)]
struct Entry {
    is_message: bool,
    is_revoked: bool,
    sender: Option<usize>,
    /// Set when it is appended.
    time: i64,
}

impl Entry {
    fn message(sender: Option<usize>) -> Self {
        Self {
            is_message: true,
            is_revoked: false,
            sender,
            time: 0,
        }
    }

    fn control(sender: Option<usize>) -> Self {
        Self {
            is_message: false,
            ..Self::message(sender)
        }
    }
}

/// One of the two's part in a conversation. Seqs are places in the log, from 1.
#[derive(Debug, Clone, Default)]
struct View {
    hidden: usize,
    floor: usize,
    told_hidden: usize,
    told_floor: usize,
    /// What the floors were before the newest deletion, and when that was.
    undo: Option<([usize; 4], i64)>,
    read: usize,
    pinned: bool,
    /// Where the log ends for one who was removed.
    end: Option<usize>,
    /// A deletion was made that the account's other devices were not told of: what they count as unread is
    /// their own affair from then on.
    secret: bool,
    /// Whether each device shows it, where the floors as told leave that open.
    shown: [bool; DEVICES],
}

/// What a device shows of a listed conversation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) last_seq: usize,
    pub(super) last_message: Option<usize>,
    /// Whether that was revoked. Whoever has left is not told of it any more.
    pub(super) is_revoked: Option<bool>,
    pub(super) is_pinned: bool,
    pub(super) membership: &'static str,
    /// Unread count and the seq read up to; not compared after a secret deletion.
    pub(super) read: Option<(usize, usize)>,
}

#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) synced: bool,
    pub(super) now: i64,
    /// How long history is kept.
    pub(super) kept: Option<i64>,
    pair: Vec<Entry>,
    team: Vec<Entry>,
    system: [Vec<Entry>; 2],
    views: [BTreeMap<Conv, View>; 2],
    /// Versions of the two.
    pub(super) versions: [u64; 2],
    /// Which devices are connected.
    pub(super) online: [[bool; DEVICES]; 2],
}

pub(super) const UNDO_WINDOW: i64 = 7 * 24 * 3600 * 1000;

impl Model {
    /// Alice's group, with Bob in it: he has a notice, and both have seen him join.
    pub(super) fn new(synced: bool, kept: Option<i64>, now: i64) -> Self {
        let mut model = Self {
            synced,
            now,
            kept,
            pair: Vec::new(),
            team: Vec::new(),
            system: [Vec::new(), Vec::new()],
            views: [BTreeMap::new(), BTreeMap::new()],
            versions: [0, 0],
            online: [[false; DEVICES]; 2],
        };
        model.views[ALICE].insert(Conv::Team, View::default());
        model.versions[ALICE] += 1;
        model.enrol_bob();
        model
    }

    fn log(&self, user: usize, conv: Conv) -> &Vec<Entry> {
        match conv {
            Conv::Pair => &self.pair,
            Conv::Team => &self.team,
            Conv::System => &self.system[user],
        }
    }

    fn view(&mut self, user: usize, conv: Conv) -> &mut View {
        self.views[user].entry(conv).or_default()
    }

    /// The entries that a view can reach.
    fn visible(&self, user: usize, conv: Conv) -> &[Entry] {
        let log = self.log(user, conv);
        let end = self.views[user].get(&conv).and_then(|view| view.end);
        &log[..end.unwrap_or(log.len())]
    }

    fn newest_message(&self, user: usize, conv: Conv) -> usize {
        let entries = self.visible(user, conv);
        entries
            .iter()
            .rposition(|entry| entry.is_message)
            .map_or(0, |at| at + 1)
    }

    pub(super) fn exists(&self, user: usize, conv: Conv) -> bool {
        self.views[user].contains_key(&conv)
    }

    /// Whether one that logs in now is shown it.
    pub(super) fn is_listed(&self, user: usize, conv: Conv) -> bool {
        let newest = self.newest_message(user, conv);
        self.views[user]
            .get(&conv)
            .is_some_and(|view| newest > view.hidden)
    }

    /// Whether a device shows it.
    pub(super) fn is_shown(&self, user: usize, device: usize, conv: Conv) -> bool {
        let Some(view) = self.views[user].get(&conv) else {
            return false;
        };
        let newest = self.newest_message(user, conv);
        newest > view.hidden || newest > view.told_hidden && view.shown[device]
    }

    pub(super) fn line(&self, user: usize, conv: Conv) -> Line {
        let view = &self.views[user][&conv];
        let entries = self.visible(user, conv);
        let newest = self.newest_message(user, conv);
        let unread = entries
            .iter()
            .skip(view.read)
            .filter(|entry| entry.is_message)
            .count();
        Line {
            last_seq: entries.len(),
            last_message: (newest > view.floor).then_some(newest),
            is_revoked: (newest > view.floor && view.end.is_none())
                .then(|| entries[newest - 1].is_revoked),
            is_pinned: view.pinned,
            membership: if view.end.is_some() {
                "kicked"
            } else {
                "active"
            },
            read: (!view.secret).then_some((unread, view.read)),
        }
    }

    pub(super) fn is_secret(&self, user: usize, conv: Conv) -> bool {
        self.views[user].get(&conv).is_some_and(|view| view.secret)
    }

    fn has_expired(&self, entry: &Entry) -> bool {
        self.kept.is_some_and(|kept| entry.time < self.now - kept)
    }

    /// What has expired counts as read; a conversation whose newest message has is gone.
    pub(super) fn sweep(&mut self) {
        for user in [ALICE, BOB] {
            for conv in Conv::ALL {
                let newest = self.newest_message(user, conv);
                let entries = self.visible(user, conv);
                let end = entries
                    .iter()
                    .rposition(|entry| self.has_expired(entry))
                    .map_or(0, |at| at + 1);
                let Some(view) = self.views[user].get(&conv) else {
                    continue;
                };
                let is_unread = (view.read..end).any(|at| entries[at].is_message);
                let is_gone =
                    0 < newest && newest <= end && newest > view.hidden.min(view.told_hidden);
                let view = self.view(user, conv);
                if is_unread {
                    view.read = end;
                }
                if is_gone {
                    view.hidden = view.hidden.max(newest);
                    view.floor = view.floor.max(newest);
                    view.told_hidden = view.told_hidden.max(newest);
                    view.told_floor = view.told_floor.max(newest);
                    view.pinned = false;
                }
                if is_unread || is_gone {
                    self.next_version(user);
                }
            }
        }
    }

    fn append(&mut self, user: usize, conv: Conv, mut entry: Entry) {
        entry.time = self.now;
        let is_message = entry.is_message;
        match conv {
            Conv::Pair => self.pair.push(entry),
            Conv::Team => self.team.push(entry),
            Conv::System => self.system[user].push(entry),
        }
        if !is_message {
            return;
        }
        for reader in [ALICE, BOB] {
            let sees = match conv {
                Conv::Pair => true,
                Conv::Team => self.views[reader]
                    .get(&conv)
                    .is_some_and(|view| view.end.is_none()),
                Conv::System => reader == user,
            };
            if sees {
                // Those that are connected see it come; those that are away will, unless it is deleted first.
                let online = self.online[reader];
                let view = self.view(reader, conv);
                for (shown, online) in view.shown.iter_mut().zip(online) {
                    if online {
                        *shown = true;
                    }
                }
            }
        }
    }

    /// Whether the server takes a message there.
    pub(super) fn may_send(&self, user: usize, conv: Conv) -> bool {
        match conv {
            Conv::Pair => true,
            Conv::Team => self.views[user][&Conv::Team].end.is_none(),
            Conv::System => false,
        }
    }

    /// A message; its seq.
    pub(super) fn send(&mut self, user: usize, conv: Conv) -> usize {
        self.view(user, conv);
        self.append(user, conv, Entry::message(Some(user)));
        let seq = self.log(user, conv).len();
        self.view(user, conv).read = seq;
        seq
    }

    /// The newest message of one's own that can still be revoked.
    pub(super) fn revocable(&self, user: usize, conv: Conv) -> Option<usize> {
        let view = self.views[user].get(&conv)?;
        let own =
            |entry: &Entry| entry.is_message && !entry.is_revoked && entry.sender == Some(user);
        let at = self.visible(user, conv).iter().rposition(own)? + 1;
        let is_kept = at > view.floor && !self.has_expired(&self.log(user, conv)[at - 1]);
        (is_kept && self.may_send(user, conv)).then_some(at)
    }

    pub(super) fn revoke(&mut self, user: usize, conv: Conv, seq: usize) {
        let log = if conv == Conv::Pair {
            &mut self.pair
        } else {
            &mut self.team
        };
        log[seq - 1].is_revoked = true;
        self.append(user, conv, Entry::control(Some(user)));
    }

    fn next_version(&mut self, user: usize) {
        self.versions[user] += 1;
    }

    /// One deletion of several, as `device` made it.
    pub(super) fn delete(
        &mut self,
        user: usize,
        device: usize,
        list: &[(Conv, Option<usize>)],
        clear: bool,
    ) {
        let (synced, now) = (self.synced, self.now);
        let mut any = false;
        for &(conv, known) in list {
            if !self.exists(user, conv) {
                continue;
            }
            any = true;
            let is_listed = self.is_listed(user, conv);
            let newest = self.newest_message(user, conv);
            let end = self.visible(user, conv).len();
            let upto = known.map_or(end, |known| known.min(end));
            let view = self.view(user, conv);
            let now_floors = [view.hidden, view.floor, view.told_hidden, view.told_floor];
            view.undo = match view.undo {
                _ if is_listed || view.hidden == 0 => Some((now_floors, now)),
                Some((floors, at)) if now - at <= UNDO_WINDOW => Some((floors, now)),
                undo => undo,
            };
            view.hidden = view.hidden.max(upto);
            if clear {
                view.floor = view.floor.max(upto);
            }
            if synced {
                view.told_hidden = view.told_hidden.max(upto);
                if clear {
                    view.told_floor = view.told_floor.max(upto);
                }
            } else {
                view.secret = true;
            }
            view.read = view.read.max(upto);
            view.pinned = false;
            if newest <= view.hidden {
                // The device that did it takes it off; the others, if they are told.
                view.shown[device] = false;
            }
        }
        if any && synced {
            self.next_version(user);
        }
    }

    /// Returns for each whether it can be restored.
    pub(super) fn restore(&mut self, user: usize, list: &[Conv]) -> Vec<bool> {
        let now = self.now;
        let mut done = Vec::new();
        for &conv in list {
            let is_listed = self.is_listed(user, conv);
            let newest = self.newest_message(user, conv);
            let is_gone = newest > 0 && self.has_expired(&self.log(user, conv)[newest - 1]);
            let restored = match self.views[user].get_mut(&conv) {
                None => false,
                Some(_) if is_gone => false,
                Some(view) => match view.undo {
                    Some((floors, at)) if now - at <= UNDO_WINDOW => {
                        [view.hidden, view.floor, view.told_hidden, view.told_floor] = floors;
                        view.undo = None;
                        true
                    }
                    Some(_) => false,
                    None => is_listed,
                },
            };
            done.push(restored);
        }
        if done.contains(&true) {
            self.next_version(user);
        }
        done
    }

    pub(super) fn clear(&mut self, user: usize, conv: Conv) {
        let end = self.visible(user, conv).len();
        let view = self.view(user, conv);
        view.floor = end;
        view.told_floor = view.told_floor.max(end);
        if let Some((floors, _)) = &mut view.undo {
            floors[1] = floors[1].max(end);
            floors[3] = floors[3].max(end);
        }
        view.read = view.read.max(end);
        self.next_version(user);
    }

    pub(super) fn mark_read(&mut self, user: usize, conv: Conv) {
        let end = self.visible(user, conv).len();
        let view = self.view(user, conv);
        view.read = view.read.max(end);
        self.next_version(user);
    }

    pub(super) fn pin(&mut self, user: usize, conv: Conv, pinned: bool) {
        self.view(user, conv).pinned = pinned;
        self.next_version(user);
    }

    pub(super) fn bob_is_member(&self) -> bool {
        self.views[BOB]
            .get(&Conv::Team)
            .is_some_and(|view| view.end.is_none())
    }

    /// Bob comes into the group: he sees what is said from here on, and gets a notice.
    pub(super) fn enrol_bob(&mut self) {
        let end = self.team.len();
        let view = self.view(BOB, Conv::Team);
        view.end = None;
        view.read = view.read.max(end);
        view.floor = view.floor.max(end);
        view.told_floor = view.told_floor.max(end);
        if let Some((floors, _)) = &mut view.undo {
            floors[1] = floors[1].max(end);
            floors[3] = floors[3].max(end);
        }
        self.next_version(BOB);
        self.append(BOB, Conv::System, Entry::message(None));
        self.append(ALICE, Conv::Team, Entry::control(None));
    }

    /// Bob is removed: the log ends for him with the tip that says so.
    pub(super) fn remove_bob(&mut self) {
        self.append(ALICE, Conv::Team, Entry::control(None));
        let end = self.team.len();
        self.view(BOB, Conv::Team).end = Some(end);
        self.next_version(BOB);
        self.append(BOB, Conv::System, Entry::message(None));
    }

    /// The device goes; what it shows stays as it is.
    pub(super) fn leave(&mut self, user: usize, device: usize) {
        self.online[user][device] = false;
    }

    /// The device comes back with its cursor: what is listed it shows, what it was told is deleted it doesn't,
    /// and of the rest it learns nothing.
    pub(super) fn resume(&mut self, user: usize, device: usize) {
        self.online[user][device] = true;
        self.learn(user, device, None);
    }

    /// The device comes with nothing, and shows what is listed.
    pub(super) fn start_over(&mut self, user: usize, device: usize) {
        self.online[user][device] = true;
        self.learn(user, device, Some(false));
    }

    fn learn(&mut self, user: usize, device: usize, otherwise: Option<bool>) {
        for conv in Conv::ALL {
            let is_listed = self.is_listed(user, conv);
            let newest = self.newest_message(user, conv);
            let Some(view) = self.views[user].get_mut(&conv) else {
                continue;
            };
            if is_listed {
                view.shown[device] = true;
            } else if newest <= view.told_hidden || otherwise.is_some() {
                view.shown[device] = false;
            }
        }
    }

    /// What connected devices show once everything has reached them, after each operation.
    pub(super) fn delivered(&mut self) {
        for user in [ALICE, BOB] {
            for device in 0..DEVICES {
                if self.online[user][device] {
                    self.learn(user, device, None);
                }
            }
        }
    }
}
