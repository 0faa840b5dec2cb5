//! Who may be connected: replaced, displaced and logged-out devices, and how they are told.

use serde_json::json;

use chatsync::domain::login_policy::LoginMode;

use crate::harness::{SECOND, ServerProcess, TestDevice, TestServer, Who, user_sig};

/// Told why, and closed with the code that says "stop".
async fn is_kicked_out(device: &mut TestDevice, why: &str) {
    let push = device
        .next_push("kickedOut", |push| push.method == "kickedOut")
        .await;
    assert_eq!(push.params["type"], why);
    let code = if why == "REST_API_Kick" { 4501 } else { 4509 };
    assert_eq!(device.closed_with().await, Some(code));
}

#[tokio::test]
async fn a_device_that_reconnects_replaces_its_old_connection() {
    let server = TestServer::synced().await;
    let mut old = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    let mut new = server.device("alice", "phone").await;
    is_kicked_out(&mut old, "multipleAccount").await;
    laptop.say("C2Calice", "note to self").await;
    new.sees_message("note to self").await;
}

#[tokio::test]
async fn one_platform_at_a_time() {
    let server = TestServer::synced().await;
    server
        .change_app(|app| app.features.login_policy.mode = LoginMode::Single)
        .await;
    let mut phone = server.device("alice", "phone").await;
    let mut bob = server.device("bob", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    is_kicked_out(&mut phone, "multipleDevice").await;
    laptop.head().await;
    bob.head().await;
}

#[tokio::test]
async fn one_native_platform_and_the_web() {
    let server = TestServer::synced().await;
    server
        .change_app(|app| app.features.login_policy.mode = LoginMode::Dual)
        .await;
    let mut phone = server.device("alice", "phone").await;
    let mut browser = server.device("alice", "browser").await;
    phone.head().await;
    let mut laptop = server.device("alice", "laptop").await;
    is_kicked_out(&mut phone, "multipleDevice").await;
    browser.head().await;
    laptop.head().await;
}

#[tokio::test]
async fn the_earliest_of_a_platforms_instances_goes() {
    let server = TestServer::synced().await;
    server
        .change_app(|app| app.features.login_policy.instances_per_platform = Some(1))
        .await;
    let mut first = server.device("alice", "phone").await;
    let who = Who {
        device: "alice-second-phone".into(),
        ..Who::new("alice", "phone")
    };
    let mut second = TestDevice::fresh(&server, who.clone()).await;
    is_kicked_out(&mut first, "multipleDevice").await;

    // A reconnect never counts against itself.
    let mut again = TestDevice::fresh(&server, who).await;
    is_kicked_out(&mut second, "multipleAccount").await;
    again.head().await;
}

#[tokio::test]
async fn logging_out_closes_ones_own_connection() {
    let server = TestServer::synced().await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    phone.ok("logout", json!({})).await;
    assert_eq!(phone.closed_with().await, Some(1000));
    laptop.sees_offline("alice-phone").await;
    laptop.sees_nothing_more().await;
}

#[tokio::test]
async fn a_lost_phone_is_logged_out_from_the_laptop() {
    let server = TestServer::synced().await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    laptop
        .ok("device.logout", json!({ "deviceID": "alice-phone" }))
        .await;
    is_kicked_out(&mut phone, "REST_API_Kick").await;

    // What it was using is refused from now on, also after a restart.
    assert_eq!(
        phone.try_login(&server).await.expect_err("refused").code,
        70001
    );
    assert_eq!(phone.closed_with().await, Some(4501));
    let server = server.restart().await;
    assert_eq!(
        phone.try_login(&server).await.expect_err("refused").code,
        70001
    );

    // Found again, it gets a new one.
    server.clock.advance(SECOND);
    phone.user_sig = user_sig(&server, phone.who.app, "alice");
    phone.resume(&server).await;
    laptop.resume(&server).await;
}

#[tokio::test]
async fn a_device_says_what_it_has_applied() {
    let server = TestServer::synced().await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    phone.say("C2Calice", "note to self").await;
    let version = phone.delete(&["C2Calice"]).await.version;
    laptop.sees_deleted(&["C2Calice"]).await;
    laptop.head().await;
    phone
        .eventually("the laptop's acknowledgement", async |phone| {
            phone.known_device("alice-laptop").await["ack"] == version
        })
        .await;
}

#[tokio::test]
async fn a_stopping_server_says_so_and_when_to_return() {
    let mut server = ServerProcess::start().await;
    let mut phone = server.device("alice", "phone").await;
    server.terminate();
    let push = phone
        .next_push("draining", |push| push.method == "server.draining")
        .await;
    assert!(push.params["retryAfter"].is_u64(), "{push:?}");
    assert_eq!(phone.closed_with().await, Some(1012));
    assert!(server.ended().await.status.success());
}
