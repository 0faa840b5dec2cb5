//! What catching up costs: by how much happened, and by how many conversations it happened in.
//!
//! Time away is no cost by itself: a cursor holds a version and a position, no time. What a month leaves behind is
//! operations.

use std::time::Duration;

use clap::Args;

use super::{Common, Scenario, machine_figures, opened, real, roomy};
use crate::Fallible;
use crate::client::order::{Block, Order, Resume, Tally, What};
use crate::fleet::{Fleet, Manner};
use crate::measure::cpu::Share;
use crate::report::{Axis, Report};
use crate::server::Server;

/// How much more 10,000 operations may cost than 10 in the same conversations: nothing, but for what measuring adds.
const TARGET: f64 = 1.25;

/// `load-tests catchup`
#[derive(Debug, Clone, Args)]
pub(crate) struct Catchup {
    /// Accounts of each kind
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    accounts: u32,
    /// Operations of a short absence and of a long one, which change the same number of conversations
    #[arg(
        long,
        value_name = "NUMBER,…",
        value_delimiter = ',',
        default_value = "10,10000"
    )]
    operations: Vec<u32>,
    /// Conversations that changed, each number in its turn
    #[arg(
        long,
        value_name = "NUMBER,…",
        value_delimiter = ',',
        default_value = "1,10,100"
    )]
    changed: Vec<u32>,
    /// How often each device comes back
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    rounds: u32,
}

/// One kind of absence.
struct Kind {
    operations: u32,
    changed: u32,
    returns: Tally,
    /// Processor time of the server.
    server: Duration,
}

impl Scenario for Catchup {
    fn run(&self, common: &Common) -> Fallible<Report> {
        let mut limits = roomy(1_000);
        limits.extend([
            ("requests_per_second", 1_000_000),
            ("request_burst", 1_000_000),
        ]);
        let server = common.which.serve(&limits)?;
        let mut report = Report::new("catchup", &server);
        machine_figures(&mut report)?;
        let kinds = self.measure(common, &server, Some(&mut report))?;
        let bare = common.on_bare_hub(|hub| self.measure(common, hub, None))?;
        self.report(&mut report, &kinds, bare.as_deref());
        report.close(&server);
        Ok(report)
    }
}

impl Catchup {
    fn kinds(&self) -> Vec<Kind> {
        self.changed
            .iter()
            .flat_map(|changed| {
                self.operations
                    .iter()
                    .map(|operations| (*operations.max(changed), *changed))
            })
            .map(|(operations, changed)| Kind {
                operations,
                changed,
                returns: Tally::default(),
                server: Duration::ZERO,
            })
            .collect()
    }

    fn measure(
        &self,
        common: &Common,
        server: &Server,
        mut report: Option<&mut Report>,
    ) -> Fallible<Vec<Kind>> {
        let mut kinds = self.kinds();
        // The device that goes, and the one that acts.
        let mut blocks = Vec::new();
        let mut first_account = 0;
        for _ in &kinds {
            let one = Block::new(first_account, self.accounts, 1);
            blocks.extend([
                one,
                Block {
                    first_device: 1,
                    ..one
                },
            ]);
            first_account += self.accounts + self.accounts % 2;
        }
        let mut fleet = Fleet::start(&server.access, &blocks, common.fleet)?;
        for (number, kind) in kinds.iter().enumerate() {
            self.leave(&mut fleet, 2 * number, kind, report.as_deref_mut())?;
        }
        let pids: Vec<_> = server.pid.into_iter().collect();
        // In turns, so that whatever else goes on meets all kinds alike.
        for _ in 0..self.rounds {
            for (number, kind) in kinds.iter_mut().enumerate() {
                let share = Share::begin(&pids);
                let manner = Manner {
                    in_flight: Some(1),
                    resume: Resume::SameCursor,
                    ..Manner::default()
                };
                kind.returns += fleet.open(2 * number, self.accounts as usize, manner)?;
                kind.server += share.used();
                fleet.close(2 * number, 0)?;
            }
        }
        Ok(kinds)
    }

