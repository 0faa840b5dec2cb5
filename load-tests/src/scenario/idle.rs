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
/// What may be left when all have gone, and how long that may take.
const LEFT_MIB: f64 = 25.0;
const RETURN: Duration = Duration::from_mins(1);

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
}

impl Scenario for Idle {
    fn run(&self, common: &Common) -> Fallible<Report> {
        if self.from >= self.to {
            return Err("--from must be below --to".into());
        }
        let server = common.which.serve(&roomy(self.to))?;
        let mut report = Report::new("idle", &server);
        self.measure(common, &server, &mut report)?;
        report.close(&server);
        Ok(report)
    }
}

impl Idle {
    fn measure(&self, common: &Common, server: &Server, report: &mut Report) -> Fallible<()> {
        let block = Block::new(
            0,
            u32::try_from(self.to)?.div_ceil(self.devices),
            self.devices,
        );
        let mut fleet = Fleet::start(&server.access, &[block], common.fleet)?;
        let began = Instant::now();
        let mut course = Vec::new();
        let before = memory(server)?;
        let mut look = |memory: &Memory| {
            course.push((began.elapsed().as_secs_f64(), real(memory.anonymous) / MIB));
        };
        look(&before);

        let clients = Share::begin(&fleet.pids());
        let mut at = Vec::new();
        let mut count = 0;
        for size in [self.from, self.to] {
            let tally = fleet.open(0, size, Manner::steady())?;
            opened(report, &tally, size - count);
            count = size;
            watch("settling", Duration::from_secs(self.settle), |_| {
                look(&memory(server)?);
                Ok(false)
            })?;
            at.push(memory(server)?);
        }
        self.slopes(report, at[0], at[1]);

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
        watch("waiting for memory", RETURN, |_| {
            let now = memory(server)?;
            look(&now);
            left = (real(now.anonymous) - real(before.anonymous)) / MIB;
            if left <= LEFT_MIB && back.is_none() {
                back = Some(closed.elapsed().as_secs_f64());
            }
            Ok(false)
        })?;
        if server.pid.is_some() {
            report.figure("memory left a minute after all have gone", left, "MiB");
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

    fn slopes(&self, report: &mut Report, from: Memory, to: Memory) {
        let connections = real(self.to - self.from);
        let slope = |from: u64, to: u64| (real(to) - real(from)) / connections / KIB;
        let own = slope(from.anonymous, to.anonymous);
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
        report.figure("server, own memory for each connection", own, "KiB");
        report.figure(
            "server, resident for each connection",
            slope(from.resident, to.resident),
            "KiB",
        );
        report.figure(
            "kernel objects for each connection, both ends",
            slope(from.slab, to.slab),
            "KiB",
        );
        report.figure(
            "kernel socket buffers for each connection, both ends",
            slope(from.tcp, to.tcp),
            "KiB",
        );
        report.notes.push(
            "the kernel's figures are of the whole machine: both ends of each connection, and all else that runs".into(),
        );
        if to.anonymous > 0 {
            report.at_most("own memory for each connection", own, TARGET_KIB, "KiB");
        }
    }
}
