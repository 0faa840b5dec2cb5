//! chatsync's own protocol, `chatsync.v1`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use chatsync::domain::app::SecretKey;
use chatsync::domain::{SdkAppId, UserId};
use chatsync::engine::usersig;

use memchr::memmem;

use super::scan::{after, count, number, signed, text};
use super::{Answer, Call, Content, Event, Opening, StreamKind, Told, Who, Wire};
use crate::client::handshake;
use crate::client::order::Setup;

/// How long a login's credential holds; longer than any run.
const LIFETIME: i64 = 30 * 24 * 3600;

#[derive(Debug)]
pub(crate) struct Chatsync {
    host: String,
    app: SdkAppId,
    key: SecretKey,
    /// Begins every requestID, so that those of another run are others.
    run: String,
    /// Accounts of a circle.
    circle: u32,
    user_sigs: RefCell<HashMap<u32, String>>,
}

impl Chatsync {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            host: setup.access.server.to_string(),
            app: SdkAppId(setup.access.app),
            key: SecretKey::new(setup.access.secret_key.as_str()),
            run: setup.run.clone(),
            circle: setup.circle,
            user_sigs: RefCell::default(),
        }
    }

    /// The account's credential. Made once: a storm is to measure the server's work.
    fn user_sig(&self, account: u32) -> String {
        let mut made = self.user_sigs.borrow_mut();
        made.entry(account)
            .or_insert_with(|| self.sign(account))
            .clone()
    }

    /// The group of the account's circle: another one in each run.
    fn group(&self, account: u32) -> String {
        format!("circle-{}{}", self.run, account / self.circle)
    }

    fn sign(&self, account: u32) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        match UserId::new(user(account)) {
            Ok(user) => usersig::sign(
                self.app,
                &self.key,
                &user,
                i64::try_from(now).unwrap_or(0),
                LIFETIME,
            ),
            // The server will refuse it, and the run say so.
            Err(_) => String::new(),
        }
    }
}

/// What the server says in a group itself, of who comes and goes.
const TIP: &[u8] = br#""type":"TIMGroupTipElem""#;

fn user(account: u32) -> String {
    format!("u{account}")
}

/// A conversation's name says whose it is: a push to another account can be told by it.
fn conversation(account: u32, number: u32) -> String {
    format!("C2Cp{account}-{number}")
}

impl Wire for Chatsync {
    fn handshake(&self, _: Who) -> Vec<u8> {
        handshake::request(&self.host, "/ws", Some("chatsync.v1"))
    }

