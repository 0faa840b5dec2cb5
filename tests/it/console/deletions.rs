//! Deletions: who has them by now, and taking them back.

use serde_json::{Value, json};

use chatsync::domain::Role;

use super::path;
use crate::harness::{Browser, DAY, START, TestDevice, TestServer};

/// Alice's phone and laptop, and a message from Bob on both.
struct World {
    server: TestServer,
    browser: Browser,
    phone: TestDevice,
    laptop: TestDevice,
    bob: TestDevice,
}

async fn world() -> World {
    let server = TestServer::synced().await;
    let browser = server.console().await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    let mut bob = server.device("bob", "phone").await;
    bob.say("C2Calice", "hi").await;
    phone.settle().await;
    laptop.settle().await;
    World {
        server,
        browser,
        phone,
        laptop,
        bob,
    }
}

impl World {
    /// The newest deletion, as its page shows it.
    async fn newest(&self) -> Value {
        let listed = self.browser.get(&path("deletions?limit=1")).await.ok();
        let id = &listed["deletions"][0]["id"];
        self.browser
            .get(&path(&format!("deletions/{id}")))
            .await
            .ok()
    }

    async fn restore(&self, deletion: &Value) -> Value {
        let call = path(&format!("deletions/{}/restore", deletion["id"]));
        self.browser.post(&call, json!({})).await.ok()
    }
}

fn applied(deletion: &Value) -> Vec<(&str, &Value)> {
    let devices = deletion["devices"].as_array().expect("devices").iter();
    devices
        .map(|device| {
            (
                device["deviceID"].as_str().expect("a name"),
                &device["applied"],
            )
        })
        .collect()
}

#[tokio::test]
async fn a_device_that_is_away_is_behind_until_it_returns() {
    let mut world = world().await;
    world.laptop.leave().await;
    world.phone.sees_offline("alice-laptop").await;
    world.phone.delete(&["C2Cbob"]).await;
    world.phone.head().await;

    let shown = world.newest().await;
    assert_eq!(
        shown,
        json!({
            "id": shown["id"], "time": START, "userID": "alice",
            "origin": { "deviceID": "alice-phone", "platform": "iPhone" }, "by": "user:alice",
            "conversations": 1, "historyCleared": true, "synced": true, "version": 1,
            "conversationList": [{ "conversationID": "C2Cbob", "upTo": 1, "restorable": true }],
            "devices": [
                { "deviceID": "alice-laptop", "platform": "Mac", "online": false, "ack": 0, "applied": false },
                { "deviceID": "alice-phone", "platform": "iPhone", "online": true, "ack": 1, "applied": true },
            ],
            "undoUntil": START + 7 * DAY,
        })
    );

    world.laptop.resume(&world.server).await;
    let deletion = world.newest().await;
    assert_eq!(
        applied(&deletion)[0],
        ("alice-laptop", &json!(false)),
        "it has not said so yet"
    );
    assert_eq!(deletion["devices"][0]["online"], true);
    world.laptop.head().await;
    assert_eq!(
        applied(&world.newest().await)[0],
        ("alice-laptop", &json!(true))
    );

    // What it said is known when it has gone, and when the server has started again.
    world.laptop.leave().await;
    world.phone.leave().await;
    let World {
        server, browser, ..
    } = world;
    drop(browser);
    let server = server.restart().await;
    let browser = server.console().await;
    let id = &deletion["id"];
    let shown = browser.get(&path(&format!("deletions/{id}"))).await.ok();
    for (device, applied) in applied(&shown) {
        assert_eq!(applied, &json!(true), "{device}");
    }
}

#[tokio::test]
async fn a_restore_from_the_console_reaches_every_device_and_is_audited() {
    let mut world = world().await;
    let mut tablet = world.server.device("alice", "tablet").await;
    tablet.leave().await;
    world.phone.delete(&["C2Cbob"]).await;
    world.laptop.sees_deleted(&["C2Cbob"]).await;
    let deletion = world.newest().await;

    let viewer = world.server.signed_in("vic", Role::Viewer).await;
    let call = path(&format!("deletions/{}/restore", deletion["id"]));
    viewer.get(&path("deletions")).await.ok();
    viewer
        .post(&call, json!({}))
        .await
        .refused(403, "forbidden");
    world.phone.sees_nothing_more().await;

    let restored = world.restore(&deletion).await;
    assert_eq!(
        restored,
        json!({ "version": 2, "results": [{ "conversationID": "C2Cbob", "code": 0, "upTo": 0 }] })
    );
    for device in [&mut world.phone, &mut world.laptop] {
        let push = device.sees_update("C2Cbob").await;
        assert_eq!(push.params.get("origin"), None);
        assert!(device.replica.lists("C2Cbob"));
    }
    tablet.resume(&world.server).await;
    let mut devices = [&mut world.phone, &mut world.laptop, &mut tablet];
    world.server.all_agree(&mut devices).await;
    assert_eq!(world.phone.texts("C2Cbob").await, ["hi"]);

    let audit = world
        .browser
        .get("/audit?action=conversation.restore")
        .await
        .ok();
    let record = &audit["records"][0];
    assert_eq!(
        (&record["actor"], &record["target"]),
        (&json!("operator:admin"), &json!("alice"))
    );
    assert_eq!(record["detail"]["conversationIDList"], json!(["C2Cbob"]));

    let after = world.newest().await;
    assert_eq!(
        after["conversationList"][0]["restorable"], false,
        "it is done"
    );
    assert_eq!(after["undoUntil"], json!(null));
}

