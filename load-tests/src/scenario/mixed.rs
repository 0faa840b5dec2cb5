//! Messages, read marks and deletions together, in the proportions of [`soak`](super::soak).

use clap::Args;

use super::load::Load;
use super::{Common, Scenario, machine_figures, opened, roomy};
use crate::Fallible;
use crate::client::order::{Block, Drive};
use crate::fleet::{Fleet, Manner, PAIR};
use crate::report::Report;
use crate::schedule::Arrivals;

/// `load-tests mixed`
#[derive(Debug, Clone, Args)]
pub(crate) struct Mixed {
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..))]
    accounts: u32,
    /// Devices of each account
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(2..))]
    devices: u32,
    /// Operations a second, of all accounts
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000.0)]
    rate: f64,
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    seconds: u64,
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    arrivals: Arrivals,
}

impl Scenario for Mixed {
    fn run(&self, common: &Common) -> Fallible<Report> {
        let block = Block::new(0, self.accounts - self.accounts % 2, self.devices);
        let server = common.which.serve(&roomy(block.connections()))?;
        let mut report = Report::new("mixed", &server);
        machine_figures(&mut report)?;
        let mut fleet = Fleet::start(&server.access, &[block], common.fleet)?;
        let tally = fleet.open(0, block.connections(), Manner::steady())?;
        opened(&mut report, &tally, block.connections());
        fleet.seed(0, 10)?;
        let drive = Drive {
            block: 0,
            arrivals: self.arrivals,
            rate: self.rate,
            millis: self.seconds * 1000,
            mix: super::soak::mix(),
            conversations: 10,
        };
        let load = Load::run(&server, &mut fleet, "working", &drive)?;
        let hub = Load::of_bare_hub(common, block, PAIR, &drive)?;
        load.report(&mut report, hub.as_ref());
        report.close(&server);
        Ok(report)
    }
}
