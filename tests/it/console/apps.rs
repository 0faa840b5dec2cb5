//! Apps, as the console lists and makes them. What happens to connections is told in `live`.

use serde_json::json;

use crate::harness::{APP, OTHER_APP, START, TestServer};

#[tokio::test]
async fn apps_are_listed_with_their_accounts_and_without_their_keys() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    server.device("alice", "phone").await;
    let listed = browser.get("/apps").await.ok();
    let app = |id: u32, accounts: u32| {
        json!({
            "sdkAppID": id, "disabled": false, "createdAt": START, "keys": 1,
            "admins": ["administrator"], "syncConversationDeletion": false, "accounts": accounts,
            "isDemo": false,
        })
    };
    assert_eq!(listed, json!({ "apps": [app(APP, 1), app(OTHER_APP, 0)] }));
}

/// Its number is the lowest of all, and it was the one that the console showed first: an operator who came from the
/// demo turned its switch, taking it for their app's.
#[tokio::test]
async fn the_demos_app_is_marked_and_comes_last() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let demo = server.engine().demo_app().await.unwrap().id;
    assert!(demo.0 < APP);
    let listed = browser.get("/apps").await.ok();
    let apps: Vec<_> = listed["apps"].as_array().unwrap().iter().collect();
    let told: Vec<_> = apps
        .iter()
        .map(|app| (&app["sdkAppID"], &app["isDemo"]))
        .collect();
    let expected = [
        (json!(APP), json!(false)),
        (json!(OTHER_APP), json!(false)),
        (json!(demo), json!(true)),
    ];
    let expected: Vec<_> = expected.iter().map(|(id, is_demo)| (id, is_demo)).collect();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn an_app_is_made_with_the_number_asked_for_or_the_next() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let made = browser.post("/apps", json!({})).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.ok()["sdkAppID"], OTHER_APP + 1);
    let made = browser.post("/apps", json!({ "sdkAppID": 7 })).await.ok();
    assert_eq!(made["sdkAppID"], 7);
    assert_eq!(made["secretKey"].as_str().map(str::len), Some(64));
    let taken = browser.post("/apps", json!({ "sdkAppID": 7 })).await;
    taken.refused(409, "conflict");
    for number in [
        json!(0),
        json!(-1),
        json!(4_294_967_296_i64),
        json!("7"),
        json!(1.5),
    ] {
        let refused = browser.post("/apps", json!({ "sdkAppID": number })).await;
        refused.refused(400, "invalid");
        assert_eq!(refused.body["error"]["field"], "sdkAppID", "{refused:?}");
    }
    let last = json!({ "sdkAppID": u32::MAX });
    browser.post("/apps", last).await.ok();
    let none = browser.post("/apps", json!({})).await;
    none.refused(400, "invalid");
    assert_eq!(none.body["error"]["field"], "sdkAppID");
}

#[tokio::test]
async fn an_app_has_two_keys_at_most_and_one_at_least() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let keys = async || {
        let apps = browser.get("/apps").await.ok();
        apps["apps"][0]["keys"].as_u64().expect("a number")
    };
    let path = format!("/apps/{APP}/keys");
    for expected in [2, 2] {
        browser.call("POST", &path, None).await.ok();
        assert_eq!(keys().await, expected);
    }
    for _ in 0..2 {
        browser.delete(&format!("{path}/oldest")).await.ok();
        assert_eq!(keys().await, 1);
    }
}

#[tokio::test]
async fn an_app_that_is_not_there_is_not_found() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    for app in [
        "7",
        "0",
        "-1",
        "x",
        "99999999999",
        "%00",
        "%ff",
        "1400000001x",
    ] {
        let path = format!("/apps/{app}");
        browser
            .patch(&path, json!({}))
            .await
            .refused(404, "not_found");
        let keys = format!("{path}/keys");
        browser
            .call("POST", &keys, None)
            .await
            .refused(404, "not_found");
        let oldest = format!("{path}/keys/oldest");
        browser.delete(&oldest).await.refused(404, "not_found");
        let settings = format!("{path}/settings");
        browser.get(&settings).await.refused(404, "not_found");
    }
}
