//! How connections end: time, silence, floods, bad frames, a drain.

use tokio::task::JoinSet;

use super::*;

#[tokio::test]
async fn a_client_without_a_login_is_closed_in_time() {
    let world = World::new().await;
    let mut client = world.connect();
    tokio::time::pause();
    let began = Instant::now();
    assert_eq!(client.closed().await, 4408);
    assert_eq!(began.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn a_binary_frame_is_not_understood() {
    let world = World::new().await;
    let mut client = world.connect();
    client.say(Message::binary(vec![1])).await;
    assert_eq!(client.closed().await, 1003);
}

#[tokio::test]
async fn a_broken_frame_is_answered_with_its_code() {
    let world = World::new().await;
    for (bytes, code) in [
        // 65,537 bytes announced.
        (&[0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0][..], 1009),
        (&[0x81, 0x81, 0, 0, 0, 0, 0xff], 1007),
        (&[0xc1, 0x80, 0, 0, 0, 0], 1002),
    ] {
        let mut client = world.connect();
        client.say_bytes(bytes).await;
        assert_eq!(client.closed().await, code);
    }
}

#[tokio::test]
async fn a_silent_client_is_pinged_and_then_closed() {
    let world = World::new().await;
    let mut client = world.login("alice", "phone").await;
    tokio::time::pause();
    let (began, mut pings) = (Instant::now(), 0);
    let code = loop {
        match client.recv().await.unwrap() {
            Message::Ping(_) => pings += 1,
            Message::Close(frame) => break u16::from(frame.unwrap().code),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((code, pings), (4409, 2));
    // It logged in a moment before the clock stood still.
    assert!((74..=75).contains(&began.elapsed().as_secs()));
}

#[tokio::test]
async fn a_client_that_answers_pings_stays() {
    let world = World::new().await;
    let mut client = world.login("alice", "phone").await;
    tokio::time::pause();
    for _ in 0..20 {
        match client.recv().await.unwrap() {
            Message::Ping(payload) => client.say(Message::Pong(payload)).await,
            other => panic!("{other:?}"),
        }
    }
}

/// After a reconnect storm all were pinged at once, every 30 s: for a second or two, everybody else had to wait.
#[tokio::test]
async fn clients_that_came_at_once_are_pinged_at_different_times() {
    let world = World::new().await;
    let mut clients = Vec::new();
    for number in 0..20 {
        clients.push(world.login("alice", &format!("phone {number}")).await);
    }
    tokio::time::pause();
    let began = Instant::now();
    let mut first_pings = JoinSet::new();
    for mut client in clients {
        first_pings.spawn(async move {
            let message = client.recv().await.unwrap();
            assert!(matches!(message, Message::Ping(_)), "{message:?}");
            began.elapsed().as_secs()
        });
    }
    let mut seconds = first_pings.join_all().await;
    seconds.sort_unstable();
    assert!(seconds.iter().all(|second| *second <= 30), "{seconds:?}");
    let most_in_three = seconds.chunk_by(|a, b| a / 3 == b / 3).map(<[_]>::len);
    assert!(most_in_three.max() <= Some(3), "{seconds:?}");
}

/// For then pings are sent in parts, which costs a server at rest too much.
#[tokio::test]
async fn a_request_is_noted_and_the_answer_to_a_ping_is_not() {
    let world = World::new().await;
    let timers = &world.context.timers;
    let mut client = world.login("alice", "phone").await;
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.say(Message::Pong(Vec::new().into())).await;
    tokio::task::yield_now().await;
    assert!(!timers.take_asked());
    client.call("ping", json!({})).await;
    assert!(timers.take_asked());
}

#[tokio::test]
async fn a_credential_that_runs_out_ends_the_connection() {
    let world = World::new().await;
    let mut client = world.connect();
    let answer = client
        .call("login", login("alice", "phone", &sig("alice", 20)))
        .await;
    assert!(answer["result"].is_object(), "{answer}");
    tokio::time::pause();
    let began = Instant::now();
    assert_eq!(client.closed().await, 4401);
    assert_eq!(client.pushes[0]["params"]["type"], "userSigExpired");
    assert!((18..=20).contains(&began.elapsed().as_secs()));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_given_up() {
    let world = World::new().await;
    let mut client = world.connect_with_room(1_000);
    client.log_in("alice", "phone").await;
    tokio::time::pause();
    for version in 1..=1_000 {
        world.push(version);
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    while world.closes(4410) == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(began.elapsed().as_secs(), 10);
    client.task.await.unwrap();
    assert_eq!(world.closes(4410), 1);
    assert_eq!(world.context.hub.figures().collapses, 1);
}

#[tokio::test]
async fn who_asks_too_often_is_refused_and_then_closed() {
    let world = World::with(|settings| {
        settings.limits.request_burst = 5;
        settings.limits.requests_per_second = 1;
    })
    .await;
    let mut client = world.login("alice", "phone").await;
    let mut refusal = Value::Null;
    while refusal["error"].is_null() {
        refusal = client.call("ping", json!({})).await;
    }
    assert_eq!(refusal["error"]["code"], 2996);
    assert!(refusal["error"]["data"]["retryAfter"].as_u64().unwrap() > 0);
    for _ in 0..100 {
        client.say(Message::Ping(Vec::new().into())).await;
    }
    assert_eq!(client.closed().await, 1008);
}

#[tokio::test]
async fn a_drain_sends_everybody_away() {
    let world = World::with(|settings| settings.server.drain_ms = 100).await;
    let mut phone = world.login("alice", "phone").await;
    let mut anonymous = world.connect();
    // Its request is in hand when the drain begins.
    let message = json!({
        "conversationID": "C2Cbob", "type": "TIMTextElem", "payload": { "text": "hi" },
    });
    phone.ask("message.send", message).await;
    tokio::task::yield_now().await;
    crate::transport::drain::drain(&world.context).await;
    assert_eq!(phone.closed().await, 1012);
    let draining = |frame: &Value| frame["method"] == "server.draining";
    assert!(phone.pushes.iter().any(draining), "{:?}", phone.pushes);
    assert!(
        phone
            .pushes
            .iter()
            .any(|frame| frame["result"]["message"].is_object())
    );
    assert_eq!(anonymous.closed().await, 1012);
    assert_eq!(world.context.hub.figures().connections, 0);
}
