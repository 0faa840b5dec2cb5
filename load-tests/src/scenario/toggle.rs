//! The app's switch is turned while accounts delete: after "off" is acknowledged nothing is told, after "on"
//! everything is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Args;

use super::load::Load;
use super::{Common, Scenario, machine_figures, opened, real, roomy};
use crate::Fallible;
use crate::client::order::{Action, Block, Drive};
use crate::fleet::{Fleet, Manner, PAIR};
use crate::report::Report;
use crate::schedule::Arrivals;

/// `load-tests toggle`
#[derive(Debug, Clone, Args)]
pub(crate) struct Toggle {
    #[arg(long, value_name = "NUMBER", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    accounts: u32,
    /// Devices of each account
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(2..))]
    devices: u32,
    /// Deletions a second, of all accounts
    #[arg(long, value_name = "NUMBER", default_value_t = 500.0)]
    rate: f64,
    /// How often the switch is turned between two stretches of deletions
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    turns: u32,
    /// Seconds during which it is turned while deletions go on
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u64,
}

/// Between two turns of the switch while deletions go on.
const PAUSE: Duration = Duration::from_millis(300);

impl Scenario for Toggle {
    fn run(&self, common: &Common) -> Fallible<Report> {
        let block = Block::new(0, self.accounts, self.devices);
        let server = common.which.serve(&roomy(block.connections()))?;
        let mut report = Report::new("toggle", &server);
        machine_figures(&mut report)?;
        let mut fleet = Fleet::start(&server.access, &[block], common.fleet)?;
        let tally = fleet.open(0, block.connections(), Manner::steady())?;
        opened(&mut report, &tally, block.connections());
        fleet.seed(0, 10)?;
        let drive = |millis| Drive {
            block: 0,
            arrivals: Arrivals::Poisson,
            rate: self.rate,
            millis,
            mix: vec![(1, Action::Delete { batch: 1 })],
            conversations: 10,
        };
        let siblings = u64::from(self.devices - 1);

        for turn in 0..self.turns {
            let is_on = turn % 2 == 1;
            server.switch(is_on)?;
            let load = Load::run(
                &server,
                &mut fleet,
                if is_on { "on" } else { "off" },
                &drive(1000),
            )?;
            let tally = &load.tally;
            let (synced, told) = if is_on {
                (tally.answered, tally.answered * siblings)
            } else {
                (0, 0)
            };
            let word = if is_on { "on" } else { "off" };
            let measured = format!(
                "{} of {} synced, {} told",
                tally.answered - tally.unsynced,
                tally.answered,
                tally.told
            );
            let holds = tally.answered - tally.unsynced == synced
                && tally.told == told
                && tally.answered > 0;
            report.promise(
                format!("turn {}, {word}", turn + 1),
                holds,
                measured,
                if is_on { "all" } else { "none" },
            );
            report.judge(tally.faults);
        }

        let is_over = AtomicBool::new(false);
        let (load, turns) = thread::scope(|scope| -> Fallible<(Load, u32)> {
            let turner = scope.spawn(|| -> Result<u32, String> {
                let mut turns = 0;
                while !is_over.load(Ordering::Relaxed) {
                    // Errors of another thread are told as text.
                    server
                        .switch(turns % 2 == 0)
                        .map_err(|error| error.to_string())?;
                    turns += 1;
                    thread::sleep(PAUSE);
                }
                Ok(turns)
            });
            let load = Load::run(
                &server,
                &mut fleet,
                "turning meanwhile",
                &drive(self.seconds * 1000),
            );
            is_over.store(true, Ordering::Relaxed);
            let turns = turner
                .join()
                .map_err(|_| "the thread that turns the switch panicked")??;
            Ok((load?, turns))
        })?;
        let synced = load.tally.answered - load.tally.unsynced;
        report.figure("turns while deletions went on", f64::from(turns), "");
        report.figure("deletions meanwhile that were synced", real(synced), "");
        report.figure(
            "deletions meanwhile that were not",
            real(load.tally.unsynced),
            "",
        );
        let told = load.tally.told;
        report.promise(
            "told: every synced deletion and no other",
            told == synced * siblings,
            told,
            &(synced * siblings).to_string(),
        );
        // Raw sockets have no switch: what they do is what a switch that stays on would take.
        let hub = Load::of_bare_hub(common, block, PAIR, &drive(self.seconds * 1000))?;
        load.report(&mut report, hub.as_ref());
        report.close(&server);
        Ok(report)
    }
}
