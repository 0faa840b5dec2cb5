//! Note 4 of the seed page: the conversation of a group that one has left stays, until it is deleted.

use crate::harness::{TestDevice, TestServer, text_message};

/// Alice has heard two things in Bob's group. Her laptop is connected, her tablet is away.
struct World {
    server: TestServer,
    phone: TestDevice,
    laptop: TestDevice,
    tablet: TestDevice,
    bob: TestDevice,
}

#[derive(Clone, Copy)]
enum Leaving {
    Quit,
    Kicked,
    Dissolved,
}

impl Leaving {
    fn membership(self) -> &'static str {
        match self {
            Self::Quit => "quit",
            Self::Kicked => "kicked",
            Self::Dissolved => "dissolved",
        }
    }

    /// What sending is refused with.
    fn code(self) -> i32 {
        match self {
            Self::Quit | Self::Kicked => 10007,
            Self::Dissolved => 10010,
        }
    }
}

async fn world() -> World {
    let server = TestServer::synced().await;
    let mut phone = server.device("alice", "phone").await;
    let laptop = server.device("alice", "laptop").await;
    let mut tablet = server.device("alice", "tablet").await;
    let mut bob = server.device("bob", "phone").await;
    bob.create_group("team", &["alice"]).await;
    bob.say("GROUPteam", "one").await;
    phone.say("GROUPteam", "two").await;
    tablet.settle().await;
    tablet.leave().await;
    World {
        server,
        phone,
        laptop,
        tablet,
        bob,
    }
}

impl World {
    async fn alice_leaves(&mut self, how: Leaving) {
        match how {
            Leaving::Quit => self.phone.quit_group("team").await,
            Leaving::Kicked => self.bob.remove_from_group("team", "alice").await,
            Leaving::Dissolved => self.bob.dismiss_group("team").await,
        }
    }
}

/// It stays listed with its history on every device, and nobody can write.
async fn stays_readable(how: Leaving) {
    let mut world = world().await;
    world.alice_leaves(how).await;
    world.tablet.resume(&world.server).await;
    let mut fresh = world.server.fresh_device("alice").await;
    for device in [
        &mut world.phone,
        &mut world.laptop,
        &mut world.tablet,
        &mut fresh,
    ] {
        device.settle().await;
        let name = device.who.device.clone();
        let list = device.replica.list();
        let line = list
            .get("GROUPteam")
            .unwrap_or_else(|| panic!("{name} lost it"));
        assert_eq!(line.membership, how.membership(), "{name}");
        assert_eq!(device.texts("GROUPteam").await, ["one", "two"], "{name}");
        let error = device
            .refused("message.send", text_message("GROUPteam", "still here"))
            .await;
        assert_eq!(error.code, how.code(), "{name}");
    }
    let mut devices = [&mut world.phone, &mut world.laptop, &mut world.tablet];
    world.server.all_agree(&mut devices).await;
}

/// What is said after is not for those who left.
async fn hears_no_more(how: Leaving) {
    let mut world = world().await;
    world.alice_leaves(how).await;
    world.phone.settle().await;
    world.laptop.settle().await;
    world.bob.say("GROUPteam", "among ourselves").await;
    world.laptop.sees_nothing_more().await;
    world.phone.sees_nothing_more().await;
    world.tablet.resume(&world.server).await;
    let mut fresh = world.server.fresh_device("alice").await;
    for device in [&mut world.phone, &mut world.tablet, &mut fresh] {
        device.settle().await;
        assert_eq!(device.texts("GROUPteam").await, ["one", "two"]);
    }
    let mut devices = [&mut world.phone, &mut world.laptop, &mut world.tablet];
    world.server.all_agree(&mut devices).await;
}

/// Deleted, it is gone everywhere, and nothing that happens in the group brings it back.
async fn can_be_deleted(how: Leaving) {
    let mut world = world().await;
    world.alice_leaves(how).await;
    world.laptop.settle().await;
    let answer = world.phone.delete(&["GROUPteam"]).await;
    assert_eq!(answer.results[0].code, 0);
    world.laptop.sees_deleted(&["GROUPteam"]).await;
    if !matches!(how, Leaving::Dissolved) {
        world.bob.say("GROUPteam", "among ourselves").await;
    }
    world.tablet.resume(&world.server).await;
    let mut fresh = world.server.fresh_device("alice").await;
    for device in [
        &mut world.phone,
        &mut world.laptop,
        &mut world.tablet,
        &mut fresh,
    ] {
        device.settle().await;
        assert!(!device.replica.lists("GROUPteam"), "{}", device.who.device);
        assert!(device.texts("GROUPteam").await.is_empty());
    }
}

