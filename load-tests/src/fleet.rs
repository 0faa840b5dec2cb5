//! The client processes, seen from the one that coordinates them.
//!
//! A process may hold some 20,000 sockets, and one thread of it handles them all: more connections take more
//! processes. An account's devices are all in one process, so that each can check on its own what they are told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::Fallible;
use crate::client::order::{Access, Block, Drive, Order, Resume, Setup, Tally, What, Word};

/// Connections of one process, if nobody says how many processes there are to be.
const PER_PROCESS: usize = 15_000;

/// Accounts that write to each other, where nothing else is said.
pub(crate) const PAIR: u32 = 2;

/// How the client processes work.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// Client processes; 0: one for each 15,000 connections
    #[arg(long, value_name = "NUMBER", global = true, default_value_t = 0)]
    pub(crate) processes: usize,
    /// Makes what is random repeat itself
    #[arg(long, value_name = "NUMBER", global = true, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Seconds until what was not answered or told counts as lost
    #[arg(long, value_name = "SECONDS", global = true, default_value_t = 30)]
    pub(crate) patience: u64,
}

#[derive(Debug)]
struct Worker {
    child: Child,
    orders: ChildStdin,
    blocks: Vec<Block>,
}

/// All client processes. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Fleet {
    workers: Vec<Worker>,
    words: Receiver<(usize, Option<Word>)>,
    blocks: Vec<Block>,
    patience: Duration,
}

impl Fleet {
    /// Starts the processes for the devices of `blocks`.
    pub(crate) fn start(access: &Access, blocks: &[Block], options: Options) -> Fallible<Self> {
        Self::of_circles(access, blocks, PAIR, options)
    }

    /// Likewise, of accounts that so many of write to each other.
    pub(crate) fn of_circles(
        access: &Access,
        blocks: &[Block],
        circle: u32,
        options: Options,
    ) -> Fallible<Self> {
        let connections: usize = blocks.iter().map(|block| block.connections()).sum();
        let processes = match options.processes {
            0 => connections.div_ceil(PER_PROCESS).max(1),
            some => some,
        };
        let (sender, words) = channel();
        let mut fleet = Self {
            workers: Vec::new(),
            words,
            blocks: blocks.to_vec(),
            patience: Duration::from_secs(options.patience),
        };
        // Another run against the same server must not repeat this one's requestIDs.
        let run = format!("{:x}-", fastrand::u64(..));
        for number in 0..processes {
            let blocks: Vec<_> = blocks
                .iter()
                .map(|block| part(*block, circle, number, processes))
                .collect();
            let setup = Setup {
                access: access.clone(),
                run: format!("{run}{number}-"),
                seed: options.seed.wrapping_add(number as u64),
                blocks: blocks.clone(),
                circle,
            };
            let mut worker = spawn(number, blocks, sender.clone())?;
            worker.tell(&setup)?;
            fleet.workers.push(worker);
        }
        Ok(fleet)
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        self.workers
            .iter()
            .map(|worker| worker.child.id())
            .collect()
    }

    /// The devices of a block.
    pub(crate) fn connections(&self, block: usize) -> usize {
        self.blocks[block].connections()
    }

    /// Connects and logs in until `connections` of a block are there.
    pub(crate) fn open(
        &mut self,
        block: usize,
        connections: usize,
        manner: Manner,
    ) -> Fallible<Tally> {
        let shares = self.shares(block, connections);
        let in_flight = manner
            .in_flight
            .map_or(usize::MAX, |all| all.div_ceil(self.workers.len()));
        let jitter_ms = u64::try_from(manner.jitter.as_millis())?;
        let title = format!("logging in {connections}");
        self.each(&title, |worker| Order::Open {
            block,
            connections: shares[worker],
            in_flight,
            jitter_ms,
            resume: manner.resume,
        })
    }

    /// Closes all but `keep` of a block.
    pub(crate) fn close(&mut self, block: usize, keep: usize) -> Fallible<Tally> {
        let shares = self.shares(block, keep);
        self.each("closing", |worker| Order::Close {
            block,
            keep: shares[worker],
        })
    }

    /// Makes conversations for each account of a block.
    pub(crate) fn seed(&mut self, block: usize, conversations: u32) -> Fallible<Tally> {
        let what = What::Seed { conversations };
        self.each("making conversations", |_| Order::Each { block, what })
    }

    /// Makes a group of all accounts of a block, by the first one's first device. What is said there meanwhile is not
    /// followed: that device has to log in again before it is.
    pub(crate) fn gather(&mut self, block: usize) -> Fallible<Tally> {
        let what = What::Gather;
        self.each("making a group", |_| Order::Each { block, what })
    }

    /// Operations at `drive.rate` in all, then the comparison.
    pub(crate) fn drive(&mut self, title: &str, drive: &Drive) -> Fallible<Tally> {
        let mut tally = self.drive_on(title, drive)?;
        let seconds = tally.seconds;
        tally += self.settle()?;
        tally.seconds = seconds;
        Ok(tally)
    }

    /// Operations at `drive.rate` in all; what is still to be told at the end is counted with the next order.
    pub(crate) fn drive_on(&mut self, title: &str, drive: &Drive) -> Fallible<Tally> {
        let all = f64::from(self.blocks[drive.block].accounts.max(1));
        let shares = self
            .workers
            .iter()
            .map(|worker| f64::from(worker.blocks[drive.block].accounts) / all);
        let rates: Vec<_> = shares.map(|share| drive.rate * share).collect();
        self.each(title, |worker| {
            Order::Drive(Drive {
                rate: rates[worker],
                ..drive.clone()
            })
        })
    }

