//! One account with very many devices: what a notification to each of them costs, and what others notice of it.

use std::thread;

use clap::Args;

use super::load::Load;
use super::{Common, Scenario, machine_figures, opened, real, roomy};
use crate::Fallible;
use crate::client::order::{Action, Block, Drive, Order, Tally};
use crate::fleet::{self, Fleet, Manner};
use crate::measure::cpu::Share;
use crate::report::{Axis, Report};
use crate::schedule::Arrivals;
use crate::server::Server;

/// The size that the target is for, and the target: a share of what raw sockets do.
const TARGET_SIZE: usize = 1_000;
const TARGET_SHARE: f64 = 0.8;
/// How much slower others may get.
const TARGET_OTHERS: f64 = 2.0;

/// `load-tests fanout`
#[derive(Debug, Clone, Args)]
pub(crate) struct Fanout {
    /// Devices of the one account, each size in its turn
    #[arg(
        long,
        value_name = "NUMBER,…",
        value_delimiter = ',',
        default_value = "2,10,100,1000,10000",
        value_parser = clap::value_parser!(u32).range(2..)
    )]
    sizes: Vec<u32>,
    /// Deletions that may be under way at once: not yet heard of by all devices
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    under_way: u64,
    /// Seconds for each size and server
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    seconds: u64,
    /// Accounts with 4 devices each that delete beside the largest size; 0: leave that out
    #[arg(long, value_name = "NUMBER", default_value_t = 500)]
    others: u32,
    /// Deletions a second of those accounts
    #[arg(long, value_name = "NUMBER", default_value_t = 500.0)]
    others_rate: f64,
    /// How often the others delete alone and then beside it, for `--seconds` each
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    /// Deletions a second of the one account meanwhile
    #[arg(long, value_name = "NUMBER", default_value_t = 2.0)]
    big_rate: f64,
}

const OTHERS_DEVICES: u32 = 4;

/// Deliveries a second, and the processor time of both sides in percent of a core.
#[derive(Debug, Clone, Copy)]
struct Pulses {
    per_second: f64,
    server: f64,
    clients: f64,
}

/// The others' operations alone and beside the one account, and the one account's own.
struct Turns {
    opened: Tally,
    alone: Load,
    beside: Load,
    own: Tally,
}

impl Scenario for Fanout {
    fn run(&self, common: &Common) -> Fallible<Report> {
        let mut sizes = self.sizes.clone();
        sizes.sort_unstable();
        sizes.dedup();
        let largest = self.largest();
        let connections = largest as usize + (self.others * OTHERS_DEVICES) as usize;
        let mut limits = roomy(connections);
        limits.extend([
            ("connections_per_account", u64::from(largest)),
            ("requests_per_second", 1_000_000),
            ("request_burst", 1_000_000),
        ]);
        let server = common.which.serve(&limits)?;
        let mut report = Report::new("fanout", &server);
        machine_figures(&mut report)?;
        let mut big = account(common, &server, largest)?;
        big.open(0, 1, Manner::steady())?;
        big.seed(0, 1)?;
        self.sizes(common, &server, &mut big, &sizes, &mut report)?;
        if self.others > 0 {
            self.others(common, &server, &mut big, &mut report)?;
        }
        report.close(&server);
        Ok(report)
    }
}

/// The one account is in one process anyway, and the others are to be measured by another.
fn one_process(common: &Common) -> fleet::Options {
    fleet::Options {
        processes: 1,
        ..common.fleet
    }
}

fn account(common: &Common, server: &Server, devices: u32) -> Fallible<Fleet> {
    let block = Block::new(0, 1, devices);
    Fleet::start(&server.access, &[block], one_process(common))
}

impl Fanout {
    fn largest(&self) -> u32 {
        // The parser takes no empty list.
        self.sizes.iter().copied().max().unwrap_or(2)
    }

    /// Each size on the server, and on the bare hub before and after it.
    fn sizes(
        &self,
        common: &Common,
        server: &Server,
        big: &mut Fleet,
        sizes: &[u32],
        report: &mut Report,
    ) -> Fallible<()> {
        let hub = Server::bare()?;
        let mut bare = account(common, &hub, sizes.last().copied().unwrap_or(2))?;
        let mut lines = [Vec::new(), Vec::new()];
        let mut there = 1;
        for size in sizes {
            let all = *size as usize;
            let tally = big.open(0, all, Manner::steady())?;
            opened(report, &tally, all - there);
            there = all;
            bare.open(0, all, Manner::steady())?;

            let before = self.pulse(&hub, &mut bare, all, None)?;
            let ours = self.pulse(server, big, all, Some(report))?;
            let after = self.pulse(&hub, &mut bare, all, None)?;
            let limit = f64::midpoint(before.per_second, after.per_second);
            report.beside(
                format!("{size} devices, deliveries a second"),
                ours.per_second,
                "/s",
                Some(limit),
            );
            report.beside(
                format!("{size} devices, server's processor time"),
                ours.server,
                "% of a core",
                Some(f64::midpoint(before.server, after.server)),
            );
            report.beside(
                format!("{size} devices, clients' processor time"),
                ours.clients,
                "% of a core",
                Some(f64::midpoint(before.clients, after.clients)),
            );
            if (before.per_second / after.per_second - 1.0).abs() > 0.15 {
                report.notes.push(format!(
                    "{size} devices: raw sockets did {:.0} a second before and {:.0} after: the machine was not quiet",
                    before.per_second, after.per_second
                ));
            }
            if all == TARGET_SIZE {
                report.at_least(
                    "1,000 devices, of what raw sockets do",
                    ours.per_second / limit,
                    TARGET_SHARE,
                    "",
                );
            }
            lines[0].push((f64::from(*size), ours.per_second));
            lines[1].push((f64::from(*size), limit));
        }
        let [ours, limit] = lines;
        report.chart(
            "Deliveries by size",
            Axis::logarithmic("devices of the account"),
            Axis::logarithmic("deliveries a second"),
            vec![("chatsync".into(), ours), ("raw sockets".into(), limit)],
        );
        report.notes.push(format!(
            "a deletion begins once fewer than {} are not yet heard of by everybody: each notification is a write of its \
             own; with few devices, or one under way, the time is also that of a commit, which raw sockets have not",
            self.under_way
        ));
        Ok(())
    }

