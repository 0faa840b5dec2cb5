//! The same of chatsync and of other servers, each in its own protocol: what an idle connection takes, how fast all
//! come back at once, and how fast and how often one of a user's devices can tell the others something.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::delete::SATURATED_MS;
use super::load::Load;
use super::{Common, FILES, Scenario, memory, opened, real, roomy, top, watch};
use crate::Fallible;
use crate::client::order::{Action, Block, Drive, Resume, Tally};
use crate::fleet::{Fleet, Manner};
use crate::measure::cpu::Share;
use crate::measure::net::Net;
use crate::oracle::Faults;
use crate::peer::{self, Peer};
use crate::report::comparison::{Better, Compared, Comparison, Finding};
use crate::report::{Report, shown};
use crate::schedule::Arrivals;
use crate::server::Server;

const KIB: f64 = 1024.0;
/// Conversations of each account, of which chatsync's devices delete one after the other.
const CONVERSATIONS: u32 = 4;
/// The rate at which the search for the top begins.
const FIRST: f64 = 4_000.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Memory of an idle connection
    Idle,
    /// All connect and log in at once
    Storm,
    /// One of a user's devices tells the others something
    Publish,
}

/// `load-tests peers`
#[derive(Debug, Clone, Args)]
pub(crate) struct Peers {
    /// A server to compare with; can be given several times [default: all]
    #[arg(long = "peer", value_name = "NAME")]
    others: Vec<Peer>,
    /// What to measure; can be given several times [default: all]
    #[arg(long = "part", value_name = "NAME")]
    parts: Vec<Part>,
    /// Connections, of one server at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 15_000)]
    clients: u32,
    /// Connections at the lower size, from which memory is measured
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000)]
    from: u32,
    /// Devices of each user
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(2..))]
    devices: u32,
    /// Events a second at which latency is measured
    #[arg(
        long,
        value_name = "NUMBER,…",
        value_delimiter = ',',
        default_value = "1000,5000"
    )]
    rates: Vec<f64>,
    /// Seconds of each rate, and of each step towards the top
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    seconds: u64,
    /// Leave out what raw sockets take
    #[arg(long)]
    no_limit: bool,
    /// Do not seek the top rate
    #[arg(long)]
    no_top: bool,
    /// Seconds between the last login and reading the memory
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    settle: u64,
    /// So often with fresh processes, all servers in turn; what counts is the median
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Folder of the servers on Node.js, into which their packages are installed
    #[arg(
        long = "peers-folder",
        value_name = "FOLDER",
        default_value = "load-tests/peers"
    )]
    folder: PathBuf,
    /// Install the peers and end
    #[arg(long)]
    install: bool,
}

/// A server that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Chatsync,
    /// The bare hub: raw sockets, which answer chatsync's frames.
    Bare,
    Peer(Peer),
}

/// One server in one run.
struct Course<'a> {
    peers: &'a Peers,
    subject: Subject,
    server: Server,
    fleet: Fleet,
    report: &'a mut Report,
    values: Vec<Finding>,
    faults: Faults,
}

impl Scenario for Peers {
    fn run(&self, common: &Common) -> Fallible<Report> {
        if self.from >= self.clients {
            return Err("--from must be below --clients".into());
        }
        let peers = if self.others.is_empty() {
            Peer::value_variants()
        } else {
            self.others.as_slice()
        };
        peer::install(peers, &self.folder)?;
        let mut subjects = vec![Subject::Chatsync];
        subjects.extend(peers.iter().copied().map(Subject::Peer));
        subjects.extend((!self.no_limit).then_some(Subject::Bare));
        let servers = subjects
            .iter()
            .map(|subject| self.describe(common, *subject))
            .collect::<Fallible<Vec<_>>>()?;

        let mut report = Report::of("peers");
        let mut runs = vec![Vec::new(); subjects.len()];
        let rounds = if self.install { 0 } else { self.runs };
        for _ in 0..rounds {
            for (subject, runs) in subjects.iter().zip(&mut runs) {
                runs.push(self.measure(common, *subject, &mut report)?);
            }
        }
        let comparison = Comparison::new(servers, &runs);
        judge(&mut report, &comparison);
        report.comparison = Some(comparison);
        Ok(report)
    }
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Chatsync => "chatsync",
            Self::Bare => "raw sockets",
            Self::Peer(peer) => peer.name(),
        }
    }

    /// What its devices do.
    fn action(self) -> Action {
        match self {
            Self::Chatsync | Self::Bare => Action::Delete { batch: 1 },
            Self::Peer(_) => Action::Publish,
        }
    }
}

/// chatsync is to be ahead of each that does the same work; by how much those are ahead that store nothing, is noted.
fn judge(report: &mut Report, comparison: &Comparison) {
    for row in &comparison.rows {
        let mut excused = Vec::new();
        for (server, cell) in comparison.servers.iter().zip(&row.cells) {
            let Some(ahead) = cell.ahead.filter(|_| server.is_rival) else {
                continue;
            };
            if ahead >= 1.0 || server.durable || !row.is_stored {
                let what = format!("{}: ahead of {}", row.name, server.name);
                report.at_least(what, ahead, 1.0, "×");
            } else {
                excused.push(format!("{} {} ×", server.name, shown(1.0 / ahead)));
            }
        }
        if !excused.is_empty() {
            report.notes.push(format!(
                "{}: ahead of chatsync, but they write nothing to the disk and acknowledge nothing: {}",
                row.name,
                excused.join(", ")
            ));
        }
    }
}

