//! Whatever comes: random text, random bytes, and good frames spoilt at random. Nothing panics, and there is always
//! a defined result.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use chatsync::domain::app::SecretKey;
use chatsync::domain::cursor::Cursor;
use chatsync::domain::{SdkAppId, UserId};
use chatsync::engine::usersig;
use chatsync::protocol::code::Code;
use chatsync::protocol::jsonrpc;
use chatsync::protocol::method::Call;

use super::case::request;
use super::ground::{ATTACKER, Ground, discreet};
use super::raw::{FIN, Heard, PING, Raw, TEXT, frame, text_frame};
use crate::harness::{APP, START, key_of};

/// A call of every method, as it should be.
fn good_calls() -> Vec<String> {
    [
        ("login", json!({ "sdkAppID": APP, "userID": ATTACKER, "userSig": good_sig(), "deviceID": "d", "platform": "Web", "cursor": null })),
        ("ping", json!({ "ack": 1 })),
        ("conversation.list", json!({})),
        ("conversation.get", json!({ "conversationID": "C2Ctrent" })),
        ("conversation.delete", json!({ "conversationIDList": ["C2Ctrent", "GROUPg"], "clearHistoryMessage": false, "upTo": { "C2Ctrent": 1 }, "requestID": "r" })),
        ("conversation.restore", json!({ "conversationIDList": ["C2Ctrent"] })),
        ("conversation.read", json!({ "conversationID": "C2Ctrent", "upTo": 1 })),
        ("conversation.pin", json!({ "conversationID": "C2Ctrent", "isPinned": true })),
        ("conversation.sync", json!({ "cursor": "AQE" })),
        ("message.send", json!({ "conversationID": "C2Ctrent", "type": "TIMTextElem", "payload": { "text": "hi" } })),
        ("message.list", json!({ "conversationID": "C2Ctrent", "nextReqMessageID": "1-9", "count": 3 })),
        ("message.revoke", json!({ "conversationID": "C2Ctrent", "ID": "1-1" })),
        ("group.create", json!({ "groupID": "g", "name": "n", "type": "Public", "memberList": [{ "userID": "trent", "role": "Admin" }] })),
        ("group.addMember", json!({ "groupID": "g", "userIDList": ["trent"], "reason": "why" })),
        ("group.memberList", json!({ "groupID": "g", "offset": 0, "count": 10 })),
        ("friend.add", json!({ "to": "trent" })),
        ("device.list", json!({})),
    ]
    .map(|(method, params)| request(method, params))
    .into()
}

fn good_sig() -> String {
    let user = UserId::new(ATTACKER).expect("a userID");
    let key = SecretKey::new(key_of(APP));
    usersig::sign(SdkAppId(APP), &key, &user, START / 1000, 86_400)
}

/// What a spoiler does at one place.
#[derive(Debug, Clone)]
enum Spoil {
    Cut,
    Drop(usize),
    Put(Vec<u8>),
    Flip(u8),
    Repeat(usize),
}

fn spoil() -> impl Strategy<Value = (prop::sample::Index, Spoil)> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\\ud800",
        "\\u0000",
        "null",
        "1e400",
        "-0",
        "18446744073709551616",
        "\u{202e}",
        "\0",
        "[[[[",
        "true",
    ]);
    let what = prop_oneof![
        1 => Just(Spoil::Cut),
        3 => (1_usize..9).prop_map(Spoil::Drop),
        5 => token.prop_map(|token| Spoil::Put(token.into())),
        2 => prop::collection::vec(any::<u8>(), 1..5).prop_map(Spoil::Put),
        3 => (1_u8..).prop_map(Spoil::Flip),
        2 => (1_usize..40).prop_map(Spoil::Repeat),
    ];
    (any::<prop::sample::Index>(), what)
}

fn spoilt(mut bytes: Vec<u8>, spoils: &[(prop::sample::Index, Spoil)]) -> Vec<u8> {
    for (at, spoil) in spoils {
        let at = at.index(bytes.len() + 1);
        let rest = bytes.len() - at;
        match spoil {
            Spoil::Cut => bytes.truncate(at),
            Spoil::Drop(count) => drop(bytes.drain(at..at + rest.min(*count))),
            Spoil::Put(more) => drop(bytes.splice(at..at, more.iter().copied())),
            Spoil::Flip(bits) => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= bits;
                }
            }
            Spoil::Repeat(count) => {
                let again = bytes[at..at + rest.min(*count)].to_vec();
                drop(bytes.splice(at..at, again));
            }
        }
    }
    bytes
}

/// A good frame that is no longer good, most of the time.
fn spoilt_call() -> impl Strategy<Value = String> {
    (
        prop::sample::select(good_calls()),
        prop::collection::vec(spoil(), 1..5),
    )
        .prop_map(|(call, spoils)| {
            String::from_utf8_lossy(&spoilt(call.into(), &spoils)).into_owned()
        })
}

