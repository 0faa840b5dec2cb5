//! Some devices read nothing for a while: their own account and others must not notice, the server's memory must
//! not grow without bound, and they must catch up once they read again.

use std::thread;

use clap::Args;

use super::load::Load;
use super::{Common, Scenario, machine_figures, memory, opened, real, roomy};
use crate::Fallible;
use crate::client::order::{Action, Block, Drive, Order, Resume, Tally};
use crate::fleet::{Fleet, Manner};
use crate::report::{Axis, Report};
use crate::schedule::Arrivals;
use crate::server::Server;

/// How much slower others may get.
const TARGET: f64 = 2.0;
/// Most that the server's memory may grow by meanwhile.
const TARGET_MIB: f64 = 25.0;
const MIB: f64 = 1024.0 * 1024.0;

/// `load-tests slow`
#[derive(Debug, Clone, Args)]
pub(crate) struct Slow {
    /// Accounts of which one device reads nothing
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    accounts: u32,
    /// Deletions of 100 conversations a second, of these accounts
    #[arg(long, value_name = "NUMBER", default_value_t = 200.0)]
    rate: f64,
    /// Other accounts, with as many devices, that delete one conversation at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    others: u32,
    /// Deletions a second of those
    #[arg(long, value_name = "NUMBER", default_value_t = 200.0)]
    others_rate: f64,
    /// Seconds of a turn in which they read nothing, or all read; the server closes them after 10
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    seconds: u64,
    /// Turns of each
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
}

const DEVICES: u32 = 4;

impl Scenario for Slow {
    fn run(&self, common: &Common) -> Fallible<Report> {
        let connections = self.slow().connections() + self.beside().connections();
        let server = common.which.serve(&roomy(connections))?;
        let mut report = Report::new("slow", &server);
        machine_figures(&mut report)?;
        let found = self.in_turns(common, &server, Some(&mut report))?;
        let bare = common.on_bare_hub(|hub| self.in_turns(common, hub, None))?;
        Self::report(&mut report, &found, bare.as_ref());
        report.close(&server);
        Ok(report)
    }
}

/// What came of the same work while all read, and while some did not.
struct Found {
    alone: Part,
    slow: Part,
}

struct Part {
    others: Load,
    tally: Tally,
    /// Bytes of the server's memory, in the turn in which it grew most.
    grown: f64,
}

impl Part {
    fn and(mut self, later: Self) -> Self {
        self.tally += later.tally;
        Self {
            others: self.others.and(later.others),
            tally: self.tally,
            grown: self.grown.max(later.grown),
        }
    }
}

impl Slow {
    fn slow(&self) -> Block {
        Block::new(0, self.accounts, DEVICES)
    }

    fn beside(&self) -> Block {
        Block::new(1_000_000, self.others, DEVICES)
    }

