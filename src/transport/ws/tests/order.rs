//! What is written, and in which order.

use super::*;

#[tokio::test]
async fn a_collapsed_queue_is_hinted_before_the_pong() {
    let world = World::with(|settings| settings.limits.queue_frames = 3).await;
    let mut client = world.connect_with_room(1_000);
    client.log_in("alice", "phone").await;
    let cursor = |pong: &Value| pong["result"]["cursor"].as_str().unwrap().to_owned();
    let before = cursor(&client.call("ping", json!({})).await);
    // The client does not read: the pipe fills up, then the queue, and what comes then is dropped.
    for version in 1..=50 {
        world.push(version);
    }
    assert_eq!(world.context.hub.figures().collapses, 1);
    let pong = client.call("ping", json!({})).await;
    assert_eq!(pong["result"]["head"], 50);
    let hint = client.pushes.pop().unwrap();
    assert_eq!(hint["method"], "sync.hint");
    assert_eq!(hint["params"]["head"], 50);
    // Those that went before it are the first ones.
    for (push, version) in client.pushes.iter().zip(1..) {
        assert_eq!(push["params"]["version"], version);
    }
    assert!((1..45).contains(&client.pushes.len()));
    assert_eq!(
        cursor(&pong),
        before,
        "a pong must not claim what was dropped"
    );

    // Heads of this test are not in the store, so that the sync resets; it makes the claim good all the same.
    let synced = client
        .call("conversation.sync", json!({ "cursor": before }))
        .await;
    assert_eq!(synced["result"]["isCompleted"], true);
    assert_ne!(cursor(&client.call("ping", json!({})).await), before);
}

#[tokio::test]
async fn everything_reached_is_written_before_the_pong() {
    let world = World::new().await;
    let mut client = world.login("alice", "phone").await;
    for version in 1..=100 {
        world.push(version);
    }
    let pong = client.call("ping", json!({})).await;
    assert_eq!(pong["result"]["head"], 100);
    let versions: Vec<_> = client
        .pushes
        .iter()
        .map(|push| push["params"]["version"].as_u64().unwrap())
        .collect();
    assert_eq!(versions, (1..=100).collect::<Vec<_>>());
}

/// Answers and pushes carry versions of one sequence. Written as they happened to be ready, an answer overtook the
/// push of the version before it, and the client waited for a gap to close that was none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_and_pushes_come_in_the_order_of_their_versions() {
    const EACH: usize = 100;
    let world = World::with(|settings| settings.limits.request_burst = 10_000).await;
    let mut phone = world.login("alice", "phone").await;
    let mut laptop = world.login("alice", "laptop").await;
    let message = json!({
        "conversationID": "C2Cbob", "type": "TIMTextElem", "payload": { "text": "hi" },
    });
    assert_eq!(phone.code("message.send", message).await, 0);
    for turn in 0..EACH {
        let params = json!({ "conversationID": "C2Cbob", "isPinned": turn % 2 == 0 });
        phone.ask("conversation.pin", params.clone()).await;
        laptop.ask("conversation.pin", params).await;
    }
    let version = |frame: &Value| {
        frame["result"]["version"]
            .as_u64()
            .or(frame["params"]["version"].as_u64())
    };
    for client in [&mut phone, &mut laptop] {
        let (mut versions, mut answers) = (Vec::new(), 0);
        while answers < EACH {
            let frame = client.hear().await.unwrap();
            assert!(frame.get("error").is_none(), "{frame}");
            answers += usize::from(frame.get("id").is_some());
            versions.extend(version(&frame));
        }
        assert!(versions.len() >= EACH);
        for pair in versions.windows(2) {
            assert_eq!(pair[0] + 1, pair[1], "{versions:?}");
        }
    }
}

#[tokio::test]
async fn a_deletion_reaches_the_other_devices_and_not_the_actor() {
    let world = World::new().await;
    let mut phone = world.login("alice", "phone").await;
    let mut laptop = world.login("alice", "laptop").await;
    let message = json!({
        "conversationID": "C2Cbob", "type": "TIMTextElem", "payload": { "text": "hi" },
    });
    assert_eq!(phone.code("message.send", message).await, 0);
    let params = json!({ "conversationIDList": ["C2Cbob"] });
    let deleted = phone.call("conversation.delete", params).await;
    let version = &deleted["result"]["version"];
    assert!(version.is_u64(), "{deleted}");
    loop {
        let push = laptop.hear().await.unwrap();
        if push["method"] == "conversation.deleted" {
            assert_eq!(push["params"]["version"], *version);
            break;
        }
    }
    assert_eq!(phone.code("ping", json!({})).await, 0);
    assert!(
        phone
            .pushes
            .iter()
            .all(|push| push["method"] != "conversation.deleted")
    );
    assert_eq!(
        world
            .context
            .metrics
            .deletions
            .get_or_create(&crate::transport::metrics::Outcome::OK)
            .get(),
        1
    );
}

#[tokio::test]
async fn a_long_answer_comes_whole_also_through_a_narrow_pipe() {
    let world = World::new().await;
    let mut client = world.connect_with_room(1_000);
    client.log_in("alice", "phone").await;
    let text = "x".repeat(7_000);
    for _ in 0..10 {
        let message = json!({
            "conversationID": "C2Cbob", "type": "TIMTextElem", "payload": { "text": text },
        });
        assert_eq!(client.code("message.send", message).await, 0);
    }
    let answer = client
        .call("message.list", json!({ "conversationID": "C2Cbob" }))
        .await;
    let list = answer["result"]["messageList"].as_array().unwrap();
    assert_eq!(list.len(), 10);
    assert!(list.iter().all(|one| one["payload"]["text"] == *text));
}

/// A deletion is in the store a moment before anybody is told of it. A device that logged in just then knew its version,
/// and another's pong said that it had come so far: had it lost its connection before the push, it would have resumed
/// behind the deletion, and never heard of it.
#[tokio::test]
async fn a_pong_does_not_claim_what_another_device_found_in_the_store() {
    let world = World::new().await;
    let mut phone = world.login("alice", "phone").await;
    let message = json!({
        "conversationID": "C2Cbob", "type": "TIMTextElem", "payload": { "text": "hi" },
    });
    assert_eq!(phone.code("message.send", message).await, 0);
    let mut laptop = world.login("alice", "laptop").await;
    let before = laptop.call("ping", json!({})).await["result"]["head"].clone();

    world.bus.keeps.store(true, Ordering::Release);
    let deletion = json!({ "conversationIDList": ["C2Cbob"] });
    phone.ask("conversation.delete", deletion).await;
    while world.connect().log_in("alice", "tablet").await["version"] == before {
        tokio::task::yield_now().await;
    }
    let pong = laptop.call("ping", json!({})).await;
    assert_eq!(pong["result"]["head"], before);

    let mut back = login("alice", "laptop", &sig("alice", 86_400));
    back["cursor"] = pong["result"]["cursor"].clone();
    let synced = world.connect().call("login", back).await;
    let found = &synced["result"]["conversationList"][0];
    assert_eq!(found["conversationID"], "C2Cbob");
    assert!(found.get("deleted").is_some(), "{found}");
}
