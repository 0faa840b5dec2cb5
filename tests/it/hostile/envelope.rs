//! JSON that is not a request, and requests out of place.

use serde_json::{Value, json};

use chatsync::protocol::method::Call;

use super::case::{Answer, Case, request};
use super::ground::Ground;

#[tokio::test]
async fn a_bad_envelope_has_a_defined_answer() {
    Ground::new().await.face(cases()).await;
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = shapes();
    cases.extend(members());
    cases.extend(methods());
    cases.extend(before_login());
    cases
}

fn nameless(name: &str, text: impl Into<String>, field: Option<&str>) -> Case {
    let error = Answer::Error(Value::Null, -32600, field.map(Into::into));
    Case::text(format!("envelope: {name}"), text).gets(error)
}

/// Whatever is JSON and not an object.
fn shapes() -> Vec<Case> {
    let ping = request("ping", "{}");
    [
        ("a number", "1".into()),
        ("a text", "\"ping\"".into()),
        ("a long text", format!("\"{}\"", "x".repeat(60_000))),
        ("null", "null".into()),
        ("a flag", "true".into()),
        ("an empty list", "[]".into()),
        ("a batch", format!("[{ping}]")),
        ("a batch of two", format!("[{ping},{ping}]")),
        (
            "a batch of 600",
            format!("[{}{ping}]", format!("{ping},").repeat(600)),
        ),
        (
            "a list in the order of the members",
            r#"["2.0",1,"ping",{}]"#.into(),
        ),
    ]
    .map(|(name, text)| nameless(name, text, None))
    .into()
}

/// `ping` with one member replaced, or left out.
fn with(member: &str, value: Option<&str>) -> String {
    let members = [
        ("jsonrpc", "\"2.0\""),
        ("id", "1"),
        ("method", "\"ping\""),
        ("params", "{}"),
    ];
    let members: Vec<_> = members
        .into_iter()
        .filter_map(|(name, usual)| {
            let value = if name == member { value } else { Some(usual) };
            value.map(|value| format!(r#""{name}":{value}"#))
        })
        .collect();
    format!("{{{}}}", members.join(","))
}

fn members() -> Vec<Case> {
    let mut cases = Vec::new();
    let long = |length: usize| format!("\"{}\"", "i".repeat(length));
    for (name, id) in [
        ("missing", None),
        ("null", Some("null".into())),
        ("a flag", Some("true".into())),
        ("a list", Some("[1]".into())),
        ("an object", Some("{}".into())),
        ("65 bytes", Some(long(65))),
        ("60,000 bytes", Some(long(60_000))),
    ] {
        cases.push(nameless(
            &format!("id: {name}"),
            with("id", id.as_deref()),
            Some("id"),
        ));
    }
    for (name, id) in [
        ("empty", "\"\"".into()),
        ("64 bytes", long(64)),
        ("negative", "-1".into()),
    ] {
        let same = serde_json::from_str(&id).expect("an id");
        let text = with("id", Some(&id));
        cases.push(Case::text(format!("envelope: id: {name}"), text).gets(Answer::Result(same)));
    }
    for (member, values) in [
        (
            "jsonrpc",
            &[
                None,
                Some("2.0"),
                Some("\"1.0\""),
                Some("\"2\""),
                Some("null"),
                Some("[\"2.0\"]"),
            ][..],
        ),
        (
            "method",
            &[
                None,
                Some("null"),
                Some("7"),
                Some("[]"),
                Some("{}"),
                Some("true"),
            ],
        ),
        (
            "params",
            &[
                Some("[]"),
                Some("[1]"),
                Some("7"),
                Some("\"x\""),
                Some("false"),
            ],
        ),
    ] {
        for value in values {
            let name = format!("envelope: {member}: {}", value.unwrap_or("missing"));
            cases.push(Case::text(name, with(member, *value)).refused_for(-32600, member));
        }
    }
    cases.push(Case::text(
        "envelope: params: null",
        with("params", Some("null")),
    ));
    cases.push(Case::text(
        "envelope: params: missing",
        with("params", None),
    ));
    // The client answers, or repeats the server's own words.
    let result = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    cases.push(Case::text("envelope: an answer", result).refused_for(-32600, "method"));
    let push = r#"{"jsonrpc":"2.0","method":"conversation.deleted","params":{}}"#;
    cases.push(nameless("a push", push, Some("id")));
    cases.push(nameless("an empty object", "{}", Some("id")));
    cases
}

fn methods() -> Vec<Case> {
    [
        ("unknown", "conversation.destroy".into()),
        ("empty", String::new()),
        ("in capitals", "PING".into()),
        ("with a space", " ping".into()),
        ("with a dot", "ping.".into()),
        ("half a name", "conversation".into()),
        ("a reserved name", "rpc.discover".into()),
        ("a push", "conversation.deleted".into()),
        ("a path", "../../etc/passwd".into()),
        ("of 60,000 bytes", "x".repeat(60_000)),
        ("with escapes", r"\u0000\n\u202e".into()),
        ("that looks the same", "p\u{456}ng".into()),
    ]
    .map(|(name, method): (_, String)| {
        Case::text(format!("envelope: a method {name}"), request(&method, "{}")).refused(-32601)
    })
    .into()
}

/// Nothing can be had before the login, whatever the params.
fn before_login() -> Vec<Case> {
    let mut cases: Vec<_> = Call::NAMES
        .iter()
        .filter(|method| **method != "login")
        .map(|method| {
            Case::first_call(format!("envelope: before login: {method}"), method, "{}")
                .refused(2024)
        })
        .collect();
    cases.push(
        Case::first_call("envelope: before login: an unknown method", "x", "{}").refused(-32601),
    );
    cases.push(
        Case::first_call("envelope: before login: a list as params", "ping", "[]")
            .refused_for(-32600, "params"),
    );
    cases.push(Case::call("envelope: a second login", "login", json!({})).refused(2025));
    cases
}
