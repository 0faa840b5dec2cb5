//! Deletions by many accounts, told to each one's other devices.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::load::Load;
use super::{Common, Scenario, machine_figures, opened, real, roomy, top};
use crate::Fallible;
use crate::client::order::{Action, Block, Drive, Tally};
use crate::fleet::{Fleet, Manner};
use crate::limit::store::RawStore;
use crate::report::{Axis, Report};
use crate::schedule::Arrivals;
use crate::server::Server;

/// Beyond this a rate counts as too high.
pub(super) const SATURATED_MS: f64 = 50.0;
const TARGET_TOP: f64 = 20_000.0;
/// What a deletion of 100 conversations may cost, in deletions of one.
const TARGET_BATCH: f64 = 12.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// `load-tests delete`
#[derive(Debug, Clone, Args)]
pub(crate) struct Delete {
    /// Accounts that delete
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    accounts: u32,
    /// Devices of each account
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    devices: u32,
    /// Deletions a second, of all accounts
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000.0)]
    rate: f64,
    /// Seconds; with --saturate, of each step
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u64,
    /// Seconds at the same rate beforehand, checked but not measured; none with --saturate
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    run_in: u64,
    /// Conversations in one call
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    batch: u32,
    /// Conversations of each account [default: 10, or as many as a batch has]
    #[arg(long, value_name = "NUMBER")]
    conversations: Option<u32>,
    /// Connections beside, of other accounts, that do nothing
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    idle: u32,
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    arrivals: Arrivals,
    /// The app's switch
    #[arg(long, value_enum, default_value_t = Switch::On)]
    switch: Switch,
    /// Find the top rate, beginning with --rate
    #[arg(long)]
    saturate: bool,
}

/// What is left of two limits where both have to share the machine: of sockets, which take all its cores, and of the
/// store, whose one writer takes one.
fn together(sockets: f64, store: f64, cores: f64) -> f64 {
    1.0 / (1.0 / sockets + 1.0 / (store * cores))
}

impl Scenario for Delete {
    fn run(&self, common: &Common) -> Fallible<Report> {
        let server = common.which.serve(&roomy(self.connections()))?;
        let mut report = Report::new("delete", &server);
        machine_figures(&mut report)?;
        if self.switch == Switch::Off {
            server.switch(false)?;
        }
        let mut fleet = self.fleet(common, &server, Some(&mut report))?;
        if self.saturate {
            self.find_top(common, &server, &mut fleet, &mut report)?;
        } else {
            self.at_rate(common, &server, &mut fleet, &mut report)?;
        }
        report.close(&server);
        Ok(report)
    }
}

impl Delete {
    fn connections(&self) -> usize {
        self.accounts as usize * self.devices as usize + self.idle as usize
    }

    fn conversations(&self) -> u32 {
        self.conversations.unwrap_or(10).max(self.batch)
    }

    /// All devices, logged in, with their conversations.
    fn fleet(
        &self,
        common: &Common,
        server: &Server,
        report: Option<&mut Report>,
    ) -> Fallible<Fleet> {
        let blocks = [
            Block::new(0, self.accounts, self.devices),
            Block::new(self.accounts + self.accounts % 2, self.idle, 1),
        ];
        let mut fleet = Fleet::start(&server.access, &blocks, common.fleet)?;
        let mut tally = fleet.open(0, blocks[0].connections(), Manner::steady())?;
        tally += fleet.open(1, blocks[1].connections(), Manner::steady())?;
        let seeded = fleet.seed(0, self.conversations())?;
        if let Some(report) = report {
            opened(report, &tally, self.connections());
            let wanted = u64::from(self.accounts) * u64::from(self.conversations());
            report.promise(
                "conversations made",
                seeded.answered == wanted,
                seeded.answered,
                "all",
            );
        }
        Ok(fleet)
    }

    fn drive(&self, rate: f64, batch: u32) -> Drive {
        Drive {
            block: 0,
            arrivals: self.arrivals,
            rate,
            millis: self.seconds * 1000,
            mix: vec![(1, Action::Delete { batch })],
            conversations: self.conversations(),
        }
    }

    /// What is measured is a load that goes on, not its beginning: the disk is still busy with the conversations that
    /// were made just now, and the store's log has not come to its size.
    fn run_in(&self, fleet: &mut Fleet) -> Fallible<Tally> {
        let drive = Drive {
            millis: self.run_in * 1000,
            ..self.drive(self.rate, self.batch)
        };
        fleet.drive("running in", &drive)
    }

