//! A day of ordinary use in minutes: messages, read marks and deletions in the proportions of [`soak`](super::soak),
//! few at night and many in the evening, while devices come and go.

use clap::Args;

use super::load::Load;
use super::{Common, Scenario, machine_figures, memory, opened, real, roomy};
use crate::Fallible;
use crate::client::order::{Block, Drive, Resume, Tally};
use crate::fleet::{Fleet, Manner};
use crate::report::{Axis, Report};
use crate::schedule::Arrivals;
use crate::server::Server;

const MIB: f64 = 1024.0 * 1024.0;

/// What is done in each hour from midnight on, in percent of what is done in the busiest; likewise the devices there.
const HOURS: [u32; 24] = [
    35, 20, 12, 8, 8, 10, 20, 40, 55, 60, 60, 65, 75, 70, 60, 60, 65, 75, 85, 95, 100, 95, 80, 55,
];

/// `load-tests mixed`
#[derive(Debug, Clone, Args)]
pub(crate) struct Mixed {
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..))]
    accounts: u32,
    /// Devices of each account: one stays and acts, the others come and go as the day does
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(2..))]
    devices: u32,
    /// Operations a second in the busiest hour, of all accounts
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000.0)]
    rate: f64,
    /// Seconds of operations that make the day, an hour in each twenty-fourth part
    #[arg(long, value_name = "SECONDS", default_value_t = 96)]
    seconds: u64,
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    arrivals: Arrivals,
}

/// What came of one.
struct Hour {
    load: Load,
    /// Those that came back at its beginning, and caught up.
    back: Tally,
    /// Devices that were there.
    present: usize,
    /// Bytes of the server's own memory.
    memory: u64,
}

impl Scenario for Mixed {
    fn run(&self, common: &Common) -> Fallible<Report> {
        let [acting, others] = self.blocks();
        let all = acting.connections() + others.connections();
        let server = common.which.serve(&roomy(all))?;
        let mut report = Report::new("mixed", &server);
        machine_figures(&mut report)?;
        let day = self.day(common, &server, Some(&mut report))?;
        let bare = common.on_bare_hub(|hub| self.day(common, hub, None))?;
        Self::report(&mut report, others, day, bare)?;
        report.close(&server);
        Ok(report)
    }
}

impl Mixed {
    /// The devices that stay, and the others of the same accounts.
    fn blocks(&self) -> [Block; 2] {
        let acting = Block::new(0, self.accounts - self.accounts % 2, 1);
        let others = Block {
            first_device: 1,
            devices: self.devices - 1,
            ..acting
        };
        [acting, others]
    }

    fn day(
        &self,
        common: &Common,
        server: &Server,
        mut report: Option<&mut Report>,
    ) -> Fallible<Vec<Hour>> {
        let blocks = self.blocks();
        let [acting, others] = blocks.map(Block::connections);
        let mut fleet = Fleet::start(&server.access, &blocks, common.fleet)?;
        let tally = fleet.open(0, acting, Manner::steady())?;
        if let Some(report) = report.as_deref_mut() {
            opened(report, &tally, acting);
        }
        fleet.seed(0, 10)?;
        let mut hours = Vec::new();
        let mut present = 0;
        for (hour, percent) in HOURS.into_iter().enumerate() {
            let wanted = others * percent as usize / 100;
            fleet.close(1, wanted)?;
            let manner = Manner {
                // Whoever was here in the morning comes back in the evening, to what it missed.
                resume: Resume::Cursor,
                ..Manner::steady()
            };
            let back = fleet.open(1, wanted, manner)?;
            let missing = wanted.saturating_sub(present);
            // More come where one of another process goes: each process has its own part of them.
            if let Some(report) = report.as_deref_mut()
                && back.opened < missing as u64
            {
                opened(report, &back, missing);
            }
            present = wanted;
            let drive = Drive {
                block: 0,
                arrivals: self.arrivals,
                rate: self.rate * f64::from(percent) / 100.0,
                millis: self.seconds * 1000 / HOURS.len() as u64,
                mix: super::soak::mix(),
                conversations: 10,
            };
            let load = Load::run(server, &mut fleet, &format!("{hour} o'clock"), &drive)?;
            hours.push(Hour {
                load,
                back,
                present: acting + present,
                memory: memory(server)?.anonymous,
            });
        }
        Ok(hours)
    }

    fn report(
        report: &mut Report,
        others: Block,
        day: Vec<Hour>,
        bare: Option<Vec<Hour>>,
    ) -> Fallible<()> {
        let lines = |of: &dyn Fn(&Hour) -> f64, hours: &[Hour]| -> Vec<_> {
            let points = hours.iter().enumerate();
            points.map(|(at, hour)| (real(at), of(hour))).collect()
        };
        let p99 = |hour: &Hour| hour.load.tally.delivery.percentile(99.0);
        let mut p99s = vec![("chatsync".to_owned(), lines(&p99, &day))];
        p99s.extend(
            bare.as_ref()
                .map(|bare| ("bare hub".to_owned(), lines(&p99, bare))),
        );
        let devices = lines(&|hour| real(hour.present), &day);
        let memory = lines(&|hour| real(hour.memory) / MIB, &day);

        let (day, back) = sum(day).ok_or("a day has hours")?;
        let bare = bare.and_then(sum);
        day.report(report, bare.as_ref().map(|(load, _)| load));
        report.judge(back.faults);
        let bare = bare.as_ref().map(|(_, back)| back);
        report.figure("came back", real(back.opened), "");
        report.figure("entries of their catch-ups", real(back.entries), "");
        for percent in [50.0, 99.0] {
            report.beside(
                format!("from connecting to caught up, p{percent}"),
                back.login.percentile(percent),
                "ms",
                bare.map(|bare| bare.login.percentile(percent)),
            );
        }
        let others = others.connections();
        report.promise(
            "a snapshot for each that was new, and no other",
            back.resets == others as u64,
            back.resets,
            &others.to_string(),
        );
        report.chart(
            "Latency by hour",
            Axis::linear("hour of the day"),
            Axis::logarithmic("p99 to the other devices, ms"),
            p99s,
        );
        report.chart(
            "Devices by hour",
            Axis::linear("hour of the day"),
            Axis::linear("connected"),
            vec![("devices".into(), devices)],
        );
        report.chart(
            "The server's own memory",
            Axis::linear("hour of the day"),
            Axis::linear("MiB"),
            vec![("anonymous".into(), memory)],
        );
        Ok(())
    }
}

/// All hours together, and all that came back.
fn sum(hours: Vec<Hour>) -> Option<(Load, Tally)> {
    let mut back = Tally::default();
    let mut all: Option<Load> = None;
    for hour in hours {
        back += hour.back;
        all = Some(match all {
            Some(all) => all.and(hour.load),
            None => hour.load,
        });
    }
    Some((all?, back))
}
