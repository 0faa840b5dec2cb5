//! One call, one effect: a retry with the same requestID gets the same answer (design 3.5).

use serde_json::{Value, json};

use crate::harness::{HOUR, TestDevice, TestServer, text_message};

/// Alice has a message from Bob on both of her devices.
async fn world() -> (TestServer, TestDevice, TestDevice, TestDevice) {
    let server = TestServer::synced().await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    let mut bob = server.device("bob", "phone").await;
    bob.say("C2Calice", "hi").await;
    phone.settle().await;
    laptop.settle().await;
    (server, phone, laptop, bob)
}

fn deletion(request_id: &str) -> Value {
    json!({ "conversationIDList": ["C2Cbob"], "requestID": request_id })
}

#[tokio::test]
async fn a_retry_on_the_same_connection_has_no_second_effect() {
    let (_server, mut phone, mut laptop, _) = world().await;
    let first = phone.ok("conversation.delete", deletion("d1")).await;
    laptop.sees_deleted(&["C2Cbob"]).await;
    for _ in 0..3 {
        assert_eq!(phone.ok("conversation.delete", deletion("d1")).await, first);
    }
    laptop.sees_nothing_more().await;
    assert_eq!(json!(phone.head().await), first["version"]);
}

#[tokio::test]
async fn two_at_once_have_one_effect() {
    let (_server, mut phone, mut laptop, _) = world().await;
    let one = phone.ask("conversation.delete", &deletion("d1")).await;
    let other = phone.ask("conversation.delete", &deletion("d1")).await;
    assert_eq!(phone.answer(one).await, phone.answer(other).await);
    laptop.sees_deleted(&["C2Cbob"]).await;
    laptop.sees_nothing_more().await;
}

#[tokio::test]
async fn a_retry_after_a_lost_answer_has_no_second_effect() {
    let (server, mut phone, mut laptop, mut bob) = world().await;
    phone.ask("conversation.delete", &deletion("d1")).await;
    let told = laptop.sees_deleted(&["C2Cbob"]).await;
    phone.vanish();
    // What came since must survive the retry.
    bob.say("C2Calice", "news").await;
    laptop.sees_message("news").await;

    phone.resume(&server).await;
    let answer = phone.delete_with(deletion("d1")).await;
    assert_eq!(Some(answer.version), told.version());
    laptop.sees_nothing_more().await;
    phone.lists_only(&["C2Cbob"]).await;
    laptop.lists_only(&["C2Cbob"]).await;
}

#[tokio::test]
async fn a_retry_after_a_restart_has_no_second_effect() {
    let (server, mut phone, mut laptop, _) = world().await;
    let first = phone.ok("conversation.delete", deletion("d1")).await;
    let sent = with_request_id(text_message("C2Cbob", "only once"), "s1");
    let message = phone.ok("message.send", sent.clone()).await;

    let server = server.restart().await;
    phone.resume(&server).await;
    laptop.resume(&server).await;
    laptop.settle().await;
    assert_eq!(phone.ok("conversation.delete", deletion("d1")).await, first);
    assert_eq!(phone.ok("message.send", sent).await, message);
    laptop.sees_nothing_more().await;
    assert_eq!(laptop.texts("C2Cbob").await, ["only once"]);
}

#[tokio::test]
async fn other_params_under_the_same_request_id_are_refused() {
    let (_server, mut phone, mut laptop, _) = world().await;
    let first = phone.ok("conversation.delete", deletion("d1")).await;
    laptop.sees_deleted(&["C2Cbob"]).await;
    let mut keeping = deletion("d1");
    keeping["clearHistoryMessage"] = json!(false);
    for (method, params) in [
        ("conversation.delete", keeping),
        ("conversation.restore", deletion("d1")),
        (
            "message.send",
            with_request_id(text_message("C2Cbob", "hi"), "d1"),
        ),
    ] {
        let error = phone.refused(method, params).await;
        assert_eq!(
            (error.code, error.field()),
            (-32602, "requestID"),
            "{method}: {error:?}"
        );
    }
    laptop.sees_nothing_more().await;
    assert_eq!(phone.ok("conversation.delete", deletion("d1")).await, first);
}

