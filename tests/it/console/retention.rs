//! History that an app keeps for a time, and no longer.

use serde_json::json;

use super::path;
use crate::harness::{
    APP, Browser, DAY, Entry, HOUR, OTHER_APP, SECOND, START, TestDevice, TestServer, Who,
};

/// Alice's phone is connected, her laptop is not; Bob writes. History is kept for 30 days.
struct World {
    server: TestServer,
    phone: TestDevice,
    laptop: TestDevice,
    bob: TestDevice,
}

async fn world() -> World {
    let server = TestServer::synced().await;
    keep(&server, Some(30 * DAY)).await;
    let phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    let bob = server.device("bob", "phone").await;
    laptop.leave().await;
    World {
        server,
        phone,
        laptop,
        bob,
    }
}

async fn keep(server: &TestServer, kept: Option<i64>) {
    server
        .change_app(move |app| app.features.history_retention = kept)
        .await;
}

impl World {
    /// Lets days go by and the sweeper do its work; it may lag by an hour.
    async fn sweep_after(&self, days: i64) {
        self.server.clock.advance(days * DAY + HOUR + SECOND);
        self.server.sweep().await;
    }

    /// On Alice's phone, on her laptop once it is back, and on one that logs in now.
    async fn alice_has(&mut self, ids: &[&str], texts: &[&str]) {
        self.laptop.resume(&self.server).await;
        let mut fresh = self.server.fresh_device("alice").await;
        for device in [&mut self.phone, &mut self.laptop, &mut fresh] {
            device.lists_only(ids).await;
            assert_eq!(device.texts("C2Cbob").await, texts, "{}", device.who.device);
        }
        let mut devices = [&mut self.phone, &mut self.laptop];
        self.server.all_agree(&mut devices).await;
        self.laptop.leave().await;
    }

    fn entries(&self) -> i64 {
        let store = rusqlite::Connection::open(self.server.store_file()).expect("the store");
        let count = store.query_row("SELECT COUNT(*) FROM entry", [], |row| row.get(0));
        count.expect("a count")
    }
}

#[tokio::test]
async fn what_is_too_old_is_not_read_though_it_was_not_swept_yet() {
    let mut world = world().await;
    world.bob.say("C2Calice", "old").await;
    world.server.clock.advance(20 * DAY);
    world.bob.say("C2Calice", "new").await;

    world.server.clock.advance(10 * DAY);
    assert_eq!(
        world.phone.texts("C2Cbob").await,
        ["old", "new"],
        "30 days to the millisecond"
    );
    world.server.clock.advance(1);
    for device in [&mut world.phone, &mut world.bob] {
        let peer = if device.who.user == "bob" {
            "C2Calice"
        } else {
            "C2Cbob"
        };
        let params = json!({ "conversationID": peer, "count": 1 });
        let page = device.ok("message.list", params).await;
        assert_eq!(page["messageList"].as_array().expect("a list").len(), 1);
        assert_eq!(
            (&page["isCompleted"], &page["nextReqMessageID"]),
            (&json!(true), &json!("")),
            "there is nothing before it"
        );
        assert_eq!(device.texts(peer).await, ["new"]);
    }
    assert_eq!(world.entries(), 2);
    // What a page of before names is not read either.
    let before = json!({ "conversationID": "C2Cbob", "nextReqMessageID": "1-2" });
    let page = world.phone.ok("message.list", before).await;
    assert_eq!(
        (&page["messageList"], &page["isCompleted"]),
        (&json!([]), &json!(true))
    );
}

#[tokio::test]
async fn it_is_erased_and_counts_as_read() {
    let mut world = world().await;
    for text in ["one", "two"] {
        world.bob.say("C2Calice", text).await;
    }
    world.server.clock.advance(20 * DAY);
    world.bob.say("C2Calice", "three").await;
    world.phone.settle().await;
    assert_eq!(world.phone.replica.list()["C2Cbob"].unread_count, 3);

    world.sweep_after(10).await;
    assert_eq!(world.entries(), 1);
    let push = world.phone.sees_update("C2Cbob").await;
    assert_eq!(push.version(), Some(1), "an operation like any other");
    assert_eq!(push.params.get("origin"), None);
    assert_eq!(world.phone.replica.list()["C2Cbob"].unread_count, 1);
    world.alice_has(&["C2Cbob"], &["three"]).await;
    // Bob has read what he wrote: nothing changed for him.
    world.bob.sees_nothing_more().await;
    assert_eq!(world.bob.head().await, 0);

    // Swept again, nothing more happens.
    world.server.sweep().await;
    assert_eq!(world.phone.head().await, 1);
    // Numbers go on.
    assert_eq!(world.bob.say("C2Calice", "four").await.seq, 4);
    world.phone.settle().await;
    assert_eq!(world.phone.replica.list()["C2Cbob"].unread_count, 2);
    world.phone.mark_read("C2Cbob").await;
    world.alice_has(&["C2Cbob"], &["three", "four"]).await;
}