#[tokio::test]
async fn a_group_that_one_quit_stays_readable() {
    stays_readable(Leaving::Quit).await;
}

#[tokio::test]
async fn a_group_that_one_was_kicked_from_stays_readable() {
    stays_readable(Leaving::Kicked).await;
}

#[tokio::test]
async fn a_group_that_was_dissolved_stays_readable() {
    stays_readable(Leaving::Dissolved).await;
}

#[tokio::test]
async fn who_quit_hears_no_more() {
    hears_no_more(Leaving::Quit).await;
}

#[tokio::test]
async fn who_was_kicked_hears_no_more() {
    hears_no_more(Leaving::Kicked).await;
}

#[tokio::test]
async fn a_group_that_one_quit_can_be_deleted() {
    can_be_deleted(Leaving::Quit).await;
}

#[tokio::test]
async fn a_group_that_one_was_kicked_from_can_be_deleted() {
    can_be_deleted(Leaving::Kicked).await;
}

#[tokio::test]
async fn a_group_that_was_dissolved_can_be_deleted() {
    can_be_deleted(Leaving::Dissolved).await;
}

#[tokio::test]
async fn nobody_writes_to_a_dissolved_group() {
    let mut world = world().await;
    world.bob.dismiss_group("team").await;
    let error = world
        .bob
        .refused("message.send", text_message("GROUPteam", "hello?"))
        .await;
    assert_eq!(error.code, 10010);
    world.bob.settle().await;
    assert!(world.bob.replica.lists("GROUPteam"));
}

#[tokio::test]
async fn a_deleted_friends_conversation_stays() {
    let mut world = world().await;
    world
        .phone
        .ok("friend.add", serde_json::json!({ "to": "bob" }))
        .await;
    world.bob.say("C2Calice", "hi").await;
    let params = serde_json::json!({ "userIDList": ["bob"] });
    world.phone.ok("friend.delete", params).await;
    let mut fresh = world.server.fresh_device("alice").await;
    for device in [&mut world.phone, &mut world.laptop, &mut fresh] {
        device.settle().await;
        assert!(device.replica.lists("C2Cbob"), "{}", device.who.device);
        assert_eq!(device.texts("C2Cbob").await, ["hi"]);
    }
    world.phone.delete(&["C2Cbob"]).await;
    world.laptop.sees_deleted(&["C2Cbob"]).await;
}

/// Found by the convergence model: a tombstone said nothing of the membership, so a device whose conversation was
/// deleted went on refusing to write to a group that its user had been added to again.
#[tokio::test]
async fn who_deleted_a_group_and_is_added_again_can_write_to_it() {
    let World {
        server,
        mut phone,
        mut laptop,
        mut bob,
        ..
    } = world().await;
    bob.remove_from_group("team", "alice").await;
    phone.settle().await;
    phone.delete(&["GROUPteam"]).await;
    laptop.settle().await;
    bob.add_to_group("team", "alice").await;
    let told = laptop.sees_update("GROUPteam").await;
    let entry = &told.params["conversationList"][0];
    assert_eq!(
        (&entry["deleted"], &entry["membership"]),
        (&true.into(), &"active".into())
    );

    bob.say("GROUPteam", "welcome back").await;
    server.all_agree(&mut [&mut phone, &mut laptop]).await;
    assert_eq!(laptop.replica.list()["GROUPteam"].membership, "active");
    laptop.say("GROUPteam", "thanks").await;
}

/// Found by the convergence model: the tip takes a seq, an answer does not carry it, and the actor was left out
/// of the push. It then missed an entry of the log until the next message showed the gap.
#[tokio::test]
async fn who_adds_or_removes_a_member_gets_the_tip_as_others_do() {
    let World {
        server, mut bob, ..
    } = world().await;
    for add in [true, false] {
        bob.settle().await;
        let before = bob.replica.last_seq("GROUPteam");
        if add {
            bob.add_to_group("team", "carol").await;
        } else {
            bob.remove_from_group("team", "carol").await;
        }
        bob.settle().await;
        assert_eq!(bob.replica.last_seq("GROUPteam"), before + 1);
    }
    server.all_agree(&mut [&mut bob]).await;
}
