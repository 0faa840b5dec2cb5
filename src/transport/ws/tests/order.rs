//! What is written, and in which order.

use super::*;

#[tokio::test]
async fn a_collapsed_queue_is_hinted_before_the_pong() {
    let world = World::with(|settings| settings.limits.queue_frames = 3).await;
    let mut client = world.login("alice", "phone").await;
    let cursor = |pong: &Value| pong["result"]["cursor"].as_str().unwrap().to_owned();
    let before = cursor(&client.call("ping", json!({})).await);
    // Without a turn for the connection's task, so that it finds the queue as it is after all of them.
    for version in 1..=9 {
        world.push(version);
    }
    let pong = client.call("ping", json!({})).await;
    assert_eq!(pong["result"]["head"], 9);
    assert_eq!(client.pushes.len(), 1);
    assert_eq!(client.pushes[0]["method"], "sync.hint");
    assert_eq!(client.pushes[0]["params"]["head"], 9);
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
async fn a_long_answer_goes_out_in_fragments() {
    let world = World::new().await;
    let mut client = world.login("alice", "phone").await;
    let text = "x".repeat(7_000);
    for _ in 0..10 {
        let message = json!({
            "conversationID": "C2Cbob", "type": "TIMTextElem", "payload": { "text": text },
        });
        assert_eq!(client.code("message.send", message).await, 0);
    }
    client
        .ask("message.list", json!({ "conversationID": "C2Cbob" }))
        .await;
    let first = client.from_server.recv().await.unwrap();
    let Message::Frame(first) = first else {
        panic!("{first:?}");
    };
    assert!(!first.header().is_final && first.payload().len() == wire::FRAGMENT);
    let mut whole = first.into_payload().to_vec();
    loop {
        match client.from_server.recv().await.unwrap() {
            Message::Frame(frame) => {
                whole.extend_from_slice(frame.payload());
                if frame.header().is_final {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    let answer: Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(
        answer["result"]["messageList"].as_array().unwrap().len(),
        10
    );
}
