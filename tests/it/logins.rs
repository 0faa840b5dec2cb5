//! What a login costs the store, and what is kept of it.

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::harness::{DAY, TestDevice, TestServer};

/// A number that changes with each commit that another connection makes.
fn commits(watch: &Connection) -> i64 {
    watch
        .pragma_query_value(None, "data_version", |row| row.get(0))
        .unwrap()
}

/// A reconnect storm after a restart must not wait for the disk once a login.
#[tokio::test]
async fn a_device_that_is_known_logs_in_without_a_commit() {
    let server = TestServer::synced().await;
    let mut phone = server.device("alice", "phone").await;
    let store = server.store_file();
    let watch = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut quiet = 0;
    for _ in 0..10 {
        phone.leave().await;
        let before = commits(&watch);
        phone.resume(&server).await;
        quiet += usize::from(commits(&watch) == before);
    }
    // Now and then what is collected of logins and acks is stored, and that may be in between.
    assert!(quiet >= 5, "{quiet} of 10");

    let before = commits(&watch);
    server.device("alice", "laptop").await;
    assert_ne!(commits(&watch), before, "a new device is stored at once");
}

#[tokio::test]
async fn the_time_of_a_login_is_shown_at_once_and_kept() {
    let server = TestServer::synced().await;
    let mut phone = server.device("alice", "phone").await;
    let first = login_time(&mut phone).await;
    server.clock.advance(DAY);
    phone.leave().await;
    phone.resume(&server).await;
    assert_eq!(login_time(&mut phone).await, first + DAY);

    let server = server.restart().await;
    let mut laptop = server.device("alice", "laptop").await;
    assert_eq!(login_time(&mut laptop).await, first + DAY);
}

/// When alice's phone logged in, as one of her devices is told.
async fn login_time(device: &mut TestDevice) -> i64 {
    let list = device.ok("device.list", json!({})).await;
    let phone = list["deviceList"]
        .as_array()
        .unwrap()
        .iter()
        .find(|device| device["deviceID"] == "alice-phone");
    phone.unwrap()["loginTime"].as_i64().unwrap()
}
