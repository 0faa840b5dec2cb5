//! Design 3.6: what brings a deleted conversation back, and what does not.

use serde_json::{Value, json};

use crate::harness::{Message, SECOND, TestDevice, TestServer, text_message};

/// Alice has deleted what she had with Bob and in the team, on both of her devices.
struct World {
    server: TestServer,
    phone: TestDevice,
    laptop: TestDevice,
    bob: TestDevice,
    /// Bob's newest message to Alice.
    said: Message,
}

async fn world() -> World {
    let server = TestServer::synced().await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    let mut bob = server.device("bob", "phone").await;
    bob.create_group("team", &["alice"]).await;
    bob.say("GROUPteam", "welcome").await;
    let said = bob.say("C2Calice", "hi").await;
    phone.delete(&["C2Cbob", "GROUPteam", "@TIM#SYSTEM"]).await;
    laptop
        .sees_deleted(&["C2Cbob", "GROUPteam", "@TIM#SYSTEM"])
        .await;
    bob.settle().await;
    World {
        server,
        phone,
        laptop,
        bob,
        said,
    }
}

impl World {
    /// On both devices and on one that logs in now.
    async fn alice_lists_only(&mut self, ids: &[&str]) {
        self.phone.lists_only(ids).await;
        self.laptop.lists_only(ids).await;
        let mut devices = [&mut self.phone, &mut self.laptop];
        self.server.all_agree(&mut devices).await;
    }
}

#[tokio::test]
async fn a_message_from_the_peer_brings_it_back() {
    let mut world = world().await;
    world.bob.say("C2Calice", "news").await;
    world.laptop.sees_message("news").await;
    assert!(world.laptop.replica.lists("C2Cbob"), "by the message alone");
    world.alice_lists_only(&["C2Cbob"]).await;
    assert_eq!(world.laptop.texts("C2Cbob").await, ["news"]);
    assert_eq!(world.laptop.replica.list()["C2Cbob"].unread_count, 1);
}

#[tokio::test]
async fn ones_own_message_from_another_device_brings_it_back() {
    let mut world = world().await;
    world.phone.say("C2Cbob", "one more thing").await;
    world.laptop.sees_message("one more thing").await;
    assert!(world.laptop.replica.lists("C2Cbob"), "by the message alone");
    world.alice_lists_only(&["C2Cbob"]).await;
    assert_eq!(world.laptop.texts("C2Cbob").await, ["one more thing"]);
    assert_eq!(world.laptop.replica.list()["C2Cbob"].unread_count, 0);
}

#[tokio::test]
async fn a_group_message_brings_it_back() {
    let mut world = world().await;
    world.bob.say("GROUPteam", "meeting at ten").await;
    world.laptop.sees_message("meeting at ten").await;
    world.alice_lists_only(&["GROUPteam"]).await;
    assert_eq!(world.laptop.texts("GROUPteam").await, ["meeting at ten"]);
}

#[tokio::test]
async fn a_system_notice_brings_the_system_conversation_back() {
    let mut world = world().await;
    world.bob.create_group("second", &["alice"]).await;
    world.alice_lists_only(&["@TIM#SYSTEM"]).await;
}

#[tokio::test]
async fn restoring_brings_it_back() {
    let mut world = world().await;
    world.phone.restore(&["C2Cbob"]).await;
    world.alice_lists_only(&["C2Cbob"]).await;
    assert_eq!(world.laptop.texts("C2Cbob").await, ["hi"]);
}

/// `what` is done, and all that was deleted stays so.
macro_rules! does_not_bring_it_back {
    ($name:ident, |$world:ident| $what:block) => {
        #[tokio::test]
        async fn $name() {
            let mut $world = world().await;
            $what
            $world.alice_lists_only(&[]).await;
        }
    };
}

does_not_bring_it_back!(reading_does_not_bring_it_back, |world| {
    world.phone.mark_read("C2Cbob").await;
    world.laptop.mark_read("GROUPteam").await;
    // The peer's read receipt neither.
    world.bob.mark_read("C2Calice").await;
});

does_not_bring_it_back!(clearing_history_does_not_bring_it_back, |world| {
    let params = json!({ "conversationID": "C2Cbob" });
    drop(world.phone.call("conversation.clearHistory", params).await);
});

does_not_bring_it_back!(pinning_does_not_bring_it_back, |world| {
    // Refused or not: a pin may not wait there for a message either.
    for id in ["C2Cbob", "GROUPteam"] {
        let params = json!({ "conversationID": id, "isPinned": true });
        drop(world.phone.call("conversation.pin", params).await);
    }
});

does_not_bring_it_back!(a_new_member_does_not_bring_it_back, |world| {
    let carol = world.server.device("carol", "phone").await;
    world.bob.add_to_group("team", &carol.who.user).await;
});

does_not_bring_it_back!(a_members_leaving_does_not_bring_it_back, |world| {
    let mut carol = world.server.device("carol", "phone").await;
    world.bob.add_to_group("team", "carol").await;
    carol.quit_group("team").await;
    world.bob.add_to_group("team", "carol").await;
    world.bob.remove_from_group("team", "carol").await;
});

does_not_bring_it_back!(a_revoke_does_not_bring_it_back, |world| {
    let params = json!({ "conversationID": "C2Calice", "ID": world.said.id });
    world.bob.ok("message.revoke", params).await;
});

