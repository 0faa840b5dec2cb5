//! Opening, and copying while open.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;

use super::error::failure;
use super::readers::Readers;
use super::writer::Writer;
use super::{OpenError, Options, SqliteStore, schema};
use crate::domain::Epoch;
use crate::store::StoreError;

const FILE: &str = "chatsync.db";
const LOCK: &str = "chatsync.lock";
/// How long the lock may outlive its server: one that has just stopped is let go of by the system a moment later,
/// and a process that is being started shares its parent's files until it runs a program of its own.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
/// The first release with the fix of the WAL-reset bug, which can corrupt a store with several connections.
const OLDEST_LIBRARY: i32 = 3_051_003;
/// Only a command beside the server, or the server beside a command, ever holds the lock for long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) fn open(options: &Options) -> Result<SqliteStore, OpenError> {
    if rusqlite::version_number() < OLDEST_LIBRARY {
        return Err(OpenError::Library(rusqlite::version().to_owned()));
    }
    let folder = |cause| OpenError::Folder {
        folder: options.folder.clone(),
        cause,
    };
    make_private(&options.folder).map_err(folder)?;
    let lock = if options.serving {
        Some(lock(&options.folder)?)
    } else {
        None
    };

    let file = options.folder.join(FILE);
    let database = Arc::new(private().open(&file).map_err(folder)?);
    let mut connection = connect(&file, OpenFlags::default())?;
    set_up(&connection, options.durable).map_err(failure)?;
    schema::migrate(&mut connection)?;
    schema::ensure_epoch(&connection, random_epoch()?)?;

    let (fail, failed) = watch::channel(None);
    let readers = (0..options.readers.max(1))
        .map(|_| {
            connect(
                &file,
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )
        })
        .collect::<Result<_, _>>()?;
    let checkpointer = connect(&file, OpenFlags::default())?;
    set_up(&checkpointer, options.durable).map_err(failure)?;
    let synced = options.durable.then(|| Arc::clone(&database));
    Ok(SqliteStore {
        writer: Writer::start(connection, (checkpointer, synced), options, fail).map_err(folder)?,
        readers: Readers::start(readers).map_err(folder)?,
        failed,
        _database: database,
        _lock: lock,
    })
}

/// Two servers on one store would each number log entries on their own.
fn lock(folder: &Path) -> Result<File, OpenError> {
    let broken = |cause| OpenError::Folder {
        folder: folder.to_owned(),
        cause,
    };
    let file = private().open(folder.join(LOCK)).map_err(broken)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(cause)) => return Err(broken(cause)),
            Err(TryLockError::WouldBlock) if began.elapsed() < LOCK_PATIENCE => {
                std::thread::sleep(LOCK_PATIENCE / 20);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse {
                    folder: folder.to_owned(),
                });
            }
        }
    }
}

/// How the store's files are made: for their owner alone, for they hold keys. `SQLite` gives those it makes
/// beside the database the same mode.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    options
}

fn make_private(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn connect(file: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(file, flags).map_err(failure)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failure)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

fn set_up(connection: &Connection, durable: bool) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: the log is synced at each commit. NORMAL would lose acknowledged operations with the power.
    connection.pragma_update(None, "synchronous", if durable { "FULL" } else { "OFF" })?;
    // Checkpoints are ours: SQLite's own ignore a failed sync and try it again later.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // KiB. Small, for the system's cache is beside it: at most commits SQLite goes through all the pages of its own, if
    // the file has less than 1 GiB.
    connection.pragma_update(None, "cache_size", -4 * 1024)?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}

fn random_epoch() -> Result<Epoch, OpenError> {
    let random = getrandom::u64().map_err(|error| StoreError::Unexpected(error.to_string()))?;
    Ok(Epoch(random))
}

pub(super) fn backup(folder: &Path, to: &Path) -> Result<(), OpenError> {
    let broken = |cause| OpenError::Folder {
        folder: to.to_owned(),
        cause,
    };
    if to.exists() {
        return Err(broken(std::io::ErrorKind::AlreadyExists.into()));
    }
    let source = connect(&folder.join(FILE), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let Some(text) = to.to_str() else {
        return Err(broken(std::io::ErrorKind::InvalidFilename.into()));
    };
    // An empty file is one that VACUUM INTO takes; made here, it is its owner's alone from the beginning.
    private().open(to).map_err(broken)?;
    source.execute("VACUUM INTO ?1", [text]).map_err(failure)?;
    let copy = connect(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    copy.execute("DELETE FROM meta WHERE key = 'epoch'", [])
        .map_err(failure)?;
    Ok(())
}
