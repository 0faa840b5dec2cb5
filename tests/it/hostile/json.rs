//! Text that is not JSON, or JSON at the edge of what can be said in it.

use serde_json::json;

use super::case::{Answer, Case, request};
use super::ground::Ground;

#[tokio::test]
async fn bad_json_has_a_defined_answer() {
    Ground::new().await.face(cases()).await;
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = syntax();
    cases.extend(nesting());
    cases.extend(numbers());
    cases.extend(texts());
    cases.extend(members());
    cases
}

/// Nothing can be answered to but null.
fn not_json(name: &str, text: impl Into<String>) -> Case {
    Case::text(format!("json: {name}"), text).gets(Answer::Error(json!(null), -32700, None))
}

/// JSON, from which no id could be read.
fn not_a_request(name: &str, text: impl Into<String>) -> Case {
    Case::text(format!("json: {name}"), text).gets(Answer::Error(json!(null), -32600, None))
}

fn bad_id(name: &str, id: &str) -> Case {
    let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
    Case::text(format!("json: id: {name}"), text).gets(Answer::Error(
        json!(null),
        -32600,
        Some("id".into()),
    ))
}

fn good_id(name: &str, id: &str) -> Case {
    let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
    let id = serde_json::from_str(id).expect("an id");
    Case::text(format!("json: id: {name}"), text).gets(Answer::Result(id))
}

