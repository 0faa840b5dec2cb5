//! Reaching for what belongs to others. They have a conversation and a group, whose name and messages hold a
//! secret that no answer may contain.

use serde_json::{Value, json};

use super::case::Case;
use super::ground::{ATTACKER, BYSTANDER, CLUB, Ground, SECRET};
use super::raw::Raw;
use crate::harness::{APP, Host as _, OTHER_APP, user_sig};

#[tokio::test]
async fn reaching_for_what_belongs_to_others_has_a_defined_answer() {
    Ground::new().await.face(cases()).await;
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = conversations();
    cases.extend(groups());
    let device = json!({ "deviceID": format!("{BYSTANDER}-phone") });
    cases.push(call("logging their device out", "device.logout", device).invalid("deviceID"));
    cases
}

fn call(name: &str, method: &str, params: Value) -> Case {
    Case::call(format!("others: {name}"), method, params)
}

fn conversations() -> Vec<Case> {
    let (group, pair) = (format!("GROUP{CLUB}"), format!("C2C{BYSTANDER}"));
    let (group, pair) = (group.as_str(), pair.as_str());
    let text =
        json!({ "conversationID": group, "type": "TIMTextElem", "payload": { "text": "x" } });
    let pin = json!({ "conversationID": group, "isPinned": true });
    let of = |id: &str| json!({ "conversationID": id });
    let first = |id: &str| json!({ "conversationID": id, "ID": "1-1" });
    vec![
        call("their group's conversation", "conversation.get", of(group)).refused(2500),
        call("a conversation with them", "conversation.get", of(pair)).refused(2500),
        call("their group's history", "message.list", of(group)).refused(2500),
        call("a history with them", "message.list", of(pair)).refused(2500),
        call("writing to their group", "message.send", text).refused(10007),
        call("reading their group", "conversation.read", of(group)).refused(2500),
        call("pinning their group", "conversation.pin", pin).refused(2500),
        call(
            "clearing their group",
            "conversation.clearHistory",
            of(group),
        )
        .refused(2500),
        call("revoking in their group", "message.revoke", first(group)).refused(2500),
        call("revoking what they said", "message.revoke", first(pair)).refused(2500),
    ]
}

fn groups() -> Vec<Case> {
    let group = json!({ "groupID": CLUB });
    let members = json!({ "groupID": CLUB, "userIDList": ["wilma"] });
    let taken = json!({ "groupID": CLUB, "name": "n" });
    let mut cases: Vec<_> = [
        ("their group's members", "group.memberList", &group),
        ("joining their group", "group.join", &group),
        ("quitting their group", "group.quit", &group),
        ("dissolving their group", "group.dismiss", &group),
        ("adding to their group", "group.addMember", &members),
        ("removing from their group", "group.deleteMember", &members),
    ]
    .map(|(name, method, params)| call(name, method, params.clone()).refused(10007))
    .into();
    cases.push(call("taking their group's ID", "group.create", taken).refused(10021));
    cases
}

/// What is answered with a result says nothing either.
#[tokio::test]
async fn nothing_of_others_is_in_any_answer() {
    let mut ground = Ground::new().await;
    let mut raw = ground.attacker().await;
    let mine =
        json!({ "conversationID": "C2Ctrent", "type": "TIMTextElem", "payload": { "text": "x" } });
    let mine = raw.ask("send", "message.send", &mine).await;
    assert!(mine.get("result").is_some(), "{mine}");
    let (group, theirs) = (format!("GROUP{CLUB}"), format!("C2C{BYSTANDER}"));
    let mut asked = vec![
        (
            "conversation.delete",
            json!({ "conversationIDList": [group, theirs] }),
        ),
        (
            "conversation.restore",
            json!({ "conversationIDList": [group, theirs] }),
        ),
        ("conversation.list", json!({})),
        ("group.list", json!({})),
        ("friend.list", json!({})),
        ("device.list", json!({})),
    ];
    // Pages and messages of other logs, asked for by way of one's own conversation.
    for log in 0..20 {
        let id = format!("{log}-1");
        asked.push((
            "message.list",
            json!({ "conversationID": "C2Ctrent", "nextReqMessageID": id }),
        ));
        asked.push((
            "message.revoke",
            json!({ "conversationID": "C2Ctrent", "ID": id }),
        ));
    }
    for (method, params) in asked {
        let answer = raw.ask("mine", method, &params).await.to_string();
        assert!(!answer.contains(SECRET), "{method} {params}: {answer}");
    }
    ground.bystander.round_trip().await;
}

#[tokio::test]
async fn the_cursor_of_another_starts_over_with_ones_own() {
    let ground = Ground::new().await;
    let address = ground.server.address();
    let login = |app: u32, user: &str, device: &str, cursor: Value| {
        json!({
            "sdkAppID": app, "userID": user, "userSig": user_sig(&ground.server, app, user),
            "deviceID": device, "platform": "Web", "cursor": cursor,
        })
    };
    let mut theirs = Raw::upgraded(address).await;
    let theirs = theirs
        .ask(
            "login",
            "login",
            &login(APP, BYSTANDER, "browser", Value::Null),
        )
        .await;
    assert!(
        theirs.to_string().contains(SECRET),
        "the bystander sees her own"
    );
    for (app, user) in [(APP, ATTACKER), (OTHER_APP, BYSTANDER)] {
        let mut raw = Raw::upgraded(address).await;
        let cursor = theirs["result"]["cursor"].clone();
        let answer = raw
            .ask("login", "login", &login(app, user, "browser", cursor))
            .await;
        assert_eq!(answer["result"]["reset"], true, "{answer}");
        assert_eq!(answer["result"]["conversationList"], json!([]), "{answer}");
    }
}