    /// Waits until everything is told, and compares.
    pub(crate) fn settle(&mut self) -> Fallible<Tally> {
        let patience_ms = u64::try_from(self.patience.as_millis())?;
        self.each("comparing", |_| Order::Settle { patience_ms })
    }

    /// Gives each process an order, waits for all of them, and adds up what they counted.
    pub(crate) fn each(&mut self, title: &str, order: impl Fn(usize) -> Order) -> Fallible<Tally> {
        let bar = bar(title);
        for (number, worker) in self.workers.iter_mut().enumerate() {
            worker.tell(&order(number))?;
        }
        let mut sum = Tally::default();
        let mut progress = vec![(0, 0); self.workers.len()];
        let mut left = self.workers.len();
        while left > 0 {
            match self.words.recv()? {
                (number, Some(Word::Progress { done, of })) => {
                    progress[number] = (done, of);
                    bar.set_length(progress.iter().map(|(_, of)| of).sum());
                    bar.set_position(progress.iter().map(|(done, _)| done).sum());
                }
                (_, Some(Word::Done(tally))) => {
                    sum += *tally;
                    left -= 1;
                }
                (number, Some(Word::Failed(why))) => {
                    return Err(format!("client process {number}: {why}").into());
                }
                (number, None) => return Err(format!("client process {number} ended").into()),
            }
        }
        bar.finish_and_clear();
        Ok(sum)
    }

    /// So many connections of a block, by process.
    fn shares(&self, block: usize, connections: usize) -> Vec<usize> {
        let all = self.blocks[block].connections().max(1);
        let connections = connections.min(all);
        let mut before = 0;
        self.workers
            .iter()
            .map(|worker| {
                let upto = before + worker.blocks[block].connections();
                let share = connections * upto / all - connections * before / all;
                before = upto;
                share
            })
            .collect()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            // One that has ended already can't be told or killed, and that is as well.
            drop(worker.tell(&Order::Stop));
            drop(worker.child.kill());
            drop(worker.child.wait());
        }
    }
}

impl Worker {
    fn tell(&mut self, what: &impl serde::Serialize) -> Fallible<()> {
        let mut line = serde_json::to_vec(what)?;
        line.push(b'\n');
        self.orders.write_all(&line)?;
        self.orders.flush()?;
        Ok(())
    }
}

/// How connections are opened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// Most on their way at once; none: all.
    pub(crate) in_flight: Option<usize>,
    /// Spread over this time.
    pub(crate) jitter: Duration,
    /// What the logins bring along.
    pub(crate) resume: Resume,
}

impl Manner {
    /// As fast as they are taken in.
    pub(crate) fn steady() -> Self {
        Self {
            in_flight: Some(200),
            ..Self::default()
        }
    }
}

fn spawn(
    number: usize,
    blocks: Vec<Block>,
    words: Sender<(usize, Option<Word>)>,
) -> Fallible<Worker> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("worker")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (Some(orders), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("a client process has no pipes".into());
    };
    thread::Builder::new()
        .name(format!("client {number}"))
        .spawn(move || {
            for line in BufReader::new(output).lines() {
                let word = match line {
                    Ok(line) => serde_json::from_str(&line)
                        .unwrap_or_else(|error| Word::Failed(error.to_string())),
                    Err(error) => Word::Failed(error.to_string()),
                };
                // Nobody listens any more once the run is over.
                if words.send((number, Some(word))).is_err() {
                    return;
                }
            }
            drop(words.send((number, None)));
        })?;
    Ok(Worker {
        child,
        orders,
        blocks,
    })
}

/// One process's part of a block. Circles stay together.
fn part(block: Block, circle: u32, number: usize, processes: usize) -> Block {
    let circles = block.accounts.div_ceil(circle) as usize;
    let account = |number: usize| {
        u32::try_from(circles * number / processes)
            .unwrap_or(u32::MAX)
            .saturating_mul(circle)
            .min(block.accounts)
    };
    let (first, end) = (account(number), account(number + 1));
    Block {
        first_account: block.first_account + first,
        accounts: end - first,
        ..block
    }
}

/// A progress bar; none where no terminal shows it.
pub(crate) fn bar(title: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:28} [{bar:40}] {pos}/{len} {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::no_length()
        .with_style(style)
        .with_message(title.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_make_the_whole_and_keep_circles_together() {
        for (accounts, circle, processes) in [
            (1, 2, 1),
            (1, 2, 3),
            (7, 2, 2),
            (4750, 2, 2),
            (10, 2, 4),
            (1000, 1000, 2),
            (30, 7, 3),
        ] {
            let block = Block::new(100, accounts, 3);
            let parts: Vec<_> = (0..processes)
                .map(|number| part(block, circle, number, processes))
                .collect();
            let mut next = 100;
            for part in &parts {
                assert_eq!(part.first_account, next);
                assert!(part.accounts == 0 || (part.first_account - 100).is_multiple_of(circle));
                next += part.accounts;
            }
            assert_eq!(next, 100 + accounts, "{parts:?}");
        }
    }
}
