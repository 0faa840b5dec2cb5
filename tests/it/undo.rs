//! A deletion can be taken back for a while (design 3.8).

use serde_json::json;

use crate::harness::{DAY, Entry, TestDevice, TestServer};

/// Alice has two messages from Bob, shown on both of her devices.
struct World {
    server: TestServer,
    phone: TestDevice,
    laptop: TestDevice,
    bob: TestDevice,
}

async fn world() -> World {
    let server = TestServer::synced().await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    let mut bob = server.device("bob", "phone").await;
    bob.say("C2Calice", "one").await;
    bob.say("C2Calice", "two").await;
    phone.settle().await;
    laptop.settle().await;
    World {
        server,
        phone,
        laptop,
        bob,
    }
}

impl World {
    /// On both devices and on one that logs in now.
    async fn alice_has(&mut self, ids: &[&str], texts: &[&str]) {
        let mut fresh = self.server.fresh_device("alice").await;
        for device in [&mut self.phone, &mut self.laptop, &mut fresh] {
            device.lists_only(ids).await;
            assert_eq!(device.texts("C2Cbob").await, texts, "{}", device.who.device);
        }
        let mut devices = [&mut self.phone, &mut self.laptop];
        self.server.all_agree(&mut devices).await;
    }
}

#[tokio::test]
async fn a_deletion_is_undone_on_every_device() {
    let mut world = world().await;
    let deleted = world.phone.delete(&["C2Cbob"]).await;
    world.laptop.sees_deleted(&["C2Cbob"]).await;

    let restored = world.phone.restore(&["C2Cbob"]).await;
    assert_eq!(restored.version, deleted.version + 1);
    assert_eq!(
        (restored.results[0].code, restored.results[0].up_to),
        (0, 0)
    );
    let push = world.laptop.sees_update("C2Cbob").await;
    assert_eq!(push.version(), Some(restored.version));
    assert!(world.laptop.replica.lists("C2Cbob"), "by the push alone");
    world.laptop.sees_nothing_more().await;
    world.alice_has(&["C2Cbob"], &["one", "two"]).await;
}

#[tokio::test]
async fn any_device_can_undo_it_and_those_away_learn_of_it() {
    let mut world = world().await;
    let mut tablet = world.server.device("alice", "tablet").await;
    world.phone.delete(&["C2Cbob"]).await;
    tablet.settle().await;
    tablet.leave().await;
    world.laptop.restore(&["C2Cbob"]).await;
    let caught_up = tablet.resume(&world.server).await;
    assert!(matches!(caught_up.entry("C2Cbob"), Entry::Listed(_)));
    tablet.lists_only(&["C2Cbob"]).await;
    world.alice_has(&["C2Cbob"], &["one", "two"]).await;
}

#[tokio::test]
async fn both_may_undo_it() {
    let mut world = world().await;
    world.phone.delete(&["C2Cbob"]).await;
    world.laptop.settle().await;
    let (one, other) = tokio::join!(
        world.phone.restore(&["C2Cbob"]),
        world.laptop.restore(&["C2Cbob"]),
    );
    assert_eq!((one.results[0].code, other.results[0].code), (0, 0));
    world.alice_has(&["C2Cbob"], &["one", "two"]).await;
}

#[tokio::test]
async fn it_can_be_undone_until_the_window_ends() {
    let mut world = world().await;
    world.phone.delete(&["C2Cbob"]).await;
    world.server.clock.advance(7 * DAY);
    world.server.sweep().await;
    assert_eq!(world.phone.restore(&["C2Cbob"]).await.results[0].code, 0);
    world.alice_has(&["C2Cbob"], &["one", "two"]).await;
}

#[tokio::test]
async fn it_can_not_be_undone_after() {
    let mut world = world().await;
    let deleted = world.phone.delete(&["C2Cbob"]).await;
    world.server.clock.advance(7 * DAY + 1);
    let answer = world.phone.restore(&["C2Cbob"]).await;
    assert_eq!(answer.results[0].code, 20016);
    assert_eq!(
        world.phone.head().await,
        deleted.version,
        "nothing has changed"
    );
    world.alice_has(&[], &[]).await;
}