#[tokio::test]
async fn a_request_id_is_its_devices_own() {
    let (_server, mut phone, mut laptop, _) = world().await;
    let one = phone.delete_with(deletion("d1")).await;
    let other = laptop.delete_with(deletion("d1")).await;
    assert_eq!(
        other.version,
        one.version + 1,
        "two devices, two operations"
    );
}

#[tokio::test]
async fn it_is_remembered_for_a_day_at_least() {
    let (server, mut phone, mut laptop, mut bob) = world().await;
    let first = phone.ok("conversation.delete", deletion("d1")).await;
    bob.say("C2Calice", "news").await;
    for _ in 0..25 {
        server.clock.advance(HOUR);
        server.sweep().await;
    }
    assert_eq!(phone.ok("conversation.delete", deletion("d1")).await, first);
    phone.lists_only(&["C2Cbob"]).await;
    laptop.lists_only(&["C2Cbob"]).await;
}

#[tokio::test]
async fn it_is_forgotten_in_the_end() {
    let (server, mut phone, ..) = world().await;
    let first = phone.delete_with(deletion("d1")).await;
    server.clock.advance(49 * HOUR);
    server.sweep().await;
    let again = phone.delete_with(deletion("d1")).await;
    assert_eq!(again.version, first.version + 1);
}

/// Calls twice with the same requestID: one answer, and neither a version nor a push for the second.
async fn twice(
    phone: &mut TestDevice,
    laptop: &mut TestDevice,
    method: &str,
    params: Value,
) -> Value {
    let params = with_request_id(params, method);
    let first = phone.ok(method, params.clone()).await;
    let version = phone.head().await;
    laptop.settle().await;
    assert_eq!(phone.ok(method, params).await, first, "{method}");
    assert_eq!(phone.head().await, version, "{method}");
    laptop.sees_nothing_more().await;
    first
}

#[tokio::test]
async fn every_method_that_changes_something_can_be_retried() {
    let (server, mut phone, mut laptop, mut bob) = world().await;
    server.device("carol", "phone").await.leave().await;
    let (phone, laptop) = (&mut phone, &mut laptop);
    let id = json!({ "conversationID": "C2Cbob" });
    let ids = json!({ "conversationIDList": ["C2Cbob"] });
    let team = json!({ "groupID": "team" });
    let carol = json!({ "groupID": "team", "userIDList": ["carol"] });

    let sent = twice(
        phone,
        laptop,
        "message.send",
        text_message("C2Cbob", "oops"),
    )
    .await;
    let oops = json!({ "conversationID": "C2Cbob", "ID": sent["message"]["ID"] });
    twice(phone, laptop, "message.revoke", oops).await;
    twice(phone, laptop, "conversation.read", id.clone()).await;
    let pinned = json!({ "conversationID": "C2Cbob", "isPinned": true });
    twice(phone, laptop, "conversation.pin", pinned).await;
    twice(phone, laptop, "conversation.clearHistory", id).await;
    twice(phone, laptop, "conversation.delete", ids.clone()).await;
    twice(phone, laptop, "conversation.restore", ids).await;
    twice(phone, laptop, "friend.add", json!({ "to": "bob" })).await;
    twice(
        phone,
        laptop,
        "friend.delete",
        json!({ "userIDList": ["bob"] }),
    )
    .await;
    let public = json!({ "groupID": "team", "name": "team", "type": "Public" });
    twice(phone, laptop, "group.create", public).await;
    twice(phone, laptop, "group.addMember", carol.clone()).await;
    twice(phone, laptop, "group.deleteMember", carol).await;
    twice(phone, laptop, "group.dismiss", team).await;
    bob.create_group("open", &[]).await;
    let open = json!({ "groupID": "open" });
    twice(phone, laptop, "group.join", open.clone()).await;
    twice(phone, laptop, "group.quit", open).await;
}

fn with_request_id(mut params: Value, id: &str) -> Value {
    params["requestID"] = json!(id);
    params
}
