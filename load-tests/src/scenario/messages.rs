//! Messages between the two accounts of each pair, told to all devices of both.

use clap::Args;

use super::load::Load;
use super::{Common, Scenario, opened, roomy};
use crate::Fallible;
use crate::client::order::{Action, Block, Drive};
use crate::fleet::{Fleet, Manner};
use crate::report::Report;
use crate::schedule::Arrivals;
use crate::server::Server;

/// `load-tests messages`
#[derive(Debug, Clone, Args)]
pub(crate) struct Messages {
    /// Pairs of accounts
    #[arg(long, value_name = "NUMBER", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,
    /// Devices of each account
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    devices: u32,
    /// Messages a second, of all
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000.0)]
    rate: f64,
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u64,
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    arrivals: Arrivals,
    /// Leave out what the bare hub takes
    #[arg(long)]
    no_limit: bool,
}

impl Scenario for Messages {
    fn run(&self, common: &Common) -> Fallible<Report> {
        let block = Block::new(0, 2 * self.pairs, self.devices);
        let drive = Drive {
            block: 0,
            arrivals: self.arrivals,
            rate: self.rate,
            millis: self.seconds * 1000,
            mix: vec![(1, Action::Send)],
            conversations: 1,
        };
        let server = common.which.serve(&roomy(block.connections()))?;
        let mut report = Report::new("messages", &server);
        let mut fleet = Fleet::start(&server.access, &[block], common.fleet)?;
        let tally = fleet.open(0, block.connections(), Manner::steady())?;
        opened(&mut report, &tally, block.connections());
        let load = Load::run(&server, &mut fleet, "writing", &drive)?;
        let hub = if self.no_limit {
            None
        } else {
            let hub = Server::bare()?;
            let mut fleet = Fleet::start(&hub.access, &[block], common.fleet)?;
            fleet.open(0, block.connections(), Manner::steady())?;
            Some(Load::run(&hub, &mut fleet, "limit: raw sockets", &drive)?)
        };
        load.report(&mut report, hub.as_ref());
        let wanted = load.tally.answered * (2 * u64::from(self.devices) - 1);
        let told = load.tally.told;
        report.promise(
            "each message to every other device of both",
            told == wanted,
            told,
            "all",
        );
        report.close(&server);
        Ok(report)
    }
}
