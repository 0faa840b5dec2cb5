//! Moves what was committed from the log into the database file, beside the writer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;
use tokio::sync::watch;

use super::error::commit_failure;
use crate::store::{Result, StoreError};

/// Rows written between two checkpoints: some 16 MB of log.
const ROWS: u64 = 20_000;

/// Counts rows and asks the checkpointing thread when there are enough.
///
/// That thread moves the bulk beside the writer, and so never all of it while the writer goes on: the writer
/// moves the little that is left, between two commits. Only then does the log start over instead of growing.
#[derive(Debug)]
pub(super) struct Checkpoints {
    ask: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    rows: u64,
    bulk_is_moved: Arc<AtomicBool>,
}

impl Checkpoints {
    pub(super) fn start(
        connection: Connection,
        fail: watch::Sender<Option<StoreError>>,
    ) -> io::Result<Self> {
        let (ask, asked) = sync_channel(1);
        // At once: a process that was killed leaves its log behind, and each start has to read all of it.
        _ = ask.try_send(());
        let bulk_is_moved = Arc::new(AtomicBool::new(false));
        let moved = Arc::clone(&bulk_is_moved);
        let thread = Builder::new()
            .name("chatsync-checkpoint".into())
            .spawn(move || serve(&connection, &asked, &moved, &fail))?;
        Ok(Self {
            ask: Some(ask),
            thread: Some(thread),
            rows: 0,
            bulk_is_moved,
        })
    }

    pub(super) fn wrote(&mut self, rows: u64) {
        self.rows += rows;
        if self.rows >= ROWS
            && let Some(ask) = &self.ask
            // Full means that one has been asked for and not begun: it will cover these rows.
            && ask.try_send(()).is_ok()
        {
            self.rows = 0;
        }
    }

    /// Moves what is left, if the bulk has been. For the writer, between two commits.
    pub(super) fn finish(&self, connection: &Connection) -> Result<()> {
        if self.bulk_is_moved.swap(false, Ordering::AcqRel) {
            checkpoint(connection)?;
        }
        Ok(())
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(
    connection: &Connection,
    asked: &Receiver<()>,
    bulk_is_moved: &AtomicBool,
    fail: &watch::Sender<Option<StoreError>>,
) {
    while asked.recv().is_ok() {
        match checkpoint(connection) {
            Ok(()) => bulk_is_moved.store(true, Ordering::Release),
            Err(error) => {
                tracing::error!(%error, "checkpoint failed");
                fail.send_replace(Some(error));
                return;
            }
        }
    }
}

/// Fails only if a sync of the database file did. The log still holds everything; but trying again could make
/// `SQLite` believe the file holds it too. What could not be moved for another reason waits for the next time.
fn checkpoint(connection: &Connection) -> Result<()> {
    match connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        Ok(()) => Ok(()),
        Err(error) => match commit_failure(error) {
            error @ StoreError::Unknown(_) => Err(error),
            _ => Ok(()),
        },
    }
}
