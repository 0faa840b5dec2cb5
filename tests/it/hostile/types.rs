//! Every param of every method: missing, of a wrong type, out of range.
//!
//! The tables below say what the params are; the cases are made from them.

use std::collections::BTreeSet;

use chatsync::protocol::method::Call;

use super::case::Case;
use super::ground::Ground;

#[tokio::test]
async fn a_bad_param_is_named() {
    Ground::new().await.face(cases()).await;
}

#[test]
fn every_method_is_in_the_table() {
    let listed: BTreeSet<_> = METHODS.iter().map(|(method, _)| *method).collect();
    assert_eq!(listed, Call::NAMES.iter().copied().collect());
}

#[derive(Clone, Copy, PartialEq)]
enum Need {
    Required,
    /// May be absent or null.
    Optional,
    /// May be absent.
    Defaulted,
}
use Need::{Defaulted, Optional, Required};

#[derive(Clone, Copy)]
enum Kind {
    /// An identifier of at most so many bytes.
    Id(usize),
    Conversation,
    /// Any text.
    Text,
    /// One of a few words.
    Word(&'static str),
    /// A whole number up to this.
    Number(u64),
    Flag,
    Conversations,
    Users,
    Members,
    Marks,
    /// Looked at only when it is known what kind of message it is.
    Payload,
}
use Kind::{
    Conversation, Conversations, Flag, Id, Marks, Members, Number, Payload, Text, Users, Word,
};

type Param = (&'static str, Kind, Need);

const REQUEST: Param = ("requestID", Id(64), Optional);
const CONVERSATION: Param = ("conversationID", Conversation, Required);
const GROUP: Param = ("groupID", Id(48), Required);
const UP_TO: Param = ("upTo", Number(u64::MAX), Optional);

const METHODS: &[(&str, &[Param])] = &[
    (
        "login",
        &[
            ("sdkAppID", Number(u32::MAX as u64), Required),
            ("userID", Id(64), Required),
            ("userSig", Text, Required),
            ("deviceID", Id(64), Required),
            ("platform", Word("Web"), Required),
            ("cursor", Text, Optional),
        ],
    ),
    ("logout", &[]),
    ("ping", &[("ack", Number(u64::MAX), Optional)]),
    ("conversation.list", &[]),
    ("conversation.get", &[CONVERSATION]),
    (
        "conversation.delete",
        &[
            ("conversationIDList", Conversations, Required),
            ("clearHistoryMessage", Flag, Defaulted),
            ("upTo", Marks, Defaulted),
            REQUEST,
        ],
    ),
    (
        "conversation.restore",
        &[("conversationIDList", Conversations, Required), REQUEST],
    ),
    ("conversation.clearHistory", &[CONVERSATION, UP_TO, REQUEST]),
    ("conversation.read", &[CONVERSATION, UP_TO, REQUEST]),
    (
        "conversation.pin",
        &[CONVERSATION, ("isPinned", Flag, Required), REQUEST],
    ),
    ("conversation.sync", &[("cursor", Text, Optional)]),
    (
        "message.send",
        &[
            CONVERSATION,
            ("type", Text, Required),
            ("payload", Payload, Required),
            REQUEST,
        ],
    ),
    (
        "message.list",
        &[
            CONVERSATION,
            ("nextReqMessageID", Text, Optional),
            ("count", Number(u32::MAX as u64), Optional),
        ],
    ),
    (
        "message.revoke",
        &[CONVERSATION, ("ID", Text, Required), REQUEST],
    ),
    (
        "group.create",
        &[
            ("groupID", Id(48), Optional),
            ("name", Text, Required),
            ("type", Word("Public"), Defaulted),
            ("memberList", Members, Defaulted),
            REQUEST,
        ],
    ),
    ("group.join", &[GROUP, REQUEST]),
    ("group.quit", &[GROUP, REQUEST]),
    ("group.dismiss", &[GROUP, REQUEST]),
    (
        "group.addMember",
        &[
            GROUP,
            ("userIDList", Users, Required),
            ("reason", Text, Optional),
            REQUEST,
        ],
    ),
    (
        "group.deleteMember",
        &[
            GROUP,
            ("userIDList", Users, Required),
            ("reason", Text, Optional),
            REQUEST,
        ],
    ),
    ("group.list", &[]),
    (
        "group.memberList",
        &[
            GROUP,
            ("offset", Number(u32::MAX as u64), Defaulted),
            ("count", Number(u32::MAX as u64), Optional),
        ],
    ),
    ("friend.add", &[("to", Id(64), Required), REQUEST]),
    ("friend.delete", &[("userIDList", Users, Required), REQUEST]),
    ("friend.list", &[]),
    ("device.list", &[]),
    ("device.logout", &[("deviceID", Id(64), Required)]),
];

impl Kind {
    /// A value as it should be.
    fn good(self) -> String {
        match self {
            Id(_) | Text => "\"x\"".into(),
            Conversation => "\"C2Ctrent\"".into(),
            Word(word) => format!("\"{word}\""),
            Number(_) => "1".into(),
            Flag => "true".into(),
            Conversations => "[\"C2Ctrent\"]".into(),
            Users => "[\"trent\"]".into(),
            Members => "[{\"userID\":\"trent\"}]".into(),
            Marks | Payload => "{}".into(),
        }
    }

    /// Values as they must not be, and where in the value the fault lies.
    fn bad(self) -> Vec<(String, &'static str)> {
        let here = |values: &[&str]| -> Vec<(String, &'static str)> {
            values.iter().map(|value| ((*value).into(), "")).collect()
        };
        let within = |values: &[(&str, &'static str)]| -> Vec<(String, &'static str)> {
            values
                .iter()
                .map(|(value, place)| ((*value).into(), *place))
                .collect()
        };
        match self {
            Id(max) => {
                let mut bad = here(&[
                    "7",
                    "true",
                    "[]",
                    "{}",
                    "1e400",
                    r#""""#,
                    r#""\u0000""#,
                    r#""\ud800""#,
                ]);
                bad.push((format!("\"{}\"", "x".repeat(max + 1)), ""));
                bad
            }
            Conversation => here(&[
                "7",
                "[]",
                "{}",
                r#""""#,
                r#""bob""#,
                r#""C2C""#,
                r#""GROUP""#,
                r#""c2cbob""#,
            ]),
            Text => here(&["7", "true", "[]", "{}", r#""\udfff""#]),
            Word(word) => {
                let mut bad = here(&["7", "true", "[]", r#""""#, r#""Nonsense""#]);
                bad.push((format!("\"{}\"", word.to_uppercase()), ""));
                bad.push((format!("\"{word} \""), ""));
                bad
            }
            Number(most) => {
                let mut bad = here(&["-1", "1.5", "1e400", "true", "\"1\"", "[]", "{}"]);
                bad.push(((u128::from(most) + 1).to_string(), ""));
                bad
            }
            Flag => here(&["0", "1", "\"true\"", "[]", "{}"]),
            Conversations => {
                let mut bad = here(&["7", "\"C2Ctrent\"", "{}", "[]"]);
                bad.extend(within(&[
                    ("[7]", "[0]"),
                    ("[\"C2Ctrent\",null]", "[1]"),
                    ("[[]]", "[0]"),
                ]));
                bad
            }
            Users => {
                let mut bad = here(&["7", "\"trent\"", "{}", "[]"]);
                bad.extend(within(&[
                    ("[7]", "[0]"),
                    ("[\"trent\",\"\"]", "[1]"),
                    (r#"["\n"]"#, "[0]"),
                ]));
                bad
            }
            Members => {
                let mut bad = here(&["7", "\"trent\"", "{}"]);
                bad.extend(within(&[
                    ("[7]", "[0]"),
                    ("[{}]", "[0].userID"),
                    (r#"[{"userID":7}]"#, "[0].userID"),
                    (r#"[{"userID":"a","userID":"b"}]"#, "[0].userID"),
                    (
                        r#"[{"userID":"trent"},{"userID":"a","role":"King"}]"#,
                        "[1].role",
                    ),
                ]));
                bad
            }
            Marks => {
                let mut bad = here(&["7", "[]", "\"x\""]);
                bad.extend(within(&[
                    (r#"{"a":-1}"#, ".a"),
                    (r#"{"a":"1"}"#, ".a"),
                    (r#"{"a":null}"#, ".a"),
                ]));
                bad
            }
            Payload => Vec::new(),
        }
    }
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (method, params) in METHODS {
        for (param, kind, need) in *params {
            let mut case = |value: Option<&str>, place: &str| {
                let told: String = value.unwrap_or("missing").chars().take(70).collect();
                let name = format!("types: {method}: {param}: {told}");
                let text = given(params, param, value);
                let case = if *method == "login" {
                    Case::first_call(name, method, text)
                } else {
                    Case::call(name, method, text)
                };
                cases.push(case.invalid(format!("{param}{place}")));
            };
            if *need == Required {
                case(None, "");
            }
            if *need != Optional && !matches!(kind, Payload) {
                case(Some("null"), "");
            }
            for (value, place) in kind.bad() {
                case(Some(&value), place);
            }
        }
    }
    cases.extend(messages());
    cases.extend(ranges());
    cases
}

/// The params of a method as they should be, but for one.
fn given(params: &[Param], changed: &str, value: Option<&str>) -> String {
    let members: Vec<_> = params
        .iter()
        .filter_map(|(name, kind, need)| {
            let value = if *name == changed {
                value.map(Into::into)
            } else if *need == Required {
                Some(kind.good())
            } else {
                None
            };
            value.map(|value| format!(r#""{name}":{value}"#))
        })
        .collect();
    format!("{{{}}}", members.join(","))
}

/// What a message is made of.
fn messages() -> Vec<Case> {
    let send = |name: &str, kind: &str, payload: &str| {
        let params =
            format!(r#"{{"conversationID":"C2Ctrent","type":"{kind}","payload":{payload}}}"#);
        Case::call(format!("types: message: {name}"), "message.send", params).refused(90007)
    };
    vec![
        send("of no type", "", "{}"),
        send("of an unknown type", "TIMNonsenseElem", "{}"),
        send(
            "of a type that only the server makes",
            "TIMGroupTipElem",
            "{}",
        ),
        send("that looks like a notice", "TIMGroupSystemNoticeElem", "{}"),
        send("that looks like a revoke", "revoke", "{\"revokedSeq\":1}"),
        send("whose payload is null", "TIMCustomElem", "null"),
        send("whose payload is a list", "TIMCustomElem", "[]"),
        send("whose payload is a text", "TIMCustomElem", "\"{}\""),
        send("whose payload is a number", "TIMCustomElem", "7"),
        send("without a text", "TIMTextElem", "{}"),
        send("whose text is a number", "TIMTextElem", "{\"text\":7}"),
        send("whose text is null", "TIMTextElem", "{\"text\":null}"),
        Case::call(
            "types: message: to the system",
            "message.send",
            r#"{"conversationID":"@TIM#SYSTEM","type":"TIMTextElem","payload":{"text":"x"}}"#,
        )
        .refused(20003),
    ]
}

/// Of the right type, and still not allowed.
fn ranges() -> Vec<Case> {
    let call = |method: &'static str, params: &str| {
        Case::call(format!("types: {method}: {params}"), method, params)
    };
    let list = |more: &str| format!(r#"{{"conversationID":"C2Ctrent",{more}}}"#);
    let create = |more: &str| format!(r#"{{"name":"n",{more}}}"#);
    vec![
        call("message.list", &list(r#""count":0"#)).invalid("count"),
        call("message.list", &list(r#""count":101"#)).invalid("count"),
        call("message.list", &list(r#""nextReqMessageID":"x""#)).invalid("nextReqMessageID"),
        call(
            "message.list",
            &list(r#""nextReqMessageID":"1-99999999999999999999""#),
        )
        .invalid("nextReqMessageID"),
        call("group.memberList", r#"{"groupID":"g","count":0}"#).invalid("count"),
        call("group.memberList", r#"{"groupID":"g","count":101}"#).invalid("count"),
        call(
            "group.memberList",
            r#"{"groupID":"none","offset":4294967295}"#,
        )
        .refused(10010),
        call(
            "message.revoke",
            r#"{"conversationID":"C2Ctrent","ID":"x"}"#,
        )
        .refused(2110),
        call(
            "message.revoke",
            r#"{"conversationID":"C2Ctrent","ID":"-1--1"}"#,
        )
        .refused(2110),
        call("friend.add", r#"{"to":"mallory"}"#).invalid("to"),
        call("group.create", r#"{"name":""}"#).invalid("name"),
        call("group.create", r#"{"name":"a\u0000b"}"#).invalid("name"),
        call("group.create", &create(r#""type":"AVChatRoom""#)).invalid("type"),
        call(
            "group.create",
            &create(r#""memberList":[{"userID":"a","role":"Owner"}]"#),
        )
        .invalid("memberList"),
        call("group.create", &create(r#""groupID":"club""#)).refused(10021),
        call("device.logout", r#"{"deviceID":"none"}"#).invalid("deviceID"),
        call("group.join", r#"{"groupID":"none"}"#).refused(10010),
        call(
            "conversation.pin",
            r#"{"conversationID":"C2Cnobody","isPinned":true}"#,
        )
        .refused(2500),
        call("conversation.sync", r#"{"cursor":""}"#),
        call("conversation.sync", r#"{"cursor":"AAAA"}"#),
        call("conversation.sync", r#"{"cursor":"\u0000"}"#),
    ]
}