    /// The same work with everybody reading and with some that don't, again and again: a disk's and a machine's moods
    /// outlast a turn, and so are in both.
    fn in_turns(
        &self,
        common: &Common,
        server: &Server,
        mut report: Option<&mut Report>,
    ) -> Fallible<Found> {
        let (block, others) = (self.slow(), self.beside());
        let mut fleet = Fleet::start(&server.access, &[block], common.fleet)?;
        let mut beside = Fleet::start(&server.access, &[others], common.fleet)?;
        for (fleet, block) in [(&mut fleet, block), (&mut beside, others)] {
            let tally = fleet.open(0, block.connections(), Manner::steady())?;
            if let Some(report) = report.as_deref_mut() {
                opened(report, &tally, block.connections());
            }
        }
        fleet.seed(0, 100)?;
        beside.seed(0, 10)?;
        let drive = |rate, batch| Drive {
            block: 0,
            arrivals: Arrivals::Poisson,
            rate,
            millis: self.seconds * 1000,
            mix: vec![(1, Action::Delete { batch })],
            conversations: if batch == 1 { 10 } else { 100 },
        };

        let mut part = |stalls| -> Fallible<Part> {
            fleet.each("stalling", |_| Order::Stall {
                block: 0,
                on: stalls,
            })?;
            let before = memory(server)?;
            let (load, mut tally) = thread::scope(|scope| -> Fallible<(Load, Tally)> {
                // Errors of another thread are told as text.
                let fleet = &mut fleet;
                let one = scope.spawn(move || {
                    let driven = fleet.drive_on("deleting", &drive(self.rate, 100));
                    driven.map_err(|error| error.to_string())
                });
                let load = Load::run(server, &mut beside, "others", &drive(self.others_rate, 1))?;
                Ok((
                    load,
                    one.join()
                        .map_err(|_| "the thread of the slow panicked")??,
                ))
            })?;
            let grown = real(memory(server)?.anonymous) - real(before.anonymous);
            tally += fleet.each("reading again", |_| Order::Stall {
                block: 0,
                on: false,
            })?;
            // Each reads what the kernels hold, and then a hint, or that it was closed.
            tally += fleet.settle()?;
            let manner = Manner {
                resume: Resume::Cursor,
                ..Manner::steady()
            };
            tally += fleet.open(0, block.connections(), manner)?;
            tally += fleet.settle()?;
            if let Some(report) = report.as_deref_mut() {
                report.judge(tally.faults);
                report.judge(load.tally.faults);
            }
            Ok(Part {
                others: load,
                tally,
                grown,
            })
        };
        let mut found = Found {
            alone: part(false)?,
            slow: part(true)?,
        };
        for _ in 1..self.turns {
            found = Found {
                alone: found.alone.and(part(false)?),
                slow: found.slow.and(part(true)?),
            };
        }
        Ok(found)
    }

    fn report(report: &mut Report, found: &Found, bare: Option<&Found>) {
        let p99 = |part: &Part| part.others.tally.delivery.percentile(99.0);
        let tally = &found.slow.tally;
        report.figure(
            "deletions of accounts with a slow device",
            real(tally.answered),
            "",
        );
        report.figure(
            "to the answer, p99, with a slow device",
            tally.answer.percentile(99.0),
            "ms",
        );
        report.figure(
            "to the answer, p99, without",
            found.alone.tally.answer.percentile(99.0),
            "ms",
        );
        report.figure("hints in place of notifications", real(tally.hints), "");
        report.figure(
            "closed with 4410",
            real(tally.closed.get(&4410).copied().unwrap_or(0)),
            "",
        );
        report.figure("came back with their cursor", real(tally.opened), "");
        report.beside(
            "others, p99, while all read",
            p99(&found.alone),
            "ms",
            bare.map(|bare| p99(&bare.alone)),
        );
        report.beside(
            "others, p99, while some don't",
            p99(&found.slow),
            "ms",
            bare.map(|bare| p99(&bare.slow)),
        );
        found
            .alone
            .others
            .report_commits(report, ", while all read");
        found
            .slow
            .others
            .report_commits(report, ", while some don't");
        report.at_most(
            "others' p99 while some don't read",
            p99(&found.slow) / p99(&found.alone),
            TARGET,
            "",
        );
        report.beside(
            "server's memory grown while some don't read",
            found.slow.grown / MIB,
            "MiB",
            bare.map(|bare| bare.slow.grown / MIB),
        );
        let grown = found.slow.grown / MIB;
        report.at_most(
            "server's memory grown while some don't read",
            grown,
            TARGET_MIB,
            "MiB",
        );
        let noticed = tally.hints + tally.opened;
        if noticed == 0 {
            report.notes.push(
                "no queue ever filled: the kernel held all; raise --rate or --seconds".into(),
            );
        }
        report.chart(
            "Other accounts' latency",
            Axis::linear("percent of all"),
            Axis::logarithmic("ms"),
            vec![
                (
                    "while all read".into(),
                    found.alone.others.tally.delivery.curve(),
                ),
                (
                    "while some don't".into(),
                    found.slow.others.tally.delivery.curve(),
                ),
            ],
        );
    }
}