#[tokio::test]
async fn a_conversation_lives_as_long_as_its_newest_message() {
    let mut world = world().await;
    world.bob.say("C2Calice", "hi").await;
    world.phone.pin("C2Cbob", true).await;
    world.phone.settle().await;
    world.bob.settle().await;

    // Until the sweep it is listed, and shows nothing.
    world.server.clock.advance(30 * DAY + 1);
    let fresh = world.server.fresh_device("alice").await;
    assert_eq!(fresh.replica.list()["C2Cbob"].last_message, None);
    let asked = json!({ "conversationID": "C2Cbob" });
    let asked = world.phone.ok("conversation.get", asked).await;
    assert_eq!(asked["conversation"]["lastMessage"], json!(null));

    world.sweep_after(0).await;
    assert_eq!(world.entries(), 0);
    world.phone.sees_update("C2Cbob").await;
    assert!(!world.phone.replica.lists("C2Cbob"));
    world.bob.sees_update("C2Calice").await;
    assert!(!world.bob.replica.lists("C2Calice"), "for both");
    let caught_up = world.laptop.resume(&world.server).await;
    assert!(matches!(caught_up.entry("C2Cbob"), Entry::Deleted(_)));
    world.laptop.leave().await;
    world.alice_has(&[], &[]).await;

    let said = world.bob.say("C2Calice", "again").await;
    assert_eq!(said.seq, 2);
    world.alice_has(&["C2Cbob"], &["again"]).await;
    let line = &world.phone.replica.list()["C2Cbob"];
    assert_eq!((line.unread_count, line.is_pinned), (1, false));
}

#[tokio::test]
async fn an_undo_brings_back_no_more_than_is_kept() {
    let mut world = world().await;
    world
        .server
        .change_app(|app| app.features.undo_window = 60 * DAY)
        .await;
    world.bob.say("C2Calice", "old").await;
    world.server.clock.advance(20 * DAY);
    world.bob.say("C2Calice", "new").await;
    world.phone.settle().await;
    world.phone.delete(&["C2Cbob"]).await;

    world.sweep_after(10).await;
    assert_eq!(world.phone.restore(&["C2Cbob"]).await.results[0].code, 0);
    world.alice_has(&["C2Cbob"], &["new"]).await;

    world.phone.delete(&["C2Cbob"]).await;
    world.server.clock.advance(20 * DAY);
    let version = world.phone.head().await;
    let console = world.server.console().await;
    let listed = console.get(&path("deletions?limit=1")).await.ok();
    let id = &listed["deletions"][0]["id"];
    let shown = console.get(&path(&format!("deletions/{id}"))).await.ok();
    assert_eq!(shown["conversationList"][0]["restorable"], false);
    for swept in [false, true] {
        let answer = world.phone.restore(&["C2Cbob"]).await;
        assert_eq!(answer.results[0].code, 20016, "swept: {swept}");
        assert_eq!(world.phone.head().await, version, "nothing was changed");
        world.sweep_after(0).await;
    }
    world.alice_has(&[], &[]).await;
}

#[tokio::test]
async fn who_left_a_group_loses_it_by_what_there_was_to_read() {
    let mut world = world().await;
    world.phone.create_group("team", &["bob"]).await;
    world.bob.say("GROUPteam", "hello").await;
    world.bob.quit_group("team").await;
    world.server.clock.advance(20 * DAY);
    world.phone.say("GROUPteam", "still here").await;
    world.bob.lists_only(&["@TIM#SYSTEM", "GROUPteam"]).await;

    world.sweep_after(10).await;
    world.bob.lists_only(&[]).await;
    world.phone.lists_only(&["GROUPteam"]).await;
    world.server.all_agree(&mut [&mut world.phone]).await;
    assert_eq!(world.phone.texts("GROUPteam").await, ["still here"]);
    let mut fresh = world.server.fresh_device("bob").await;
    fresh.lists_only(&[]).await;
    world.server.all_agree(&mut [&mut world.bob]).await;
}

