//! At a limit, and one beyond it.

use serde_json::{Value, json};

use super::case::{Answer, Case, request};
use super::ground::Ground;
use super::raw::{FIN, PING, TEXT, frame, header, text_frame};

#[tokio::test]
async fn beyond_a_limit_there_is_a_defined_answer() {
    Ground::new().await.face(cases()).await;
}

/// `limits.message_bytes` as it ships.
const MESSAGE: usize = 64 * 1024;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = frames();
    cases.extend(params());
    cases.extend(users());
    cases.extend(marks());
    cases
}

/// A ping of exactly so many bytes.
fn ping_of(length: usize) -> String {
    let ping = request("ping", r#"{"x":""}"#);
    ping.replace("\"\"", &format!("\"{}\"", "x".repeat(length - ping.len())))
}

fn frames() -> Vec<Case> {
    let too_big = |name: &str, bytes: Vec<u8>| {
        Case::frames(format!("sizes: {name}"), bytes).gets(Answer::Close(1009))
    };
    let in_parts = |text: &str, size: usize| -> Vec<u8> {
        let parts: Vec<_> = text.as_bytes().chunks(size).collect();
        let last = parts.len() - 1;
        let parts = parts.into_iter().enumerate();
        let parts = parts.map(|(at, part)| {
            frame(
                (u8::from(at == 0) * TEXT) | (u8::from(at == last) * FIN),
                part,
            )
        });
        parts.flatten().collect()
    };
    // The server need not see it to know.
    let promised = |first: u8, length: u64| [header(first, length, true), vec![0; 4]].concat();
    vec![
        Case::frames("sizes: the largest message", text_frame(&ping_of(MESSAGE))),
        Case::frames(
            "sizes: the largest message in two parts",
            in_parts(&ping_of(MESSAGE), MESSAGE / 2),
        ),
        Case::frames(
            "sizes: the largest message in parts of a byte",
            in_parts(&ping_of(MESSAGE), 1),
        ),
        too_big(
            "a message a byte too long",
            text_frame(&ping_of(MESSAGE + 1)),
        ),
        too_big(
            "a message a byte too long, in parts",
            in_parts(&ping_of(MESSAGE + 1), 1000),
        ),
        too_big("a message of 1 MB", text_frame(&ping_of(1 << 20))),
        too_big(
            "a header that promises a byte too much",
            promised(FIN | TEXT, MESSAGE as u64 + 1),
        ),
        too_big("a header that promises 4 GB", promised(FIN | TEXT, 1 << 32)),
        too_big(
            "a header that promises everything",
            promised(FIN | TEXT, u64::MAX),
        ),
        too_big("a ping that promises 4 GB", promised(FIN | PING, 1 << 32)),
        too_big(
            "endless parts",
            in_parts(&"x".repeat(2 * MESSAGE), MESSAGE / 4),
        ),
    ]
}

fn call(name: &str, method: &str, params: Value) -> Case {
    Case::call(format!("sizes: {name}"), method, params)
}

/// So many different names.
fn names(count: usize, prefix: &str) -> Vec<String> {
    (0..count)
        .map(|number| format!("{prefix}{number}"))
        .collect()
}

fn params() -> Vec<Case> {
    let deletions = |count: usize| json!({ "conversationIDList": names(count, "C2Cu") });
    let message = |length: usize| {
        let around = json!({ "text": "" }).to_string().len();
        json!({
            "conversationID": "C2Ctrent", "type": "TIMTextElem",
            "payload": { "text": "x".repeat(length - around) },
        })
    };
    let group = |length: usize| json!({ "name": "n".repeat(length) });
    let requested = |length: usize| json!({ "conversationIDList": ["C2Cnobody"], "requestID": "r".repeat(length) });
    let long_id = json!({ "conversationIDList": ["x".repeat(60_000)] });
    let long_cursor = json!({ "cursor": "A".repeat(60_000) });
    vec![
        call("a payload of 8 KB", "message.send", message(8192)),
        call(
            "a payload of 8 KB and a byte",
            "message.send",
            message(8193),
        )
        .refused(93000),
        call("a payload of 60,000 bytes", "message.send", message(60_000)).refused(93000),
        call("100 deletions", "conversation.delete", deletions(100)),
        call("101 deletions", "conversation.delete", deletions(101)).invalid("conversationIDList"),
        call("5,000 deletions", "conversation.delete", deletions(5000))
            .invalid("conversationIDList"),
        call("101 restorations", "conversation.restore", deletions(101))
            .invalid("conversationIDList"),
        call("an ID of 60,000 bytes", "conversation.delete", long_id),
        call("a group's name of 100 bytes", "group.create", group(100)),
        call("a group's name of 101 bytes", "group.create", group(101)).invalid("name"),
        call(
            "a requestID of 64 bytes",
            "conversation.delete",
            requested(64),
        ),
        call(
            "a requestID of 65 bytes",
            "conversation.delete",
            requested(65),
        )
        .invalid("requestID"),
        call("a cursor of 60,000 bytes", "conversation.sync", long_cursor),
    ]
}

fn users() -> Vec<Case> {
    let users = |count: usize| json!({ "groupID": "none", "userIDList": names(count, "u") });
    let reason = |length: usize| json!({ "groupID": "none", "userIDList": ["a"], "reason": "r".repeat(length) });
    vec![
        call("500 members", "group.addMember", users(500)).refused(10010),
        call("501 members", "group.addMember", users(501)).invalid("userIDList"),
        call("501 members to remove", "group.deleteMember", users(501)).invalid("userIDList"),
        call("a long reason", "group.deleteMember", reason(1024)).refused(10010),
        call("a reason too long", "group.deleteMember", reason(1025)).invalid("reason"),
        call("100 former friends", "friend.delete", users(100)),
        call("101 former friends", "friend.delete", users(101)).invalid("userIDList"),
    ]
}

/// Numbers that are larger than anything they could stand for.
fn marks() -> Vec<Case> {
    let here = |name: &str, method: &str, member: &str, value: Value| {
        call(
            name,
            method,
            json!({ "conversationID": "C2Ctrent", member: value }),
        )
    };
    let before = format!("1-{}", u64::MAX);
    let revoked = format!("{}-{}", i64::MAX, u64::MAX);
    let deleted = json!({ "conversationIDList": ["C2Ctrent"], "upTo": { "C2Ctrent": u64::MAX } });
    vec![
        call("a mark beyond everything", "conversation.delete", deleted),
        here(
            "a read mark beyond everything",
            "conversation.read",
            "upTo",
            json!(u64::MAX),
        ),
        here(
            "a page before everything",
            "message.list",
            "nextReqMessageID",
            json!(before),
        ),
        here(
            "a message beyond everything",
            "message.revoke",
            "ID",
            json!(revoked),
        )
        .refused(2110),
    ]
}