impl Peers {
    fn accounts(&self) -> u32 {
        self.clients / self.devices
    }

    fn has(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }

    fn describe(&self, common: &Common, subject: Subject) -> Fallible<Compared> {
        let (version, login, event) = match subject {
            Subject::Chatsync => (
                common.which.version()?,
                "UserSig checked, device stored, caught up",
                "a deletion, acknowledged",
            ),
            Subject::Bare => (
                "one thread, a write for each frame".into(),
                "answered, not checked",
                "chatsync's frames",
            ),
            Subject::Peer(peer) => (peer.version(&self.folder)?, peer.login(), peer.event()),
        };
        Ok(Compared {
            name: subject.name().into(),
            version,
            login: login.into(),
            event: event.into(),
            durable: subject == Subject::Chatsync,
            is_rival: matches!(subject, Subject::Peer(_)),
        })
    }

    /// One server from its start to its end.
    fn measure(
        &self,
        common: &Common,
        subject: Subject,
        report: &mut Report,
    ) -> Fallible<Vec<Finding>> {
        let server = match subject {
            Subject::Chatsync => self.chatsync(common)?,
            Subject::Bare => Server::bare()?,
            Subject::Peer(peer) => peer.start(&self.folder, self.accounts())?,
        };
        if subject == Subject::Chatsync {
            report.raised.clone_from(&server.raised);
        }
        let block = Block::new(0, self.accounts(), self.devices);
        let fleet = Fleet::start(&server.access, &[block], common.fleet)?;
        let mut course = Course {
            peers: self,
            subject,
            server,
            fleet,
            report,
            values: Vec::new(),
            faults: Faults::default(),
        };
        course.idle()?;
        if self.has(Part::Storm) {
            course.storm()?;
        }
        if self.has(Part::Publish) {
            course.publish()?;
        }
        Ok(course.close())
    }

    fn chatsync(&self, common: &Common) -> Fallible<Server> {
        let mut limits = roomy(self.clients as usize);
        // The peers have none.
        limits.extend([
            ("requests_per_second", 1_000_000),
            ("request_burst", 1_000_000),
        ]);
        common.which.serve(&limits)
    }
}

