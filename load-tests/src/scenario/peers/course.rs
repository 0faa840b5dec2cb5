//! One server in one run: from its first connection to what was found.

use std::time::Duration;

use super::{Part, Peers, Subject};
use crate::Fallible;
use crate::client::order::{Block, Drive, Resume, Tally};
use crate::fleet::{Fleet, Manner};
use crate::measure::cpu::Share;
use crate::measure::net::Net;
use crate::oracle::Faults;
use crate::report::comparison::{Better, Finding};
use crate::report::{Report, shown};
use crate::scenario::delete::SATURATED_MS;
use crate::scenario::load::Load;
use crate::scenario::{Common, FILES, memory, opened, real, top, watch};
use crate::schedule::Arrivals;
use crate::server::Server;

const KIB: f64 = 1024.0;
/// Conversations of each account, of which chatsync's devices delete one after the other.
const CONVERSATIONS: u32 = 4;
/// The rate at which the search for the top begins.
const FIRST: f64 = 4_000.0;

/// One server in one run.
pub(super) struct Course<'a> {
    peers: &'a Peers,
    subject: Subject,
    server: Server,
    fleet: Fleet,
    report: &'a mut Report,
    values: Vec<Finding>,
    faults: Faults,
}

impl<'a> Course<'a> {
    pub(super) fn begin(
        peers: &'a Peers,
        common: &Common,
        subject: Subject,
        server: Server,
        report: &'a mut Report,
    ) -> Fallible<Self> {
        let block = Block::new(0, peers.accounts(), peers.devices);
        let fleet = Fleet::start(&server.access, &[block], common.fleet)?;
        Ok(Self {
            peers,
            subject,
            server,
            fleet,
            report,
            values: Vec::new(),
            faults: Faults::default(),
        })
    }

    fn value(&mut self, name: impl Into<String>, value: f64, unit: &'static str, better: Better) {
        self.values.push(Finding {
            name: name.into(),
            unit,
            better,
            is_stored: false,
            value,
        });
    }

    /// Of something that a durable server has to write to the disk for.
    fn stored(&mut self, name: impl Into<String>, value: f64, unit: &'static str, better: Better) {
        self.value(name, value, unit, better);
        if let Some(value) = self.values.last_mut() {
            value.is_stored = true;
        }
    }

    /// Everybody connects, a few first.
    pub(super) fn idle(&mut self) -> Fallible<()> {
        let all = self.fleet.connections(0);
        let from = (self.peers.from as usize).min(all);
        let mut at = Vec::new();
        let mut there = 0;
        for size in [from, all] {
            let tally = self.fleet.open(0, size, Manner::steady())?;
            self.opened(&tally, size - there);
            there = size;
            if self.peers.has(Part::Idle) {
                watch("settling", Duration::from_secs(self.peers.settle), |_| {
                    Ok(false)
                })?;
                at.push(memory(&self.server)?);
            }
        }
        if let [small, large] = at[..] {
            let each =
                |small: u64, large: u64| (real(large) - real(small)) / real(all - from) / KIB;
            let (own, resident) = (
                each(small.anonymous, large.anonymous),
                each(small.resident, large.resident),
            );
            self.value("own memory of an idle connection", own, "KiB", Better::Less);
            self.value(
                "resident memory of an idle connection",
                resident,
                "KiB",
                Better::Neither,
            );
        }
        Ok(())
    }

    fn opened(&mut self, tally: &Tally, wanted: usize) {
        let name = self.subject.name();
        let (verdicts, notes) = (self.report.verdicts.len(), self.report.notes.len());
        opened(self.report, tally, wanted);
        for verdict in &mut self.report.verdicts[verdicts..] {
            verdict.what = format!("{name}: {}", verdict.what);
        }
        for note in &mut self.report.notes[notes..] {
            *note = format!("{name}: {note}");
        }
    }

    /// All come back at once.
    pub(super) fn storm(&mut self) -> Fallible<()> {
        self.fleet.close(0, 0)?;
        self.server.wait_for_files(FILES)?;
        let (net, share) = (Net::now()?, Share::begin(&self.server.pids()));
        let manner = Manner {
            resume: Resume::Cursor,
            ..Manner::default()
        };
        let all = self.fleet.connections(0);
        let tally = self.fleet.open(0, all, manner)?;
        let (used, net) = (share.used(), Net::now()? - net);
        self.opened(&tally, all);
        let percentile = |percent| tally.login.percentile(percent) / 1000.0;
        self.value(
            "storm: all are ready after",
            tally.seconds,
            "s",
            Better::Less,
        );
        self.value(
            "storm: logins a second",
            real(tally.opened) / tally.seconds,
            "/s",
            Better::Neither,
        );
        self.value(
            "storm: each is ready, p50",
            percentile(50.0),
            "s",
            Better::Neither,
        );
        self.value(
            "storm: each is ready, p99",
            percentile(99.0),
            "s",
            Better::Less,
        );
        self.value(
            "storm: server's processor time",
            used.as_secs_f64(),
            "s",
            Better::Neither,
        );
        self.value(
            "storm: SYNs dropped, whole machine",
            real(net.syn_drops),
            "",
            Better::Neither,
        );
        Ok(())
    }

