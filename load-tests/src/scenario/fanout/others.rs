//! What other accounts notice while one with very many devices deletes.

use std::thread;

use super::{Fanout, OTHERS_DEVICES, account, one_process};
use crate::Fallible;
use crate::client::order::{Action, Block, Drive, Tally};
use crate::fleet::{Fleet, Manner};
use crate::report::{Axis, Report};
use crate::scenario::load::Load;
use crate::scenario::{Common, opened, real};
use crate::schedule::Arrivals;
use crate::server::Server;

/// How much slower others may get.
const TARGET_OTHERS: f64 = 2.0;

/// The others' operations alone and beside the one account, and the one account's own.
struct Turns {
    opened: Tally,
    alone: Load,
    beside: Load,
    own: Tally,
}

impl Fanout {
    /// What other accounts notice while the one account deletes; and what they notice at the bare hub.
    pub(super) fn others(
        &self,
        common: &Common,
        server: &Server,
        big: &mut Fleet,
        report: &mut Report,
    ) -> Fallible<()> {
        let ours = self.in_turns(common, server, big)?;
        let bare = common.on_bare_hub(|hub| {
            let mut big = account(common, hub, self.largest())?;
            big.open(0, self.largest() as usize, Manner::steady())?;
            self.in_turns(common, hub, &mut big)
        })?;
        opened(report, &ours.opened, self.block().connections());
        for faults in [
            ours.alone.tally.faults,
            ours.beside.tally.faults,
            ours.own.faults,
        ] {
            report.judge(faults);
        }
        let p99 = |load: &Load| load.tally.delivery.percentile(99.0);
        report.figure(
            format!("deletions of the account with {} devices", self.largest()),
            real(ours.own.answered),
            "",
        );
        report.beside(
            "to its last device, p99",
            ours.own.delivery.percentile(99.0),
            "ms",
            bare.as_ref().map(|bare| bare.own.delivery.percentile(99.0)),
        );
        report.beside(
            "other accounts alone, p99",
            p99(&ours.alone),
            "ms",
            bare.as_ref().map(|bare| p99(&bare.alone)),
        );
        report.beside(
            "other accounts beside it, p99",
            p99(&ours.beside),
            "ms",
            bare.as_ref().map(|bare| p99(&bare.beside)),
        );
        ours.alone.report_commits(report, ", alone");
        ours.beside.report_commits(report, ", beside it");
        report.at_most(
            "other accounts' p99 beside it, of that alone",
            p99(&ours.beside) / p99(&ours.alone),
            TARGET_OTHERS,
            "",
        );
        report.chart(
            "Other accounts' latency",
            Axis::linear("percent of all"),
            Axis::logarithmic("ms"),
            vec![
                ("alone".into(), ours.alone.tally.delivery.curve()),
                (
                    "beside the one account".into(),
                    ours.beside.tally.delivery.curve(),
                ),
            ],
        );
        Ok(())
    }

    fn block(&self) -> Block {
        Block::new(2, self.others, OTHERS_DEVICES)
    }

    /// Others alone and beside the one account, again and again: a machine's mood outlasts a turn, and so is in both.
    fn in_turns(&self, common: &Common, server: &Server, big: &mut Fleet) -> Fallible<Turns> {
        let mut others = Fleet::start(&server.access, &[self.block()], one_process(common))?;
        let opened = others.open(0, self.block().connections(), Manner::steady())?;
        others.seed(0, 10)?;
        let drive = |rate| Drive {
            block: 0,
            arrivals: Arrivals::Poisson,
            rate,
            millis: self.seconds * 1000,
            mix: vec![(1, Action::Delete { batch: 1 })],
            conversations: 1,
        };
        let mut found: Option<Turns> = None;
        for _ in 0..self.turns {
            let alone = Load::run(
                server,
                &mut others,
                "others alone",
                &drive(self.others_rate),
            )?;
            let (beside, own) = thread::scope(|scope| -> Fallible<(Load, Tally)> {
                let one = scope.spawn(|| {
                    let driven = big.drive("the one account", &drive(self.big_rate));
                    // Errors of another thread are told as text.
                    driven.map_err(|error| error.to_string())
                });
                let beside = Load::run(
                    server,
                    &mut others,
                    "others beside it",
                    &drive(self.others_rate),
                )?;
                let own = one
                    .join()
                    .map_err(|_| "the one account's thread panicked")??;
                Ok((beside, own))
            })?;
            found = Some(match found {
                None => Turns {
                    opened: opened.clone(),
                    alone,
                    beside,
                    own,
                },
                Some(mut found) => {
                    found.own += own;
                    Turns {
                        alone: found.alone.and(alone),
                        beside: found.beside.and(beside),
                        ..found
                    }
                }
            });
        }
        found.ok_or_else(|| "--turns is 1 or more".into())
    }
}
