//! The writer: one thread owns the write connection. It takes everything that queued while the last commit was
//! being synced, commits it together, and hands it on to be [answered](super::answers).

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use rusqlite::Connection;
use tokio::sync::watch;

use super::answers::{Answers, Group};
use super::checkpoint::{self, Checkpoints};
use super::error::{commit_failure, failure};
use super::{Options, Tx};
use crate::store::{Abort, Job, Result, StoreError};

/// From one commit to the next while several come at once: a commit costs as much as some deletions, in processor time
/// and in bytes, so a few in one save more than they wait. Whoever comes alone does not wait.
const SEVERAL: Duration = Duration::from_micros(500);

#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<SyncSender<Box<dyn Job>>>,
    commits: Histogram,
    threads: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for dyn Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        checkpointer: (Connection, Option<Arc<File>>),
        options: &Options,
        fail: watch::Sender<Option<StoreError>>,
    ) -> io::Result<Self> {
        let (queue, queued) = sync_channel(options.queue.max(1));
        let (answers, answering) = Answers::start()?;
        let checkpoints = Checkpoints::start(checkpointer.0, checkpointer.1, fail.clone())?;
        let (most, is_serving) = (options.group.max(1), options.serving);
        // 0.1 ms to 13 s.
        let commits = Histogram::new(exponential_buckets(0.0001, 2.0, 18));
        let timed = commits.clone();
        let writing = Builder::new()
            .name("chatsync-write".into())
            .spawn(move || {
                Writing {
                    tx: Tx::on(&connection),
                    answers,
                    checkpoints,
                    commits: timed,
                    fail,
                }
                .serve(&queued, most, is_serving);
            })?;
        Ok(Self {
            queue: Some(queue),
            commits,
            threads: vec![writing, answering],
        })
    }

    /// How long each commit took, in seconds.
    pub(super) fn commits(&self) -> Histogram {
        self.commits.clone()
    }

    pub(super) fn submit(&self, job: Box<dyn Job>) -> Result<()> {
        let Some(queue) = &self.queue else {
            return Err(StoreError::Refused("the store is closing".into()));
        };
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Refused("too many operations are waiting".into()),
            TrySendError::Disconnected(_) => StoreError::Refused("the store has stopped".into()),
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

struct Writing<'c> {
    tx: Tx<'c>,
    answers: Answers,
    checkpoints: Checkpoints,
    commits: Histogram,
    fail: watch::Sender<Option<StoreError>>,
}

