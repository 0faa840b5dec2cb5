//! What shares a commit, and what becomes of the log.

use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::sync::oneshot;

use super::super::{Options, SqliteStore};
use crate::domain::Role;
use crate::store::contract;
use crate::store::rows::Operator;
use crate::store::{Abort, Job, Store, StoreError, WriteTx, query};

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

/// SQLite would move it by itself with the last connection, also where a sync has failed before.
#[tokio::test]
async fn only_a_server_that_stops_moves_the_log() {
    for serving in [false, true] {
        let folder = TempDir::new().unwrap();
        let store = SqliteStore::open(&Options {
            serving,
            ..Options::small(folder.path())
        })
        .unwrap();
        contract::submit(&store, false, |_| Ok(()))
            .await
            .unwrap()
            .unwrap();
        drop(store);
        let log = std::fs::metadata(folder.path().join("chatsync.db-wal")).unwrap();
        assert_eq!(log.len() == 0, serving);
    }
}

/// Writes something, and then may withdraw although it said that it had decided before.
struct Decided {
    name: &'static str,
    withdraw_before: bool,
    withdraw_after: bool,
    done: Sender<Result<(), Abort>>,
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

/// Keeps the writer at a commit until it is told to go on: what is submitted meanwhile shares the next one.
fn hold(store: &SqliteStore) -> (Sender<()>, oneshot::Receiver<Result<(), Abort>>) {
    let (go, wait) = channel::<()>();
    let (tell, begun) = channel();
    let held = contract::submit(store, false, move |_| {
        tell.send(()).unwrap();
        wait.recv().unwrap();
        Ok(())
    });
    begun.recv().unwrap();
    (go, held)
}

/// Submits three jobs so that they share a commit, the second of which withdraws: their outcomes, and how many of
/// them left something behind.
async fn commit_around(before: bool, after: bool) -> (Vec<Result<(), Abort>>, usize) {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(&Options::small(folder.path())).unwrap();
    let (go, held) = hold(&store);
    let (done, outcomes) = channel();
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
    held.await.unwrap().unwrap();
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

/// Without it, at some thousand deletions a second, nearly each has a commit of its own.
#[tokio::test]
async fn after_a_commit_of_several_the_next_one_gathers_for_half_a_millisecond() {
    let folder = TempDir::new().unwrap();
    let store = undurable(&folder);
    for _ in 0..20 {
        let (go, held) = hold(&store);
        let several = [(); 2].map(|()| contract::submit(&store, false, |_| Ok(())));
        let before = Instant::now();
        go.send(()).unwrap();
        held.await.unwrap().unwrap();
        for one in several {
            one.await.unwrap().unwrap();
        }
        let (tell, begun) = channel();
        let next = contract::submit(&store, false, move |_| {
            tell.send(Instant::now()).unwrap();
            Ok(())
        });
        next.await.unwrap().unwrap();
        assert!(begun.recv().unwrap() - before >= Duration::from_micros(500));
    }
}
