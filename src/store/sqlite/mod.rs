//! The embedded store: `SQLite` in WAL mode, one writer thread with group commit, readers apart from it.

mod answers;
mod audit;
mod checkpoint;
mod error;
mod open;
mod read;
mod readers;
mod row;
mod schema;
mod statements;
#[cfg(test)]
mod tests;
mod write;
mod write_back;
mod writer;

use std::cell::RefCell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prometheus_client::metrics::histogram::Histogram;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::{Job, Pending, Query, Result, Store, StoreError};
use crate::domain::{Features, SdkAppId};
use readers::Readers;
use statements::Statements;
use writer::Writer;

/// How the embedded store is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of the store's files; made where missing.
    pub folder: PathBuf,
    /// False only for measuring: acknowledged operations are then lost with the power.
    pub durable: bool,
    /// Jobs waiting for the writer before further ones are refused.
    pub queue: usize,
    /// Most jobs in one commit.
    pub group: usize,
    /// Read connections.
    pub readers: usize,
    /// Only one process may serve a store; commands beside it open it without serving.
    pub serving: bool,
}

impl Options {
    /// For a command beside the server, or a test: durable, small.
    pub fn small(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            durable: true,
            queue: 1024,
            group: 256,
            readers: 1,
            serving: false,
        }
    }
}

/// Why a store can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{}: {cause}", folder.display())]
    Folder {
        folder: PathBuf,
        cause: std::io::Error,
    },
    #[error("{}: another chatsync serves this store", folder.display())]
    InUse { folder: PathBuf },
    #[error("the store has schema {found}, made by a newer release; this one knows {known}")]
    Newer { found: u32, known: u32 },
    #[error("the SQLite library is {0}, which can corrupt a store; 3.51.3 or newer is needed")]
    Library(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One connection's transactions, one after the other.
struct Tx<'c> {
    connection: &'c Connection,
    statements: Statements<'c>,
    /// The place of the newest log entry. Kept by the writer; readers don't use it.
    position: u64,
    /// The features that the running transaction read last. Nobody else can change them while it holds the store:
    /// a commit of many operations reads an app's once.
    features: RefCell<Option<(SdkAppId, Features)>>,
}

impl<'c> Tx<'c> {
    fn on(connection: &'c Connection) -> Self {
        Self {
            connection,
            statements: Statements::of(connection),
            position: 0,
            features: RefCell::default(),
        }
    }
}

/// A transaction shows itself by name: what it holds is in the database.
impl std::fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx")
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// The embedded store. Dropping it finishes what is queued, then closes the files.
#[derive(Debug)]
pub struct SqliteStore {
    /// Closed before the writer, which moves the log when nobody reads it any more.
    readers: Readers,
    writer: Writer,
    failed: watch::Receiver<Option<StoreError>>,
    /// The database file. Closed after every connection: closing a file ends the locks that the process has on it.
    _database: Arc<File>,
    /// Held for as long as the store is served.
    _lock: Option<File>,
}

impl SqliteStore {
    /// Opens the store, making it where missing. Blocks on the disk.
    pub fn open(options: &Options) -> std::result::Result<Self, OpenError> {
        open::open(options)
    }

    /// Copies the store to the new file `to` while it runs. A store opened from the copy has a new epoch, so
    /// that every device starts over rather than trusting a history that may lack what it has seen.
    pub fn backup(folder: &Path, to: &Path) -> std::result::Result<(), OpenError> {
        open::backup(folder, to)
    }
}

impl Store for SqliteStore {
    fn submit(&self, job: Box<dyn Job>) -> Result<()> {
        self.writer.submit(job)
    }

    fn read(&self, query: Query) -> Pending<Result<()>> {
        let (done, answered) = oneshot::channel();
        self.readers.submit(query, done);
        Box::pin(async move {
            answered
                .await
                .unwrap_or_else(|_| Err(StoreError::Unexpected("a read panicked".into())))
        })
    }

    fn commits(&self) -> Histogram {
        self.writer.commits()
    }

    fn failed(&self) -> Pending<StoreError> {
        let mut failed = self.failed.clone();
        Box::pin(async move {
            // The guard on the value must not outlive this statement: it can't cross an await.
            let error = failed
                .wait_for(Option::is_some)
                .await
                .map(|error| error.clone());
            match error {
                Ok(Some(error)) => error,
                // The store was closed in good order: it will never fail.
                _ => std::future::pending().await,
            }
        })
    }
}
