//! The writer: one thread owns the write connection. It takes everything that queued while the last commit was
//! being synced, commits it together, and hands it on; another thread answers, so that fan-out and the next
//! commit overlap.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;
use tokio::sync::watch;

use super::checkpoint::Checkpoints;
use super::error::{commit_failure, failure};
use super::{Options, Tx};
use crate::store::{Abort, Job, Result, StoreError};

/// Groups committed and not yet answered, before the writer waits.
const UNANSWERED_GROUPS: usize = 64;

/// Jobs with what became of each.
type Answers = Vec<(Box<dyn Job>, std::result::Result<(), Abort>)>;

#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<SyncSender<Box<dyn Job>>>,
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
        checkpointer: Connection,
        options: &Options,
        fail: watch::Sender<Option<StoreError>>,
    ) -> io::Result<Self> {
        let (queue, queued) = sync_channel(options.queue.max(1));
        let (committed, answers) = sync_channel::<Answers>(UNANSWERED_GROUPS);
        let checkpoints = Checkpoints::start(checkpointer, fail.clone())?;
        let most = options.group.max(1);
        let writing = Builder::new()
            .name("chatsync-write".into())
            .spawn(move || {
                Writing {
                    connection,
                    checkpoints,
                    fail,
                    position: 0,
                }
                .serve(&queued, &committed, most);
            })?;
        let answering = Builder::new()
            .name("chatsync-answer".into())
            .spawn(move || {
                for (job, outcome) in answers.into_iter().flatten() {
                    if catch_unwind(AssertUnwindSafe(|| job.done(outcome))).is_err() {
                        tracing::error!("answering a job panicked");
                    }
                }
            })?;
        Ok(Self {
            queue: Some(queue),
            threads: vec![writing, answering],
        })
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

struct Writing {
    connection: Connection,
    checkpoints: Checkpoints,
    fail: watch::Sender<Option<StoreError>>,
    /// The place of the newest log entry.
    position: u64,
}

impl Writing {
    fn serve(
        mut self,
        queued: &Receiver<Box<dyn Job>>,
        committed: &SyncSender<Answers>,
        most: usize,
    ) {
        match newest_position(&self.connection) {
            Ok(position) => self.position = position,
            Err(error) => {
                self.fail.send_replace(Some(error));
                return;
            }
        }
        while let Ok(first) = queued.recv() {
            let group: Vec<_> = std::iter::once(first)
                .chain(queued.try_iter())
                .take(most)
                .collect();
            let (answers, verdict) = self.commit(group);
            if committed.send(answers).is_err() {
                return;
            }
            let verdict = verdict.and_then(|()| self.checkpoints.finish(&self.connection));
            if let Err(error @ StoreError::Unknown(_)) = verdict {
                tracing::error!(%error, "the store can't go on");
                self.fail.send_replace(Some(error));
                // What is queued is dropped, and with it the channels on which its askers wait.
                return;
            }
        }
    }

    /// Runs a group as one transaction. If the store fails, it fails for the whole group.
    fn commit(&mut self, mut group: Vec<Box<dyn Job>>) -> (Answers, Result<()>) {
        let rows = self.connection.total_changes();
        let before = self.position;
        let run = self.run(&mut group);
        let verdict = run.and_then(|outcomes| {
            self.connection
                .prepare_cached("COMMIT")
                .and_then(|mut s| s.execute([]))
                .map_err(commit_failure)?;
            Ok(outcomes)
        });
        match verdict {
            Ok(outcomes) => {
                self.checkpoints
                    .wrote(self.connection.total_changes() - rows);
                (group.into_iter().zip(outcomes).collect(), Ok(()))
            }
            Err(error) => {
                self.position = before;
                if !self.connection.is_autocommit()
                    && let Err(error) = self.connection.execute_batch("ROLLBACK")
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
        let execute = |sql| -> Result<()> {
            self.connection
                .prepare_cached(sql)
                .and_then(|mut s| s.execute([]))
                .map_err(failure)?;
            Ok(())
        };
        execute("BEGIN IMMEDIATE")?;
        let mut outcomes = Vec::with_capacity(group.len());
        for job in group {
            execute("SAVEPOINT job")?;
            let mut tx = Tx {
                connection: &self.connection,
                position: self.position,
            };
            let outcome =
                catch_unwind(AssertUnwindSafe(|| job.run(&mut tx))).unwrap_or_else(|_| {
                    Err(Abort::Store(StoreError::Unexpected(
                        "an operation panicked".into(),
                    )))
                });
            match outcome {
                Ok(()) => self.position = tx.position,
                // The disk is full or failing: that is nobody's own.
                Err(Abort::Store(error @ (StoreError::Refused(_) | StoreError::Unknown(_)))) => {
                    return Err(error);
                }
                Err(_) => execute("ROLLBACK TO job")?,
            }
            execute("RELEASE job")?;
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }
}

fn newest_position(connection: &Connection) -> Result<u64> {
    let newest: Option<i64> = connection
        .query_row("SELECT MAX(position) FROM log", [], |row| row.get(0))
        .map_err(failure)?;
    Ok(newest.unwrap_or(0).cast_unsigned())
}
