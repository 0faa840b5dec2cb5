//! Identifiers: what is refused, and what looks odd and is kept byte for byte.

use serde_json::{Value, json};

use super::case::Case;
use super::ground::Ground;
use super::raw::Raw;
use crate::harness::{APP, Host as _, user_sig};

#[tokio::test]
async fn a_bad_id_has_a_defined_answer() {
    Ground::new().await.face(cases()).await;
}

/// Taken, told and kept as they are: in the order of the bytes no two are the same.
const ODD: &[(&str, &str)] = &[
    ("composed", "caf\u{e9}"),
    ("decomposed", "cafe\u{301}"),
    ("in capitals", "BOB"),
    ("in small letters", "bob"),
    ("a space", " "),
    ("a space behind", "bob "),
    ("a no-break space", "\u{a0}"),
    ("right to left", "\u{202e}nimda"),
    ("isolated", "\u{2066}a\u{2069}"),
    ("a zero-width space", "a\u{200b}b"),
    ("a byte order mark", "\u{feff}a"),
    ("four bytes", "\u{1f600}"),
    ("a family", "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}"),
    ("the last character", "\u{10ffff}"),
    ("a noncharacter", "\u{ffff}"),
    ("a replacement", "\u{fffd}"),
    ("a line separator", "a\u{2028}b"),
    ("Han", "李雷"),
    ("Cyrillic that looks Latin", "\u{430}dmin"),
    ("a dotless i", "I\u{131}i\u{130}"),
    ("a path", "../../etc/passwd"),
    ("a path on Windows", r"..\..\boot.ini"),
    ("a dot", "."),
    ("SQL that drops", "'; DROP TABLE account; --"),
    ("SQL that unites", "' OR 1=1 UNION SELECT * FROM app--"),
    ("SQL's wildcards", "%_*?[a-z]"),
    ("a quote", "\"'`"),
    ("JSON", "{\"a\":[1]}"),
    ("HTML", "<script>alert(1)</script>"),
    ("a format", "{0}%s%n${x}"),
    ("a log4j look-up", "${jndi:ldap://x/a}"),
    ("a number", "0"),
    ("null", "null"),
    ("a prefix of its own", "C2CGROUP@TIM#SYSTEM"),
    ("percent encoding", "%00%2e%2e"),
];

/// Refused everywhere.
fn control_characters() -> impl Iterator<Item = (&'static str, char)> {
    [
        ("NUL", '\0'),
        ("a bell", '\u{7}'),
        ("a tab", '\t'),
        ("a line feed", '\n'),
        ("a carriage return", '\r'),
        ("an escape", '\u{1b}'),
        ("a delete", '\u{7f}'),
        ("a next line", '\u{85}'),
        ("the last of C1", '\u{9f}'),
    ]
    .into_iter()
}

pub(super) fn cases() -> Vec<Case> {
    // Method, the field its ID is in, what is in front of it, and the most bytes it may have.
    let places = [
        ("friend.add", "to", "", 64),
        ("group.join", "groupID", "", 48),
        ("conversation.get", "conversationID", "C2C", 64),
        ("conversation.get", "conversationID", "GROUP", 48),
        ("device.logout", "deviceID", "", 64),
    ];
    let mut cases = Vec::new();
    for (method, field, prefix, most) in places {
        let call = |name: &str, id: &str| {
            let params = json!({ field: format!("{prefix}{id}") });
            Case::call(format!("ids: {method} {prefix}: {name}"), method, params)
        };
        for (name, character) in control_characters() {
            cases.push(call(&format!("with {name}"), &format!("a{character}b")).invalid(field));
        }
        cases.push(call("empty", "").invalid(field));
        cases.push(call("a byte too long", &"x".repeat(most + 1)).invalid(field));
        let emoji = "\u{1f600}".repeat(most / 4);
        cases.push(
            call(
                "a byte too long in characters of four",
                &format!("{emoji}x"),
            )
            .invalid(field),
        );
        cases.push(call("60,000 bytes", &"x".repeat(60_000)).invalid(field));
        let longest = call("as long as may be", &emoji);
        cases.push(match method {
            "friend.add" => longest,
            "group.join" => longest.refused(10010),
            "device.logout" => longest.invalid(field),
            _ => longest.refused(2500),
        });
    }
    for (name, id) in ODD {
        let params = json!({ "to": id });
        cases.push(Case::call(
            format!("ids: odd: {name}"),
            "friend.add",
            params,
        ));
    }
    cases
}

