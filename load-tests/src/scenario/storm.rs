//! Everybody reconnects at once, as after a failure of the network, and catches up.

use std::time::Duration;

use clap::Args;

use super::{Common, FILES, Scenario, opened, real, roomy};
use crate::Fallible;
use crate::client::order::{Block, Order, Resume, Tally, What};
use crate::fleet::{Fleet, Manner};
use crate::measure::cpu::Share;
use crate::measure::net::Net;
use crate::report::{Axis, Report};
use crate::server::Server;

/// Targets: all are back within so many seconds, and of 100 of them 99 within so many.
const TARGET_ALL: f64 = 2.5;
const TARGET_P99: f64 = 0.5;

/// `load-tests storm`
#[derive(Debug, Clone, Args)]
pub(crate) struct Storm {
    /// Connections
    #[arg(long, value_name = "NUMBER", default_value_t = 19_000)]
    connections: u32,
    /// Devices of each account
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    devices: u32,
    /// Deletions of each account while its devices are away, each of another conversation
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    changes: u32,
    /// Seconds over which clients that behave spread their return, in a second storm
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    jitter: u64,
}

/// One storm.
struct Return {
    tally: Tally,
    server: f64,
    clients: f64,
    net: Net,
}

impl Scenario for Storm {
    fn run(&self, common: &Common) -> Fallible<Report> {
        let server = common.which.serve(&roomy(self.connections as usize))?;
        let mut report = Report::new("storm", &server);
        let mut fleet = self.fleet(common, &server)?;
        let count = fleet.connections(0);
        let tally = fleet.open(0, count, Manner::steady())?;
        opened(&mut report, &tally, count);
        fleet.seed(0, self.changes)?;
        report.judge(fleet.settle()?.faults);

        let bare = common.on_bare_hub(|hub| {
            let mut fleet = self.fleet(common, hub)?;
            fleet.open(0, count, Manner::steady())?;
            self.storm(hub, &mut fleet, Duration::ZERO)
        })?;
        let at_once = self.storm(&server, &mut fleet, Duration::ZERO)?;
        self.report(&mut report, "at once", &at_once, bare.as_ref());
        report.at_most("all are back", at_once.tally.seconds, TARGET_ALL, "s");
        report.at_most(
            "each is back, p99",
            at_once.tally.login.percentile(99.0) / 1000.0,
            TARGET_P99,
            "s",
        );
        report.at_most("SYNs dropped", real(at_once.net.syn_drops), 0.0, "");

        let spread = self.storm(&server, &mut fleet, Duration::from_secs(self.jitter))?;
        self.report(
            &mut report,
            &format!("over {} s", self.jitter),
            &spread,
            None,
        );
        report.at_most(
            format!("each is back, p99, over {} s", self.jitter),
            spread.tally.login.percentile(99.0) / 1000.0,
            TARGET_P99,
            "s",
        );
        let mut lines = vec![
            ("at once".into(), at_once.tally.login.curve()),
            (
                format!("over {} s", self.jitter),
                spread.tally.login.curve(),
            ),
        ];
        lines.extend(bare.map(|bare| ("at once, bare hub".into(), bare.tally.login.curve())));
        report.chart(
            "From beginning to connect to having caught up",
            Axis::linear("percent of all"),
            Axis::logarithmic("ms"),
            lines,
        );
        report.close(&server);
        Ok(report)
    }
}

impl Storm {
    /// The devices that go and come back, and one more of each account that acts meanwhile.
    fn fleet(&self, common: &Common, server: &Server) -> Fallible<Fleet> {
        let accounts = (self.connections / self.devices).max(1);
        let devices = Block::new(0, accounts, self.devices);
        let actors = Block {
            first_device: self.devices,
            devices: 1,
            ..devices
        };
        Fleet::start(&server.access, &[devices, actors], common.fleet)
    }

    fn storm(&self, server: &Server, fleet: &mut Fleet, jitter: Duration) -> Fallible<Return> {
        fleet.close(0, 0)?;
        server.wait_for_files(FILES)?;
        let actors = fleet.connections(1);
        fleet.open(1, actors, Manner::steady())?;
        let what = What::Delete {
            operations: self.changes,
            conversations: self.changes,
        };
        fleet.each("deleting meanwhile", |_| Order::Each { block: 1, what })?;
        let mut faults = fleet.settle()?.faults;
        fleet.close(1, 0)?;
        server.wait_for_files(FILES)?;

        let pids: Vec<_> = server.pid.into_iter().collect();
        let (net, share, clients) = (
            Net::now()?,
            Share::begin(&pids),
            Share::begin(&fleet.pids()),
        );
        let manner = Manner {
            in_flight: None,
            jitter,
            resume: Resume::Cursor,
        };
        let all = fleet.connections(0);
        let mut tally = fleet.open(0, all, manner)?;
        let (server, clients, net) = (share.percent(), clients.percent(), Net::now()? - net);
        faults += fleet.settle()?.faults;
        tally.faults += faults;
        Ok(Return {
            tally,
            server,
            clients,
            net,
        })
    }

    fn report(&self, report: &mut Report, name: &str, found: &Return, bare: Option<&Return>) {
        let tally = &found.tally;
        let all = u64::from(self.connections / self.devices * self.devices);
        report.judge(tally.faults);
        report.promise(
            format!("{name}: all came back"),
            tally.opened == all,
            tally.opened,
            "all",
        );
        let entries = all * u64::from(self.changes);
        report.promise(
            format!("{name}: entries of the catch-ups"),
            tally.entries == entries,
            tally.entries,
            "one for each change",
        );
        report.promise(
            format!("{name}: none started over"),
            tally.resets == 0,
            tally.resets,
            "0",
        );
        report.beside(
            format!("{name}: all are back after"),
            tally.seconds,
            "s",
            bare.map(|bare| bare.tally.seconds),
        );
        report.figure(
            format!("{name}: logins a second"),
            real(tally.opened) / tally.seconds,
            "/s",
        );
        for percent in [50.0, 99.0, 100.0] {
            let limit = bare.map(|bare| bare.tally.login.percentile(percent));
            report.beside(
                format!("{name}: each is back, p{percent}"),
                tally.login.percentile(percent),
                "ms",
                limit,
            );
        }
        report.figure(
            format!("{name}: server, processor time"),
            found.server,
            "% of a core",
        );
        report.figure(
            format!("{name}: clients, processor time"),
            found.clients,
            "% of a core",
        );
        report.figure(
            format!("{name}: SYNs dropped, whole machine"),
            real(found.net.syn_drops),
            "",
        );
        report.figure(
            format!("{name}: accept queue overflows, whole machine"),
            real(found.net.listen_overflows),
            "",
        );
        report.figure(
            format!("{name}: segments sent again, whole machine"),
            real(found.net.retransmits),
            "",
        );
        for (why, count) in &tally.failed {
            report.notes.push(format!(
                "{name}: {count} attempts failed and were made again: {why}"
            ));
        }
    }
}
