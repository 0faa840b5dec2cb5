//! Users, their devices, and how their conversations stand.

use serde_json::{Value, json};

use chatsync::domain::Role;

use super::{path, uri};
use crate::harness::{
    Browser, OTHER_APP, SECOND, START, TestDevice, TestServer, Who, text_message,
};

async fn device_of(browser: &Browser, user: &str, device: &str) -> Value {
    let shown = browser.get(&path(&format!("users/{user}"))).await.ok();
    let mut devices = shown["devices"].as_array().expect("devices").iter();
    let found = devices.find(|found| found["deviceID"] == device);
    found
        .unwrap_or_else(|| panic!("no {device} in {shown}"))
        .clone()
}

#[tokio::test]
async fn a_user_is_shown_with_all_devices() {
    let server = TestServer::synced().await;
    let browser = server.console().await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    phone.say("C2Cbob", "hi").await;
    laptop.settle().await;
    laptop.leave().await;
    phone.sees_offline("alice-laptop").await;
    phone.delete(&["C2Cbob"]).await;
    phone.head().await;

    let shown = browser.get(&path("users/alice")).await.ok();
    let device = |id, platform, online, address, ack, behind| {
        json!({
            "deviceID": id, "platform": platform, "online": online, "address": address, "since": START,
            "ack": ack, "behind": behind,
        })
    };
    assert_eq!(
        shown,
        json!({
            "userID": "alice", "version": 1, "createdAt": START,
            "devices": [
                device("alice-laptop", "Mac", false, json!(null), 0, 1),
                device("alice-phone", "iPhone", true, json!("127.0.0.1"), 1, 0),
            ],
        })
    );
    let listed = browser.get(&path("users")).await.ok();
    let user = |id, version, devices, online| json!({ "userID": id, "version": version, "devices": devices, "online": online, "createdAt": START });
    assert_eq!(
        listed,
        json!({ "users": [user("alice", 1, 2, 1), user("bob", 0, 0, 0)], "next": null })
    );
}

#[tokio::test]
async fn a_long_list_comes_in_pages_and_by_how_it_begins() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let mut phone = server.device("u10", "phone").await;
    for number in 11..20 {
        phone.say(&format!("C2Cu{number}"), "hi").await;
    }
    phone.say("C2Czoe", "hi").await;
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = format!("users?prefix=u1&limit=3&after={after}");
        let page = browser.get(&path(&page)).await.ok();
        let users = page["users"].as_array().expect("users");
        assert!((1..=3).contains(&users.len()), "{page}");
        seen.extend(
            users
                .iter()
                .map(|user| user["userID"].as_str().expect("a name").to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    let all: Vec<_> = (10..20).map(|number| format!("u{number}")).collect();
    assert_eq!(seen, all);
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("after=%00", "after"),
        ("befour=1", "query"),
    ] {
        let refused = browser.get(&path(&format!("users?{query}"))).await;
        refused.refused(400, "invalid");
        assert_eq!(refused.body["error"]["field"], field);
    }
}

