//! *Sync Conversation Deletion Across Clients*: the whole of design section 3's table, on and off.

use serde_json::json;

use crate::harness::{Entry, ServerProcess, TestDevice, TestServer};

/// Bob has written to Alice, who has two devices.
async fn world(server: &TestServer) -> (TestDevice, TestDevice, TestDevice) {
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    let mut bob = server.device("bob", "phone").await;
    bob.say("C2Calice", "hi").await;
    phone.lists_only(&["C2Cbob"]).await;
    laptop.lists_only(&["C2Cbob"]).await;
    (phone, laptop, bob)
}

#[tokio::test]
async fn it_is_off_by_default() {
    let server = TestServer::start().await;
    let (mut phone, ..) = world(&server).await;
    let login = phone.try_login(&server).await.expect("logged in");
    assert_eq!(login["features"]["syncConversationDeletion"], false);
    phone.resume(&server).await;
    assert!(!phone.delete(&["C2Cbob"]).await.synced);

    server.set_switch(true).await;
    let login = phone.try_login(&server).await.expect("logged in");
    assert_eq!(login["features"]["syncConversationDeletion"], true);
}

#[tokio::test]
async fn off_the_version_does_not_move() {
    let server = TestServer::start().await;
    let (mut phone, mut laptop, _) = world(&server).await;
    let version = phone.head().await;
    let answer = phone.delete(&["C2Cbob"]).await;
    assert_eq!((answer.version, answer.synced), (version, false));
    assert_eq!(answer.results[0].code, 0);
    assert_eq!(
        (phone.head().await, laptop.head().await),
        (version, version)
    );
}

#[tokio::test]
async fn off_a_connected_sibling_is_not_told() {
    let server = TestServer::start().await;
    let (mut phone, mut laptop, _) = world(&server).await;
    phone.delete(&["C2Cbob"]).await;
    laptop.sees_nothing_more().await;
    laptop.lists_only(&["C2Cbob"]).await;
    phone.lists_only(&[]).await;
}

#[tokio::test]
async fn off_a_sibling_that_was_away_is_not_told() {
    let server = TestServer::start().await;
    let (mut phone, mut laptop, _) = world(&server).await;
    laptop.leave().await;
    phone.delete(&["C2Cbob"]).await;
    let answer = laptop.resume(&server).await;
    assert!(!answer.reset);
    assert!(
        !answer
            .entries
            .iter()
            .any(|entry| matches!(entry, Entry::Deleted(_))),
        "{answer:?}"
    );
    laptop.lists_only(&["C2Cbob"]).await;
}

#[tokio::test]
async fn off_the_accounts_state_changes_all_the_same() {
    let server = TestServer::start().await;
    let (mut phone, mut laptop, _) = world(&server).await;
    phone.delete(&["C2Cbob"]).await;
    server.fresh_device("alice").await.lists_only(&[]).await;
    // Whoever still shows it can't pull the cleared history again.
    assert_eq!(laptop.texts("C2Cbob").await, [""; 0]);
}

#[tokio::test]
async fn on_every_sibling_is_told() {
    let server = TestServer::synced().await;
    let (mut phone, mut laptop, _) = world(&server).await;
    let mut tablet = server.device("alice", "tablet").await;
    tablet.leave().await;
    let version = phone.head().await;

    let answer = phone.delete(&["C2Cbob"]).await;
    assert_eq!((answer.version, answer.synced), (version + 1, true));
    laptop.sees_deleted(&["C2Cbob"]).await;
    laptop.sees_nothing_more().await;

    let caught_up = tablet.resume(&server).await;
    assert_eq!(caught_up.version, version + 1);
    assert!(matches!(caught_up.entry("C2Cbob"), Entry::Deleted(stone) if stone.history_cleared));
    tablet.lists_only(&[]).await;
    server.fresh_device("alice").await.lists_only(&[]).await;
}

/// Of so many only the first are written at once; the others are as well, and not only once their tasks wake for another
/// reason.
#[tokio::test]
async fn on_very_many_siblings_are_all_told_in_order() {
    let server =
        TestServer::synced_with(|settings| settings.server.login_timeout_ms = 60_000).await;
    let (mut phone, mut laptop, mut bob) = world(&server).await;
    bob.say("C2Calice", "hi again").await;
    let mut others = Vec::new();
    for number in 0..90 {
        others.push(server.device("alice", &format!("tablet{number}")).await);
    }
    laptop.lists_only(&["C2Cbob"]).await;
    phone.delete(&["C2Cbob"]).await;
    phone.restore(&["C2Cbob"]).await;
    phone.delete(&["C2Cbob"]).await;
    for device in others.iter_mut().chain([&mut laptop]) {
        device.sees_deleted(&["C2Cbob"]).await;
        device.lists_only(&[]).await;
    }
}

#[tokio::test]
async fn a_deletion_made_while_on_is_told_even_if_switched_off_since() {
    let server = TestServer::synced().await;
    let (mut phone, mut laptop, _) = world(&server).await;
    laptop.leave().await;
    phone.delete(&["C2Cbob"]).await;
    server.set_switch(false).await;
    laptop.resume(&server).await;
    laptop.lists_only(&[]).await;
}

/// Off: the phone deletes what the laptop shows, and a tablet logs in after. Then it is switched on.
async fn deleted_while_off() -> (TestServer, TestDevice, TestDevice, TestDevice, TestDevice) {
    let server = TestServer::start().await;
    let (mut phone, laptop, bob) = world(&server).await;
    phone.delete(&["C2Cbob"]).await;
    let mut tablet = server.device("alice", "tablet").await;
    tablet.lists_only(&[]).await;
    server.set_switch(true).await;
    (server, phone, laptop, tablet, bob)
}

