//! The embedded store keeps the contract; and what is its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;

use super::{OpenError, Options, SqliteStore, schema};
use crate::domain::{AccountKey, LogId, Role, SdkAppId};
use crate::store::contract::{self, Place};
use crate::store::rows::{ConsoleSession, Operator};
use crate::store::{Abort, Job, Store, StoreError, WriteTx, query};

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
        .execute_batch(include_str!("schema/1.sql"))
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

/// Who changed a setting last is found by an index, however long the audit log has become.
#[test]
fn the_last_change_of_a_setting_costs_the_same_whatever_the_length_of_the_log() {
    use super::Tx;
    use crate::store::rows::NewAuditRecord;
    use crate::store::{ReadTx, WriteTx};

    let steps = |records: i64| {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        let mut tx = Tx::on(&connection);
        for number in 0..records {
            for (action, target) in [("app.set", "keys"), ("conversation.delete", "disabled")] {
                let record = NewAuditRecord {
                    time: number,
                    app: SdkAppId(1),
                    actor: "a".into(),
                    action: if number == 3 { "app.set" } else { action }.into(),
                    target: if number == 3 { "disabled" } else { target }.into(),
                    detail: "{}".into(),
                };
                tx.add_audit(&record).unwrap();
            }
        }
        drop(tx);
        let steps = count_steps(&mut connection);
        let tx = Tx::on(&connection);
        let found = tx.last_change(SdkAppId(1), "disabled").unwrap().unwrap();
        assert_eq!(found.time, 3);
        steps.load(Ordering::Relaxed)
    };
    let (short, long) = (steps(5), steps(5_000));
    assert!(long <= short + 5, "{short} steps, {long} steps");
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

/// A store that waits for no disk, for what is not about that.
fn undurable(folder: &TempDir) -> SqliteStore {
    let options = Options {
        durable: false,
        ..Options::small(folder.path())
    };
    SqliteStore::open(&options).unwrap()
}

/// Found while a million conversations were being filled in: beside a writer that never rests a checkpoint never
/// reaches the log's end, so the log never started over, and grew by megabytes a second.
#[tokio::test]
async fn the_log_does_not_grow_while_the_writer_never_rests() {
    let folder = TempDir::new().unwrap();
    let store = undurable(&folder);
    for batch in 0..6_000_u32 {
        let told = contract::submit(&store, false, move |tx| {
            for number in 0..20 {
                tx.put_operator(&Operator {
                    name: format!("{batch} {number} {}", batch.reverse_bits())
                        .parse()
                        .unwrap(),
                    password_hash: "x".repeat(100),
                    role: Role::Viewer,
                    created_at: 0,
                    last_sign_in: None,
                })?;
            }
            Ok(())
        });
        told.await.unwrap().unwrap();
    }
    let log = std::fs::metadata(folder.path().join("chatsync.db-wal")).unwrap();
    assert!(log.len() < 64 << 20, "{} bytes", log.len());
}

/// The design's promise that a deletion costs the same for 10 messages and for a million, counted in steps of
/// SQLite's virtual machine rather than in time.
#[test]
fn deleting_costs_the_same_whatever_the_length_of_the_history() {
    let short = steps_of_a_deletion(10);
    let long = steps_of_a_deletion(100_000);
    assert!(
        long <= short + 20,
        "10 messages: {short} steps, 100,000 messages: {long} steps"
    );
}

fn steps_of_a_deletion(messages: u64) -> u64 {
    use super::Tx;
    use crate::domain::deletion::Deletion;
    use crate::domain::message::NewEntry;
    use crate::domain::{ConversationId, SdkAppId, Seq, UserId, View};
    use crate::store::ReadTx;
    use crate::store::rows::LogKind;

    let mut connection = Connection::open_in_memory().unwrap();
    schema::migrate(&mut connection).unwrap();
    connection.execute_batch("BEGIN").unwrap();
    let mut tx = Tx::on(&connection);
    let account = tx
        .create_account(SdkAppId(1), &UserId::new("alice").unwrap(), 0)
        .unwrap()
        .key;
    let log = tx
        .create_log(SdkAppId(1), &LogKind::System(account))
        .unwrap();
    tx.put_view(account, &View::new(ConversationId::System, log))
        .unwrap();
    let entry = NewEntry {
        sender: None,
        time: 0,
        kind: "TIMTextElem".into(),
        payload: serde_json::value::RawValue::from_string("{}".into()).unwrap(),
        is_control: false,
    };
    for _ in 0..messages {
        tx.append(log, &entry).unwrap();
    }

    // What the connection counts is set up while nothing uses it.
    drop(tx);
    let steps = count_steps(&mut connection);
    let mut tx = Tx::on(&connection);
    tx.position = messages;
    let (mut view, head) = tx
        .view_and_head(account, &ConversationId::System)
        .unwrap()
        .unwrap();
    let upto = Seq(messages - 1);
    let read = tx.message_count(log, upto).unwrap();
    Deletion {
        clear_history: true,
        synced: true,
        now: 0,
        undo_window: 0,
    }
    .apply(&mut view, head, upto, read);
    view.version = tx.bump_version(account).unwrap();
    tx.put_view(account, &view).unwrap();
    steps.load(Ordering::Relaxed)
}

/// The audit log only grows: what an operator is shown must not cost by its length.
#[test]
fn a_page_of_deletions_costs_the_same_whatever_the_length_of_the_audit_log() {
    let (short, long) = (steps_of_a_page(10), steps_of_a_page(10_000));
    assert!(
        long <= short + 20,
        "10 records: {short} steps, 10,000 records: {long} steps"
    );
}

fn steps_of_a_page(records: i64) -> u64 {
    use super::Tx;
    use crate::domain::{SdkAppId, UserId, Version};
    use crate::store::rows::{AuditFilter, NewAuditRecord};
    use crate::store::{ReadTx, WriteTx};

    let mut connection = Connection::open_in_memory().unwrap();
    schema::migrate(&mut connection).unwrap();
    let mut tx = Tx::on(&connection);
    let users = ["alice", "bob"].map(|name| UserId::new(name).unwrap());
    let [alice, bob] = [0, 1].map(|nth: usize| {
        let account = tx.create_account(SdkAppId(1), &users[nth], 0).unwrap();
        (account.key, users[nth].as_str())
    });
    let record = |time, target: &str, action: &str| NewAuditRecord {
        time,
        app: SdkAppId(1),
        actor: format!("user:{target}"),
        action: action.into(),
        target: target.into(),
        detail: "{}".into(),
    };
    let mut delete = |time, (account, target)| {
        let record = record(time, target, "conversation.delete");
        tx.add_deletion(account, Version(0), &record).unwrap();
    };
    for number in 0..5 {
        delete(number, alice);
    }
    for number in 0..records {
        delete(5 + number, bob);
    }
    for number in 0..records {
        let record = record(5 + number, "alice", "conversation.restore");
        tx.add_audit(&record).unwrap();
    }
    drop(tx);
    let steps = count_steps(&mut connection);
    let tx = Tx::on(&connection);
    let alice = UserId::new("alice").unwrap();
    let app = SdkAppId(1);
    assert_eq!(tx.deletions(app, Some(&alice), None, 5).unwrap().len(), 5);
    assert_eq!(tx.deletions(app, None, None, 5).unwrap().len(), 5);
    let old = AuditFilter {
        app: Some(app),
        to: Some(4),
        ..AuditFilter::default()
    };
    assert_eq!(tx.audit(&old, None, 9, 9).unwrap().records.len(), 5);
    let old = AuditFilter { app: None, ..old };
    assert_eq!(tx.audit(&old, None, 9, 9).unwrap().records.len(), 5);
    steps.load(Ordering::Relaxed)
}

fn count_steps(connection: &mut Connection) -> Arc<AtomicU64> {
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    connection
        .progress_handler(
            1,
            Some(move || {
                counted.fetch_add(1, Ordering::Relaxed);
                false
            }),
        )
        .unwrap();
    steps
}

/// Writes something, and then may withdraw although it said that it had decided before.
struct Decided {
    name: &'static str,
    withdraw_before: bool,
    withdraw_after: bool,
    done: std::sync::mpsc::Sender<Result<(), Abort>>,
}

impl Job for Decided {
    fn run(&mut self, tx: &mut dyn WriteTx) -> Result<(), Abort> {
        if self.withdraw_before {
            return Err(Abort::Withdrawn);
        }
        tx.put_operator(&Operator {
            name: self.name.parse().unwrap(),
            password_hash: String::new(),
            role: Role::Viewer,
            created_at: 0,
            last_sign_in: None,
        })?;
        if self.withdraw_after {
            return Err(Abort::Withdrawn);
        }
        Ok(())
    }

    fn decides_first(&self) -> bool {
        true
    }

    fn done(self: Box<Self>, outcome: Result<(), Abort>) {
        self.done.send(outcome).unwrap();
    }
}

/// Submits three jobs so that they share a commit, the second of which withdraws: their outcomes, and how many of
/// them left something behind.
async fn commit_around(before: bool, after: bool) -> (Vec<Result<(), Abort>>, usize) {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(&Options::small(folder.path())).unwrap();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (tell, begun) = std::sync::mpsc::channel();
    let busy = contract::submit(&store, false, move |_| {
        tell.send(()).unwrap();
        wait.recv().unwrap();
        Ok(())
    });
    // Alone in its commit: what is submitted from here on comes into the next one.
    begun.recv().unwrap();
    let (done, outcomes) = std::sync::mpsc::channel();
    for name in ["one", "two", "three"] {
        let job = Decided {
            name,
            withdraw_before: before && name == "two",
            withdraw_after: after && name == "two",
            done: done.clone(),
        };
        store.submit(Box::new(job)).unwrap();
    }
    go.send(()).unwrap();
    busy.await.unwrap().unwrap();
    let outcomes = outcomes.iter().take(3).collect();
    let mut left = 0;
    for name in ["one", "two", "three"] {
        let found = query(&store, move |tx| tx.operator(&name.parse().unwrap())).await;
        let found = found.unwrap();
        left += usize::from(found.is_some());
    }
    (outcomes, left)
}

#[tokio::test]
async fn a_job_that_decides_first_and_withdraws_harms_no_other() {
    let (outcomes, left) = commit_around(true, false).await;
    assert!(
        matches!(outcomes[..], [Ok(()), Err(Abort::Withdrawn), Ok(())]),
        "{outcomes:?}"
    );
    assert_eq!(left, 2);
}

/// It can't be undone alone, so nothing of what would have been committed with it may stay.
#[tokio::test]
async fn a_job_that_withdraws_although_it_had_decided_leaves_nothing_of_its_commit() {
    let (outcomes, left) = commit_around(false, true).await;
    assert_eq!(outcomes.len(), 3);
    for outcome in outcomes {
        assert!(
            matches!(outcome, Err(Abort::Store(StoreError::Refused(_)))),
            "{outcome:?}"
        );
    }
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_store_of_schema_1_keeps_its_requests_and_what_is_to_be_erased() {
    let folder = TempDir::new().unwrap();
    let old = Connection::open(folder.path().join("chatsync.db")).unwrap();
    old.execute_batch(include_str!("schema/1.sql")).unwrap();
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

/// Without it, at some thousand deletions a second, nearly each has a commit of its own.
#[tokio::test]
async fn after_a_commit_of_several_the_next_one_gathers_for_a_millisecond() {
    let folder = TempDir::new().unwrap();
    let store = undurable(&folder);
    for _ in 0..20 {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (tell, begun) = std::sync::mpsc::channel();
        let busy = contract::submit(&store, false, move |_| {
            tell.send(()).unwrap();
            wait.recv().unwrap();
            Ok(())
        });
        begun.recv().unwrap();
        let several = [(); 2].map(|()| contract::submit(&store, false, |_| Ok(())));
        let before = Instant::now();
        go.send(()).unwrap();
        busy.await.unwrap().unwrap();
        for one in several {
            one.await.unwrap().unwrap();
        }
        let (tell, begun) = std::sync::mpsc::channel();
        let next = contract::submit(&store, false, move |_| {
            tell.send(Instant::now()).unwrap();
            Ok(())
        });
        next.await.unwrap().unwrap();
        assert!(begun.recv().unwrap() - before >= Duration::from_millis(1));
    }
}