/// A userID is any text: it stands for itself wherever it is put, and for nobody else.
#[tokio::test]
async fn a_user_may_be_called_anything() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let hostile = [
        "a/b",
        "../../apps",
        "%2e%2e%2f",
        "o'brien\" OR 1=1 --",
        "a?b=c&d#e",
        "李雷 \u{1F600}",
        "\u{202E}evil",
        "%",
        "_",
        "+",
        ".",
        "..",
        "devices",
        &"x".repeat(64),
        &"é".repeat(32),
    ];
    for name in hostile {
        let who = Who {
            device: name.into(),
            ..Who::new(name, "phone")
        };
        let mut phone = TestDevice::fresh(&server, who).await;
        phone.say("C2Cfriend", "hi").await;
        let user = format!("users/{}", uri(name));
        assert_eq!(browser.get(&path(&user)).await.ok()["userID"], name);
        let conversations = browser
            .get(&path(&format!("{user}/conversations")))
            .await
            .ok();
        assert_eq!(
            conversations["conversations"][0]["conversationID"],
            "C2Cfriend"
        );
        let listed = browser
            .get(&path(&format!("users?prefix={}", uri(name))))
            .await
            .ok();
        assert_eq!(listed["users"][0]["userID"], name);
        let logout = format!("{user}/devices/{}/logout", uri(name));
        assert_eq!(
            browser.post(&path(&logout), json!({})).await.status,
            204,
            "{name}"
        );
        assert_eq!(phone.closed_with().await, Some(4501));
    }
    let too_long = "x".repeat(65);
    for nobody in ["nobody", "Alice", &too_long, "%00", "%ff"] {
        browser
            .get(&path(&format!("users/{nobody}")))
            .await
            .refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_device_is_logged_out_from_the_console() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    let logout = path("users/alice/devices/alice-laptop/logout");

    let viewer = server.signed_in("vic", Role::Viewer).await;
    viewer
        .post(&logout, json!({}))
        .await
        .refused(403, "forbidden");
    laptop.sees_nothing_more().await;

    assert_eq!(browser.post(&logout, json!({})).await.status, 204);
    assert_eq!(laptop.closed_with().await, Some(4501));
    phone.sees_offline("alice-laptop").await;
    assert_eq!(
        device_of(&browser, "alice", "alice-laptop").await["online"],
        false
    );
    // It comes back only with a UserSig made later.
    let refused = laptop.try_login(&server).await;
    assert_eq!(refused.expect_err("too old a UserSig").code, 70001);
    server.clock.advance(SECOND);
    let _laptop = server.device("alice", "laptop").await;
    assert_eq!(
        device_of(&browser, "alice", "alice-laptop").await["online"],
        true
    );

    let audit = browser.get("/audit?action=device.logout").await.ok();
    let record = &audit["records"][0];
    assert_eq!(record["actor"], "operator:admin");
    assert_eq!(record["target"], "alice-laptop");
    assert_eq!(record["detail"]["account"], "alice");
    assert_eq!(audit["records"].as_array().expect("records").len(), 1);

    for wrong in [
        path("users/alice/devices/none/logout"),
        path("users/nobody/devices/alice-laptop/logout"),
        format!("/apps/{OTHER_APP}/users/alice/devices/alice-laptop/logout"),
        "/apps/7/users/alice/devices/alice-laptop/logout".into(),
    ] {
        browser
            .post(&wrong, json!({}))
            .await
            .refused(404, "not_found");
    }
}

#[tokio::test]
async fn conversations_are_shown_as_they_stand() {
    let server = TestServer::synced().await;
    let browser = server.console().await;
    let mut phone = server.device("alice", "phone").await;
    let mut bob = server.device("bob", "phone").await;
    bob.say("C2Calice", "one").await;
    bob.say("C2Calice", "two").await;
    phone.create_group("team", &["bob"]).await;
    phone.say("GROUPteam", "hello").await;
    phone.pin("GROUPteam", true).await;
    bob.quit_group("team").await;
    phone.settle().await;
    phone.delete(&["C2Cbob"]).await;

    let of = async |user: &str| {
        let shown = browser
            .get(&path(&format!("users/{user}/conversations")))
            .await
            .ok();
        assert_eq!(shown["next"], json!(null));
        shown["conversations"].clone()
    };
    assert_eq!(
        of("alice").await,
        json!([
            {
                "conversationID": "C2Cbob", "listed": false, "membership": "active", "unreadCount": 0,
                "isPinned": false, "lastSeq": 2, "lastMessageSeq": 2, "lastTime": START, "hiddenUpTo": 2,
                "historyFloor": 2, "readUpTo": 2, "version": 3, "undoUntil": START + 604_800_000,
            },
            {
                "conversationID": "GROUPteam", "listed": true, "membership": "active", "unreadCount": 0,
                "isPinned": true, "lastSeq": 3, "lastMessageSeq": 2, "lastTime": START, "hiddenUpTo": 0,
                "historyFloor": 0, "readUpTo": 2, "version": 2, "undoUntil": null,
            },
        ])
    );
    let bobs = of("bob").await;
    let team = bobs
        .as_array()
        .expect("a list")
        .iter()
        .find(|c| c["conversationID"] == "GROUPteam");
    assert_eq!(team.expect("still there")["membership"], "quit");

    let page = browser
        .get(&path("users/alice/conversations?limit=1"))
        .await
        .ok();
    assert_eq!(page["next"], "C2Cbob");
    let rest = browser
        .get(&path("users/alice/conversations?after=C2Cbob"))
        .await
        .ok();
    assert_eq!(rest["conversations"][0]["conversationID"], "GROUPteam");
    let wrong = browser
        .get(&path("users/alice/conversations?after=bob"))
        .await;
    wrong.refused(400, "invalid");
}