    fn open(&self, id: u64, who: Who, cursor: Option<&str>) -> Opening {
        let cursor = cursor.map_or("null".into(), |cursor| format!(r#""{cursor}""#));
        Opening::Call(format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"login","params":{{"sdkAppID":{},"userID":"{}","userSig":"{}","deviceID":"d{}","platform":"Web","cursor":{cursor}}}}}"#,
            self.app,
            user(who.account),
            self.user_sig(who.account),
            who.device,
        ))
    }

    fn call(&self, id: u64, who: Who, call: Call, cursor: Option<&str>) -> Option<String> {
        let account = who.account;
        let request = |method: &str, params: &str| {
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{params}}}}}"#)
        };
        let run = &self.run;
        let write = |to: &str| {
            request(
                "message.send",
                &format!(
                    r#""conversationID":"{to}","type":"TIMTextElem","payload":{{"text":"hello there"}},"requestID":"{run}{id}""#
                ),
            )
        };
        Some(match call {
            Call::Delete { from, count } => {
                let mut ids = String::new();
                for number in from..from + count {
                    if number > from {
                        ids.push(',');
                    }
                    ids.push('"');
                    ids.push_str(&conversation(account, number));
                    ids.push('"');
                }
                request(
                    "conversation.delete",
                    &format!(r#""conversationIDList":[{ids}],"requestID":"{run}{id}""#),
                )
            }
            Call::Read {
                conversation: number,
            } => request(
                "conversation.read",
                &format!(
                    r#""conversationID":"{}","requestID":"{run}{id}""#,
                    conversation(account, number)
                ),
            ),
            Call::Seed {
                conversation: number,
            } => write(&conversation(account, number)),
            Call::Send if self.circle == 2 => write(&format!("C2C{}", user(account ^ 1))),
            Call::Send => write(&format!("GROUP{}", self.group(account))),
            Call::Found => {
                let group = self.group(account);
                request(
                    "group.create",
                    &format!(r#""groupID":"{group}","name":"{group}","type":"Public""#),
                )
            }
            Call::Invite { from, count } => {
                let users: Vec<_> = (account + from..account + from + count)
                    .map(|account| format!(r#""{}""#, user(account)))
                    .collect();
                request(
                    "group.addMember",
                    &format!(
                        r#""groupID":"{}","userIDList":[{}]"#,
                        self.group(account),
                        users.join(",")
                    ),
                )
            }
            Call::Ping { ack } => request("ping", &format!(r#""ack":{ack}"#)),
            Call::Sync => {
                let cursor = cursor.map_or("null".into(), |cursor| format!(r#""{cursor}""#));
                request("conversation.sync", &format!(r#""cursor":{cursor}"#))
            }
            // What it tells a user's devices it commits first, and numbers itself.
            Call::Publish { .. } => return None,
        })
    }

    fn read(&self, _: Who, message: &[u8], each: &mut dyn FnMut(Event<'_>)) {
        each(event(message));
    }
}

fn event(message: &[u8]) -> Event<'_> {
    if let Some(rest) = message.strip_prefix(br#"{"jsonrpc":"2.0","method":""#) {
        return pushed(rest);
    }
    if let Some(error) = message.strip_prefix(br#"{"error":"#) {
        let code = after(error, r#""code":"#).and_then(signed).unwrap_or(0);
        return match after(error, r#""id":"#).and_then(number) {
            Some(id) => Event::Refusal { id, code },
            None => Event::Garbled,
        };
    }
    let Some(rest) = message.strip_prefix(br#"{"jsonrpc":"2.0","id":"#) else {
        return Event::Other;
    };
    let Some(id) = number(rest) else {
        return Event::Other;
    };
    let version = after(rest, r#""version":"#).or_else(|| after(rest, r#""head":"#));
    Event::Answer {
        id,
        answer: Answer {
            version: version.and_then(number),
            seq: after(rest, r#""seq":"#).and_then(number),
            synced: after(rest, r#""synced":"#).is_none_or(|rest| rest.starts_with(b"true")),
            circle_seq: after(rest, r#""conversationID":"C2Cu"#)
                .or_else(|| after(rest, r#""conversationID":"GROUPcircle-"#))
                .and_then(|rest| after(rest, r#""lastSeq":"#))
                .and_then(number),
            cursor: after(rest, r#""cursor":"#).and_then(text),
            conversations: count(rest, r#""conversationID":"#),
            entries: count(rest, r#""lastSeq":"#),
            completed: after(rest, r#""isCompleted":"#)
                .is_none_or(|rest| rest.starts_with(b"true")),
            reset: after(rest, r#""reset":"#).is_some_and(|rest| rest.starts_with(b"true")),
            failures: count(rest, r#""code":"#) - count(rest, r#""code":0"#),
        },
    }
}

fn pushed(push: &[u8]) -> Event<'_> {
    if push.starts_with(b"conversation.") {
        let Some(version) = after(push, r#""version":"#).and_then(number) else {
            return Event::Other;
        };
        let first = after(push, r#""conversationID":"#).and_then(text);
        let device = after(push, r#""deviceID":"#)
            .and_then(text)
            .and_then(|id| id.strip_prefix('d')?.parse().ok());
        Event::Told(Told {
            stream: StreamKind::Account,
            number: version,
            owner: first
                .and_then(|id| id.strip_prefix("C2Cp"))
                .and_then(|rest| number(rest.as_bytes()))
                .and_then(narrow),
            content: Content {
                device,
                conversations: push
                    .starts_with(b"conversation.deleted")
                    .then(|| count(push, r#""conversationID":"#)),
            },
        })
    } else if push.starts_with(b"message.received") && !is_aside(push) {
        let seq = after(push, r#""seq":"#).and_then(number);
        let from = after(push, r#""from":"#)
            .and_then(text)
            .and_then(|from| from.strip_prefix('u'));
        match (seq, from.and_then(|from| from.parse().ok())) {
            (Some(number), Some(owner)) => Event::Told(Told {
                stream: StreamKind::Circle,
                number,
                owner: Some(owner),
                content: Content::default(),
            }),
            _ => Event::Other,
        }
    } else if push.starts_with(b"sync.hint") {
        Event::Hint
    } else {
        Event::Other
    }
}

/// Whether a message made a conversation or a group for later: nobody follows those.
fn is_aside(push: &[u8]) -> bool {
    memmem::find(push, TIP).is_some()
        || after(push, r#""conversationID":"#)
            .and_then(text)
            .is_some_and(|id| id.starts_with("C2Cp"))
}

fn narrow(number: u64) -> Option<u32> {
    u32::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use chatsync::domain::{ConversationId, DeviceId, Millis, Platform, Seq, Version};
    use chatsync::protocol::code::Code;
    use chatsync::protocol::jsonrpc::{ErrorObject, Id, error_frame};
    use chatsync::protocol::method::Call as Method;
    use chatsync::protocol::push::{
        ConversationDeleted, DeletedConversation, Origin, Push, SyncHint,
    };

    use super::*;

    fn wire() -> Chatsync {
        Chatsync {
            host: "localhost".into(),
            app: SdkAppId(1),
            key: SecretKey::new("key"),
            run: "r".into(),
            circle: 2,
            user_sigs: RefCell::default(),
        }
    }

    const WHO: Who = Who {
        account: 7,
        device: 2,
    };

    #[test]
    fn every_call_is_one_that_the_server_understands() {
        let calls = [
            Call::Delete {
                from: 3,
                count: 100,
            },
            Call::Read { conversation: 1 },
            Call::Seed { conversation: 0 },
            Call::Send,
            Call::Found,
            Call::Invite { from: 1, count: 3 },
            Call::Ping { ack: 4 },
            Call::Sync,
        ];
        let wire = wire();
        let mut frames: Vec<_> = calls
            .iter()
            .map(|call| wire.call(5, WHO, *call, Some("AQ")).unwrap())
            .collect();
        let Opening::Call(login) = wire.open(5, WHO, None) else {
            panic!("no login");
        };
        frames.push(login);
        for frame in frames {
            let request = chatsync::protocol::jsonrpc::parse(&frame).unwrap();
            assert!(
                Method::parse(&request.method, request.params).is_ok(),
                "{frame}"
            );
        }
    }

    #[test]
    fn a_push_of_the_servers_is_read() {
        let deleted = |user: &str| DeletedConversation {
            conversation_id: ConversationId::C2c(UserId::new(user).unwrap()),
            up_to: Seq(9),
        };
        let push = Push::ConversationDeleted(ConversationDeleted {
            version: Version(42),
            conversation_list: vec![deleted("p7-0"), deleted("p7-1")],
            history_cleared: true,
            origin: Some(Origin {
                device_id: DeviceId::new("d3").unwrap(),
                platform: Platform::Web,
            }),
            time: 1 as Millis,
        });
        let told = Told {
            stream: StreamKind::Account,
            number: 42,
            owner: Some(7),
            content: Content {
                device: Some(3),
                conversations: Some(2),
            },
        };
        assert_eq!(event(push.frame().unwrap().as_bytes()), Event::Told(told));
        let hint = Push::SyncHint(SyncHint { head: Version(7) });
        assert_eq!(event(hint.frame().unwrap().as_bytes()), Event::Hint);
    }

    #[test]
    fn messages_are_followed_between_those_of_a_circle_only() {
        let push = |conversation: &str| {
            format!(
                r#"{{"jsonrpc":"2.0","method":"message.received","params":{{"message":{{"ID":"1-3","conversationID":"{conversation}","seq":3,"from":"u6","time":1,"type":"TIMTextElem","payload":{{"text":"hi"}}}}}}}}"#
            )
        };
        let told = Told {
            stream: StreamKind::Circle,
            number: 3,
            owner: Some(6),
            content: Content::default(),
        };
        assert_eq!(event(push("C2Cu6").as_bytes()), Event::Told(told));
        assert_eq!(event(push("C2Cp6-0").as_bytes()), Event::Other);
    }

    #[test]
    fn answers_are_read() {
        let answer = br#"{"jsonrpc":"2.0","id":2,"result":{"version":42,"synced":true,"results":[{"conversationID":"C2Cp7-0","code":0,"upTo":17},{"conversationID":"C2Cp7-1","code":2500}]}}"#;
        let Event::Answer { id: 2, answer } = event(answer) else {
            panic!("not an answer");
        };
        assert_eq!(
            (
                answer.version,
                answer.synced,
                answer.conversations,
                answer.failures
            ),
            (Some(42), true, 2, 1)
        );
        let login = br#"{"jsonrpc":"2.0","id":1,"result":{"instanceID":"x","serverTime":1,"version":41,"cursor":"AQ","reset":false,"conversationList":[],"isCompleted":false,"features":{"syncConversationDeletion":true}}}"#;
        let Event::Answer { answer, .. } = event(login) else {
            panic!("not an answer");
        };
        assert_eq!(
            (answer.version, answer.cursor, answer.completed),
            (Some(41), Some("AQ"), false)
        );
    }

    /// As the server writes it: a frame made up here hid that every refusal was taken for nothing at all.
    #[test]
    fn refusals_are_read() {
        let refused = error_frame(Some(&Id::Number(3)), &Code::TRY_AGAIN.into());
        let refusal = Event::Refusal { id: 3, code: 50004 };
        assert_eq!(event(refused.as_bytes()), refusal);
        let error = ErrorObject::invalid_params("conversationIDList", "is empty");
        let refused = error_frame(Some(&Id::Number(4)), &error);
        let refusal = Event::Refusal {
            id: 4,
            code: -32602,
        };
        assert_eq!(event(refused.as_bytes()), refusal);
    }
}
