//! What a connection costs that does nothing: memory as the slope between two sizes, processor time, and what is
//! left when all have gone.

use std::time::{Duration, Instant};

use clap::Args;

use super::{Common, Scenario, memory, opened, real, roomy, watch};
use crate::Fallible;
use crate::client::order::Block;
use crate::fleet::{Fleet, Manner};
use crate::measure::cpu::Share;
use crate::measure::memory::Memory;
use crate::report::{Axis, Report};
use crate::server::Server;

const KIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * 1024.0;
/// Of what a connection takes in the server's own memory: uWebSockets needs 1.26 without a session.
const TARGET_KIB: f64 = 1.25;
const TARGET_CPU: f64 = 2.0;
/// What may be left a while after all have gone.
const LEFT_MIB: f64 = 25.0;

/// `load-tests idle`
#[derive(Debug, Clone, Args)]
pub(crate) struct Idle {
    /// Connections at the lower size
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000)]
    from: usize,
    /// Connections at the upper size
    #[arg(long, value_name = "NUMBER", default_value_t = 19_000)]
    to: usize,
    /// Devices of each account
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    devices: u32,
    /// Seconds over which processor time is measured; 30 s lie between two pings
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    seconds: u64,
    /// Seconds between the last login and reading the memory
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    settle: u64,
    /// Seconds after which memory is to be back once all have gone
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    back: u64,
}

impl Scenario for Idle {
    fn run(&self, common: &Common) -> Fallible<Report> {
        if self.from >= self.to {
            return Err("--from must be below --to".into());
        }
        let server = common.which.serve(&roomy(self.to))?;
        let mut report = Report::new("idle", &server);
        let bare = common.on_bare_hub(|hub| {
            let mut fleet = self.fleet(common, hub)?;
            self.grow(hub, &mut fleet, None, |_| ())
        })?;
        self.measure(common, &server, bare, &mut report)?;
        report.close(&server);
        Ok(report)
    }
}

/// One figure of those that are a process's memory.
type Portion = fn(&Memory) -> u64;

/// What a server takes with the connections of the lower size, and of the upper.
type Sizes = [Memory; 2];

impl Idle {
    fn fleet(&self, common: &Common, server: &Server) -> Fallible<Fleet> {
        let accounts = u32::try_from(self.to)?.div_ceil(self.devices);
        let block = Block::new(0, accounts, self.devices);
        Fleet::start(&server.access, &[block], common.fleet)
    }

    /// Opens the connections of one size after the other.
    fn grow(
        &self,
        server: &Server,
        fleet: &mut Fleet,
        mut report: Option<&mut Report>,
        mut look: impl FnMut(&Memory),
    ) -> Fallible<Sizes> {
        let mut sizes = Sizes::default();
        let mut count = 0;
        for (size, found) in [self.from, self.to].into_iter().zip(&mut sizes) {
            let tally = fleet.open(0, size, Manner::steady())?;
            if let Some(report) = report.as_deref_mut() {
                opened(report, &tally, size - count);
            }
            count = size;
            watch("settling", Duration::from_secs(self.settle), |_| {
                look(&memory(server)?);
                Ok(false)
            })?;
            *found = memory(server)?;
        }
        Ok(sizes)
    }

    fn measure(
        &self,
        common: &Common,
        server: &Server,
        bare: Option<Sizes>,
        report: &mut Report,
    ) -> Fallible<()> {
        let mut fleet = self.fleet(common, server)?;
        let began = Instant::now();
        let mut course = Vec::new();
        let before = memory(server)?;
        let mut look = |memory: &Memory| {
            course.push((began.elapsed().as_secs_f64(), real(memory.anonymous) / MIB));
        };
        look(&before);

        let clients = Share::begin(&fleet.pids());
        let sizes = self.grow(server, &mut fleet, Some(&mut *report), &mut look)?;
        self.slopes(report, sizes, bare);

        let pids: Vec<_> = server.pid.into_iter().collect();
        let share = Share::begin(&pids);
        watch("idling", Duration::from_secs(self.seconds), |_| {
            look(&memory(server)?);
            Ok(false)
        })?;
        if self.seconds > 0 && server.pid.is_some() {
            let percent = share.percent();
            report.figure("server, processor time while idle", percent, "% of a core");
            report.at_most(
                "processor time while idle",
                percent,
                TARGET_CPU,
                "% of a core",
            );
        }
        report.judge(fleet.settle()?.faults);
        report.figure(
            "clients, processor time of the run",
            clients.used().as_secs_f64(),
            "s",
        );

        fleet.close(0, 0)?;
        let closed = Instant::now();
        let mut left = f64::MAX;
        let mut back = None;
        watch("waiting for memory", Duration::from_secs(self.back), |_| {
            let now = memory(server)?;
            look(&now);
            left = (real(now.anonymous) - real(before.anonymous)) / MIB;
            if left <= LEFT_MIB && back.is_none() {
                back = Some(closed.elapsed().as_secs_f64());
            }
            Ok(false)
        })?;
        if server.pid.is_some() {
            report.figure(
                format!("memory left {} s after all have gone", self.back),
                left,
                "MiB",
            );
            if let Some(back) = back {
                report.figure("until at most 25 MiB were left", back, "s");
            }
            report.at_most("memory left when all have gone", left, LEFT_MIB, "MiB");
        }
        report.chart(
            "The server's own memory",
            Axis::linear("seconds"),
            Axis::linear("MiB"),
            vec![("anonymous memory".into(), course)],
        );
        Ok(())
    }

    fn slopes(&self, report: &mut Report, sizes: Sizes, bare: Option<Sizes>) {
        let connections = real(self.to - self.from);
        let slope = |[from, to]: Sizes, portion: Portion| {
            (real(portion(&to)) - real(portion(&from))) / connections / KIB
        };
        let own = slope(sizes, |memory| memory.anonymous);
        let [from, to] = sizes;
        report.figure(
            format!("server, own memory at {}", self.from),
            real(from.anonymous) / MIB,
            "MiB",
        );
        report.figure(
            format!("server, own memory at {}", self.to),
            real(to.anonymous) / MIB,
            "MiB",
        );
        let portions: [(&str, Portion); 4] = [
            ("server, own memory for each connection", |memory| {
                memory.anonymous
            }),
            ("server, resident for each connection", |memory| {
                memory.resident
            }),
            ("kernel objects for each connection, both ends", |memory| {
                memory.slab
            }),
            (
                "kernel socket buffers for each connection, both ends",
                |memory| memory.tcp,
            ),
        ];
        for (name, portion) in portions {
            let limit = bare.map(|bare| slope(bare, portion));
            report.beside(name, slope(sizes, portion), "KiB", limit);
        }
        report.notes.push(
            "the kernel's figures are of the whole machine: both ends of each connection, and all else that runs".into(),
        );
        if to.anonymous > 0 {
            report.at_most("own memory for each connection", own, TARGET_KIB, "KiB");
        }
    }
}