#[tokio::test]
async fn it_is_told_whatever_the_switch_says_and_deletions_made_meanwhile_are_not() {
    let mut world = world().await;
    world.server.set_switch(false).await;
    world.bob.say("C2Calice", "hi").await;
    world.phone.say("C2Ccarol", "hi").await;
    world.laptop.resume(&world.server).await;
    world.phone.delete(&["C2Cbob"]).await;
    world.laptop.lists_only(&["C2Cbob", "C2Ccarol"]).await;
    world.sweep_after(30).await;
    world.laptop.lists_only(&[]).await;
    world.laptop.leave().await;
    world.alice_has(&[], &[]).await;
}

#[tokio::test]
async fn a_log_longer_than_a_turn_is_erased_in_several() {
    let mut world = world().await;
    for number in 0..4_500 {
        world.bob.say("C2Calice", &number.to_string()).await;
    }
    world.server.clock.advance(20 * DAY);
    world.bob.say("C2Calice", "last").await;
    world.server.clock.advance(10 * DAY + HOUR + SECOND);
    let mut turns = 1;
    while world.server.engine().sweep().await.expect("swept") {
        turns += 1;
    }
    assert!(turns >= 3, "{turns}");
    assert_eq!(world.entries(), 1);
    world.alice_has(&["C2Cbob"], &["last"]).await;
    assert_eq!(world.phone.replica.list()["C2Cbob"].unread_count, 1);
    assert_eq!(world.phone.head().await, 1, "told once");
}

#[tokio::test]
async fn a_restart_changes_nothing() {
    let mut world = world().await;
    world.bob.say("C2Calice", "old").await;
    world.server.clock.advance(20 * DAY);
    world.bob.say("C2Calice", "new").await;
    world.phone.settle().await;
    for days in [10, 0] {
        world.phone.leave().await;
        world.bob.leave().await;
        world.server.clock.advance(days * DAY + HOUR + SECOND);
        world.server = world.server.restart().await;
        world.phone.resume(&world.server).await;
        world.bob.resume(&world.server).await;
        assert_eq!(world.phone.texts("C2Cbob").await, ["new"]);
        world.server.sweep().await;
        world.alice_has(&["C2Cbob"], &["new"]).await;
        assert_eq!(world.phone.replica.list()["C2Cbob"].unread_count, 1);
    }
}

#[tokio::test]
async fn an_app_that_says_nothing_keeps_everything() {
    let mut world = world().await;
    keep(&world.server, None).await;
    let mut other =
        TestDevice::fresh(&world.server, Who::new("x", "phone").of_app(OTHER_APP)).await;
    other.say("C2Cy", "hi").await;
    world.bob.say("C2Calice", "hi").await;
    world.sweep_after(300).await;
    world.alice_has(&["C2Cbob"], &["hi"]).await;
    assert_eq!((world.entries(), world.phone.head().await), (2, 0));

    // An app's limit is its own.
    keep(&world.server, Some(DAY)).await;
    world.sweep_after(0).await;
    world.alice_has(&[], &[]).await;
    assert_eq!(world.entries(), 1);
    assert_eq!(other.texts("C2Cy").await, ["hi"]);
}

/// What was not erased yet can be read again; what was is gone.
#[tokio::test]
async fn lifting_the_limit_gives_back_what_is_left() {
    let mut world = world().await;
    world.bob.say("C2Calice", "one").await;
    world.sweep_after(20).await;
    world.bob.say("C2Calice", "two").await;
    world.sweep_after(10).await;
    world.server.clock.advance(21 * DAY);
    assert_eq!(world.phone.texts("C2Cbob").await, [""; 0]);
    keep(&world.server, None).await;
    world.alice_has(&["C2Cbob"], &["two"]).await;
}

#[tokio::test]
async fn it_is_set_from_the_console_and_written_down() {
    let server = TestServer::start().await;
    let browser: Browser = server.console().await;
    let set = async |kept| {
        let change = json!({ "historyRetention": kept });
        let shown = browser.patch(&path("settings"), change).await.ok();
        shown["historyRetention"].clone()
    };
    assert_eq!(set(Some(30 * DAY)).await, 30 * DAY);
    assert_eq!(set(None).await, json!(null));
    let audit = browser.get("/audit?target=history-retention").await.ok();
    let changes: Vec<_> = audit["records"]
        .as_array()
        .expect("records")
        .iter()
        .map(|record| (&record["app"], &record["time"], &record["detail"]))
        .collect();
    let detail = |from, to| json!({ "from": from, "to": to });
    assert_eq!(
        changes,
        [
            (&json!(APP), &json!(START), &detail(Some(30 * DAY), None)),
            (&json!(APP), &json!(START), &detail(None, Some(30 * DAY))),
        ]
    );
}
