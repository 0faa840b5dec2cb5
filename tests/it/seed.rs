//! The page this project starts from, call by call: "Deleting a Conversation".

use serde_json::json;

use crate::harness::{TestDevice, TestServer};

pub(crate) const SYSTEM: &str = "@TIM#SYSTEM";

/// Alice has all three kinds of conversation, and shows them on two devices.
pub(crate) struct World {
    pub(crate) server: TestServer,
    pub(crate) phone: TestDevice,
    pub(crate) laptop: TestDevice,
    pub(crate) bob: TestDevice,
}

pub(crate) const ALL: [&str; 3] = ["C2Cbob", "GROUPteam", SYSTEM];

pub(crate) async fn world() -> World {
    let server = TestServer::synced().await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    let mut bob = server.device("bob", "phone").await;
    // Being invited puts a notice into Alice's system conversation.
    bob.create_group("team", &["alice"]).await;
    bob.say("GROUPteam", "welcome").await;
    bob.say("C2Calice", "hi").await;
    bob.say("C2Calice", "are you there?").await;
    phone.lists_only(&ALL).await;
    laptop.lists_only(&ALL).await;
    bob.settle().await;
    World {
        server,
        phone,
        laptop,
        bob,
    }
}

fn others(gone: &str) -> Vec<&'static str> {
    ALL.into_iter().filter(|id| *id != gone).collect()
}

/// Note 1 of the page, and its first sample: one ID, history cleared.
async fn is_deleted_by_its_id(id: &'static str) {
    let mut world = world().await;
    let version = world.phone.head().await;
    let up_to = world.phone.replica.last_seq(id);

    let answer = world
        .phone
        .ok("conversation.delete", json!({ "conversationIDList": [id] }))
        .await;
    assert_eq!(
        answer,
        json!({
            "version": version + 1,
            "synced": true,
            "results": [{ "conversationID": id, "code": 0, "upTo": up_to }],
        })
    );

    let push = world.laptop.sees_deleted(&[id]).await;
    assert_eq!(push.params["version"], version + 1);
    assert_eq!(push.params["historyCleared"], true);
    assert_eq!(
        push.params["conversationList"],
        json!([{ "conversationID": id, "upTo": up_to }])
    );
    assert_eq!(
        push.params["origin"],
        json!({ "deviceID": "alice-phone", "platform": "iPhone" })
    );
    world.laptop.sees_nothing_more().await;
    world.phone.sees_nothing_more().await;

    let mut fresh = world.server.fresh_device("alice").await;
    for device in [&mut world.phone, &mut world.laptop, &mut fresh] {
        device.lists_only(&others(id)).await;
        assert_eq!(device.texts(id).await, [""; 0], "{}", device.who.device);
    }
}

#[tokio::test]
async fn a_one_to_one_conversation_is_deleted_by_its_id() {
    is_deleted_by_its_id("C2Cbob").await;
}

#[tokio::test]
async fn a_group_conversation_is_deleted_by_its_id() {
    is_deleted_by_its_id("GROUPteam").await;
}

#[tokio::test]
async fn the_system_conversation_is_deleted_by_its_id() {
    is_deleted_by_its_id(SYSTEM).await;
}

#[tokio::test]
async fn history_is_kept_when_asked_for() {
    let mut world = world().await;
    world.phone.delete_keeping_history(&["C2Cbob"]).await;

    let push = world.laptop.sees_deleted(&["C2Cbob"]).await;
    assert_eq!(push.params["historyCleared"], false);
    let mut fresh = world.server.fresh_device("alice").await;
    for device in [&mut world.phone, &mut world.laptop, &mut fresh] {
        device.lists_only(&others("C2Cbob")).await;
        assert_eq!(device.texts("C2Cbob").await, ["hi", "are you there?"]);
    }
}