#[tokio::test]
async fn restoring_an_old_deletion_leaves_a_newer_one() {
    let mut world = world().await;
    world.phone.delete(&["C2Cbob"]).await;
    let first = world.newest().await;
    world.bob.say("C2Calice", "again").await;
    world.phone.settle().await;
    world.phone.delete(&["C2Cbob"]).await;
    let second = world.newest().await;

    let restored = world.restore(&first).await;
    assert_eq!(restored["results"][0]["code"], 20016);
    assert_eq!(restored["version"], 2, "nothing was changed");
    world.phone.lists_only(&[]).await;

    assert_eq!(world.restore(&second).await["results"][0]["code"], 0);
    assert_eq!(world.phone.texts("C2Cbob").await, ["again"]);
}

#[tokio::test]
async fn after_the_window_a_deletion_is_shown_and_not_restored() {
    let mut world = world().await;
    world.phone.delete(&["C2Cbob"]).await;
    world.server.clock.advance(7 * DAY + 1);
    // The session has ended meanwhile.
    world.browser = world.server.console().await;
    let deletion = world.newest().await;
    assert_eq!(deletion["conversationList"][0]["restorable"], false);
    assert_eq!(deletion["undoUntil"], json!(null));
    let restored = world.restore(&deletion).await;
    assert_eq!(restored["results"][0]["code"], 20016);
}

#[tokio::test]
async fn of_a_deletion_made_while_the_switch_was_off_no_device_is_asked() {
    let mut world = world().await;
    world.server.set_switch(false).await;
    world.phone.delete_keeping_history(&["C2Cbob"]).await;
    world.phone.head().await;
    let deletion = world.newest().await;
    assert_eq!(
        (
            &deletion["synced"],
            &deletion["historyCleared"],
            &deletion["version"]
        ),
        (&json!(false), &json!(false), &json!(0))
    );
    let unknown = json!(null);
    assert_eq!(
        applied(&deletion),
        [("alice-laptop", &unknown), ("alice-phone", &unknown)]
    );
    // Neither when the switch is on again.
    world.server.set_switch(true).await;
    world.laptop.head().await;
    assert!(
        applied(&world.newest().await)
            .iter()
            .all(|(_, applied)| applied.is_null())
    );
    world.restore(&deletion).await;
    world.phone.lists_only(&["C2Cbob"]).await;
}

#[tokio::test]
async fn a_hundred_conversations_are_one_deletion() {
    let mut world = world().await;
    let ids: Vec<_> = (0..100).map(|number| format!("C2Cu{number:02}")).collect();
    for id in &ids {
        world.phone.say(id, "hi").await;
    }
    let names: Vec<_> = ids.iter().map(String::as_str).collect();
    world.phone.delete(&names).await;
    let listed = world.browser.get(&path("deletions")).await.ok();
    assert_eq!(listed["deletions"].as_array().expect("a list").len(), 1);
    assert_eq!(listed["deletions"][0]["conversations"], 100);
    let deletion = world.newest().await;
    let shown: Vec<_> = deletion["conversationList"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|shown| {
            (
                shown["conversationID"].as_str().expect("an ID"),
                shown["upTo"] == 1,
            )
        })
        .collect();
    assert_eq!(
        shown,
        names.iter().map(|name| (*name, true)).collect::<Vec<_>>()
    );
    world.restore(&deletion).await;
    assert_eq!(world.phone.head().await, 2);
    world.phone.settle().await;
    assert_eq!(world.phone.replica.list().len(), 101);
}

#[tokio::test]
async fn deletions_are_listed_newest_first_by_app_and_by_user() {
    let mut world = world().await;
    for _ in 0..3 {
        world.phone.delete(&["C2Cbob"]).await;
        world.bob.delete(&["C2Calice"]).await;
    }
    let list = async |query: &str| {
        let listed = world
            .browser
            .get(&path(&format!("deletions?{query}")))
            .await
            .ok();
        let deletions = listed["deletions"].as_array().expect("a list").clone();
        (deletions, listed["next"].clone())
    };
    let (all, next) = list("").await;
    assert_eq!((all.len(), next), (6, json!(null)));
    let users: Vec<_> = all
        .iter()
        .map(|deletion| deletion["userID"].as_str())
        .collect();
    assert_eq!(users, [Some("bob"), Some("alice")].repeat(3));

    let (mut bobs, mut next) = (Vec::new(), String::new());
    loop {
        let (page, more) = list(&format!("user=bob&limit=2&before={next}")).await;
        bobs.extend(page);
        if more.is_null() {
            break;
        }
        next = more.to_string();
    }
    let expected: Vec<_> = all
        .iter()
        .filter(|d| d["userID"] == "bob")
        .cloned()
        .collect();
    assert_eq!(bobs, expected);

    assert_eq!(list("user=nobody").await.0, [json!(null); 0]);
    for (query, field) in [
        ("before=x", "before"),
        ("user=%0a", "user"),
        ("limit=1000", "limit"),
    ] {
        let refused = world
            .browser
            .get(&path(&format!("deletions?{query}")))
            .await;
        refused.refused(400, "invalid");
        assert_eq!(refused.body["error"]["field"], field);
    }
    // What is no deletion is not shown as one.
    let other = world.browser.get("/audit?action=app.").await.ok()["records"][0]["id"].clone();
    for id in [
        other.to_string(),
        "0".into(),
        "-1".into(),
        "x".into(),
        "9999".into(),
    ] {
        world
            .browser
            .get(&path(&format!("deletions/{id}")))
            .await
            .refused(404, "not_found");
    }
}