impl Course<'_> {
    fn value(&mut self, name: impl Into<String>, value: f64, unit: &'static str, better: Better) {
        self.values.push(Finding {
            name: name.into(),
            unit,
            better,
            is_stored: false,
            value,
        });
    }

    /// Of something that a durable server has to write to the disk for.
    fn stored(&mut self, name: impl Into<String>, value: f64, unit: &'static str, better: Better) {
        self.value(name, value, unit, better);
        if let Some(value) = self.values.last_mut() {
            value.is_stored = true;
        }
    }

    /// Everybody connects, a few first.
    fn idle(&mut self) -> Fallible<()> {
        let all = self.fleet.connections(0);
        let from = (self.peers.from as usize).min(all);
        let mut at = Vec::new();
        let mut there = 0;
        for size in [from, all] {
            let tally = self.fleet.open(0, size, Manner::steady())?;
            self.opened(&tally, size - there);
            there = size;
            if self.peers.has(Part::Idle) {
                watch("settling", Duration::from_secs(self.peers.settle), |_| {
                    Ok(false)
                })?;
                at.push(memory(&self.server)?);
            }
        }
        if let [small, large] = at[..] {
            let each =
                |small: u64, large: u64| (real(large) - real(small)) / real(all - from) / KIB;
            let (own, resident) = (
                each(small.anonymous, large.anonymous),
                each(small.resident, large.resident),
            );
            self.value("own memory of an idle connection", own, "KiB", Better::Less);
            self.value(
                "resident memory of an idle connection",
                resident,
                "KiB",
                Better::Neither,
            );
        }
        Ok(())
    }

    fn opened(&mut self, tally: &Tally, wanted: usize) {
        let name = self.subject.name();
        let (verdicts, notes) = (self.report.verdicts.len(), self.report.notes.len());
        opened(self.report, tally, wanted);
        for verdict in &mut self.report.verdicts[verdicts..] {
            verdict.what = format!("{name}: {}", verdict.what);
        }
        for note in &mut self.report.notes[notes..] {
            *note = format!("{name}: {note}");
        }
    }

    /// All come back at once.
    fn storm(&mut self) -> Fallible<()> {
        self.fleet.close(0, 0)?;
        self.server.wait_for_files(FILES)?;
        let (net, share) = (Net::now()?, Share::begin(&self.server.pids()));
        let manner = Manner {
            resume: Resume::Cursor,
            ..Manner::default()
        };
        let all = self.fleet.connections(0);
        let tally = self.fleet.open(0, all, manner)?;
        let (used, net) = (share.used(), Net::now()? - net);
        self.opened(&tally, all);
        let percentile = |percent| tally.login.percentile(percent) / 1000.0;
        self.value(
            "storm: all are ready after",
            tally.seconds,
            "s",
            Better::Less,
        );
        self.value(
            "storm: logins a second",
            real(tally.opened) / tally.seconds,
            "/s",
            Better::Neither,
        );
        self.value(
            "storm: each is ready, p50",
            percentile(50.0),
            "s",
            Better::Neither,
        );
        self.value(
            "storm: each is ready, p99",
            percentile(99.0),
            "s",
            Better::Less,
        );
        self.value(
            "storm: server's processor time",
            used.as_secs_f64(),
            "s",
            Better::Neither,
        );
        self.value(
            "storm: SYNs dropped, whole machine",
            real(net.syn_drops),
            "",
            Better::Neither,
        );
        Ok(())
    }

    /// Devices tell each other something: at some rates, then faster and faster.
    fn publish(&mut self) -> Fallible<()> {
        self.seed()?;
        for rate in &self.peers.rates {
            let load = self.drive(*rate)?;
            self.faults += load.tally.faults;
            self.at_rate(*rate, &load);
        }
        if !self.peers.no_top {
            let rate = top::top(FIRST, |rate| self.keeps_up(rate))?;
            let name = format!("top rate of events (p99 below {SATURATED_MS:.0} ms, none lost)");
            self.stored(name, rate, "/s", Better::More);
        }
        Ok(())
    }

    /// What chatsync's devices will delete.
    fn seed(&mut self) -> Fallible<()> {
        if self.subject == Subject::Chatsync {
            let seeded = self.fleet.seed(0, CONVERSATIONS)?.answered;
            let wanted = u64::from(self.peers.accounts()) * u64::from(CONVERSATIONS);
            self.report.promise(
                "chatsync: conversations made",
                seeded == wanted,
                seeded,
                "all",
            );
        }
        Ok(())
    }

    fn at_rate(&mut self, rate: f64, load: &Load) {
        let (tally, sent) = (&load.tally, 100.0 * load.sent());
        let name = format!("{}: {rate:.0} a second", self.subject.name());
        self.report.promise(
            format!("{name}, sent in time"),
            sent >= 99.0,
            format!("{sent:.2} %"),
            "≥ 99 %",
        );
        // A hint stands for notifications that a device then asks for; the oracle knows whether it got all.
        let wanted = tally.answered * u64::from(self.peers.devices - 1);
        self.report.promise(
            format!("{name}, deliveries"),
            tally.told == wanted || tally.hints > 0,
            tally.told,
            "one to each other device",
        );
        let times = tally.delivery.summary();
        let name = format!("{rate:.0} events a second, to the other devices");
        self.stored(format!("{name}, p50"), times.p50, "ms", Better::Less);
        self.stored(format!("{name}, p99"), times.p99, "ms", Better::Less);
        self.stored(format!("{name}, max"), times.max, "ms", Better::Neither);
        let name = format!("{rate:.0} events a second, server's processor time of one");
        self.stored(name, load.server_each, "µs", Better::Neither);
    }

    fn keeps_up(&mut self, rate: f64) -> Fallible<bool> {
        let load = self.drive(rate)?;
        let is_whole = load.tally.faults == Faults::default();
        if self.subject == Subject::Chatsync {
            // It promises to lose nothing at any rate.
            self.faults += load.tally.faults;
        } else if !is_whole {
            self.report.notes.push(format!(
                "{} at {rate:.0} a second, which counts as too many: {}",
                self.subject.name(),
                named(&load.tally.faults)
            ));
            // Those that were cut off are to be there for the next rate.
            let all = self.fleet.connections(0);
            self.fleet.open(0, all, Manner::steady())?;
        }
        let p99 = load.tally.delivery.percentile(99.0);
        Ok(is_whole && load.sent() >= 0.99 && load.refused() == 0 && p99 < SATURATED_MS)
    }

    fn drive(&mut self, rate: f64) -> Fallible<Load> {
        let drive = Drive {
            block: 0,
            arrivals: Arrivals::Poisson,
            rate,
            millis: self.peers.seconds * 1000,
            mix: vec![(1, self.subject.action())],
            conversations: CONVERSATIONS,
        };
        let title = format!("{}: {rate:.0} a second", self.subject.name());
        Load::run(&self.server, &mut self.fleet, &title, &drive)
    }

    fn close(self) -> Vec<Finding> {
        let is_whole = self.faults == Faults::default();
        let found = if is_whole {
            "none".into()
        } else {
            named(&self.faults)
        };
        self.report.judge(self.faults);
        self.report.promise(
            format!(
                "{}: nothing lost, twice or out of order",
                self.subject.name()
            ),
            is_whole,
            found,
            "none",
        );
        if !is_whole {
            self.report.note_log(&self.server);
        }
        self.values
    }
}

/// The kinds of faults that there were.
fn named(faults: &Faults) -> String {
    let found = faults.named().into_iter().filter(|(_, count)| *count > 0);
    found
        .map(|(name, count)| format!("{count} {name}"))
        .collect::<Vec<_>>()
        .join(", ")
}
