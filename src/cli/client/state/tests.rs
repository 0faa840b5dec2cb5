use serde_json::json;

use super::super::row::tests::{conversation, message};
use super::*;
use crate::protocol::push::{
    ConversationDeleted, ConversationUpdated, DeletedConversation, MessageReceived, SyncHint,
};

fn id(text: &str) -> ConversationId {
    text.parse().unwrap()
}

fn listed(conversation_id: &str, seq: u64, unread: u64) -> ConversationEntry {
    ConversationEntry::Listed(Box::new(conversation(conversation_id, seq, unread)))
}

fn sync(version: u64, reset: bool, list: Vec<ConversationEntry>) -> Sync {
    Sync {
        version: Version(version),
        cursor: format!("c{version}"),
        reset,
        conversation_list: list,
        is_completed: true,
    }
}

/// alice's device, at version 10, with bob's conversation up to seq 5.
fn state() -> State {
    let mut state = State::new(UserId::new("alice").unwrap());
    assert_eq!(state.begin_sync(), None);
    state.page(sync(10, true, vec![listed("C2Cbob", 5, 0)]));
    state
}

fn deleted(version: u64, conversation: &str, up_to: u64) -> Push {
    Push::ConversationDeleted(ConversationDeleted {
        version: Version(version),
        conversation_list: vec![DeletedConversation {
            conversation_id: id(conversation),
            up_to: Seq(up_to),
        }],
        history_cleared: true,
        origin: None,
        time: 0,
    })
}

fn updated(version: u64, entry: ConversationEntry) -> Push {
    Push::ConversationUpdated(ConversationUpdated {
        version: Version(version),
        conversation_list: vec![entry],
        origin: None,
        time: 0,
    })
}

fn received(conversation: &str, seq: u64) -> Push {
    Push::MessageReceived(MessageReceived {
        message: message(conversation, seq, "bob"),
    })
}

fn names(state: &State) -> Vec<String> {
    let list = state.list();
    list.iter().map(|row| row.id.to_string()).collect()
}

fn pong(head: u64) -> Pong {
    Pong {
        head: Version(head),
        cursor: format!("p{head}"),
        server_time: 0,
    }
}

#[test]
fn the_next_version_applies_and_older_ones_are_ignored() {
    let mut state = state();
    assert_eq!(state.push(deleted(11, "C2Cbob", 5)).len(), 1);
    assert_eq!((state.version(), names(&state).len()), (Version(11), 0));
    assert!(state.push(updated(11, listed("C2Cbob", 5, 0))).is_empty());
    assert!(state.push(updated(3, listed("C2Cbob", 5, 0))).is_empty());
    assert!(names(&state).is_empty());
    assert_eq!(state.want(), Want::Nothing);
}

#[test]
fn a_later_version_waits_for_the_missing_one() {
    let mut state = state();
    assert!(state.push(deleted(12, "C2Cbob", 5)).is_empty());
    assert_eq!(
        (state.version(), state.want()),
        (Version(10), Want::Missing)
    );
    assert_eq!(names(&state), ["C2Cbob"]);
    let news = state.push(updated(11, listed("C2Ccarol", 1, 1)));
    assert_eq!(news.len(), 2);
    assert_eq!(
        (state.version(), state.want()),
        (Version(12), Want::Nothing)
    );
    assert_eq!(names(&state), ["C2Ccarol"]);
}

#[test]
fn the_own_answer_fills_the_gap_too_and_is_no_news() {
    let mut state = state();
    state.push(updated(12, listed("C2Ccarol", 1, 1)));
    let change = Change::Deleted {
        list: vec![(id("C2Cbob"), Seq(5))],
        cleared: true,
    };
    let news = state.own(Some(Version(11)), change);
    assert_eq!((news.len(), state.version()), (1, Version(12)));
    assert_eq!(names(&state), ["C2Ccarol"]);
}

#[test]
fn a_deletion_that_is_not_told_moves_no_version() {
    let mut state = state();
    let change = Change::Deleted {
        list: vec![(id("C2Cbob"), Seq(5))],
        cleared: true,
    };
    state.own(None, change);
    assert_eq!((state.version(), names(&state).len()), (Version(10), 0));
}

#[test]
fn messages_follow_the_same_rule_per_conversation() {
    let mut state = state();
    assert!(state.push(received("C2Cbob", 7)).is_empty());
    assert_eq!(state.want(), Want::Missing);
    assert!(state.push(received("C2Cbob", 5)).is_empty());
    assert_eq!(state.push(received("C2Cbob", 6)).len(), 2);
    assert_eq!(state.want(), Want::Nothing);
    assert_eq!(state.row(&id("C2Cbob")).unwrap().unread_count(), 2);
}

#[test]
fn the_first_news_of_a_conversation_is_taken_and_its_count_asked_for() {
    let mut state = state();
    assert_eq!(state.push(received("C2Cdave", 1)).len(), 1);
    assert_eq!(state.want(), Want::Nothing);
    assert_eq!(state.push(received("C2Ccarol", 8)).len(), 1);
    assert_eq!(state.want(), Want::Sync);
}