/// What the laptop shows stays, what the others don't show doesn't come, whether connected or not.
async fn stays_untold(server: &TestServer, shows: &mut TestDevice, do_not: &mut [&mut TestDevice]) {
    shows.lists_only(&["C2Cbob"]).await;
    shows.leave().await;
    let answer = shows.resume(server).await;
    assert!(
        !answer
            .entries
            .iter()
            .any(|entry| matches!(entry, Entry::Deleted(_))),
        "{answer:?}"
    );
    shows.lists_only(&["C2Cbob"]).await;
    for device in do_not {
        device.lists_only(&[]).await;
        device.leave().await;
        device.resume(server).await;
        device.lists_only(&[]).await;
    }
    server.fresh_device("alice").await.lists_only(&[]).await;
}

#[tokio::test]
async fn a_deletion_made_while_off_stays_untold() {
    let (server, mut phone, mut laptop, mut tablet, _) = deleted_while_off().await;
    laptop.sees_nothing_more().await;
    stays_untold(&server, &mut laptop, &mut [&mut phone, &mut tablet]).await;
}

#[tokio::test]
async fn it_stays_untold_when_the_conversation_is_read() {
    let (server, mut phone, mut laptop, mut tablet, _) = deleted_while_off().await;
    laptop.mark_read("C2Cbob").await;
    stays_untold(&server, &mut laptop, &mut [&mut phone, &mut tablet]).await;
}

#[tokio::test]
async fn it_stays_untold_when_the_conversation_is_pinned() {
    let (server, mut phone, mut laptop, mut tablet, _) = deleted_while_off().await;
    // The laptop still shows it, so its user may well pin it.
    // Refused or not, it gives nothing away.
    let params = json!({ "conversationID": "C2Cbob", "isPinned": true });
    drop(laptop.call("conversation.pin", params).await);
    stays_untold(&server, &mut laptop, &mut [&mut phone, &mut tablet]).await;
}

#[tokio::test]
async fn it_stays_untold_while_other_deletions_are_told() {
    let (server, mut phone, mut laptop, mut tablet, _) = deleted_while_off().await;
    phone.create_group("team", &[]).await;
    phone.say("GROUPteam", "hello").await;
    phone.delete(&["GROUPteam"]).await;
    laptop.sees_deleted(&["GROUPteam"]).await;
    stays_untold(&server, &mut laptop, &mut [&mut phone, &mut tablet]).await;
}

#[tokio::test]
async fn a_new_message_brings_it_back_everywhere() {
    let (server, mut phone, mut laptop, mut tablet, mut bob) = deleted_while_off().await;
    bob.say("C2Calice", "news").await;
    for device in [&mut phone, &mut laptop, &mut tablet] {
        device.sees_message("news").await;
        device.lists_only(&["C2Cbob"]).await;
        device.leave().await;
        device.resume(&server).await;
        device.lists_only(&["C2Cbob"]).await;
        assert_eq!(device.texts("C2Cbob").await, ["news"]);
    }
}

#[tokio::test]
async fn deleting_again_once_it_is_on_is_told() {
    let (_server, mut phone, mut laptop, mut tablet, _) = deleted_while_off().await;
    phone.delete(&["C2Cbob"]).await;
    laptop.sees_deleted(&["C2Cbob"]).await;
    laptop.lists_only(&[]).await;
    tablet.lists_only(&[]).await;
}

#[tokio::test]
async fn what_the_answers_say_was_told_is_what_was_told() {
    let server = TestServer::synced().await;
    let (mut phone, mut laptop, _) = world(&server).await;
    let mut groups = Vec::new();
    for number in 0..40 {
        let group = format!("g{number}");
        phone.create_group(&group, &[]).await;
        phone.say(&format!("GROUP{group}"), "first").await;
        groups.push(format!("GROUP{group}"));
    }
    laptop.settle().await;
    let version = phone.head().await;

    // Deletions one after the other, while the switch goes off and on.
    let deleting = async {
        let mut told = Vec::new();
        for group in &groups {
            if phone.delete(&[group]).await.synced {
                told.push(group.clone());
            }
        }
        told
    };
    let switching = async {
        for round in 0..20 {
            server.set_switch(round % 2 == 1).await;
        }
        server.set_switch(false).await;
    };
    let (told, ()) = tokio::join!(deleting, switching);

    // After "off" was acknowledged, nothing more is told.
    assert!(!phone.delete(&["C2Cbob"]).await.synced);
    let seen: Vec<String> = laptop
        .untold()
        .await
        .iter()
        .flat_map(|push| {
            push.conversations()
                .into_iter()
                .map(String::from)
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(seen, told);
    assert_eq!(laptop.head().await, version + told.len() as u64);
}

#[tokio::test]
async fn the_command_line_switches_a_running_server() {
    let server = ServerProcess::start().await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    let mut bob = server.device("bob", "phone").await;
    bob.say("C2Calice", "hi").await;
    phone.settle().await;
    laptop.settle().await;

    assert!(!phone.delete(&["C2Cbob"]).await.synced);
    laptop.sees_nothing_more().await;

    server.set_switch(true).await;
    assert!(phone.delete(&["C2Cbob"]).await.synced);
    laptop.sees_deleted(&["C2Cbob"]).await;

    server.set_switch(false).await;
    assert!(!phone.delete(&["C2Cbob"]).await.synced);
    laptop.sees_nothing_more().await;
}