does_not_bring_it_back!(a_friends_leaving_does_not_bring_it_back, |world| {
    world.bob.ok("friend.add", json!({ "to": "alice" })).await;
    let params = json!({ "userIDList": ["alice"] });
    world.bob.ok("friend.delete", params).await;
});

does_not_bring_it_back!(logging_in_does_not_bring_it_back, |world| {
    world.laptop.leave().await;
    world.laptop.resume(&world.server).await;
    world.bob.leave().await;
    world.bob.resume(&world.server).await;
});

does_not_bring_it_back!(being_told_late_does_not_bring_it_back, |world| {
    // Bob's message was sent before the deletion; his retry comes after it.
    let hello = with_request_id(text_message("C2Calice", "once"), "once");
    world.bob.ok("message.send", hello.clone()).await;
    world.phone.delete(&["C2Cbob"]).await;
    world.bob.ok("message.send", hello).await;
});

fn with_request_id(mut params: Value, id: &str) -> Value {
    params["requestID"] = json!(id);
    params
}

#[tokio::test]
async fn a_retried_deletion_does_not_take_away_what_came_since() {
    let mut world = world().await;
    let deletion = json!({ "conversationIDList": ["C2Cbob"], "requestID": "d1" });
    let first = world
        .phone
        .ok("conversation.delete", deletion.clone())
        .await;
    world.bob.say("C2Calice", "news").await;
    world.phone.settle().await;
    assert_eq!(world.phone.ok("conversation.delete", deletion).await, first);
    world.alice_lists_only(&["C2Cbob"]).await;
    assert_eq!(world.phone.texts("C2Cbob").await, ["news"]);
}

#[tokio::test]
async fn a_replayed_old_deletion_does_not_take_away_what_came_since() {
    let mut world = world().await;
    world.bob.say("C2Calice", "news").await;
    // Somebody's outbox still held the deletion of what there was before.
    let old = json!({ "conversationIDList": ["C2Cbob"], "upTo": { "C2Cbob": world.said.seq } });
    let answer = world.laptop.delete_with(old).await;
    assert_eq!(answer.results[0].up_to, world.said.seq);
    world.alice_lists_only(&["C2Cbob"]).await;
    assert_eq!(world.laptop.texts("C2Cbob").await, ["news"]);
}

#[tokio::test]
async fn up_to_more_than_there_is_deletes_what_there_is() {
    let mut world = world().await;
    let news = world.bob.say("C2Calice", "news").await;
    let params = json!({ "conversationIDList": ["C2Cbob"], "upTo": { "C2Cbob": 1_000_000 } });
    let answer = world.phone.delete_with(params).await;
    assert_eq!(answer.results[0].up_to, news.seq);
    world.bob.say("C2Calice", "more").await;
    world.alice_lists_only(&["C2Cbob"]).await;
}

#[tokio::test]
async fn a_message_that_arrives_while_one_deletes_is_never_wiped_unseen() {
    let mut world = world().await;
    world.bob.say("C2Calice", "seen").await;
    world.phone.settle().await;
    // Not seen by the phone before it deletes.
    world.bob.say("C2Calice", "unseen").await;
    world.phone.vanish();
    world.phone.resume(&world.server).await;
    let seen = world.phone.replica.last_seq("C2Cbob") - 1;
    let params = json!({ "conversationIDList": ["C2Cbob"], "upTo": { "C2Cbob": seen } });
    world.phone.delete_with(params).await;

    world.laptop.sees_deleted_up_to("C2Cbob", seen).await;
    world.alice_lists_only(&["C2Cbob"]).await;
    for device in [&mut world.phone, &mut world.laptop] {
        assert_eq!(device.texts("C2Cbob").await, ["unseen"]);
        assert_eq!(device.replica.list()["C2Cbob"].unread_count, 1);
    }
}

#[tokio::test]
async fn deleting_while_the_peer_writes_loses_nothing_unseen() {
    let mut world = world().await;
    for round in 0..30 {
        let text = format!("round {round}");
        let known = world.phone.replica.last_seq("C2Cbob");
        let (said, answer) = tokio::join!(
            world.bob.say("C2Calice", &text),
            world.phone.delete_what_it_knows("C2Cbob"),
        );
        let up_to = answer.results[0].up_to;
        assert!(up_to <= known, "{up_to} is beyond the known {known}");
        assert!(said.seq > up_to);
        world.alice_lists_only(&["C2Cbob"]).await;
        assert_eq!(world.laptop.texts("C2Cbob").await.last(), Some(&text));
        world.server.clock.advance(SECOND);
    }
}

#[tokio::test]
async fn deleting_everything_while_the_peer_writes_ends_the_same_everywhere() {
    let mut world = world().await;
    for round in 0..30 {
        let text = format!("round {round}");
        let (said, answer) = tokio::join!(
            world.bob.say("C2Calice", &text),
            world.phone.delete(&["C2Cbob"]),
        );
        // Which came first is the server's to say; what it says is what holds.
        let survives = said.seq > answer.results[0].up_to;
        let expected: &[&str] = if survives { &["C2Cbob"] } else { &[] };
        world.alice_lists_only(expected).await;
    }
}