#[test]
fn a_message_brings_a_deleted_conversation_back() {
    let mut state = state();
    state.push(deleted(11, "C2Cbob", 5));
    assert_eq!(state.push(received("C2Cbob", 6)).len(), 1);
    assert_eq!(names(&state), ["C2Cbob"]);
}

#[test]
fn what_comes_during_a_sync_is_judged_after_it() {
    let mut state = state();
    assert_eq!(state.begin_sync(), Some("c10".into()));
    // Newer than the answer, and come before it: must not be overwritten by it.
    assert!(state.push(deleted(12, "C2Cbob", 6)).is_empty());
    // Covered by the answer.
    assert!(state.push(updated(11, listed("C2Ccarol", 1, 1))).is_empty());
    assert!(state.push(received("C2Cbob", 6)).is_empty());
    assert_eq!(state.want(), Want::Nothing);
    let page = state.page(sync(
        11,
        false,
        vec![listed("C2Cbob", 6, 1), listed("C2Ccarol", 1, 1)],
    ));
    let Page::Last(news) = page else {
        panic!("complete");
    };
    assert_eq!(news.len(), 2);
    assert_eq!(
        (state.version(), state.want()),
        (Version(12), Want::Nothing)
    );
    assert_eq!(names(&state), ["C2Ccarol"]);
}

#[test]
fn pages_are_applied_together() {
    let mut state = state();
    state.begin_sync();
    let first = Sync {
        is_completed: false,
        ..sync(12, true, vec![listed("C2Ccarol", 1, 0)])
    };
    assert!(matches!(state.page(first), Page::Next(cursor) if cursor == "c12"));
    assert_eq!(names(&state), ["C2Cbob"]);
    state.page(sync(12, true, vec![listed("C2Cdave", 1, 0)]));
    assert_eq!(names(&state), ["C2Ccarol", "C2Cdave"]);
}

#[test]
fn a_reset_forgets_even_a_higher_version() {
    let mut state = state();
    state.begin_sync();
    state.page(sync(2, true, vec![listed("C2Ccarol", 1, 0)]));
    assert_eq!(
        (state.version(), names(&state)),
        (Version(2), vec!["C2Ccarol".to_owned()])
    );
    assert_eq!(state.want(), Want::Nothing);
}

#[test]
fn a_tombstone_hides() {
    let mut state = state();
    state.begin_sync();
    let tombstone = json!({ "conversationID": "C2Cbob", "type": "C2C", "deleted": true, "upTo": 5, "historyCleared": true, "historyFloor": 5, "lastSeq": 5, "readUpTo": 5, "membership": "active" });
    state.page(sync(
        11,
        false,
        vec![serde_json::from_value(tombstone).unwrap()],
    ));
    assert!(names(&state).is_empty());
    state.push(received("C2Cbob", 6));
    assert_eq!(state.row(&id("C2Cbob")).unwrap().unread_count(), 1);
}

#[test]
fn a_sync_ends_the_waiting_whatever_it_answers() {
    let mut state = state();
    state.push(deleted(11, "C2Cbob", 5));
    // 6 was a control entry, lost: a sync tells of a deleted conversation only that it is deleted.
    let control = Message {
        is_control: true,
        ..message("C2Cbob", 7, "")
    };
    state.push(Push::MessageReceived(MessageReceived { message: control }));
    state.pong(pong(12));
    assert_eq!(state.want(), Want::Missing);
    state.begin_sync();
    state.page(sync(11, false, vec![]));
    assert_eq!(state.want(), Want::Nothing);
    assert_eq!(state.last_seq(&id("C2Cbob")), Some(Seq(7)));
}

#[test]
fn a_hint_asks_for_a_sync_and_a_pong_shows_a_lost_push() {
    let mut state = state();
    state.pong(pong(11));
    assert_eq!(state.want(), Want::Missing);
    state.push(Push::SyncHint(SyncHint { head: Version(11) }));
    assert_eq!(state.want(), Want::Sync);
    // The pong's cursor would have skipped what is missing.
    assert_eq!(state.begin_sync(), Some("c10".into()));
}

#[test]
fn a_pong_that_finds_all_well_moves_the_cursor() {
    let mut state = state();
    state.pong(pong(10));
    state.disconnected();
    assert_eq!(state.begin_sync(), Some("p10".into()));
}

#[test]
fn a_pong_does_not_move_the_cursor_past_a_missing_message() {
    let mut state = state();
    state.push(received("C2Cbob", 7));
    state.pong(pong(10));
    assert_eq!(state.begin_sync(), Some("c10".into()));
}

#[test]
fn too_much_waiting_is_dropped_for_a_sync() {
    let mut state = state();
    for version in 12..=12 + MOST_WAITING as u64 {
        state.push(deleted(version, "C2Cbob", 5));
    }
    assert_eq!(state.want(), Want::Sync);
    assert!(state.early.len() <= 1);
    state.begin_sync();
    for seq in 6..=6 + MOST_WAITING as u64 {
        state.push(received("C2Cbob", seq));
    }
    state.page(sync(11, false, vec![]));
    assert_eq!(state.want(), Want::Sync);
}
