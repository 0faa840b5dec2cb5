//! The embedded store: `SQLite` in WAL mode, one writer thread with group commit, readers apart from it.

use std::path::{Path, PathBuf};

use super::{Job, Pending, Query, Result, Store, StoreError};

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

/// Why a store can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{folder}: {cause}")]
    Folder {
        folder: PathBuf,
        cause: std::io::Error,
    },
    #[error("{folder}: another chatsync serves this store")]
    InUse { folder: PathBuf },
    #[error("the store has schema {found}, made by a newer release; this one knows {known}")]
    Newer { found: u32, known: u32 },
    #[error("the bundled SQLite is {0}, which can corrupt a WAL database")]
    Library(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug)]
pub struct SqliteStore;

#[allow(unused_variables, clippy::todo, reason = "bodies follow")]
impl SqliteStore {
    pub fn open(options: &Options) -> std::result::Result<Self, OpenError> {
        todo!()
    }

    /// Copies the store to a new file while it runs. A store opened from the copy has a new epoch.
    pub fn backup(folder: &Path, to: &Path) -> std::result::Result<(), OpenError> {
        todo!()
    }
}

#[allow(unused_variables, clippy::todo, reason = "bodies follow")]
impl Store for SqliteStore {
    fn submit(&self, job: Box<dyn Job>) -> Result<()> {
        todo!()
    }
    fn read(&self, query: Query) -> Pending<Result<()>> {
        todo!()
    }
    fn failed(&self) -> Pending<StoreError> {
        todo!()
    }
}
