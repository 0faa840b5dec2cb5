//! UserSigs that are not as they should be.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use serde_json::{Value, json};

use chatsync::domain::app::SecretKey;
use chatsync::domain::{SdkAppId, UserId};
use chatsync::engine::usersig;

use super::case::{Answer, Case};
use super::ground::{ATTACKER, BYSTANDER, Ground};
use crate::harness::{APP, OTHER_APP, START, key_of};

#[tokio::test]
async fn a_bad_credential_has_a_defined_answer() {
    Ground::new().await.face(cases()).await;
}

const NOW: i64 = START / 1000;
const DAY: i64 = 86_400;

fn sign(app: u32, key: &str, user: &str, made: i64, lifetime: i64) -> String {
    let user = UserId::new(user).expect("a userID");
    usersig::sign(SdkAppId(app), &SecretKey::new(key), &user, made, lifetime)
}

fn good() -> String {
    sign(APP, &key_of(APP), ATTACKER, NOW, DAY)
}

/// A login by the attacker with this UserSig.
fn login(name: &str, user_sig: &str) -> Case {
    let params = json!({
        "sdkAppID": APP, "userID": ATTACKER, "userSig": user_sig,
        "deviceID": format!("device of {name:.40}"), "platform": "Web",
    });
    Case::first_call(format!("credentials: {name}"), "login", params)
}

/// Refused for good.
fn refused(name: &str, user_sig: &str, code: i32) -> Case {
    login(name, user_sig).gets(Answer::LastError(code, 4500))
}

fn malformed(name: &str, user_sig: &str) -> Case {
    refused(name, user_sig, 70003)
}

/// As theirs are written.
fn written(document: &[u8]) -> String {
    let mut deflated = Vec::new();
    ZlibEncoder::new(document, Compression::best())
        .read_to_end(&mut deflated)
        .expect("deflates");
    as_text(&deflated)
}

fn as_text(deflated: &[u8]) -> String {
    STANDARD
        .encode(deflated)
        .replace('+', "*")
        .replace('/', "-")
        .replace('=', "_")
}

fn bytes_of(user_sig: &str) -> Vec<u8> {
    let text = user_sig
        .replace('*', "+")
        .replace('-', "/")
        .replace('_', "=");
    STANDARD.decode(text).expect("base64")
}

/// A genuine one with a member changed after it was signed.
fn tampered(member: &str, value: Value) -> String {
    let mut text = Vec::new();
    let bytes = bytes_of(&good());
    ZlibDecoder::new(bytes.as_slice())
        .read_to_end(&mut text)
        .expect("inflates");
    let mut document: Value = serde_json::from_slice(&text).expect("JSON");
    document[member] = value;
    written(document.to_string().as_bytes())
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = texts();
    cases.extend(documents());
    cases.extend(others());
    cases.extend(times());
    cases
}

