//! An answer too long for one frame comes in pages, and what changes meanwhile is not missed.

use crate::harness::{SyncAnswer, TestDevice, TestServer, Who};
use crate::sync::{groups, world};

#[tokio::test]
async fn a_long_answer_comes_in_pages() {
    let server = TestServer::synced_with(|settings| settings.limits.page = 3).await;
    let (mut phone, mut laptop, _) = world(&server).await;
    let ids = groups(&mut phone, 7).await;

    let mut fresh = TestDevice::offline(&server, Who::new("alice", "tablet"));
    let first = fresh.resume(&server).await;
    assert_eq!(
        (first.reset, first.is_completed, first.entries.len()),
        (true, false, 3)
    );
    server
        .all_agree(&mut [&mut phone, &mut laptop, &mut fresh])
        .await;

    laptop.leave().await;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    phone.delete(&ids).await;
    let first = laptop.resume(&server).await;
    assert_eq!(
        (first.reset, first.is_completed, first.entries.len()),
        (false, false, 3)
    );
    laptop.lists_only(&["C2Cbob"]).await;
    server
        .all_agree(&mut [&mut phone, &mut laptop, &mut fresh])
        .await;
}

#[tokio::test]
async fn what_changes_between_two_pages_is_not_missed() {
    let server = TestServer::synced_with(|settings| settings.limits.page = 3).await;
    let (mut phone, mut laptop, mut bob) = world(&server).await;
    groups(&mut phone, 7).await;
    laptop.settle().await;

    let mut fresh = TestDevice::offline(&server, Who::new("alice", "tablet"));
    let first = fresh.try_login(&server).await.expect("logged in");
    fresh.replica.synced(&SyncAnswer::read(&first));
    // One of the first page, one of the last, and one that is new.
    bob.say("C2Calice", "news").await;
    phone.delete(&["C2Cbob", "GROUPg6"]).await;
    phone.say("GROUPg0", "more").await;
    bob.create_group("late", &["alice"]).await;
    bob.say("GROUPlate", "hello").await;
    fresh.sync().await;
    server
        .all_agree(&mut [&mut phone, &mut laptop, &mut fresh])
        .await;
}

#[tokio::test]
async fn a_device_that_is_cut_off_between_two_pages_misses_nothing() {
    let server = TestServer::synced_with(|settings| settings.limits.page = 3).await;
    let (mut phone, mut laptop, mut bob) = world(&server).await;
    groups(&mut phone, 7).await;
    laptop.settle().await;

    let mut fresh = TestDevice::offline(&server, Who::new("alice", "tablet"));
    let first = fresh.try_login(&server).await.expect("logged in");
    fresh.replica.synced(&SyncAnswer::read(&first));
    fresh.vanish();
    // A message moves no version: only the catch-up itself can bring it.
    bob.say("C2Calice", "news").await;
    fresh.resume(&server).await;
    server
        .all_agree(&mut [&mut phone, &mut laptop, &mut fresh])
        .await;
}
