//! Moves what was committed from the log into the database file, beside the writer.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;
use tokio::sync::watch;

use super::error::commit_failure;
use crate::store::StoreError;

/// Rows written between two checkpoints: some 16 MB of log.
const ROWS: u64 = 20_000;

/// Counts rows and asks the checkpointing thread when there are enough.
#[derive(Debug)]
pub(super) struct Checkpoints {
    ask: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    rows: u64,
}

impl Checkpoints {
    pub(super) fn start(
        connection: Connection,
        fail: watch::Sender<Option<StoreError>>,
    ) -> io::Result<Self> {
        let (ask, asked) = sync_channel(1);
        // At once: a process that was killed leaves its log behind, and each start has to read all of it.
        _ = ask.try_send(());
        let thread = Builder::new()
            .name("chatsync-checkpoint".into())
            .spawn(move || serve(&connection, &asked, &fail))?;
        Ok(Self {
            ask: Some(ask),
            thread: Some(thread),
            rows: 0,
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
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(connection: &Connection, asked: &Receiver<()>, fail: &watch::Sender<Option<StoreError>>) {
    while asked.recv().is_ok() {
        let checkpoint = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = checkpoint
            && let error @ StoreError::Unknown(_) = commit_failure(error)
        {
            // A sync of the database file failed. The log still holds everything; trying again could make
            // SQLite believe the file holds it too.
            tracing::error!(%error, "checkpoint failed");
            fail.send_replace(Some(error));
            return;
        }
    }
}