    fn pulse(
        &self,
        server: &Server,
        fleet: &mut Fleet,
        devices: usize,
        report: Option<&mut Report>,
    ) -> Fallible<Pulses> {
        let pids: Vec<_> = server.pid.into_iter().collect();
        let (share, clients) = (Share::begin(&pids), Share::begin(&fleet.pids()));
        let tally = fleet.each(&format!("{devices} devices"), |_| Order::Pulse {
            block: 0,
            account: 0,
            under_way: self.under_way,
            operations: u64::MAX,
            millis: self.seconds * 1000,
        })?;
        let pulses = Pulses {
            per_second: real(tally.sent) * real(devices - 1) / tally.seconds,
            server: share.percent(),
            clients: clients.percent(),
        };
        let settled = fleet.settle()?;
        if let Some(report) = report {
            let wanted = tally.sent * (devices as u64 - 1);
            let told = tally.told + settled.told;
            report.promise(
                format!("{devices} devices, notifications"),
                told == wanted,
                told,
                "one for each",
            );
            report.judge(tally.faults);
            report.judge(settled.faults);
        }
        Ok(pulses)
    }

    /// What other accounts notice while the one account deletes; and what they notice at the bare hub.
    fn others(
        &self,
        common: &Common,
        server: &Server,
        big: &mut Fleet,
        report: &mut Report,
    ) -> Fallible<()> {
        let ours = self.in_turns(common, server, big)?;
        let bare = common.on_bare_hub(|hub| {
            let mut big = account(common, hub, self.largest())?;
            big.open(0, self.largest() as usize, Manner::steady())?;
            self.in_turns(common, hub, &mut big)
        })?;
        opened(report, &ours.opened, self.block().connections());
        for faults in [
            ours.alone.tally.faults,
            ours.beside.tally.faults,
            ours.own.faults,
        ] {
            report.judge(faults);
        }
        let p99 = |load: &Load| load.tally.delivery.percentile(99.0);
        report.figure(
            format!("deletions of the account with {} devices", self.largest()),
            real(ours.own.answered),
            "",
        );
        report.beside(
            "to its last device, p99",
            ours.own.delivery.percentile(99.0),
            "ms",
            bare.as_ref().map(|bare| bare.own.delivery.percentile(99.0)),
        );
        report.beside(
            "other accounts alone, p99",
            p99(&ours.alone),
            "ms",
            bare.as_ref().map(|bare| p99(&bare.alone)),
        );
        report.beside(
            "other accounts beside it, p99",
            p99(&ours.beside),
            "ms",
            bare.as_ref().map(|bare| p99(&bare.beside)),
        );
        report.at_most(
            "other accounts' p99 beside it, of that alone",
            p99(&ours.beside) / p99(&ours.alone),
            TARGET_OTHERS,
            "",
        );
        report.chart(
            "Other accounts' latency",
            Axis::linear("percent of all"),
            Axis::logarithmic("ms"),
            vec![
                ("alone".into(), ours.alone.tally.delivery.curve()),
                (
                    "beside the one account".into(),
                    ours.beside.tally.delivery.curve(),
                ),
            ],
        );
        Ok(())
    }

    fn block(&self) -> Block {
        Block::new(2, self.others, OTHERS_DEVICES)
    }

    /// Others alone and beside the one account, again and again: a machine's mood outlasts a turn, and so is in both.
    fn in_turns(&self, common: &Common, server: &Server, big: &mut Fleet) -> Fallible<Turns> {
        let mut others = Fleet::start(&server.access, &[self.block()], one_process(common))?;
        let opened = others.open(0, self.block().connections(), Manner::steady())?;
        others.seed(0, 10)?;
        let drive = |rate| Drive {
            block: 0,
            arrivals: Arrivals::Poisson,
            rate,
            millis: self.seconds * 1000,
            mix: vec![(1, Action::Delete { batch: 1 })],
            conversations: 1,
        };
        let mut found: Option<Turns> = None;
        for _ in 0..self.turns {
            let alone = Load::run(
                server,
                &mut others,
                "others alone",
                &drive(self.others_rate),
            )?;
            let (beside, own) = thread::scope(|scope| -> Fallible<(Load, Tally)> {
                let one = scope.spawn(|| {
                    let driven = big.drive("the one account", &drive(self.big_rate));
                    // Errors of another thread are told as text.
                    driven.map_err(|error| error.to_string())
                });
                let beside = Load::run(
                    server,
                    &mut others,
                    "others beside it",
                    &drive(self.others_rate),
                )?;
                let own = one
                    .join()
                    .map_err(|_| "the one account's thread panicked")??;
                Ok((beside, own))
            })?;
            found = Some(match found {
                None => Turns {
                    opened: opened.clone(),
                    alone,
                    beside,
                    own,
                },
                Some(mut found) => {
                    found.own += own;
                    Turns {
                        alone: found.alone.and(alone),
                        beside: found.beside.and(beside),
                        ..found
                    }
                }
            });
        }
        found.ok_or_else(|| "--turns is 1 or more".into())
    }
}
