//! What must not cost more the longer something else has become, counted in steps of SQLite's virtual machine rather
//! than in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

use super::super::{Tx, schema};
use crate::domain::deletion::Deletion;
use crate::domain::message::NewEntry;
use crate::domain::{ConversationId, SdkAppId, Seq, UserId, Version, View};
use crate::store::rows::{AuditFilter, LogKind, NewAuditRecord};
use crate::store::{ReadTx, WriteTx};

/// Who changed a setting last is found by an index, however long the audit log has become.
#[test]
fn the_last_change_of_a_setting_costs_the_same_whatever_the_length_of_the_log() {
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