#[tokio::test]
async fn several_are_deleted_with_their_history() {
    let mut world = world().await;
    world
        .phone
        .delete_with(
            json!({ "conversationIDList": ["C2Cbob", "GROUPteam"], "clearHistoryMessage": true }),
        )
        .await;
    let push = world.laptop.sees_deleted(&["C2Cbob", "GROUPteam"]).await;
    assert_eq!(push.params["historyCleared"], true);
    world.laptop.lists_only(&[SYSTEM]).await;
    for id in ["C2Cbob", "GROUPteam"] {
        assert_eq!(world.laptop.texts(id).await, [""; 0]);
    }
}

#[tokio::test]
async fn several_are_deleted_keeping_their_history() {
    let mut world = world().await;
    world
        .phone
        .delete_keeping_history(&["C2Cbob", "GROUPteam"])
        .await;
    world.laptop.sees_deleted(&["C2Cbob", "GROUPteam"]).await;
    world.laptop.lists_only(&[SYSTEM]).await;
    assert_eq!(world.laptop.texts("GROUPteam").await, ["welcome"]);
}

#[tokio::test]
async fn a_deletion_is_ones_own_side_only() {
    let mut world = world().await;
    world.phone.delete(&["C2Cbob", "GROUPteam"]).await;
    world.bob.sees_nothing_more().await;
    world.bob.lists_only(&["C2Calice", "GROUPteam"]).await;
    assert_eq!(world.bob.texts("C2Calice").await, ["hi", "are you there?"]);
    assert_eq!(world.bob.texts("GROUPteam").await, ["welcome"]);
}

#[tokio::test]
async fn a_deleted_conversation_leaves_the_unread_total_and_loses_its_pin() {
    let mut world = world().await;
    world.phone.pin("C2Cbob", true).await;
    world.phone.settle().await;
    assert_eq!(world.phone.replica.list()["C2Cbob"].unread_count, 2);
    world.phone.delete(&["C2Cbob"]).await;
    world.bob.say("C2Calice", "news").await;

    let mut devices = [&mut world.phone, &mut world.laptop];
    world.server.all_agree(&mut devices).await;
    let line = &world.laptop.replica.list()["C2Cbob"];
    assert_eq!((line.unread_count, line.is_pinned), (1, false));
}

/// Makes groups with one message each.
async fn groups(device: &mut TestDevice, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let group = format!("g{number}");
        device.create_group(&group, &[]).await;
        ids.push(format!("GROUP{group}"));
        device.say(&ids[number], "first").await;
    }
    ids
}

#[tokio::test]
async fn a_hundred_are_one_version_and_one_frame() {
    let mut world = world().await;
    let ids = groups(&mut world.phone, 100).await;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    world.laptop.settle().await;
    let version = world.phone.head().await;

    let answer = world.phone.delete(&ids).await;
    assert_eq!(answer.version, version + 1);
    let named: Vec<_> = answer
        .results
        .iter()
        .map(|result| result.conversation_id.as_str())
        .collect();
    assert_eq!(named, ids, "one result each, in the order of the call");
    assert!(answer.results.iter().all(|result| result.code == 0));

    let push = world.laptop.sees_deleted(&ids).await;
    assert_eq!(push.conversations().len(), 100);
    world.laptop.sees_nothing_more().await;
    world.laptop.lists_only(&ALL).await;
    world.phone.lists_only(&ALL).await;
    assert_eq!(world.phone.head().await, version + 1);
}

#[tokio::test]
async fn deleting_again_succeeds_and_is_told() {
    let mut world = world().await;
    world.phone.delete_keeping_history(&["C2Cbob"]).await;
    world.laptop.sees_deleted(&["C2Cbob"]).await;
    let version = world.phone.head().await;
    let answer = world.phone.delete(&["C2Cbob"]).await;
    assert_eq!((answer.results[0].code, answer.version), (0, version + 1));
    let push = world.laptop.sees_deleted(&["C2Cbob"]).await;
    assert_eq!(push.params["historyCleared"], true);
    assert_eq!(world.laptop.texts("C2Cbob").await, [""; 0]);
}
