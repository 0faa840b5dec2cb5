//! What a notification to each device of one account costs, by how many there are.

use super::{Fanout, account};
use crate::Fallible;
use crate::client::order::Order;
use crate::fleet::{Fleet, Manner};
use crate::measure::cpu::Share;
use crate::oracle::Faults;
use crate::report::{Axis, Report};
use crate::scenario::{Common, opened, real};
use crate::server::Server;

/// The size that the target is for, and the target: a share of what raw sockets do.
const TARGET_SIZE: usize = 1_000;
const TARGET_SHARE: f64 = 0.8;

/// One turn of the one account.
#[derive(Debug, Clone, Copy)]
struct Pulse {
    /// Deliveries.
    per_second: f64,
    /// Processor time in percent of a core.
    server: f64,
    clients: f64,
    /// Notifications.
    wanted: u64,
    told: u64,
    /// In place of notifications: there are to be none, and they say why some are missing.
    hints: u64,
    faults: Faults,
}

/// All turns are as long.
fn mean(pulses: &[Pulse], of: fn(&Pulse) -> f64) -> f64 {
    pulses.iter().map(of).sum::<f64>() / real(pulses.len() as u64)
}

impl Fanout {
    /// Each size on the bare hub and on the server, again and again: a machine's mood outlasts a turn, and so is in both.
    pub(super) fn sizes(
        &self,
        common: &Common,
        server: &Server,
        big: &mut Fleet,
        sizes: &[u32],
        report: &mut Report,
    ) -> Fallible<()> {
        let hub = Server::bare()?;
        let mut bare = account(common, &hub, sizes.last().copied().unwrap_or(2))?;
        let mut lines = [Vec::new(), Vec::new()];
        let mut there = 1;
        for size in sizes {
            let all = *size as usize;
            let tally = big.open(0, all, Manner::steady())?;
            opened(report, &tally, all - there);
            there = all;
            bare.open(0, all, Manner::steady())?;

            let (mut limits, mut ours) = (Vec::new(), Vec::new());
            for _ in 0..self.turns {
                limits.push(self.pulse(&hub, &mut bare, all)?);
                ours.push(self.pulse(server, big, all)?);
            }
            let told: u64 = ours.iter().map(|pulse| pulse.told).sum();
            let wanted: u64 = ours.iter().map(|pulse| pulse.wanted).sum();
            report.promise(
                format!("{size} devices, notifications"),
                told == wanted,
                told,
                "one for each",
            );
            let hints: u64 = ours.iter().map(|pulse| pulse.hints).sum();
            report.figure(
                format!("{size} devices, hints instead of notifications"),
                real(hints),
                "",
            );
            for pulse in &ours {
                report.judge(pulse.faults);
            }
            let mut beside = |what: &str, unit, of: fn(&Pulse) -> f64| {
                let (ours, limit) = (mean(&ours, of), mean(&limits, of));
                report.beside(format!("{size} devices, {what}"), ours, unit, Some(limit));
                (ours, limit)
            };
            let (ours, limit) = beside("deliveries a second", "/s", |pulse| pulse.per_second);
            let cores = "% of a core";
            beside("server's processor time", cores, |pulse| pulse.server);
            beside("clients' processor time", cores, |pulse| pulse.clients);
            let rates = limits.iter().map(|pulse| pulse.per_second);
            let (least, most) = (
                rates.clone().fold(f64::INFINITY, f64::min),
                rates.fold(0.0, f64::max),
            );
            if most / least > 1.15 {
                report.notes.push(format!(
                    "{size} devices: raw sockets did {least:.0} to {most:.0} a second: the machine was not quiet"
                ));
            }
            if all == TARGET_SIZE {
                report.at_least(
                    "1,000 devices, of what raw sockets do",
                    ours / limit,
                    TARGET_SHARE,
                    "",
                );
            }
            lines[0].push((f64::from(*size), ours));
            lines[1].push((f64::from(*size), limit));
        }
        let [ours, limit] = lines;
        report.chart(
            "Deliveries by size",
            Axis::logarithmic("devices of the account"),
            Axis::logarithmic("deliveries a second"),
            vec![("chatsync".into(), ours), ("raw sockets".into(), limit)],
        );
        report.notes.push(format!(
            "a deletion begins once fewer than {} are not yet heard of by everybody: each notification is a write of its \
             own; with few devices, or few under way, the time is also that of a commit, which raw sockets have not",
            self.under_way
        ));
        Ok(())
    }

    fn pulse(&self, server: &Server, fleet: &mut Fleet, devices: usize) -> Fallible<Pulse> {
        let pids: Vec<_> = server.pid.into_iter().collect();
        let (share, clients) = (Share::begin(&pids), Share::begin(&fleet.pids()));
        let tally = fleet.each(&format!("{devices} devices"), |_| Order::Pulse {
            block: 0,
            account: 0,
            under_way: self.under_way,
            operations: u64::MAX,
            millis: self.seconds * 1000,
        })?;
        let (server, clients) = (share.percent(), clients.percent());
        let settled = fleet.settle()?;
        let wanted = tally.sent * (devices as u64 - 1);
        let mut faults = tally.faults;
        faults += settled.faults;
        Ok(Pulse {
            per_second: real(wanted) / tally.seconds,
            server,
            clients,
            wanted,
            told: tally.told + settled.told,
            hints: tally.hints + settled.hints,
            faults,
        })
    }
}
