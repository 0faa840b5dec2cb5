//! Hours of everything: deletions, read marks, messages, and devices that go and come back.

use std::time::{Duration, Instant};

use clap::Args;

use super::load::Load;
use super::{Common, Scenario, machine_figures, memory, opened, real, roomy};
use crate::Fallible;
use crate::client::order::{Action, Block, Drive, Resume};
use crate::fleet::{Fleet, Manner, PAIR};
use crate::report::{Axis, Report};
use crate::schedule::Arrivals;

const MIB: f64 = 1024.0 * 1024.0;
/// What the server's memory may grow by in the second half of the run.
const TARGET_MIB: f64 = 25.0;

/// `load-tests soak`
#[derive(Debug, Clone, Args)]
pub(crate) struct Soak {
    /// Minutes
    #[arg(long, value_name = "NUMBER", default_value_t = 60.0)]
    minutes: f64,
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..))]
    accounts: u32,
    /// Devices of each account
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(2..))]
    devices: u32,
    /// Operations a second, of all accounts
    #[arg(long, value_name = "NUMBER", default_value_t = 500.0)]
    rate: f64,
    /// Seconds between two times that a tenth of the devices goes and comes back
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    stretch: u64,
}

/// How often what is done: most are messages and read marks, as in life.
pub(super) fn mix() -> Vec<(u32, Action)> {
    vec![
        (70, Action::Send),
        (25, Action::Read),
        (5, Action::Delete { batch: 1 }),
    ]
}

impl Scenario for Soak {
    fn run(&self, common: &Common) -> Fallible<Report> {
        let block = Block::new(0, self.accounts - self.accounts % 2, self.devices);
        let all = block.connections();
        let server = common.which.serve(&roomy(all))?;
        let mut report = Report::new("soak", &server);
        machine_figures(&mut report)?;
        let mut fleet = Fleet::start(&server.access, &[block], common.fleet)?;
        opened(&mut report, &fleet.open(0, all, Manner::steady())?, all);
        fleet.seed(0, 10)?;
        let drive = Drive {
            block: 0,
            arrivals: Arrivals::Poisson,
            rate: self.rate,
            millis: self.stretch * 1000,
            mix: mix(),
            conversations: 10,
        };
        let (began, length) = (Instant::now(), Duration::from_secs_f64(60.0 * self.minutes));
        let (mut course, mut p99s) = (Vec::new(), Vec::new());
        let mut sum: Option<Load> = None;
        while began.elapsed() < length {
            let title = format!(
                "{:.0} of {} min",
                began.elapsed().as_secs_f64() / 60.0,
                self.minutes
            );
            let load = Load::run(&server, &mut fleet, &title, &drive)?;
            let minutes = began.elapsed().as_secs_f64() / 60.0;
            course.push((minutes, real(memory(&server)?.anonymous) / MIB));
            p99s.push((minutes, load.tally.delivery.percentile(99.0)));
            sum = Some(match sum {
                Some(sum) => sum.and(load),
                None => load,
            });
            fleet.close(0, all - all / 10)?;
            let manner = Manner {
                resume: Resume::Cursor,
                ..Manner::steady()
            };
            let back = fleet.open(0, all, manner)?;
            report.judge(back.faults);
            if back.opened != (all / 10) as u64 {
                opened(&mut report, &back, all / 10);
            }
        }
        if let Some(load) = sum {
            let hub = Load::of_bare_hub(common, block, PAIR, &drive)?;
            load.report(&mut report, hub.as_ref());
        }
        let half = course.get(course.len() / 2).map_or(0.0, |point| point.1);
        let grown = course.last().map_or(0.0, |point| point.1) - half;
        report.at_most("memory grown in the second half", grown, TARGET_MIB, "MiB");
        report.chart(
            "The server's own memory",
            Axis::linear("minutes"),
            Axis::linear("MiB"),
            vec![("anonymous".into(), course)],
        );
        report.chart(
            "Latency over time",
            Axis::linear("minutes"),
            Axis::logarithmic("p99, ms"),
            vec![("to the other devices".into(), p99s)],
        );
        report.close(&server);
        Ok(report)
    }
}
