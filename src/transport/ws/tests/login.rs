//! Logging in, being logged out, being displaced.

use super::*;

#[tokio::test]
async fn before_the_login_there_is_only_the_login() {
    let world = World::new().await;
    let mut client = world.connect();
    assert_eq!(client.code("ping", json!({})).await, 2024);
    assert_eq!(
        client
            .code("conversation.delete", json!({ "what": 1 }))
            .await,
        2024
    );
    assert_eq!(client.code("no.such", json!({})).await, -32601);
    assert_eq!(
        client.code("login", json!({ "sdkAppID": "x" })).await,
        -32602
    );
    client.log_in("alice", "phone").await;
    assert_eq!(client.code("login", json!({})).await, 2025);
    assert_eq!(client.code("ping", json!({})).await, 0);
    assert_eq!(client.code("no.such", json!({})).await, -32601);
}

#[tokio::test]
async fn a_refused_login_says_why_and_whether_to_come_back() {
    let world = World::new().await;
    let expired = sig("alice", -10);
    let other = sig("bob", 86_400);
    for (sig, code, close) in [
        (expired.as_str(), 70001, 4401),
        (other.as_str(), 70013, 4500),
        ("nonsense", 70003, 4500),
    ] {
        let mut client = world.connect();
        assert_eq!(
            client.code("login", login("alice", "phone", sig)).await,
            code
        );
        assert_eq!(client.closed().await, close);
    }
    assert_eq!(world.context.hub.figures().accounts, 0);
}

#[tokio::test]
async fn an_account_with_too_many_connections_is_told_to_wait() {
    let world = World::with(|settings| settings.limits.connections_per_account = 1).await;
    let _phone = world.login("alice", "phone").await;
    let mut laptop = world.connect();
    let params = login("alice", "laptop", &sig("alice", 86_400));
    assert_eq!(laptop.code("login", params).await, 2996);
    assert_eq!(laptop.closed().await, 1013);
}

#[tokio::test]
async fn a_reconnect_of_a_device_ends_its_old_connection() {
    let world = World::new().await;
    let mut old = world.login("alice", "phone").await;
    let mut new = world.login("alice", "phone").await;
    assert_eq!(old.closed().await, 4509);
    assert_eq!(old.pushes[0]["params"]["type"], "multipleAccount");
    assert_eq!(new.code("ping", json!({})).await, 0);
}

#[tokio::test]
async fn a_logged_out_device_hears_no_more_and_stays_out() {
    let world = World::new().await;
    let mut phone = world.login("alice", "phone").await;
    let mut laptop = world.login("alice", "laptop").await;
    let devices = laptop.call("device.list", json!({})).await;
    let online = |devices: &Value| -> Vec<bool> {
        let list = devices["result"]["deviceList"].as_array().unwrap();
        list.iter()
            .map(|device| device["isOnline"].as_bool().unwrap())
            .collect()
    };
    assert_eq!(online(&devices), [true, true]);
    let params = json!({ "deviceID": "phone" });
    assert_eq!(laptop.code("device.logout", params).await, 0);
    assert_eq!(phone.closed().await, 4501);
    assert_eq!(phone.pushes[0]["params"]["type"], "REST_API_Kick");
    let devices = laptop.call("device.list", json!({})).await;
    assert_eq!(online(&devices).iter().filter(|is| **is).count(), 1);

    let mut again = world.connect();
    let params = login("alice", "phone", &sig("alice", 86_400));
    assert_eq!(again.code("login", params).await, 70001);
    assert_eq!(again.closed().await, 4501);
}

#[tokio::test]
async fn a_logout_is_answered_and_closed() {
    let world = World::new().await;
    let mut client = world.login("alice", "phone").await;
    assert_eq!(client.call("logout", json!({})).await["result"], json!({}));
    assert_eq!(client.closed().await, 1000);
    client.task.await.unwrap();
    assert_eq!(world.context.hub.figures().connections, 0);
}