impl Writing<'_> {
    fn serve(mut self, queued: &Receiver<Box<dyn Job>>, most: usize, is_serving: bool) {
        match newest_position(self.tx.connection) {
            Ok(position) => self.tx.position = position,
            Err(error) => {
                self.fail.send_replace(Some(error));
                return;
            }
        }
        let mut next = Instant::now();
        while let Ok(first) = queued.recv() {
            thread::sleep(next.saturating_duration_since(Instant::now()));
            let begin = Instant::now();
            let group: Vec<_> = std::iter::once(first)
                .chain(queued.try_iter())
                .take(most)
                .collect();
            next = earliest_next(begin, group.len());
            let (group, verdict) = self.commit(group);
            if !self.answers.give(group) {
                return;
            }
            let verdict = verdict.and_then(|()| self.checkpoints.finish(self.tx.connection));
            if let Err(error @ StoreError::Unknown(_)) = verdict {
                tracing::error!(%error, "the store can't go on");
                self.fail.send_replace(Some(error));
                // What is queued is dropped, and with it the channels on which its askers wait.
                return;
            }
        }
        if is_serving {
            self.close();
        }
    }

    /// Leaves a file that is complete, unless the store has failed: what a sync did not bring to the disk then is in the
    /// log alone.
    fn close(self) {
        drop(self.checkpoints);
        if self.fail.borrow().is_some() {
            return;
        }
        match checkpoint::empty(self.tx.connection) {
            Ok(true) => {}
            Ok(false) => tracing::warn!("the log stays beside the store: somebody is reading it"),
            Err(error) => tracing::warn!(%error, "the log stays beside the store"),
        }
    }

    /// Runs a group as one transaction. If the store fails, it fails for the whole group.
    fn commit(&mut self, mut group: Vec<Box<dyn Job>>) -> (Group, Result<()>) {
        let rows = self.tx.connection.total_changes();
        let before = self.tx.position;
        let run = self.run(&mut group);
        let begin = Instant::now();
        let verdict = run.and_then(|outcomes| {
            self.tx
                .statements
                .with("COMMIT".into(), |statement| statement.execute([]))
                .map_err(commit_failure)?;
            Ok(outcomes)
        });
        match verdict {
            Ok(outcomes) => {
                let written = self.tx.connection.total_changes() - rows;
                if written > 0 {
                    self.commits.observe(begin.elapsed().as_secs_f64());
                }
                self.checkpoints.wrote(written);
                (group.into_iter().zip(outcomes).collect(), Ok(()))
            }
            Err(error) => {
                self.tx.position = before;
                if !self.tx.connection.is_autocommit()
                    && let Err(error) = self.tx.connection.execute_batch("ROLLBACK")
                {
                    tracing::warn!(%error, "rollback failed");
                }
                let outcome = Err(Abort::Store(error.clone()));
                (
                    group
                        .into_iter()
                        .map(|job| (job, outcome.clone()))
                        .collect(),
                    Err(error),
                )
            }
        }
    }

    fn run(&mut self, group: &mut [Box<dyn Job>]) -> Result<Vec<std::result::Result<(), Abort>>> {
        let tx = &mut self.tx;
        tx.run("BEGIN IMMEDIATE")?;
        let mut outcomes = Vec::with_capacity(group.len());
        for job in group {
            // To undo one job alone SQLite has to keep a copy of each page it changes, which costs as much again.
            let is_undoable = !job.decides_first();
            if is_undoable {
                tx.run("SAVEPOINT job")?;
            }
            let (written, position) = (tx.connection.total_changes(), tx.position);
            let outcome = catch_unwind(AssertUnwindSafe(|| job.run(tx))).unwrap_or_else(|_| {
                Err(Abort::Store(StoreError::Unexpected(
                    "an operation panicked".into(),
                )))
            });
            match &outcome {
                Ok(()) => {}
                // The disk is full or failing: that is nobody's own.
                Err(Abort::Store(error @ (StoreError::Refused(_) | StoreError::Unknown(_)))) => {
                    return Err(error.clone());
                }
                Err(_) if is_undoable => {
                    tx.position = position;
                    tx.run("ROLLBACK TO job")?;
                }
                Err(_) if tx.connection.total_changes() == written => {}
                Err(error) => {
                    tracing::error!(%error, "an operation failed halfway");
                    return Err(StoreError::Refused(
                        "an operation of the same commit failed halfway".into(),
                    ));
                }
            }
            if is_undoable {
                tx.run("RELEASE job")?;
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }
}

impl Tx<'_> {
    /// Runs a statement that begins or undoes something: what was read before may no longer hold.
    pub(super) fn run(&self, sql: &'static str) -> Result<()> {
        *self.features.borrow_mut() = None;
        self.statements.execute(sql.into(), []).map(drop)
    }
}

fn newest_position(connection: &Connection) -> Result<u64> {
    let newest: Option<i64> = connection
        .query_row("SELECT MAX(position) FROM log", [], |row| row.get(0))
        .map_err(failure)?;
    Ok(newest.unwrap_or(0).cast_unsigned())
}

/// When the commit after one of so many jobs that began at `begin` may begin.
fn earliest_next(begin: Instant, jobs: usize) -> Instant {
    if jobs > 1 { begin + SEVERAL } else { begin }
}

#[cfg(test)]
mod tests {
    use rusqlite::config::DbConfig;

    use super::*;

    /// What is left of a store's log when its writer ends, after a failure or without one.
    fn log_left(failure: Option<StoreError>) -> u64 {
        let folder = tempfile::TempDir::new().unwrap();
        let connect = || {
            let connection = Connection::open(folder.path().join("store")).unwrap();
            connection
                .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
                .unwrap();
            connection
        };
        let connection = connect();
        connection
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE one (key)")
            .unwrap();
        let (fail, _failed) = watch::channel(failure);
        let checkpoints = Checkpoints::start(connect(), None, fail.clone()).unwrap();
        let (answers, thread) = Answers::start().unwrap();
        let writing = Writing {
            tx: Tx::on(&connection),
            answers,
            checkpoints,
            commits: Histogram::new([]),
            fail,
        };
        writing.close();
        thread.join().unwrap();
        std::fs::metadata(folder.path().join("store-wal"))
            .unwrap()
            .len()
    }

    /// What a failed sync did not bring to the disk is in the log alone, whatever a later one says.
    #[test]
    fn the_log_is_moved_at_the_end_unless_the_store_has_failed() {
        assert_eq!(log_left(None), 0);
        let failure = StoreError::Unknown("a sync failed".into());
        assert!(log_left(Some(failure)) > 0);
    }

    #[test]
    fn only_where_several_come_at_once_does_one_wait_for_another() {
        let begin = Instant::now();
        assert_eq!(earliest_next(begin, 1), begin);
        assert_eq!(earliest_next(begin, 2), begin + SEVERAL);
    }
}
