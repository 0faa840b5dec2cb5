//! What was acknowledged survives a kill.

use crate::harness::{Entry, ServerProcess};

#[tokio::test]
async fn an_acknowledged_deletion_survives_a_kill() {
    let mut server = ServerProcess::start().await;
    server.set_switch(true).await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    let mut bob = server.device("bob", "phone").await;
    bob.say("C2Calice", "hi").await;
    laptop.settle().await;
    laptop.leave().await;
    let deleted = phone.delete(&["C2Cbob"]).await;
    assert!(deleted.synced);

    server.crash_and_restart().await;
    let caught_up = laptop.resume(&server).await;
    assert!(!caught_up.reset);
    assert_eq!(caught_up.version, deleted.version);
    assert!(matches!(caught_up.entry("C2Cbob"), Entry::Deleted(_)));
    phone.resume(&server).await;
    phone.lists_only(&[]).await;
    bob.resume(&server).await;
    assert_eq!(bob.texts("C2Calice").await, ["hi"]);
}

/// Each start reads the whole log that a kill left behind, so it must not pile up from kill to kill.
#[tokio::test]
async fn the_log_of_a_server_that_is_killed_again_and_again_does_not_grow() {
    let mut server = ServerProcess::start().await;
    let mut phone = server.device("alice", "phone").await;
    let mut sizes = Vec::new();
    for _ in 0..8 {
        for _ in 0..50 {
            phone.say("C2Cbob", "hi").await;
        }
        let log = std::fs::metadata(server.data().join("chatsync.db-wal"));
        sizes.push(log.expect("a log").len());
        server.crash_and_restart().await;
        phone.resume(&server).await;
    }
    // A start may leave for the next what was written while it took in what it found.
    assert!(sizes[7] < 4 * sizes[0], "{sizes:?}");
}

/// Whoever copies the store of a stopped server, and leaves out what stands beside the file, has everything.
#[tokio::test]
async fn a_server_that_stopped_leaves_one_file_that_is_complete() {
    let mut server = ServerProcess::start().await;
    let mut phone = server.device("alice", "phone").await;
    phone.say("C2Cbob", "hi").await;
    server.terminate();
    assert!(server.ended().await.status.success());

    let beside = ["chatsync.db-wal", "chatsync.db-shm"].map(|file| server.data().join(file));
    let log = std::fs::metadata(&beside[0]).map_or(0, |log| log.len());
    assert_eq!(log, 0, "nothing is left to be moved");
    for file in beside {
        drop(std::fs::remove_file(file));
    }
    server.run().await;
    phone.resume(&server).await;
    assert_eq!(phone.texts("C2Cbob").await, ["hi"]);
}

/// An operator's own look into the store, or a backup that is not over.
#[tokio::test]
async fn a_server_that_stops_while_its_store_is_read_says_that_the_log_stays() {
    let mut server = ServerProcess::start().await;
    let mut phone = server.device("alice", "phone").await;
    phone.say("C2Cbob", "hi").await;
    let reader = rusqlite::Connection::open(server.data().join("chatsync.db")).unwrap();
    reader
        .execute_batch("BEGIN; SELECT COUNT(*) FROM entry")
        .unwrap();
    phone.say("C2Cbob", "still there?").await;
    server.terminate();
    let ended = server.ended().await;
    assert!(ended.status.success());
    assert!(ended.said.contains("somebody is reading it"), "{ended:?}");

    drop(reader);
    server.run().await;
    phone.resume(&server).await;
    assert_eq!(phone.texts("C2Cbob").await, ["hi", "still there?"]);
}