#[tokio::test]
async fn the_window_is_the_apps() {
    let mut world = world().await;
    world
        .server
        .change_app(|app| app.features.undo_window = DAY)
        .await;
    world.phone.delete(&["C2Cbob"]).await;
    world.server.clock.advance(DAY + 1);
    let answer = world.phone.restore(&["C2Cbob"]).await;
    assert_eq!(answer.results[0].code, 20016);
}

#[tokio::test]
async fn an_older_deletion_stands_when_a_newer_is_undone() {
    let mut world = world().await;
    world.phone.delete(&["C2Cbob"]).await;
    world.bob.say("C2Calice", "three").await;
    world.phone.settle().await;
    world.phone.delete(&["C2Cbob"]).await;
    world.phone.restore(&["C2Cbob"]).await;
    world.alice_has(&["C2Cbob"], &["three"]).await;
}

#[tokio::test]
async fn a_deletion_and_its_repeats_are_undone_together() {
    let mut world = world().await;
    world.phone.delete_keeping_history(&["C2Cbob"]).await;
    world.laptop.delete(&["C2Cbob"]).await;
    world.phone.restore(&["C2Cbob"]).await;
    world.alice_has(&["C2Cbob"], &["one", "two"]).await;
}

#[tokio::test]
async fn what_came_since_is_kept_when_it_is_undone() {
    let mut world = world().await;
    world.phone.delete(&["C2Cbob"]).await;
    world.bob.say("C2Calice", "three").await;
    world.phone.restore(&["C2Cbob"]).await;
    world.alice_has(&["C2Cbob"], &["one", "two", "three"]).await;
}

#[tokio::test]
async fn several_are_undone_with_a_result_each() {
    let mut world = world().await;
    world.phone.create_group("team", &[]).await;
    world.phone.say("GROUPteam", "hello").await;
    world.phone.delete(&["C2Cbob", "GROUPteam"]).await;
    let version = world.phone.head().await;
    let answer = world
        .phone
        .restore(&["C2Cbob", "GROUPteam", "C2Cnobody", "bob"])
        .await;
    let codes: Vec<_> = answer.results.iter().map(|result| result.code).collect();
    assert_eq!(codes, [0, 0, 2500, 2503]);
    assert_eq!(answer.version, version + 1);
    world
        .alice_has(&["C2Cbob", "GROUPteam"], &["one", "two"])
        .await;
}

#[tokio::test]
async fn too_many_none_and_nonsense_are_refused() {
    let mut world = world().await;
    let many: Vec<_> = (0..101).map(|number| format!("C2Cu{number}")).collect();
    for list in [json!(many), json!([]), json!("C2Cbob"), json!([1])] {
        let params = json!({ "conversationIDList": list });
        let error = world.phone.refused("conversation.restore", params).await;
        assert_eq!(error.code, -32602, "{error:?}");
        assert!(error.field().starts_with("conversationIDList"), "{error:?}");
    }
}

#[tokio::test]
async fn a_deletion_that_was_not_told_is_undone_without_telling() {
    let mut world = world().await;
    world.server.set_switch(false).await;
    world.phone.delete(&["C2Cbob"]).await;
    world.phone.restore(&["C2Cbob"]).await;
    world.alice_has(&["C2Cbob"], &["one", "two"]).await;
}

#[tokio::test]
async fn the_peer_keeps_what_is_erased_for_good() {
    let mut world = world().await;
    world.phone.delete(&["C2Cbob"]).await;
    world.server.clock.advance(7 * DAY + 1);
    world.server.sweep().await;
    assert_eq!(world.bob.texts("C2Calice").await, ["one", "two"]);
    world.alice_has(&[], &[]).await;
}

#[tokio::test]
async fn the_log_goes_on_after_everyone_has_let_go_of_it() {
    let mut world = world().await;
    let newest = world.phone.replica.last_seq("C2Cbob");
    world.phone.delete(&["C2Cbob"]).await;
    world.bob.delete(&["C2Calice"]).await;
    world.server.clock.advance(7 * DAY + 1);
    world.server.sweep().await;
    world.alice_has(&[], &[]).await;

    let said = world.bob.say("C2Calice", "three").await;
    assert_eq!(said.seq, newest + 1);
    world.alice_has(&["C2Cbob"], &["three"]).await;
    assert_eq!(world.laptop.replica.list()["C2Cbob"].unread_count, 1);
    assert_eq!(world.bob.texts("C2Calice").await, ["three"]);
}
