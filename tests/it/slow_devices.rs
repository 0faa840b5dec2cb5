//! A device that doesn't read holds nobody up, and misses nothing in the end.

use crate::harness::{TestDevice, TestServer, text_message};
use crate::sync::world;

/// Bob writes faster than a device reads.
async fn flood(bob: &mut TestDevice, count: usize) {
    let message = text_message("C2Calice", &"x".repeat(8000));
    for _ in 0..count / 50 {
        let mut asked = Vec::new();
        for _ in 0..50 {
            asked.push(bob.ask("message.send", &message).await);
        }
        for id in asked {
            bob.answer(id).await.expect("sent");
        }
    }
}

#[tokio::test]
async fn a_device_that_reads_too_slowly_gets_a_hint_and_catches_up() {
    let server = TestServer::synced_with(|settings| {
        settings.limits.queue_frames = 4;
        settings.server.write_timeout_ms = 60_000;
    })
    .await;
    let (mut phone, mut laptop, mut bob) = world(&server).await;
    phone.leave().await;
    laptop.leave().await;
    laptop.resume_narrow(&server).await;

    // More than the two kernels take in.
    flood(&mut bob, 1000).await;
    laptop
        .next_push("a hint", |push| push.method == "sync.hint")
        .await;
    laptop.settle().await;
    phone.resume(&server).await;
    server.all_agree(&mut [&mut phone, &mut laptop]).await;
    assert_eq!(laptop.replica.list()["C2Cbob"].unread_count, 1001);
    // From here on it is told again.
    bob.say("C2Calice", "still there?").await;
    laptop.sees_message("still there?").await;
}

#[tokio::test]
async fn a_device_that_does_not_read_at_all_is_let_go_and_catches_up() {
    let server = TestServer::synced_with(|settings| {
        settings.limits.queue_frames = 4;
        settings.server.write_timeout_ms = 300;
    })
    .await;
    let (mut phone, mut laptop, mut bob) = world(&server).await;
    laptop.leave().await;
    laptop.resume_narrow(&server).await;
    phone.leave().await;
    flood(&mut bob, 1000).await;
    phone.resume(&server).await;
    phone.sees_offline("alice-laptop").await;
    assert!(matches!(laptop.closed_with().await, None | Some(4410)));
    laptop.resume(&server).await;
    server.all_agree(&mut [&mut phone, &mut laptop]).await;
}