/// JSON of all kinds, in no order that anyone asked for.
fn json_ish() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| json!(text).to_string()),
        prop::sample::select(Call::NAMES).prop_map(|name| json!(name).to_string()),
    ];
    let names = prop::sample::select(vec![
        "jsonrpc",
        "id",
        "method",
        "params",
        "userID",
        "conversationID",
        "payload",
        "upTo",
        "x",
    ]);
    let value = leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5)
                .prop_map(|list| format!("[{}]", list.join(","))),
            prop::collection::vec((names.clone(), inner), 0..5).prop_map(|members| {
                let members: Vec<_> = members
                    .iter()
                    .map(|(name, value)| format!("\"{name}\":{value}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    });
    prop_oneof![
        value.clone(),
        (prop::sample::select(Call::NAMES), value)
            .prop_map(|(method, params)| request(method, params)),
        any::<String>(),
    ]
}

fn is_defined(error: &jsonrpc::ErrorObject) -> bool {
    Code::ALL.iter().any(|code| code.number == error.code) && !error.message.is_empty()
}

/// Understood, or refused with a code that the protocol has.
fn parses(text: &str) -> Result<(), TestCaseError> {
    match jsonrpc::parse(text) {
        Err((_, error)) => prop_assert!(is_defined(&error), "{error:?}"),
        Ok(request) => {
            if let Err(error) = Call::parse(&request.method, request.params) {
                prop_assert!(is_defined(&error), "{error:?}");
                let field = error.data.as_ref().map(|data| &data["field"]);
                prop_assert!(
                    error.code != -32602 || field.is_some_and(Value::is_string),
                    "{error:?}"
                );
            }
        }
    }
    Ok(())
}

/// Whatever is accepted says what was signed: the wrapping may be spoilt in ways that do not matter, and no more.
fn checks(text: &str) {
    let user = UserId::new(ATTACKER).expect("a userID");
    let keys = [SecretKey::new(key_of(APP))];
    let now = START / 1000;
    if let Ok(credential) = usersig::verify(SdkAppId(APP), &keys, &user, text, now) {
        let said = (credential.issued_at, credential.expires_at);
        assert_eq!(said, (now, now + 86_400), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn random_text_is_understood_or_refused(text in json_ish()) {
        parses(&text)?;
    }

    #[test]
    fn a_spoilt_call_is_understood_or_refused(text in spoilt_call()) {
        parses(&text)?;
    }

    #[test]
    fn random_credentials_and_cursors_are_refused(
        text in ".{0,200}",
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        spoils in prop::collection::vec(spoil(), 1..4),
    ) {
        use base64::Engine as _;
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        checks(&text);
        checks(&STANDARD.encode(&bytes));
        checks(&String::from_utf8_lossy(&spoilt(good_sig().into(), &spoils)));
        // Some decode, to whatever; none panics, and each that does is written as it was.
        for token in [text, URL_SAFE_NO_PAD.encode(&bytes)] {
            if let Ok(cursor) = Cursor::decode(&token) {
                prop_assert_eq!(cursor.encode(), token);
            }
        }
    }
}

/// Draws from a strategy as a test would, in a runtime that a test's own runner has no place for.
fn draw<T>(runner: &mut TestRunner, strategy: &impl Strategy<Value = T>) -> T {
    use proptest::strategy::ValueTree as _;
    strategy.new_tree(runner).expect("a value").current()
}

/// Every frame gets an answer of its own: nothing hangs, and nothing ends that should not.
#[tokio::test]
async fn a_live_server_answers_every_spoilt_call() {
    let mut ground = Ground::new().await;
    let mut raw = ground.attacker().await;
    let mut runner = TestRunner::default();
    let calls = prop_oneof![spoilt_call(), json_ish()];
    for _ in 0..500 {
        let call = draw(&mut runner, &calls);
        raw.send_text(&call).await;
        match answer(&mut raw).await {
            Heard::Text(answer) => {
                if answer.get("error").is_some() {
                    discreet(&answer);
                    let code = answer["error"]["code"].as_i64();
                    let is_known = Code::ALL
                        .iter()
                        .any(|known| Some(known.number.into()) == code);
                    assert!(is_known && code != Some(-32603), "{call}: {answer}");
                } else {
                    assert!(answer["result"].is_object(), "{call}: {answer}");
                }
            }
            // A logout got through, as one may.
            Heard::Closed(1000) => {}
            end => panic!("{call}: {end:?}"),
        }
        if call.contains("logout") {
            raw = ground.attacker().await;
        }
    }
    ground.bystander.round_trip().await;
}

/// The next thing said that is no push.
async fn answer(raw: &mut Raw) -> Heard {
    loop {
        match raw.hear().await {
            Heard::Text(push) if push.get("method").is_some() => {}
            heard => return heard,
        }
    }
}

/// Frames whose every byte may be wrong: answered, or closed with the code that there is for it.
#[tokio::test]
async fn a_live_server_closes_on_spoilt_frames_with_a_defined_code() {
    let mut ground = Ground::new().await;
    let mut runner = TestRunner::default();
    let frames = (
        prop::sample::select(good_calls()),
        prop::collection::vec(spoil(), 1..6),
        prop::collection::vec(any::<u8>(), 0..20),
    );
    for _ in 0..100 {
        let (call, spoils, noise) = draw(&mut runner, &frames);
        let good = [
            frame(FIN | PING, b"x"),
            text_frame(&call),
            frame(TEXT, b"{"),
        ]
        .concat();
        let mut bytes = spoilt(good, &spoils);
        bytes.extend(noise);
        // Whatever state the frames left it in: if not these, then nothing ends it.
        bytes.extend(frame(FIN | 0x7, b"").repeat(40));
        bytes.extend(vec![0xff; 70_000]);
        let raw = ground.attacker().await;
        let (_, end) = raw.send_until_closed(&bytes).await;
        let Heard::Closed(code) = end else {
            panic!("{end:?} after {bytes:.200?}");
        };
        assert!(
            [1000, 1002, 1003, 1007, 1009].contains(&code),
            "{code} after {bytes:?}"
        );
    }
    ground.bystander.round_trip().await;
}