    /// Devices tell each other something: at some rates, then faster and faster.
    pub(super) fn publish(&mut self) -> Fallible<()> {
        self.seed()?;
        for rate in &self.peers.rates {
            let load = self.drive(*rate)?;
            self.faults += load.tally.faults;
            self.at_rate(*rate, &load);
        }
        if !self.peers.no_top {
            let rate = top::top(FIRST, |rate| self.keeps_up(rate))?;
            let name = format!("top rate of events (p99 below {SATURATED_MS:.0} ms, none lost)");
            self.stored(name, rate, "/s", Better::More);
        }
        Ok(())
    }

    /// What chatsync's devices will delete.
    fn seed(&mut self) -> Fallible<()> {
        if self.subject == Subject::Chatsync {
            let seeded = self.fleet.seed(0, CONVERSATIONS)?.answered;
            let wanted = u64::from(self.peers.accounts()) * u64::from(CONVERSATIONS);
            self.report.promise(
                "chatsync: conversations made",
                seeded == wanted,
                seeded,
                "all",
            );
        }
        Ok(())
    }

    fn at_rate(&mut self, rate: f64, load: &Load) {
        let (tally, sent) = (&load.tally, 100.0 * load.sent());
        let name = format!("{}: {rate:.0} a second", self.subject.name());
        self.report.promise(
            format!("{name}, sent in time"),
            sent >= 99.0,
            format!("{sent:.2} %"),
            "≥ 99 %",
        );
        // A hint stands for notifications that a device then asks for; the oracle knows whether it got all.
        let wanted = tally.answered * u64::from(self.peers.devices - 1);
        self.report.promise(
            format!("{name}, deliveries"),
            tally.told == wanted || tally.hints > 0,
            tally.told,
            "one to each other device",
        );
        let times = tally.delivery.summary();
        let name = format!("{rate:.0} events a second, to the other devices");
        self.stored(format!("{name}, p50"), times.p50, "ms", Better::Less);
        self.stored(format!("{name}, p99"), times.p99, "ms", Better::Less);
        self.stored(format!("{name}, max"), times.max, "ms", Better::Neither);
        let name = format!("{rate:.0} events a second, server's processor time of one");
        self.stored(name, load.server_each, "µs", Better::Neither);
        if let Some(commits) = &load.commits {
            self.report.notes.push(format!(
                "{} at {rate:.0} a second: of {} commits 99 % took at most {} ms, the longest at most {} ms",
                self.subject.name(),
                commits.count(),
                shown(commits.at_most(99)),
                shown(commits.at_most(100)),
            ));
        }
    }

    fn keeps_up(&mut self, rate: f64) -> Fallible<bool> {
        let load = self.drive(rate)?;
        let is_whole = load.tally.faults == Faults::default();
        if self.subject == Subject::Chatsync {
            // It promises to lose nothing at any rate.
            self.faults += load.tally.faults;
        } else if !is_whole {
            self.report.notes.push(format!(
                "{} at {rate:.0} a second, which counts as too many: {}",
                self.subject.name(),
                named(&load.tally.faults)
            ));
            // Those that were cut off are to be there for the next rate.
            let all = self.fleet.connections(0);
            self.fleet.open(0, all, Manner::steady())?;
        }
        let p99 = load.tally.delivery.percentile(99.0);
        Ok(is_whole && load.sent() >= 0.99 && load.refused() == 0 && p99 < SATURATED_MS)
    }

    fn drive(&mut self, rate: f64) -> Fallible<Load> {
        let drive = Drive {
            block: 0,
            arrivals: Arrivals::Poisson,
            rate,
            millis: self.peers.seconds * 1000,
            mix: vec![(1, self.subject.action())],
            conversations: CONVERSATIONS,
        };
        let title = format!("{}: {rate:.0} a second", self.subject.name());
        Load::run(&self.server, &mut self.fleet, &title, &drive)
    }

    pub(super) fn close(self) -> Vec<Finding> {
        let is_whole = self.faults == Faults::default();
        let found = if is_whole {
            "none".into()
        } else {
            named(&self.faults)
        };
        self.report.judge(self.faults);
        self.report.promise(
            format!(
                "{}: nothing lost, twice or out of order",
                self.subject.name()
            ),
            is_whole,
            found,
            "none",
        );
        if !is_whole {
            self.report.note_log(&self.server);
        }
        self.values
    }
}

/// The kinds of faults that there were.
fn named(faults: &Faults) -> String {
    let found = faults.named().into_iter().filter(|(_, count)| *count > 0);
    found
        .map(|(name, count)| format!("{count} {name}"))
        .collect::<Vec<_>>()
        .join(", ")
}
