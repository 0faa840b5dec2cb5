//! One account with very many devices: what a notification to each of them costs, and what others notice of it.

mod others;
mod sizes;

use clap::Args;

use super::{Common, Scenario, machine_figures, roomy};
use crate::Fallible;
use crate::client::order::Block;
use crate::fleet::{self, Fleet, Manner};
use crate::report::Report;
use crate::server::Server;

/// Of each of the other accounts.
const OTHERS_DEVICES: u32 = 4;

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
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    under_way: u64,
    /// Seconds of a turn
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    seconds: u64,
    /// Accounts with 4 devices each that delete beside the largest size; 0: leave that out
    #[arg(long, value_name = "NUMBER", default_value_t = 500)]
    others: u32,
    /// Deletions a second of those accounts
    #[arg(long, value_name = "NUMBER", default_value_t = 500.0)]
    others_rate: f64,
    /// Turns of each size on raw sockets and on the server; and of the others, alone and beside the largest
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    /// Deletions a second of the one account meanwhile
    #[arg(long, value_name = "NUMBER", default_value_t = 2.0)]
    big_rate: f64,
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
}
