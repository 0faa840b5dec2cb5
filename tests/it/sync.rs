//! Catching up: a device that was away gets everything, or is told to start over (design section 4).

use serde_json::json;

use crate::harness::{Entry, OTHER_APP, SyncAnswer, TestDevice, TestServer, Who};

/// Alice's phone and laptop, both up to date, and Bob, who has written to her.
pub(crate) async fn world(server: &TestServer) -> (TestDevice, TestDevice, TestDevice) {
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    let mut bob = server.device("bob", "phone").await;
    bob.say("C2Calice", "hi").await;
    phone.settle().await;
    laptop.settle().await;
    (phone, laptop, bob)
}

/// Groups of the device's own, each with a message.
pub(crate) async fn groups(device: &mut TestDevice, count: usize) -> Vec<String> {
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
async fn many_operations_on_a_conversation_are_one_entry() {
    let server = TestServer::synced().await;
    let (mut phone, mut laptop, mut bob) = world(&server).await;
    groups(&mut phone, 5).await;
    laptop.settle().await;
    laptop.leave().await;

    for number in 0..5 {
        bob.say("C2Calice", &format!("message {number}")).await;
        phone.mark_read("C2Cbob").await;
        phone.pin("C2Cbob", number % 2 == 0).await;
    }
    for _ in 0..3 {
        phone.delete(&["GROUPg1"]).await;
        phone.say("GROUPg1", "again").await;
    }
    phone.delete(&["GROUPg2"]).await;
    phone.delete(&["GROUPg2"]).await;

    let answer = laptop.resume(&server).await;
    assert!(!answer.reset && answer.is_completed);
    assert_eq!(
        answer.ids(),
        ["C2Cbob", "GROUPg1", "GROUPg2"],
        "only what changed, each once"
    );
    assert!(
        matches!(answer.entry("C2Cbob"), Entry::Listed(entry) if entry.is_pinned && entry.unread_count == 0)
    );
    assert!(
        matches!(answer.entry("GROUPg1"), Entry::Listed(_)),
        "deleted and back again: it is there"
    );
    assert!(matches!(answer.entry("GROUPg2"), Entry::Deleted(_)));
    server.all_agree(&mut [&mut phone, &mut laptop]).await;
}

#[tokio::test]
async fn a_tombstone_says_how_far_and_whether_history_went() {
    let server = TestServer::synced().await;
    let (mut phone, mut laptop, _) = world(&server).await;
    groups(&mut phone, 1).await;
    laptop.settle().await;
    let (seq, group_seq) = (
        laptop.replica.last_seq("C2Cbob"),
        laptop.replica.last_seq("GROUPg0"),
    );
    laptop.leave().await;
    phone.delete(&["C2Cbob"]).await;
    phone.delete_keeping_history(&["GROUPg0"]).await;

    let login = laptop.try_login(&server).await.expect("logged in");
    let mut list = login["conversationList"]
        .as_array()
        .expect("a list")
        .clone();
    list.sort_by_key(|entry| entry["conversationID"].to_string());
    assert_eq!(
        json!(list),
        json!([
            {
                "conversationID": "C2Cbob", "type": "C2C", "deleted": true, "upTo": seq,
                "historyCleared": true, "historyFloor": seq, "lastSeq": seq, "readUpTo": seq,
                "membership": "active",
            },
            {
                "conversationID": "GROUPg0", "type": "GROUP", "deleted": true, "upTo": group_seq,
                "historyCleared": false, "historyFloor": 0, "lastSeq": group_seq, "readUpTo": group_seq,
                "membership": "active",
                "groupProfile": { "groupID": "g0", "name": "g0", "type": "Public" },
            },
        ])
    );
}

#[tokio::test]
async fn when_nothing_happened_nothing_is_answered() {
    let server = TestServer::synced().await;
    let (_, mut laptop, _) = world(&server).await;
    let version = laptop.replica.version();
    laptop.leave().await;
    let answer = laptop.resume(&server).await;
    assert_eq!(
        (answer.reset, answer.entries.len(), answer.version),
        (false, 0, version)
    );
}

#[tokio::test]
async fn a_message_alone_is_caught_up_with() {
    let server = TestServer::synced().await;
    let (mut phone, mut laptop, mut bob) = world(&server).await;
    laptop.leave().await;
    bob.say("C2Calice", "while you were out").await;
    let answer = laptop.resume(&server).await;
    assert_eq!(answer.ids(), ["C2Cbob"]);
    assert_eq!(laptop.replica.list()["C2Cbob"].unread_count, 2);
    server.all_agree(&mut [&mut phone, &mut laptop]).await;
}

#[tokio::test]
async fn a_revoke_is_caught_up_with() {
    let server = TestServer::synced().await;
    let (mut phone, mut laptop, mut bob) = world(&server).await;
    let said = bob.say("C2Calice", "oops").await;
    phone.settle().await;
    laptop.settle().await;
    laptop.leave().await;
    let params = json!({ "conversationID": "C2Calice", "ID": said.id });
    bob.ok("message.revoke", params).await;
    phone
        .next_push("the revoke", |push| push.method == "message.revoked")
        .await;
    laptop.resume(&server).await;
    server.all_agree(&mut [&mut phone, &mut laptop]).await;
    assert_eq!(
        laptop.replica.list()["C2Cbob"].last_message,
        Some((said.id, true))
    );
}

#[tokio::test]
async fn a_pong_tells_the_head_and_where_to_resume() {
    let server = TestServer::synced().await;
    let (mut phone, mut laptop, _) = world(&server).await;
    let version = phone.delete(&["C2Cbob"]).await.version;
    let pong = laptop.ok("ping", json!({})).await;
    assert_eq!(pong["head"], version);
    laptop.lists_only(&[]).await;

    // The pong's cursor comes after the deletion, so there is nothing to catch up with.
    laptop.leave().await;
    let answer = laptop.resume(&server).await;
    assert_eq!((answer.reset, answer.entries.len()), (false, 0));
}

/// The whole list, and the order to forget the rest.
async fn is_reset(server: &TestServer, device: &mut TestDevice) {
    let answer = device.resume(server).await;
    assert!(answer.reset && answer.is_completed, "{answer:?}");
    assert_eq!(answer.ids(), ["C2Cbob"]);
    device.lists_only(&["C2Cbob"]).await;
}

#[tokio::test]
async fn an_unknown_cursor_is_a_reset() {
    let server = TestServer::synced().await;
    let (phone, mut laptop, _) = world(&server).await;
    let own = phone.replica.cursor().expect("a cursor").to_owned();
    for cursor in [
        "",
        "nonsense",
        "AAAA",
        &own[..own.len() / 2],
        &format!("{own}AAAA"),
    ] {
        let answer = laptop
            .ok("conversation.sync", json!({ "cursor": cursor }))
            .await;
        let answer = SyncAnswer::read(&answer);
        assert!(answer.reset, "{cursor}");
        assert_eq!(answer.ids(), ["C2Cbob"]);
    }
    let mut laptop = TestDevice::offline(&server, Who::new("alice", "laptop"));
    laptop.replica.remember_cursor("nonsense");
    is_reset(&server, &mut laptop).await;
}

#[tokio::test]
async fn another_accounts_cursor_is_a_reset() {
    let server = TestServer::synced().await;
    let (_, mut laptop, bob) = world(&server).await;
    let namesake = TestDevice::fresh(&server, Who::new("alice", "phone").of_app(OTHER_APP)).await;
    for other in [&bob, &namesake] {
        laptop.leave().await;
        laptop
            .replica
            .remember_cursor(other.replica.cursor().expect("a cursor"));
        is_reset(&server, &mut laptop).await;
    }
}

#[tokio::test]
async fn a_restored_backup_is_a_reset_for_everyone() {
    let server = TestServer::synced().await;
    let (mut phone, mut laptop, mut bob) = world(&server).await;
    let copy = server.backed_up().await;
    // What the copy doesn't have.
    bob.say("C2Calice", "lost").await;
    phone.delete(&["C2Cbob"]).await;
    laptop.lists_only(&[]).await;

    for device in [&mut phone, &mut laptop] {
        is_reset(&copy, device).await;
        assert_eq!(device.texts("C2Cbob").await, ["hi"]);
    }
    // And only once.
    laptop.leave().await;
    assert!(!laptop.resume(&copy).await.reset);
}

#[tokio::test]
async fn a_restart_is_no_reset() {
    let server = TestServer::synced().await;
    let (mut phone, mut laptop, _) = world(&server).await;
    laptop.leave().await;
    phone.delete(&["C2Cbob"]).await;
    let server = server.restart().await;
    let answer = laptop.resume(&server).await;
    assert!(!answer.reset);
    assert!(matches!(answer.entry("C2Cbob"), Entry::Deleted(_)));
    phone.resume(&server).await;
    server.all_agree(&mut [&mut phone, &mut laptop]).await;
}

#[tokio::test]
async fn a_device_that_came_after_history_was_cleared_knows_what_a_deletion_hides() {
    let server = TestServer::synced().await;
    let (mut phone, mut laptop, mut bob) = world(&server).await;
    let newest = bob.say("C2Calice", "oops").await;
    let params = json!({ "conversationID": "C2Calice", "ID": newest.id });
    bob.ok("message.revoke", params).await;
    phone
        .ok(
            "conversation.clearHistory",
            json!({ "conversationID": "C2Cbob" }),
        )
        .await;

    // It is shown a conversation without a message, whose log ends with a control entry.
    let mut tablet = server.device("alice", "tablet").await;
    // The laptop deletes up to the newest message: that hides it, for nothing newer is a message.
    let params = json!({ "conversationIDList": ["C2Cbob"], "upTo": { "C2Cbob": newest.seq } });
    laptop.delete_with(params).await;
    server
        .all_agree(&mut [&mut phone, &mut laptop, &mut tablet])
        .await;
}