    /// A device of each account logs in, remembers where it was, and goes; then the other one acts.
    fn leave(
        &self,
        fleet: &mut Fleet,
        block: usize,
        kind: &Kind,
        report: Option<&mut Report>,
    ) -> Fallible<()> {
        let accounts = self.accounts as usize;
        let mut tally = fleet.open(block + 1, accounts, Manner::steady())?;
        fleet.seed(block + 1, kind.changed)?;
        tally += fleet.open(block, accounts, Manner::steady())?;
        fleet.close(block, 0)?;
        let what = What::Delete {
            operations: kind.operations,
            conversations: kind.changed,
        };
        let title = format!("{} operations", kind.operations);
        let done = fleet.each(&title, |_| Order::Each {
            block: block + 1,
            what,
        })?;
        let settled = fleet.settle()?;
        fleet.close(block + 1, 0)?;
        if let Some(report) = report {
            opened(report, &tally, 2 * accounts);
            let wanted = u64::from(self.accounts) * u64::from(kind.operations);
            report.promise(
                format!(
                    "{} operations in {} conversations",
                    kind.operations, kind.changed
                ),
                done.answered == wanted,
                done.answered,
                "all acknowledged",
            );
            report.judge(settled.faults);
        }
        Ok(())
    }

    /// `bare` is of the same kinds in the same order.
    fn report(&self, report: &mut Report, kinds: &[Kind], bare: Option<&[Kind]>) {
        let returns = u64::from(self.accounts) * u64::from(self.rounds);
        let each = |kind: &Kind| kind.server.as_secs_f64() * 1e6 / real(returns);
        for (number, kind) in kinds.iter().enumerate() {
            let limit = bare.and_then(|bare| bare.get(number));
            let name = format!(
                "{} operations in {} conversations",
                kind.operations, kind.changed
            );
            let wanted = returns * u64::from(kind.changed);
            report.promise(
                format!("{name}: entries"),
                kind.returns.entries == wanted,
                kind.returns.entries,
                "one for each conversation",
            );
            report.promise(
                format!("{name}: none started over"),
                kind.returns.resets == 0,
                kind.returns.resets,
                "0",
            );
            report.judge(kind.returns.faults);
            for percent in [50.0, 99.0] {
                report.beside(
                    format!("{name}, p{percent}"),
                    kind.returns.login.percentile(percent),
                    "ms",
                    limit.map(|limit| limit.returns.login.percentile(percent)),
                );
            }
            report.beside(
                format!("{name}, server's processor time"),
                each(kind),
                "µs",
                limit.map(each),
            );
        }
        for changed in &self.changed {
            let mut same: Vec<_> = kinds
                .iter()
                .filter(|kind| kind.changed == *changed)
                .collect();
            same.sort_by_key(|kind| kind.operations);
            if let [short, .., long] = same[..] {
                let ratio =
                    long.returns.login.percentile(50.0) / short.returns.login.percentile(50.0);
                let what = format!(
                    "{changed} conversations: p50 of {} operations, in that of {}",
                    long.operations, short.operations
                );
                report.at_most(what, ratio, TARGET, "");
            }
        }
        let lines = self.operations.iter().map(|operations| {
            let points = kinds
                .iter()
                .filter(|kind| kind.operations == (*operations).max(kind.changed));
            let points =
                points.map(|kind| (f64::from(kind.changed), kind.returns.login.percentile(50.0)));
            (format!("{operations} operations"), points.collect())
        });
        let lines = lines.collect();
        report.chart(
            "Catching up",
            Axis::logarithmic("conversations that changed"),
            Axis::linear("p50, ms"),
            lines,
        );
        report.notes.push(
            "each return is a connection, a login and its catch-up, one after the other".into(),
        );
    }
}
