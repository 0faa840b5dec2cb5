//! An app's settings.

use serde_json::json;

use crate::harness::{APP, START, TestServer};

fn path() -> String {
    format!("/apps/{APP}/settings")
}

#[tokio::test]
async fn the_switch_holds_from_the_next_deletion_on() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    phone.say("C2Cbob", "hi").await;
    assert!(!phone.delete(&["C2Cbob"]).await.synced);

    let on = json!({ "syncConversationDeletion": true });
    let changed = browser.patch(&path(), on).await.ok();
    assert_eq!(changed["syncConversationDeletion"], true);
    phone.say("C2Cbob", "again").await;
    laptop.settle().await;
    assert!(phone.delete(&["C2Cbob"]).await.synced);
    laptop.sees_deleted(&["C2Cbob"]).await;
}

#[tokio::test]
async fn who_changed_what_last_is_shown() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let before = browser.get(&path()).await.ok();
    assert_eq!(
        before,
        json!({
            "syncConversationDeletion": false, "loginMode": "multi", "instancesPerPlatform": null,
            "undoWindow": 604_800_000, "revokeWindow": 120_000, "historyRetention": null,
            "relationshipCheck": false,
            "changed": {},
        })
    );
    let change = json!({
        "syncConversationDeletion": true, "loginMode": "dual", "instancesPerPlatform": 3,
        "undoWindow": 0, "revokeWindow": 31_536_000_000_i64, "historyRetention": 86_400_000,
        "relationshipCheck": true,
    });
    let after = browser.patch(&path(), change.clone()).await.ok();
    for (name, value) in change.as_object().expect("settings") {
        assert_eq!(after[name], *value, "{name}");
        let changed = json!({ "by": "operator:admin", "time": START });
        assert_eq!(after["changed"][name], changed, "{name}");
    }
    server.clock.advance(1);
    server.set_switch(false).await;
    let none = json!({ "instancesPerPlatform": null });
    let after = browser.patch(&path(), none).await.ok();
    assert_eq!(after["instancesPerPlatform"], json!(null));
    assert_eq!(after["changed"]["syncConversationDeletion"]["by"], "test");
    assert_eq!(after["loginMode"], "dual", "what was not named stays");
}

#[tokio::test]
async fn a_setting_out_of_bounds_is_named_and_nothing_is_changed() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let before = browser.get(&path()).await.ok();
    for (field, value) in [
        ("undoWindow", json!(-1)),
        ("undoWindow", json!(31_536_000_001_i64)),
        ("revokeWindow", json!(1.5)),
        ("revokeWindow", json!("1")),
        ("historyRetention", json!(86_399_999)),
        ("historyRetention", json!(315_360_000_001_i64)),
        ("historyRetention", json!("30d")),
        ("instancesPerPlatform", json!(0)),
        ("instancesPerPlatform", json!(1001)),
        ("loginMode", json!("quadruple")),
        ("syncConversationDeletion", json!("on")),
        ("relationshipCheck", json!(1)),
        ("nonsense", json!(true)),
        ("changed", json!({})),
    ] {
        let change = json!({ "syncConversationDeletion": true, field: value });
        let refused = browser.patch(&path(), change).await;
        refused.refused(400, "invalid");
        assert_eq!(refused.body["error"]["field"], field, "{refused:?}");
    }
    assert_eq!(browser.get(&path()).await.ok(), before);
    let unknown = browser.get("/apps/7/settings").await;
    unknown.refused(404, "not_found");
    let unknown = browser.patch("/apps/7/settings", json!({})).await;
    unknown.refused(404, "not_found");
}
