//! Messages between the two accounts of each pair, or among the members of a group, told to all devices of all.

use clap::Args;

use super::load::Load;
use super::{Common, Scenario, machine_figures, opened, real, roomy};
use crate::Fallible;
use crate::client::order::{Action, Block, Drive};
use crate::fleet::{Fleet, Manner};
use crate::report::Report;
use crate::schedule::Arrivals;

/// `load-tests messages`
#[derive(Debug, Clone, Args)]
pub(crate) struct Messages {
    /// Pairs of accounts that write to each other
    #[arg(long, value_name = "NUMBER", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,
    /// Instead: members of one group that all of them write in
    #[arg(long, value_name = "NUMBER", conflicts_with = "pairs", value_parser = clap::value_parser!(u32).range(3..))]
    members: Option<u32>,
    /// Devices of each account [default: 4; 1 of a group's member]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    devices: Option<u32>,
    /// Messages a second, of all [default: 1000; in a group so many that 10,000 notifications a second come of them]
    #[arg(long, value_name = "NUMBER")]
    rate: Option<f64>,
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u64,
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    arrivals: Arrivals,
}

impl Scenario for Messages {
    fn run(&self, common: &Common) -> Fallible<Report> {
        let (circle, accounts) = match self.members {
            Some(members) => (members, members),
            None => (2, 2 * self.pairs),
        };
        let devices = self.devices.unwrap_or(if circle > 2 { 1 } else { 4 });
        let others = u64::from(circle) * u64::from(devices) - 1;
        let usual = if circle > 2 {
            10_000.0 / real(others)
        } else {
            1_000.0
        };
        let block = Block::new(0, accounts, devices);
        let drive = Drive {
            block: 0,
            arrivals: self.arrivals,
            rate: self.rate.unwrap_or(usual),
            millis: self.seconds * 1000,
            mix: vec![(1, Action::Send)],
            conversations: 1,
        };
        let mut limits = roomy(block.connections());
        limits.push(("group_members", u64::from(circle)));
        let server = common.which.serve(&limits)?;
        let mut report = Report::new("messages", &server);
        machine_figures(&mut report)?;
        let mut fleet = Fleet::of_circles(&server.access, &[block], circle, common.fleet)?;
        if circle > 2 {
            gather(&mut fleet, circle)?;
        }
        let tally = fleet.open(0, block.connections(), Manner::steady())?;
        opened(&mut report, &tally, block.connections());
        let load = Load::run(&server, &mut fleet, "writing", &drive)?;
        let hub = Load::of_bare_hub(common, block, circle, &drive)?;
        load.report(&mut report, hub.as_ref());
        let wanted = load.tally.answered * others;
        let told = load.tally.told;
        report.promise(
            "each message to every other device",
            told == wanted,
            told,
            "all",
        );
        report.close(&server);
        Ok(report)
    }
}

/// One member makes the group, alone there; it leaves, to come back with the others and see what they see.
fn gather(fleet: &mut Fleet, members: u32) -> Fallible<()> {
    fleet.open(0, 1, Manner::steady())?;
    let tally = fleet.gather(0)?;
    if !tally.refused.is_empty() {
        return Err(format!("no group of {members}: refused with {:?}", tally.refused).into());
    }
    fleet.close(0, 0)?;
    Ok(())
}
