//! The embedded store keeps the contract; and what is its own.

mod commits;
mod costs;
mod upgrades;

use std::sync::Arc;

use tempfile::TempDir;

use super::{OpenError, Options, SqliteStore};
use crate::store::contract::{self, Place};
use crate::store::{Store, query};

struct Folder(TempDir);

impl Place for Folder {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&Options::small(self.0.path())).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract() {
    contract::check(|| Box::new(Folder(TempDir::new().unwrap()))).await;
}

#[test]
fn two_servers_do_not_share_a_store() {
    let folder = TempDir::new().unwrap();
    let serving = Options {
        serving: true,
        ..Options::small(folder.path())
    };
    let first = SqliteStore::open(&serving).unwrap();
    assert!(matches!(
        SqliteStore::open(&serving),
        Err(OpenError::InUse { .. })
    ));
    // A command beside the server may.
    drop(SqliteStore::open(&Options::small(folder.path())).unwrap());
    drop(first);
    SqliteStore::open(&serving).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = SqliteStore::open(&Options::small(file.join("data"))).unwrap_err();
    assert!(refused.to_string().contains("file/data"), "{refused}");
}

#[tokio::test]
async fn a_backup_has_an_epoch_of_its_own() {
    let folder = TempDir::new().unwrap();
    let copied = TempDir::new().unwrap();
    let store = SqliteStore::open(&Options::small(folder.path())).unwrap();
    let target = copied.path().join("chatsync.db");
    SqliteStore::backup(folder.path(), &target).unwrap();
    assert!(
        SqliteStore::backup(folder.path(), &target).is_err(),
        "an existing file is not overwritten"
    );

    let copy = SqliteStore::open(&Options::small(copied.path())).unwrap();
    let (one, two) = (
        query(&store, |tx| tx.epoch()).await,
        query(&copy, |tx| tx.epoch()).await,
    );
    assert_ne!(one.unwrap(), two.unwrap());
}

#[test]
fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let store = SqliteStore::open(&Options::small(&data)).unwrap();
    SqliteStore::backup(&data, &data.join("copy.db")).unwrap();
    for file in std::fs::read_dir(&data).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
    }
    drop(store);
}
