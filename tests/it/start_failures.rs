//! What stops a start: one line that names it, an exit code a script can tell, and nothing begun.

use std::net::TcpListener;

use rusqlite::Connection;

use crate::harness::{Launch, ServerProcess};

const USAGE: i32 = 64;
const IO: i32 = 74;
const MACHINE: i32 = 78;

/// It does not start, for this reason, and has not touched the store's folder.
async fn refused(launch: Launch, code: i32, why: &str) {
    let mut server = ServerProcess::prepared(launch);
    refuses(&mut server, code, why).await;
    assert!(!server.data().exists(), "something was begun");
}

async fn refuses(server: &mut ServerProcess, code: i32, why: &str) {
    let ended = server.try_run().await.expect_err(why);
    let line = ended.because(code);
    assert!(line.starts_with(why), "{line}");
    assert_eq!(ended.printed, "", "it said it was listening");
}

#[tokio::test]
async fn a_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let launch = Launch::default().set("CHATSYNC__SERVER__LISTEN", &address);
    refused(launch, IO, &format!("server.listen: {address}: ")).await;
}

/// A path under a file: nobody can make that folder, not even root.
#[tokio::test]
async fn a_folder_that_cannot_be_made() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().join("data");
    let path = path.to_string_lossy();
    let launch = Launch::default().set("CHATSYNC__STORE__PATH", path.clone());
    refused(launch, IO, &format!("store.path: {path}: ")).await;
}

#[tokio::test]
async fn a_store_that_is_served_already() {
    let server = ServerProcess::start().await;
    let path = server.data();
    let path = path.to_string_lossy();
    let launch = Launch::default().set("CHATSYNC__STORE__PATH", path.clone());
    let why = format!("store.path: {path}: another chatsync serves this store");
    refused(launch, IO, &why).await;
    server.device("alice", "phone").await.head().await;
}

#[tokio::test]
async fn a_store_of_a_newer_release() {
    let mut server = ServerProcess::start().await;
    server.terminate();
    server.ended().await;
    let file = server.data().join("chatsync.db");
    let set = |version: i64| {
        let store = Connection::open(&file).expect("the store opens");
        store
            .pragma_update(None, "user_version", version)
            .expect("set");
    };
    let before: i64 = Connection::open(&file)
        .and_then(|store| store.pragma_query_value(None, "user_version", |row| row.get(0)))
        .expect("a version");
    set(9999);
    let why = "store.path: the store has schema 9999, made by a newer release";
    refuses(&mut server, MACHINE, why).await;
    // It was left as it was.
    set(before);
    server.run().await;
}

#[tokio::test]
#[ignore = "needs faketime: ./tests/run runs it"]
async fn a_clock_that_was_never_set() {
    let launch = Launch::under(&["faketime", "-f", "2019-12-31 23:59:00"]);
    refused(launch, MACHINE, "the machine's clock is before 2020").await;
}

#[tokio::test]
async fn a_setting_that_makes_no_sense() {
    for (name, value, why) in [
        ("LIMITS__PAGE", "0", "limits.page: must be at least 1"),
        (
            "LIMITS__REQUEST_MEMORY_HOURS",
            "1",
            "limits.request_memory_hours: must be at least 24",
        ),
        ("SERVER__LISTEN", "nowhere", "server.listen: "),
        ("STORE__SYNC", "maybe", "store.sync: "),
        ("STORE__PAHT", "data", "store.paht: unknown field"),
        ("LOG__FILTER", "chatsync=loud", "log.filter: "),
    ] {
        let launch = Launch::default().set(&format!("CHATSYNC__{name}"), value);
        refused(launch, USAGE, why).await;
    }
}

#[tokio::test]
async fn a_settings_file_that_cannot_be_read() {
    let mut server = ServerProcess::prepared(Launch::default());
    std::fs::remove_file(server.config()).expect("removed");
    let why = format!("--config {}: ", server.config().display());
    refuses(&mut server, USAGE, &why).await;
}
