//! Stores of other releases.

use rusqlite::Connection;
use tempfile::TempDir;

use super::super::{OpenError, Options, SqliteStore, schema};
use crate::domain::{AccountKey, LogId, Role, SdkAppId};
use crate::store::contract;
use crate::store::query;
use crate::store::rows::{ConsoleSession, Operator};

#[test]
fn a_store_of_a_newer_release_is_refused() {
    let folder = TempDir::new().unwrap();
    drop(SqliteStore::open(&Options::small(folder.path())).unwrap());
    let connection = Connection::open(folder.path().join("chatsync.db")).unwrap();
    connection
        .pragma_update(None, "user_version", schema::KNOWN + 1)
        .unwrap();
    let refused = SqliteStore::open(&Options::small(folder.path())).unwrap_err();
    assert!(
        matches!(refused, OpenError::Newer { found, .. } if found == schema::KNOWN + 1),
        "{refused}"
    );
}

/// Whoever was an operator before there were roles could do everything, and goes on to.
#[tokio::test]
async fn a_store_of_schema_1_becomes_one_of_today() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("chatsync.db");
    let connection = Connection::open(&file).unwrap();
    connection
        .execute_batch(include_str!("../schema/1.sql"))
        .unwrap();
    connection
        .execute_batch(
            "PRAGMA user_version = 1;
             INSERT INTO operator (name, password_hash) VALUES ('admin', 'a hash');
             INSERT INTO app VALUES (7, '[\"k\"]', '[]', 1, 1, 2, 0, 'multi', NULL, 0, 3);
             INSERT INTO audit (time, app, actor, action, target, detail)
               VALUES (5, 7, 'command line', 'app.set', 'disabled', '{}');",
        )
        .unwrap();
    drop(connection);

    let store = SqliteStore::open(&Options::small(folder.path())).unwrap();
    let (operators, app, change) = query(&store, |tx| {
        let app = SdkAppId(7);
        Ok((
            tx.operators()?,
            tx.app(app)?,
            tx.last_change(app, "disabled")?,
        ))
    })
    .await
    .unwrap();
    assert_eq!(operators.len(), 1);
    let Operator {
        name,
        password_hash,
        role,
        created_at,
        last_sign_in,
    } = operators.into_iter().next().unwrap();
    assert_eq!((name.as_str(), &*password_hash), ("admin", "a hash"));
    assert_eq!((role, last_sign_in), (Role::Administrator, None));
    assert!(created_at > 1_700_000_000_000, "{created_at}");
    assert!(app.unwrap().features.sync_conversation_deletion);
    assert_eq!(change.unwrap().time, 5);
    // What came with it can be used.
    let told = contract::submit(&store, false, |tx| {
        let app = tx.app(SdkAppId(7))?.unwrap();
        tx.put_app(&app)?;
        tx.put_console_session(&ConsoleSession {
            token_hash: vec![1],
            operator: "admin".parse().unwrap(),
            signed_in_at: 1,
            seen_at: 2,
        })
    });
    told.await.unwrap().unwrap();
    let changes = query(&store, |tx| tx.app_changes()).await.unwrap();
    assert_eq!(changes, 1);
}

#[tokio::test]
async fn a_store_of_schema_1_keeps_its_requests_and_what_is_to_be_erased() {
    let folder = TempDir::new().unwrap();
    let old = Connection::open(folder.path().join("chatsync.db")).unwrap();
    old.execute_batch(include_str!("../schema/1.sql")).unwrap();
    old.execute_batch(
        "INSERT INTO erasure VALUES (7, 50), (8, 40);
         INSERT INTO request VALUES (1, 'phone', 'later', x'02', '{}', 20), (1, 'phone', 'early', x'01', '{}', 10);
         PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(old);

    let store = SqliteStore::open(&Options::small(folder.path())).unwrap();
    let due = query(&store, |tx| tx.due_erasures(50, 10)).await.unwrap();
    assert_eq!(due, [(40, vec![LogId(8)]), (50, vec![LogId(7)])]);
    let expired = contract::submit(&store, false, |tx| {
        assert_eq!(tx.expire_requests(15, 10)?, 1);
        let later = tx.request(AccountKey(1), "phone", &"later".parse().unwrap())?;
        assert_eq!(later.unwrap().fingerprint, [2]);
        Ok(())
    });
    expired.await.unwrap().unwrap();
}