/// An answer that has to be a result.
async fn ok(raw: &mut Raw, method: &str, params: Value) -> Value {
    let answer = raw.ask("ok", method, &params).await;
    assert!(
        answer.get("result").is_some(),
        "{method} {params}: {answer}"
    );
    answer["result"].clone()
}

/// The texts called `field` in a list of objects.
fn column<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let list = list.as_array().expect("a list");
    list.iter().filter_map(|one| one[field].as_str()).collect()
}

#[tokio::test]
async fn odd_ids_are_kept_byte_for_byte() {
    let ground = Ground::new().await;
    let mut raw = ground.attacker().await;
    for (name, id) in ODD {
        let pair = format!("C2C{id}");
        let sent =
            json!({ "conversationID": pair, "type": "TIMTextElem", "payload": { "text": id } });
        let sent = ok(&mut raw, "message.send", sent).await;
        assert_eq!(sent["message"]["conversationID"], pair, "{name}");
        assert_eq!(sent["message"]["payload"]["text"], *id, "{name}");
        let group = ok(
            &mut raw,
            "group.create",
            json!({ "groupID": id, "name": id }),
        )
        .await;
        assert_eq!(group["group"]["groupID"], *id, "{name}");
        assert_eq!(group["group"]["name"], *id, "{name}");
        // Only what was said lists a group.
        let said = json!({ "conversationID": format!("GROUP{id}"), "type": "TIMTextElem", "payload": { "text": id } });
        ok(&mut raw, "message.send", said).await;
        ok(&mut raw, "friend.add", json!({ "to": id })).await;
    }
    let mut expected: Vec<_> = ODD.iter().map(|(_, id)| *id).collect();
    expected.sort_unstable();
    let friends = ok(&mut raw, "friend.list", json!({})).await;
    let mut friends = column(&friends["friendList"], "userID");
    friends.sort_unstable();
    assert_eq!(friends, expected);
    let list = ok(&mut raw, "conversation.list", json!({})).await;
    let listed = column(&list["conversationList"], "conversationID");
    for (name, id) in ODD {
        for prefix in ["C2C", "GROUP"] {
            let id = format!("{prefix}{id}");
            assert!(listed.contains(&id.as_str()), "{name}: {id}");
            let got = ok(
                &mut raw,
                "conversation.get",
                json!({ "conversationID": id }),
            )
            .await;
            assert_eq!(got["conversation"]["conversationID"], id, "{name}");
        }
    }
}

#[tokio::test]
async fn odd_accounts_and_devices_log_in_as_themselves() {
    let ground = Ground::new().await;
    let mut writer = ground.attacker().await;
    for (name, id) in ODD {
        let mut raw = Raw::upgraded(ground.server.address()).await;
        let login = json!({
            "sdkAppID": APP, "userID": id, "userSig": user_sig(&ground.server, APP, id),
            "deviceID": id, "platform": "Web",
        });
        ok(&mut raw, "login", login).await;
        let devices = ok(&mut raw, "device.list", json!({})).await;
        assert_eq!(column(&devices["deviceList"], "deviceID"), [*id], "{name}");
        // What is written to this very name reaches this very account, and it alone.
        let text = json!({ "conversationID": format!("C2C{id}"), "type": "TIMTextElem", "payload": { "text": id } });
        ok(&mut writer, "message.send", text).await;
        let list = ok(&mut raw, "conversation.list", json!({})).await;
        let list = list["conversationList"].as_array().expect("a list");
        assert_eq!(list.len(), 1, "{name}: {list:?}");
        assert_eq!(list[0]["lastMessage"]["payload"]["text"], *id, "{name}");
    }
}
