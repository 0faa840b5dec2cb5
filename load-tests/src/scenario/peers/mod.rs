//! The same of chatsync and of other servers, each in its own protocol: what an idle connection takes, how fast all
//! come back at once, and how fast and how often one of a user's devices can tell the others something.

mod course;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Common, Scenario, roomy};
use crate::Fallible;
use crate::client::order::Action;
use crate::peer::{self, Peer};
use crate::report::comparison::{Compared, Comparison, Finding};
use crate::report::{Report, shown};
use crate::server::Server;

use course::Course;

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
        subjects.extend((!common.no_limit).then_some(Subject::Bare));
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
        let mut course = Course::begin(self, common, subject, server, report)?;
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