    fn at_rate(
        &self,
        common: &Common,
        server: &Server,
        fleet: &mut Fleet,
        report: &mut Report,
    ) -> Fallible<()> {
        let drive = self.drive(self.rate, self.batch);
        let before = self.run_in(fleet)?;
        report.judge(before.faults);
        let load = Load::run(server, fleet, "deleting", &drive)?;
        let hub = common.on_bare_hub(|hub| {
            let mut fleet = self.fleet(common, hub, None)?;
            self.run_in(&mut fleet)?;
            Load::run(hub, &mut fleet, "limit: raw sockets", &drive)
        })?;
        load.report(report, hub.as_ref());
        if self.switch == Switch::Off {
            let told = before.told + load.tally.told;
            report.promise(
                "nothing is told while the switch is off",
                told == 0,
                told,
                "0",
            );
        }
        if self.batch > 1 {
            let single = Load::run(
                server,
                fleet,
                "deleting one at a time",
                &self.drive(self.rate, 1),
            )?;
            report.judge(single.tally.faults);
            let cost = load.server_each / single.server_each;
            report.figure(
                "processor time of a deletion of one conversation",
                single.server_each,
                "µs",
            );
            report.at_most(
                format!("a deletion of {}, in deletions of one", self.batch),
                cost,
                TARGET_BATCH,
                "",
            );
        }
        if !common.no_limit {
            let mut store = RawStore::new(self.accounts, self.conversations())?;
            let mut pace =
                |seconds| store.paced(self.batch, self.rate, Duration::from_secs(seconds));
            pace(self.run_in)?;
            let alone = pace(self.seconds)?;
            let (ours, bare) = (load.tally.answer.summary(), alone.times.summary());
            report.beside(
                "to the answer beside the bare store, p50",
                ours.p50,
                "ms",
                Some(bare.p50),
            );
            report.beside(
                "to the answer beside the bare store, p99",
                ours.p99,
                "ms",
                Some(bare.p99),
            );
            if let Some(commits) = &load.commits {
                report.beside(
                    "a commit beside the bare store, longest at most",
                    commits.at_most(100),
                    "ms",
                    Some(alone.commits.at_most(100)),
                );
            }
            if let Some(hub) = hub {
                report.beside(
                    "server, processor time of an operation beside both limits",
                    load.server_each,
                    "µs",
                    Some(hub.server_each + alone.each),
                );
            }
        }
        if let Some(most) = self.target() {
            report.at_most(
                "delete to notification, p99",
                load.tally.delivery.percentile(99.0),
                most,
                "ms",
            );
        }
        Ok(())
    }

    /// What the 99th percentile should be at the rates that have a target.
    fn target(&self) -> Option<f64> {
        match self.rate {
            _ if self.batch > 1 || self.switch == Switch::Off => None,
            rate if rate <= 5_000.0 => Some(3.0),
            rate if rate <= 10_000.0 => Some(8.0),
            _ => None,
        }
    }

    /// Doubles the rate until it is too high, then halves the step.
    fn find_top(
        &self,
        common: &Common,
        server: &Server,
        fleet: &mut Fleet,
        report: &mut Report,
    ) -> Fallible<()> {
        let (top, points) = self.search(server, fleet, Some(report))?;
        let mut lines = vec![("chatsync".into(), points)];
        let bare = common.on_bare_hub(|hub| {
            let mut fleet = self.fleet(common, hub, None)?;
            self.search(hub, &mut fleet, None)
        })?;
        let mut limit = None;
        if let Some((rate, points)) = bare {
            limit = Some(rate);
            lines.push(("bare hub".into(), points));
            let mut store = RawStore::new(self.accounts, self.conversations())?;
            let alone = store.top(self.batch, Duration::from_secs(self.seconds))?;
            report.beside(
                "top rate beside the bare store",
                top,
                "/s",
                Some(alone.per_second),
            );
            report.beside(
                "top rate beside both on the same cores",
                top,
                "/s",
                Some(together(rate, alone.per_second, real(report.machine.cores))),
            );
        }
        report.beside("top rate", top, "/s", limit);
        if self.batch == 1 {
            report.at_least("top rate", top, TARGET_TOP, "/s");
        } else if self.batch == 100 {
            report.at_least("top rate of 100 each", top, 1_000.0, "/s");
        }
        report.chart(
            "Latency by rate",
            Axis::logarithmic("deletions a second"),
            Axis::logarithmic("p99, ms"),
            lines,
        );
        Ok(())
    }

    fn search(
        &self,
        server: &Server,
        fleet: &mut Fleet,
        mut report: Option<&mut Report>,
    ) -> Fallible<(f64, Vec<(f64, f64)>)> {
        let mut points = Vec::new();
        let top = top::top(self.rate, |rate| {
            let load = Load::run(
                server,
                fleet,
                &format!("{rate:.0} a second"),
                &self.drive(rate, self.batch),
            )?;
            if let Some(report) = report.as_deref_mut() {
                report.judge(load.tally.faults);
            }
            let times = if self.switch == Switch::On && self.devices > 1 {
                &load.tally.delivery
            } else {
                &load.tally.answer
            };
            let p99 = times.percentile(99.0);
            points.push((rate, p99));
            Ok(load.sent() >= 0.99 && load.refused() == 0 && p99 < SATURATED_MS)
        })?;
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        Ok((top, points))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_limits_that_share_the_machine_leave_what_both_take_of_it() {
        // A thousandth of a second of both cores, and another one of one of them: half as long again.
        let left = together(1_000.0, 1_000.0, 2.0);
        assert!((left - 1_000.0 / 1.5).abs() < 1e-6, "{left}");
    }
}