/// Alice exists in both apps, and each app's calls know their own alone.
#[tokio::test]
async fn the_users_of_another_app_are_not_reached() {
    let server = TestServer::synced().await;
    let browser = server.console().await;
    let mut here = server.device("alice", "here").await;
    here.say("C2Cbob", "hi").await;
    here.delete(&["C2Cbob"]).await;
    let there = Who::new("alice", "there").of_app(OTHER_APP);
    let mut there = TestDevice::fresh(&server, there).await;
    there.say("C2Cdave", "hi").await;

    let other = |rest: &str| format!("/apps/{OTHER_APP}/{rest}");
    let users = browser.get(&other("users")).await.ok();
    let users: Vec<_> = users["users"].as_array().expect("users").iter().collect();
    assert_eq!(users.len(), 2, "{users:?}");
    for user in users {
        assert!(user["userID"] == "alice" || user["userID"] == "dave");
    }
    let alice = browser.get(&other("users/alice")).await.ok();
    assert_eq!(alice["devices"].as_array().expect("devices").len(), 1);
    assert_eq!(alice["devices"][0]["deviceID"], "alice-there");
    let conversations = browser.get(&other("users/alice/conversations")).await.ok();
    assert_eq!(
        conversations["conversations"][0]["conversationID"],
        "C2Cdave"
    );
    let logout = other("users/alice/devices/alice-here/logout");
    browser
        .post(&logout, json!({}))
        .await
        .refused(404, "not_found");

    let id = browser.get(&path("deletions")).await.ok()["deletions"][0]["id"].clone();
    browser.get(&path(&format!("deletions/{id}"))).await.ok();
    browser
        .get(&other(&format!("deletions/{id}")))
        .await
        .refused(404, "not_found");
    let restore = format!("deletions/{id}/restore");
    browser
        .post(&other(&restore), json!({}))
        .await
        .refused(404, "not_found");
    for list in ["deletions", "deletions?user=alice"] {
        assert_eq!(browser.get(&other(list)).await.ok()["deletions"], json!([]));
    }
    for rest in [
        "users",
        "users/alice",
        "users/alice/conversations",
        "deletions",
    ] {
        browser
            .get(&format!("/apps/7/{rest}"))
            .await
            .refused(404, "not_found");
    }
    here.settle().await;
    assert!(!here.replica.lists("C2Cbob"), "nothing was restored");
}

/// Whoever isn't signed in gets nothing, and what was said is shown to nobody.
#[tokio::test]
async fn no_call_tells_what_was_said() {
    const SECRET: &str = "meet me at the old mill";
    let server = TestServer::synced().await;
    let browser = server.console().await;
    let mut phone = server.device("alice", "phone").await;
    let mut bob = server.device("bob", "phone").await;
    phone.create_group("team", &["bob"]).await;
    for conversation in ["C2Cbob", "GROUPteam"] {
        let mut message = text_message(conversation, SECRET);
        message["requestID"] = json!(format!("r-{conversation}"));
        phone.ok("message.send", message).await;
    }
    bob.say("C2Calice", SECRET).await;
    phone.delete(&["C2Cbob", "GROUPteam"]).await;
    phone.restore(&["GROUPteam"]).await;
    let id = browser.get(&path("deletions")).await.ok()["deletions"][0]["id"].clone();

    let gets = [
        "/apps".to_owned(),
        "/audit".into(),
        "/audit/export?format=csv".into(),
        "/audit/export?format=jsonl".into(),
        path("settings"),
        path("users"),
        path("users/alice"),
        path("users/alice/conversations"),
        path("users/bob/conversations"),
        path("deletions"),
        path("deletions?user=alice"),
        path(&format!("deletions/{id}")),
    ];
    let nobody = Browser::new(&server);
    for call in &gets {
        nobody.get(call).await.refused(401, "signed_out");
        let answer = browser.get(call).await;
        let text = format!("{:?}{}", answer.headers.clone(), answer.ok());
        assert!(text.len() > 100, "{call}: {text}");
        assert!(
            !text.contains(SECRET) && !text.contains("payload"),
            "{call}: {text}"
        );
    }
    let restored = browser
        .post(&path(&format!("deletions/{id}/restore")), json!({}))
        .await
        .ok();
    assert_eq!(restored["results"][0]["code"], 0);
    assert!(!restored.to_string().contains(SECRET), "{restored}");
    assert!(
        phone.texts("C2Cbob").await.contains(&SECRET.to_owned()),
        "it was there to be told"
    );
}
