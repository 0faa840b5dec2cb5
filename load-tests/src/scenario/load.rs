//! A stretch of operations, with what both sides used and what the network dropped meanwhile.

use crate::Fallible;
use crate::client::order::{Block, Drive, Tally};
use crate::fleet::{Fleet, Manner};
use crate::measure::commits::Commits;
use crate::measure::cpu::Share;
use crate::measure::net::Net;
use crate::measure::others::Others;
use crate::report::{Axis, Report};
use crate::server::Server;

use super::{Common, real};

/// What came of it.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) tally: Tally,
    /// Percent of a core.
    pub(crate) server: f64,
    pub(crate) clients: f64,
    pub(crate) others: f64,
    /// Microseconds of processor time for each operation.
    pub(crate) server_each: f64,
    pub(crate) net: Net,
    /// Of the server's store, if the server tells.
    pub(crate) commits: Option<Commits>,
}

impl Load {
    /// Drives a fleet at a server.
    pub(crate) fn run(
        server: &Server,
        fleet: &mut Fleet,
        title: &str,
        drive: &Drive,
    ) -> Fallible<Self> {
        let committed = server.commits()?;
        let (before, share, clients, others) = (
            Net::now()?,
            Share::begin(&server.pids()),
            Share::begin(&fleet.pids()),
            Others::begin(server.pids().into_iter().chain(fleet.pids()))?,
        );
        let tally = fleet.drive(title, drive)?;
        Ok(Self {
            server: share.percent(),
            clients: clients.percent(),
            others: others.percent()?,
            server_each: share.used().as_secs_f64() * 1e6 / real(tally.answered.max(1)),
            net: Net::now()? - before,
            commits: server
                .commits()?
                .zip(committed)
                .map(|(after, before)| after - before),
            tally,
        })
    }

    /// The same on a bare hub, for the limit beside it; nothing with `--no-limit`.
    pub(crate) fn of_bare_hub(
        common: &Common,
        block: Block,
        circle: u32,
        drive: &Drive,
    ) -> Fallible<Option<Self>> {
        common.on_bare_hub(|hub| {
            let mut fleet = Fleet::of_circles(&hub.access, &[block], circle, common.fleet)?;
            fleet.open(0, block.connections(), Manner::steady())?;
            Self::run(hub, &mut fleet, "limit: raw sockets", drive)
        })
    }

    /// Both, one after the other.
    pub(crate) fn and(mut self, later: Self) -> Self {
        let (first, second) = (self.tally.seconds, later.tally.seconds);
        let all = (first + second).max(1e-9);
        let mean = |one: f64, other: f64| (one * first + other * second) / all;
        self.server = mean(self.server, later.server);
        self.clients = mean(self.clients, later.clients);
        self.others = mean(self.others, later.others);
        self.server_each = mean(self.server_each, later.server_each);
        self.net = self.net + later.net;
        if let (Some(commits), Some(further)) = (&mut self.commits, later.commits) {
            *commits += further;
        }
        self.tally += later.tally;
        self.tally.seconds = all;
        self
    }

    /// How much of what was offered was sent in time.
    pub(crate) fn sent(&self) -> f64 {
        real(self.tally.sent) / real(self.tally.offered.max(1))
    }

    pub(crate) fn refused(&self) -> u64 {
        self.tally.refused.values().sum()
    }

    pub(crate) fn operations_per_second(&self) -> f64 {
        real(self.tally.answered) / self.tally.seconds.max(1e-9)
    }

    /// How long the store's commits took, of `which` stretch if there are several: the disk's part in a late answer.
    pub(crate) fn report_commits(&self, report: &mut Report, which: &str) {
        let Some(commits) = &self.commits else { return };
        report.figure(
            format!("commits of the store{which}"),
            real(commits.count()),
            "",
        );
        for (point, percent) in [("p99", 99), ("longest", 100)] {
            let name = format!("a commit of the store{which}, {point} at most");
            report.figure(name, commits.at_most(percent), "ms");
        }
    }

    /// The usual figures, beside those of the bare hub, and the verdict on the clients.
    pub(crate) fn report(&self, report: &mut Report, hub: Option<&Self>) {
        report.judge(self.tally.faults);
        report.figure("operations offered", real(self.tally.offered), "");
        report.figure("operations answered", real(self.tally.answered), "");
        report.figure("operations refused", real(self.refused()), "");
        report.figure("operations a second", self.operations_per_second(), "/s");
        report.figure("notifications delivered", real(self.tally.told), "");
        report.figure("hints instead of notifications", real(self.tally.hints), "");
        let (answer, delivery) = (self.tally.answer.summary(), self.tally.delivery.summary());
        for (point, value) in [
            ("p50", answer.p50),
            ("p99", answer.p99),
            ("p99.9", answer.p999),
            ("max", answer.max),
        ] {
            report.figure(format!("to the answer, {point}"), value, "ms");
        }
        let bare = hub.map(|hub| hub.tally.delivery.summary());
        for (point, value, limit) in [
            ("p50", delivery.p50, bare.map(|bare| bare.p50)),
            ("p90", delivery.p90, bare.map(|bare| bare.p90)),
            ("p99", delivery.p99, bare.map(|bare| bare.p99)),
            ("p99.9", delivery.p999, bare.map(|bare| bare.p999)),
            ("max", delivery.max, bare.map(|bare| bare.max)),
        ] {
            report.beside(format!("to the other devices, {point}"), value, "ms", limit);
        }
        self.report_commits(report, "");
        report.beside(
            "server, processor time",
            self.server,
            "% of a core",
            hub.map(|hub| hub.server),
        );
        report.beside(
            "server, processor time of an operation",
            self.server_each,
            "µs",
            hub.map(|hub| hub.server_each),
        );
        report.beside(
            "clients, processor time",
            self.clients,
            "% of a core",
            hub.map(|hub| hub.clients),
        );
        report.beside(
            "everything else on this machine, processor time",
            self.others,
            "% of a core",
            hub.map(|hub| hub.others),
        );
        report.figure("SYNs dropped, whole machine", real(self.net.syn_drops), "");
        report.figure(
            "segments sent again, whole machine",
            real(self.net.retransmits),
            "",
        );
        let sent = 100.0 * self.sent();
        report.promise(
            "the clients kept up: sent in time",
            sent >= 99.0,
            format!("{sent:.2} %"),
            "≥ 99 %",
        );
        let done = 100.0 * real(self.tally.answered) / real(self.tally.sent.max(1));
        report.promise(
            "the server kept up: not refused",
            done >= 99.0,
            format!("{done:.2} %"),
            "≥ 99 %",
        );
        for (code, count) in &self.tally.refused {
            report
                .notes
                .push(format!("{count} operations were refused with {code}"));
        }
        let mut lines = vec![
            ("to the other devices".into(), self.tally.delivery.curve()),
            ("to the answer".into(), self.tally.answer.curve()),
        ];
        lines.extend(hub.map(|hub| {
            (
                "to the other devices, bare hub".into(),
                hub.tally.delivery.curve(),
            )
        }));
        report.chart(
            "Latency from the intended time",
            Axis::linear("percent of all"),
            Axis::logarithmic("ms"),
            lines,
        );
    }
}