fn texts() -> Vec<Case> {
    let good = good();
    let bytes = bytes_of(&good);
    let mut bent = bytes.clone();
    let middle = bent.len() / 2;
    bent[middle] ^= 0xff;
    vec![
        malformed("empty", ""),
        malformed("one letter", "a"),
        malformed("white space", "    "),
        malformed("padding only", "____"),
        malformed("not base64", "!!!!"),
        malformed("base64 of nothing compressed", "AAAA"),
        malformed("NUL", "\0\0\0\0"),
        malformed("not ASCII", "李雷李雷"),
        malformed("white space in front", &format!(" {good}")),
        malformed("a line feed behind", &format!("{good}\n")),
        malformed("a character cut off", &good[1..]),
        malformed("a quarter", &good[..good.len() / 16 * 4]),
        malformed("half", &good[..good.len() / 8 * 4]),
        malformed("three quarters", &good[..good.len() * 3 / 16 * 4]),
        malformed("twice", &format!("{good}{good}")),
        malformed("a byte bent", &as_text(&bent)),
        malformed("its checksum cut off", &as_text(&bytes[..bytes.len() - 4])),
        malformed("4,097 bytes", &"A".repeat(4097)),
        malformed("60,000 bytes", &"A".repeat(60_000)),
        malformed("a bomb of 2 MB", &written(&vec![b' '; 2 << 20])),
        malformed("a small bomb", &written(&[b' '; 8193])),
        malformed("compressed twice", &written(&bytes)),
        malformed("a JWT", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWxsb3J5In0."),
        login("as it should be", &good),
    ]
}

fn documents() -> Vec<Case> {
    vec![
        malformed("no document", &written(b"")),
        malformed("not JSON", &written(b"{")),
        malformed("an empty object", &written(b"{}")),
        malformed("null instead", &written(b"null")),
        malformed("a list instead", &written(b"[\"2.0\"]")),
        malformed("not UTF-8", &written(b"{\"TLS.ver\":\"\xff\"}")),
        malformed("8,000 open brackets", &written(&[b'['; 8000])),
        malformed("another version", &tampered("TLS.ver", json!("1.0"))),
        malformed(
            "a version that is a number",
            &tampered("TLS.ver", json!(2.0)),
        ),
        malformed(
            "an app that is a text",
            &tampered("TLS.sdkappid", json!(APP.to_string())),
        ),
        malformed(
            "an app out of range",
            &tampered("TLS.sdkappid", json!(1_u64 << 32)),
        ),
        malformed(
            "a user that is a number",
            &tampered("TLS.identifier", json!(7)),
        ),
        malformed("a time that is a text", &tampered("TLS.time", json!("1"))),
        malformed(
            "a time out of range",
            &tampered("TLS.time", json!(u64::MAX)),
        ),
        malformed("no signature", &tampered("TLS.sig", json!(null))),
        refused("an empty signature", &tampered("TLS.sig", json!("")), 70009),
        refused(
            "a signature of its own",
            &tampered("TLS.sig", json!("AAAA")),
            70009,
        ),
        refused(
            "a longer life",
            &tampered("TLS.expire", json!(DAY * 100)),
            70009,
        ),
        refused("a later time", &tampered("TLS.time", json!(NOW + 1)), 70009),
        refused(
            "words of its own",
            &tampered("TLS.userbuf", json!("YWJj")),
            70009,
        ),
        refused(
            "another user put in",
            &tampered("TLS.identifier", json!(BYSTANDER)),
            70013,
        ),
        refused(
            "another app put in",
            &tampered("TLS.sdkappid", json!(OTHER_APP)),
            70014,
        ),
        // What is not signed is not looked at.
        login("an unknown member", &tampered("x", json!(1))),
    ]
}

fn others() -> Vec<Case> {
    let key = key_of(APP);
    let as_whom = |name: &str, app: u32, user: &str, code| {
        let params = json!({
            "sdkAppID": app, "userID": user, "userSig": good(), "deviceID": "d", "platform": "Web",
        });
        Case::first_call(format!("credentials: {name}"), "login", params)
            .gets(Answer::LastError(code, 4500))
    };
    vec![
        refused(
            "another user's",
            &sign(APP, &key, BYSTANDER, NOW, DAY),
            70013,
        ),
        refused(
            "another app's",
            &sign(OTHER_APP, &key_of(OTHER_APP), ATTACKER, NOW, DAY),
            70014,
        ),
        refused(
            "another app's key",
            &sign(APP, &key_of(OTHER_APP), ATTACKER, NOW, DAY),
            70009,
        ),
        refused("an empty key", &sign(APP, "", ATTACKER, NOW, DAY), 70009),
        refused(
            "a key too short",
            &sign(APP, &key[..key.len() - 1], ATTACKER, NOW, DAY),
            70009,
        ),
        as_whom("one's own, as another user", APP, BYSTANDER, 70013),
        as_whom("one's own, as another in capitals", APP, "MALLORY", 70013),
        as_whom(
            "one's own, as the administrator",
            APP,
            "administrator",
            70013,
        ),
        as_whom("one's own, in another app", OTHER_APP, ATTACKER, 70014),
        as_whom("an unknown app", 7, ATTACKER, 70020),
        as_whom("no app", 0, ATTACKER, 70020),
    ]
}

fn times() -> Vec<Case> {
    let signed = |made, lifetime| sign(APP, &key_of(APP), ATTACKER, made, lifetime);
    let expired = |name: &str, made, lifetime| {
        login(name, &signed(made, lifetime)).gets(Answer::LastError(70001, 4401))
    };
    vec![
        expired("expired long ago", NOW - 2 * DAY, DAY),
        expired("expired this second", NOW - DAY, DAY),
        expired("of no duration", NOW, 0),
        expired("of negative duration", NOW, -1),
        expired("of the most negative duration", NOW, i64::MIN),
        expired("made at the beginning of time", 1, DAY),
        login("good for one more second", &signed(NOW - DAY + 1, DAY)),
        login("good for ever", &signed(NOW, i64::MAX)),
        login("made by a clock that is ahead", &signed(NOW + 60, DAY)),
    ]
}