fn ack(name: &str, ack: &str) -> Case {
    Case::call(
        format!("json: ack: {name}"),
        "ping",
        format!(r#"{{"ack":{ack}}}"#),
    )
}

fn syntax() -> Vec<Case> {
    let ping = request("ping", "{}");
    [
        ("nothing", String::new()),
        ("white space", " \t\r\n ".into()),
        ("a brace", "{".into()),
        ("a closing brace", "}".into()),
        ("cut short", ping[..ping.len() - 1].into()),
        ("cut in a text", r#"{"jsonrpc":"2.0","id":"a"#.into()),
        ("a trailing comma", ping.replace("}}", "},}")),
        ("a leading comma", ping.replacen('{', "{,", 1)),
        ("a missing colon", ping.replacen(':', " ", 1)),
        ("single quotes", ping.replace('"', "'")),
        ("unquoted keys", ping.replace(r#""id""#, "id")),
        ("a comment", format!("/* hi */{ping}")),
        ("trailing garbage", format!("{ping}x")),
        ("two requests", format!("{ping}{ping}")),
        ("two requests by line", format!("{ping}\n{ping}")),
        ("a byte order mark", format!("\u{feff}{ping}")),
        ("a NUL in front", format!("\0{ping}")),
        ("a NUL behind", format!("{ping}\0")),
        ("a NUL in a text", ping.replace("ping", "pi\0ng")),
        ("a line feed in a text", ping.replace("ping", "pi\nng")),
        ("a tab in a text", ping.replace("ping", "pi\tng")),
        ("no-break space", format!("\u{a0}{ping}")),
        ("a form feed", format!("\u{c}{ping}")),
        ("an unknown escape", ping.replace("ping", r"pi\xng")),
        ("half an escape", ping.replace("ping", r"pi\u12")),
        ("an escape that is no number", ping.replace("ping", r"pi\uzzzz")),
        ("not a number", ping.replace('1', "NaN")),
        ("infinity", ping.replace('1', "Infinity")),
        ("a leading zero", ping.replace(":1", ":01")),
        ("a plus sign", ping.replace(":1", ":+1")),
        ("no digit before the point", ping.replace(":1", ":.5")),
        ("no digit after the point", ping.replace(":1", ":1.")),
        ("no exponent", ping.replace(":1", ":1e")),
        ("a minus alone", ping.replace(":1", ":-")),
        ("hexadecimal", ping.replace(":1", ":0x10")),
        ("undefined", ping.replace(":1", ":undefined")),
        ("a capital True", ping.replace(":1", ":True")),
        ("SQL", "'; DROP TABLE account; --".into()),
        ("XML", "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>".into()),
        ("HTTP", "GET /ws HTTP/1.1\r\n\r\n".into()),
    ]
    .map(|(name, text)| not_json(name, text))
    .into()
}

fn nesting() -> Vec<Case> {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    // A list or an object of the greatest depth that one frame holds.
    let deep = 30_000;
    vec![
        not_json("60,000 open brackets", "[".repeat(60_000)),
        not_json("10,000 open objects", r#"{"a":"#.repeat(10_000)),
        not_a_request("30,000 lists in each other", nested(deep)),
        Case::text("json: 100,000 open brackets", "[".repeat(100_000)).gets(Answer::Close(1009)),
        bad_id("deep", &nested(deep)),
        bad_id("deep objects", &objects(9_000)),
        ack("deep", &nested(deep)).invalid("ack"),
        Case::call("json: deep params", "ping", nested(deep)).refused_for(-32600, "params"),
        // What no method knows is skipped, however deep.
        Case::call(
            "json: deep and unknown",
            "ping",
            format!(r#"{{"x":{}}}"#, nested(deep)),
        ),
        Case::call(
            "json: deep in a list",
            "conversation.delete",
            format!(r#"{{"conversationIDList":[{}]}}"#, nested(deep)),
        )
        .invalid("conversationIDList[0]"),
        payload("deep", &nested(4_000)).refused(90007),
        payload("a little too deep", &nested(32)).refused(90007),
        payload("not too deep", &nested(31)),
    ]
}

fn numbers() -> Vec<Case> {
    vec![
        good_id("the largest", "9223372036854775807"),
        good_id("the smallest", "-9223372036854775808"),
        good_id("zero", "0"),
        good_id("text", "\"\\u0000\\ud83d\\ude00\""),
        bad_id("beyond the largest", "9223372036854775808"),
        bad_id("a fraction", "1.5"),
        bad_id("a whole fraction", "1.0"),
        bad_id("an exponent", "1e2"),
        bad_id("negative zero", "-0"),
        bad_id("1e400", "1e400"),
        bad_id("400 digits", &"9".repeat(400)),
        ack("the largest", "18446744073709551615"),
        ack("none", "null"),
        ack("beyond the largest", "18446744073709551616").invalid("ack"),
        ack("1e400", "1e400").invalid("ack"),
        ack("1e-400", "1e-400").invalid("ack"),
        ack("negative zero", "-0").invalid("ack"),
        ack("10,000 digits", &"9".repeat(10_000)).invalid("ack"),
        ack("a long fraction", &format!("0.{}", "3".repeat(10_000))).invalid("ack"),
        ack("a huge exponent", &format!("1e{}", "9".repeat(1_000))).invalid("ack"),
        // Receivers could not read the frame it would come in.
        payload("1e400", "1e400").refused(90007),
        payload("1e-400", "1e-400"),
        payload("18 digits", "123456789012345678"),
        payload("100 digits", &"9".repeat(100)),
    ]
}

fn texts() -> Vec<Case> {
    let get = |name: &str, id: &str| {
        let params = format!(r#"{{"conversationID":"{id}"}}"#);
        Case::call(format!("json: text: {name}"), "conversation.get", params)
    };
    vec![
        bad_id("a lone surrogate", r#""\ud800""#),
        Case::text(
            "json: a lone surrogate in the method",
            request(r"\ud800", "{}"),
        )
        .refused_for(-32600, "method"),
        get("a lone leading surrogate", r"C2C\ud83d").invalid("conversationID"),
        get("a lone trailing surrogate", r"C2C\ude00").invalid("conversationID"),
        get("surrogates the wrong way round", r"C2C\ude00\ud83d").invalid("conversationID"),
        get("surrogates as they should be", r"C2C\ud83d\ude00").refused(2500),
        get("an escaped NUL", r"C2C\u0000").invalid("conversationID"),
        get("an escaped line feed", r"C2C\n").invalid("conversationID"),
        get("escaped letters", r"\u0043\u0032\u0043bob").refused(2500),
        get("an escaped solidus", r"C2C\/").refused(2500),
        get("a noncharacter", "C2C\u{ffff}").refused(2500),
        payload("a lone surrogate", r#""\ud800""#).refused(90007),
        payload("a lone surrogate in a key", r#"{"\udfff":1}"#).refused(90007),
        payload("an escaped NUL", r#""\u0000""#),
        payload("all planes", "\"\u{1f600}\u{10ffff}\u{ffff}\""),
    ]
}

fn members() -> Vec<Case> {
    let ping = request("ping", "{}");
    let twice = |name: &str, member: &str| {
        let text = ping.replacen('{', &format!("{{{member},"), 1);
        not_a_request(name, text)
    };
    vec![
        twice("jsonrpc twice", r#""jsonrpc":"2.0""#),
        twice("id twice", r#""id":2"#),
        twice("method twice", r#""method":"logout""#),
        twice("params twice", r#""params":{}"#),
        Case::text(
            "json: an unknown member twice",
            ping.replacen('{', r#"{"x":1,"x":2,"#, 1),
        ),
        Case::text(
            "json: an escaped member",
            ping.replace("method", r"m\u0065thod"),
        ),
        Case::text(
            "json: white space everywhere",
            ping.replace(':', " :\r\n\t"),
        ),
        Case::call("json: a param twice", "ping", r#"{"ack":1,"ack":2}"#).invalid("ack"),
        Case::call(
            "json: prototype pollution",
            "ping",
            r#"{"__proto__":{"ack":7},"constructor":{}}"#,
        ),
        Case::call("json: 7,000 unknown params", "ping", many_members(7_000)),
        Case::call(
            "json: 5,000 marks",
            "conversation.delete",
            format!(
                r#"{{"conversationIDList":["C2Cnobody"],"upTo":{}}}"#,
                many_members(5_000)
            ),
        ),
    ]
}

fn many_members(count: usize) -> String {
    let members: Vec<_> = (0..count)
        .map(|number| format!(r#""{number}":0"#))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// A message whose payload has `value` in it.
fn payload(name: &str, value: &str) -> Case {
    let params = format!(
        r#"{{"conversationID":"C2Ctrent","type":"TIMCustomElem","payload":{{"data":{value}}}}}"#
    );
    Case::call(format!("json: payload: {name}"), "message.send", params)
}
