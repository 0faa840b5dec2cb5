//! Pushes that go straight to the socket, and those that can't.

use super::*;

/// Pushes whose way from the commit to the socket was timed.
fn written(world: &World) -> u64 {
    let page = world.context.metrics.scrape().unwrap();
    let count = page
        .lines()
        .find_map(|line| line.strip_prefix("chatsync_write_seconds_count "));
    count.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_push_to_a_client_at_rest_wakes_nobody() {
    let world = World::new().await;
    let mut client = world.login("alice", "phone").await;
    client.call("ping", json!({})).await;
    // The connection's task has to get round to resting.
    tokio::task::yield_now().await;
    let before = written(&world);
    world.push(1);
    // Nothing was awaited: no other task has run.
    let mut context = TaskContext::from_waker(Waker::noop());
    let Poll::Ready(Ok(push)) = pin!(client.hear()).poll(&mut context) else {
        panic!("it was not written at once");
    };
    assert_eq!(push["params"]["version"], 1);
    assert_eq!(written(&world), before + 1);
}

/// Whatever the pipe holds, a push comes whole and in its place: at once, in parts, or through the queue.
#[tokio::test]
async fn pushes_come_whole_and_in_order_through_pipes_of_all_sizes() {
    let world = World::new().await;
    for room in [1, 2, 3, 10, 64, 127, 300, 1_000] {
        let mut client = world.connect_with_room(room);
        client.log_in("alice", "phone").await;
        client.call("ping", json!({})).await;
        tokio::task::yield_now().await;
        for version in 1..=50 {
            world.push(version);
        }
        for version in 1..=50 {
            let push = client.hear().await.unwrap();
            assert_eq!(push["params"]["version"], version, "{room} bytes");
        }
        assert_eq!(client.code("ping", json!({})).await, 0);
    }
}

/// A pong frame that cut into a push would break both.
#[tokio::test]
async fn a_ping_during_a_push_is_answered_after_it() {
    let world = World::new().await;
    let mut client = world.connect_with_room(100);
    client.log_in("alice", "phone").await;
    client.call("ping", json!({})).await;
    tokio::task::yield_now().await;
    world.push(1);
    client.say(Message::Ping("still there?".into())).await;
    let Some(Message::Text(push)) = client.recv().await else {
        panic!("not the push");
    };
    assert!(push.contains("\"version\":1"), "{push}");
    let pong = Message::Pong("still there?".into());
    assert_eq!(client.recv().await, Some(pong));
}
