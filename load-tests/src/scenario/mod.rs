//! What is measured, one file each. A scenario sets up a server and a fleet of clients, lets them work, and reports.

pub(crate) mod catchup;
pub(crate) mod delete;
pub(crate) mod fanout;
pub(crate) mod idle;
mod load;
pub(crate) mod messages;
pub(crate) mod mixed;
pub(crate) mod peers;
pub(crate) mod slow;
pub(crate) mod soak;
pub(crate) mod storm;
pub(crate) mod toggle;
mod top;

use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use crate::Fallible;
use crate::client::order::Tally;
use crate::fleet::{self, bar};
use crate::measure::memory::Memory;
use crate::measure::{disk, pauses};
use crate::report::Report;
use crate::server::{Server, Which};

/// What every scenario takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) fleet: fleet::Options,
    /// Leave out what raw sockets and the bare store take
    #[arg(long, global = true)]
    pub(crate) no_limit: bool,
}

impl Common {
    /// What raw sockets take for the same: `measure` of a bare hub. Nothing with `--no-limit`.
    fn on_bare_hub<T>(&self, measure: impl FnOnce(&Server) -> Fallible<T>) -> Fallible<Option<T>> {
        if self.no_limit {
            return Ok(None);
        }
        measure(&Server::bare()?).map(Some)
    }
}

/// A load test.
pub(crate) trait Scenario {
    fn run(&self, common: &Common) -> Fallible<Report>;
}

/// Settings under which a server takes so many connections of one address.
fn roomy(connections: usize) -> Vec<(&'static str, u64)> {
    // Its own files, and room for those who knock again while they are still being closed.
    let most = (connections as u64 + 500).max(19_500);
    vec![("connections", most), ("anonymous_per_address", most)]
}

/// The memory of the server's processes; nothing if it is on another machine.
fn memory(server: &Server) -> Fallible<Memory> {
    let mut sum = Memory::default();
    for pid in server.pids() {
        let memory = Memory::of(pid)?;
        sum.anonymous += memory.anonymous;
        sum.resident += memory.resident;
        // The machine's, not the process's.
        sum.slab = memory.slab;
        sum.tcp = memory.tcp;
    }
    Ok(sum)
}

/// Waits with a progress bar, and looks every second until `look` says that it is enough.
fn watch(
    title: &str,
    length: Duration,
    mut look: impl FnMut(f64) -> Fallible<bool>,
) -> Fallible<()> {
    let bar = bar(title);
    bar.set_length(length.as_secs());
    let began = Instant::now();
    while began.elapsed() < length && !look(began.elapsed().as_secs_f64())? {
        thread::sleep(Duration::from_secs(1).min(length.saturating_sub(began.elapsed())));
        bar.set_position(began.elapsed().as_secs());
    }
    bar.finish_and_clear();
    Ok(())
}

/// How long the machine's pauses are looked for.
const LOOKING: Duration = Duration::from_secs(1);
/// Files that a server has open beside its clients, and then some.
const FILES: usize = 100;

/// Notes connections that could not be opened: each that was given up is a broken promise of the run.
fn opened(report: &mut Report, tally: &Tally, wanted: usize) {
    report.promise(
        format!("{wanted} logins"),
        tally.opened == wanted as u64,
        tally.opened,
        "all",
    );
    for (why, count) in &tally.failed {
        report
            .notes
            .push(format!("{count} attempts to log in failed: {why}"));
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn real(number: impl TryInto<u64>) -> f64 {
    number.try_into().unwrap_or(u64::MAX) as f64
}

/// What nothing that runs here can be free of at this moment: how long the machine stands still now and then, and what
/// a durable answer waits for on this disk.
fn machine_figures(report: &mut Report) -> Fallible<()> {
    let pauses = pauses::pauses(LOOKING);
    report.figure(
        "this machine stands still, of the time",
        100.0 * pauses.share,
        "%",
    );
    report.figure(
        "this machine stands still, longest of a second",
        pauses.longest.as_secs_f64() * 1000.0,
        "ms",
    );
    let syncs = disk::syncs()?;
    report.figure("a sync of 16 KiB on this disk, p50", syncs.p50, "ms");
    report.figure("a sync of 16 KiB on this disk, p99", syncs.p99, "ms");
    Ok(())
}
