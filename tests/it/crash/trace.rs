//! Acknowledged means synced: shown by the order of the server's system calls.
//!
//! A commit is found in the log by its requestID, which the first page written after the request holds. What tells
//! of it (the answer, the pushes to the account's other devices) is found by its version. In between, a sync of
//! the log must have begun after the commit's last write, and returned 0.

use futures_util::future::join_all;

use super::call::Call;
use super::strace::{self, Syscall};
use crate::harness::{Launch, ServerProcess, TestDevice};

const WAL: &str = "chatsync.db-wal";
const DELETIONS: usize = 12;

/// A deletion by its requestID and its version.
type Deletion = (String, u64);

/// Three devices of one account delete beside each other; every deletion, and all the server did.
async fn record(launch: impl FnOnce(Launch) -> Launch) -> (Vec<Deletion>, Vec<Syscall>) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("record");
    let mut server = ServerProcess::start_with(launch(strace::recording(&log))).await;
    server.set_switch(true).await;
    let mut devices = Vec::new();
    for name in ["phone", "laptop", "tablet"] {
        devices.push(server.device("alice", name).await);
    }
    for conversation in ["C2Cbob", "C2Ccarol"] {
        devices[0].say(conversation, "hi").await;
    }
    let deleted = join_all(devices.iter_mut().map(delete)).await.concat();
    for device in &mut devices {
        device.leave().await;
    }
    server.terminate();
    let ended = server.ended().await;
    assert!(ended.status.success(), "{ended:?}");
    (deleted, strace::read(&log))
}

async fn delete(device: &mut TestDevice) -> Vec<Deletion> {
    let mut deleted = Vec::new();
    for number in 0..DELETIONS {
        let request = format!("deletion-{number}-of-{}", device.who.device);
        let call = Call::delete(&["C2Cbob", "C2Ccarol"], true, &request);
        let answer = call.made(device).await.answer.expect("an answer");
        deleted.push((request, answer["version"].as_u64().expect("a version")));
    }
    // What was pushed to it has come.
    device.head().await;
    deleted
}

/// The writes to sockets that tell of a version: one answer, and a push to each of the two other devices.
fn telling(calls: &[Syscall], version: u64) -> Vec<&Syscall> {
    let answer = format!(r#"\"version\":{version},\"synced\":"#);
    let push = format!(r#"conversation.deleted\",\"params\":{{\"version\":{version},"#);
    let tells = |call: &&Syscall| {
        call.is_to_socket() && (call.arguments.contains(&answer) || call.arguments.contains(&push))
    };
    calls.iter().filter(tells).collect()
}

/// What was told before it was certain.
fn violations(deleted: &[Deletion], calls: &[Syscall]) -> Vec<String> {
    let mut found = Vec::new();
    for (request, version) in deleted {
        let told = telling(calls, *version);
        assert!(!told.is_empty(), "nothing tells of version {version}");
        let Err(why) = synced_at(calls, request).and_then(|synced| {
            let early = told.iter().find(|tell| tell.began <= synced);
            early.map_or(Ok(()), |tell| {
                Err(format!("told at {}, synced at {synced}", tell.began))
            })
        }) else {
            continue;
        };
        found.push(format!("version {version}: {why}"));
    }
    found
}

/// When the sync that covers a call's commit returned.
fn synced_at(calls: &[Syscall], request: &str) -> Result<usize, String> {
    let written = calls
        .iter()
        .find(|call| call.is_write_to(WAL) && call.arguments.contains(request))
        .ok_or("it was never written")?;
    let sync = calls
        .iter()
        .find(|call| call.is_sync() && call.is_on(WAL) && call.began > written.ended)
        .ok_or("no sync follows its write")?;
    let last = calls
        .iter()
        .rfind(|call| call.is_write_to(WAL) && is_frame_header(call) && call.began < sync.began);
    if last.is_none_or(|header| !ends_a_commit(header)) {
        return Err(format!("the sync at {} covers half a commit", sync.began));
    }
    if calls
        .iter()
        .any(|call| call.is_write_to(WAL) && call.began < sync.began && call.ended > sync.began)
    {
        return Err(format!(
            "the log is written to during the sync at {}",
            sync.began
        ));
    }
    if sync.result != 0 {
        return Err(format!(
            "the sync at {} returned {}",
            sync.began, sync.result
        ));
    }
    Ok(sync.ended)
}

/// A frame of SQLite's log begins with 24 bytes of its own.
fn is_frame_header(call: &Syscall) -> bool {
    call.result == 24
}

/// The second of its numbers is the size of the database if the frame ends a commit, else 0.
fn ends_a_commit(header: &Syscall) -> bool {
    let text = header.arguments.split('"').nth(1).unwrap_or("");
    unescaped(&header.arguments, text)
        .get(4..8)
        .is_some_and(|size| size != [0; 4])
}

/// The bytes that strace shows as a C string. A quote among them would end `text` early; `whole` tells.
fn unescaped(whole: &str, text: &str) -> Vec<u8> {
    let from = whole.find(text).unwrap_or(0);
    let mut bytes = Vec::new();
    let mut rest = whole[from..].chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => break,
            '\\' => {
                let mut octal = String::new();
                while octal.len() < 3 && rest.peek().is_some_and(|c| c.is_digit(8)) {
                    octal.extend(rest.next());
                }
                if octal.is_empty() {
                    // \n, \t, \", \\ …: whatever it is, it is not 0.
                    rest.next();
                    bytes.push(b'?');
                } else {
                    bytes.push(u8::from_str_radix(&octal, 8).unwrap_or(b'?'));
                }
            }
            _ => bytes.push(b'?'),
        }
    }
    bytes
}

#[tokio::test]
#[ignore = "needs strace: ./tests/run runs it"]
async fn what_tells_of_a_deletion_leaves_after_its_sync_has_returned() {
    let (deleted, calls) = record(|launch| launch).await;
    assert_eq!(deleted.len(), 3 * DELETIONS);
    assert_eq!(violations(&deleted, &calls), [""; 0]);
    // Each device hears of each deletion, be it by an answer or by a push.
    let told: usize = deleted
        .iter()
        .map(|(_, version)| telling(&calls, *version).len())
        .sum();
    assert!(
        told > deleted.len(),
        "{told} writes tell of {} deletions",
        deleted.len()
    );
}

/// The same check on a server that was told not to wait for the disk finds fault with everything.
#[tokio::test]
#[ignore = "needs strace: ./tests/run runs it"]
async fn the_check_notices_a_server_that_does_not_sync() {
    let (deleted, calls) = record(|launch| launch.set("CHATSYNC__STORE__SYNC", "off")).await;
    let found = violations(&deleted, &calls);
    assert_eq!(found.len(), deleted.len());
    assert!(
        found
            .iter()
            .all(|why| why.ends_with("no sync follows its write")),
        "{found:?}"
    );
}
