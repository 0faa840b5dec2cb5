//! Moves what was committed from the log into the database file, beside the writer.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;
use tokio::sync::watch;

use super::error::commit_failure;
use super::write_back::write_back;
use crate::store::{Result, StoreError};

/// Rows written between two checkpoints: 16 MB of log where they lie together, 80 MB where each is on a page of its own.
/// What is written while they are moved comes to that.
const ROWS: u64 = 20_000;

/// The rest of the log is left to the writer when as many pages or fewer came to it during a round: it waits for no
/// more than that, and for the disk.
const REST: i64 = 128;
/// Rounds in which that may be reached. Each moves what was written during the one before, so it takes a few.
const ROUNDS: usize = 3;

/// Counts rows and asks the checkpointing thread when there are enough.
///
/// That thread moves the bulk beside the writer, in rounds that grow shorter, and so never all of it while the writer
/// goes on: the writer moves the little that is left, between two commits. Only then does the log start over instead of
/// growing.
#[derive(Debug)]
pub(super) struct Checkpoints {
    ask: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    rows: u64,
    bulk_is_moved: Arc<AtomicBool>,
}

impl Checkpoints {
    /// `file` is the database file, to be synced if the store is durable.
    pub(super) fn start(
        connection: Connection,
        file: Option<Arc<File>>,
        fail: watch::Sender<Option<StoreError>>,
    ) -> io::Result<Self> {
        let (ask, asked) = sync_channel(1);
        // At once: a process that was killed leaves its log behind, and each start has to read all of it.
        _ = ask.try_send(());
        let bulk_is_moved = Arc::new(AtomicBool::new(false));
        let moved = Arc::clone(&bulk_is_moved);
        let thread = Builder::new()
            .name("chatsync-checkpoint".into())
            .spawn(move || serve(&connection, file.as_deref(), &asked, &moved, &fail))?;
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
    file: Option<&File>,
    asked: &Receiver<()>,
    bulk_is_moved: &AtomicBool,
    fail: &watch::Sender<Option<StoreError>>,
) {
    while asked.recv().is_ok() {
        match move_bulk(connection, file) {
            Ok(()) => bulk_is_moved.store(true, Ordering::Release),
            Err(error) => {
                tracing::error!(%error, "checkpoint failed");
                fail.send_replace(Some(error));
                return;
            }
        }
    }
}

/// Fails only if the file could not be brought to the disk.
fn move_bulk(connection: &Connection, file: Option<&File>) -> Result<()> {
    let mut moved = 0;
    for _ in 0..ROUNDS {
        let end = checkpoint(connection)?;
        // SQLite syncs the file only when it has moved the whole log: the writer would wait for all of it.
        if let Some(file) = file {
            // All in one go would keep the commits waiting that sync the log meanwhile.
            write_back(file)
                .and_then(|()| file.sync_data())
                .map_err(|error| StoreError::Unknown(error.to_string()))?;
        }
        let came = end - moved;
        moved = end;
        if came <= REST {
            break;
        }
    }
    Ok(())
}

/// Moves all of the log, for a store that is being closed: its file is then complete without it. False if somebody else
/// is still reading: then the log stays, and holds everything, as it does after a kill.
pub(super) fn empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        row.get(0).map(|is_busy: bool| !is_busy)
    })
}

/// Returns how many pages the log held. Fails only if a sync of the database file did. The log still holds everything;
/// but trying again could make `SQLite` believe the file holds it too. What could not be moved for another reason waits
/// for the next time.
fn checkpoint(connection: &Connection) -> Result<i64> {
    match connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1)) {
        Ok(pages) => Ok(pages),
        Err(error) => match commit_failure(error) {
            error @ StoreError::Unknown(_) => Err(error),
            _ => Ok(0),
        },
    }
}
