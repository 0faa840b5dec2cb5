//! What a user types, understood as calls of the protocol.

use serde_json::{Value, json};

use super::state::State;
use crate::domain::{ConversationId, DeviceId, GroupId, UserId};

/// For `help`.
pub(super) const HELP: &str = "\
list                              the conversations
open ID | more                    a conversation's newest messages; the ones before
send ID TEXT                      send a text; ID is C2C<user> or GROUP<group>
delete ID... [--keep-history]     delete conversations, on your other devices too if the switch is on
restore ID...                     undo a deletion
read ID | pin ID | unpin ID       mark as read, keep on top
clear ID                          clear the history, keep the conversation
revoke ID MESSAGE                 take a message back
groups | group create NAME USER,USER
group join|quit|dismiss GROUP | group add|kick GROUP USER,USER
friends | friend add|delete USER
devices | logout-device DEVICE    your devices; log one out
help | quit";

/// A line understood.
#[derive(Debug, PartialEq)]
pub(super) enum Command {
    Nothing,
    List,
    Help,
    Quit,
    /// To ask the server, in order.
    Call(Call),
}

/// A request, and what its answer means.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) method: &'static str,
    pub(super) params: Value,
    pub(super) meaning: Meaning,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    Delete {
        cleared: bool,
    },
    Restore,
    /// A mark on a conversation, and the word for it once it is made.
    Mark(&'static str),
    Send,
    History(ConversationId),
    Revoke(ConversationId),
    Group,
    Groups,
    Friends,
    Devices,
    Done,
}

/// What a line may refer to.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) state: &'a State,
    /// The conversation last opened, and the message its next page begins before.
    pub(super) older: Option<&'a (ConversationId, String)>,
    /// For an operation: the same on each retry.
    pub(super) request_id: &'a str,
}

/// Understands a line; the error says what to type.
pub(super) fn parse(line: &str, context: &Context<'_>) -> Result<Command, String> {
    let mut words = line.split_whitespace();
    let Some(verb) = words.next() else {
        return Ok(Command::Nothing);
    };
    let rest: Vec<&str> = words.collect();
    let call = match (verb, &rest[..]) {
        ("list", []) => return Ok(Command::List),
        ("help", []) => return Ok(Command::Help),
        ("quit" | "exit", []) => return Ok(Command::Quit),
        ("open", [id]) => history(conversation(id)?, None),
        ("more", []) => match context.older {
            Some((id, before)) => history(id.clone(), Some(before)),
            None => return Err("nothing before: open a conversation first".into()),
        },
        ("send", [id, _, ..]) => send(&conversation(id)?, text_after(line, 2), context),
        ("delete", [_, ..]) => delete(&rest, context)?,
        ("restore", [_, ..]) => call(
            "conversation.restore",
            json!({ "conversationIDList": ids(&rest)?, "requestID": context.request_id }),
            Meaning::Restore,
        ),
        ("read", [id]) => up_to("conversation.read", id, "read", context)?,
        ("clear", [id]) => up_to("conversation.clearHistory", id, "history cleared", context)?,
        ("pin", [id]) => pin(id, true, context)?,
        ("unpin", [id]) => pin(id, false, context)?,
        ("revoke", [id, message]) => call(
            "message.revoke",
            json!({ "conversationID": conversation(id)?, "ID": message, "requestID": context.request_id }),
            Meaning::Revoke(conversation(id)?),
        ),
        ("groups", []) => call("group.list", json!({}), Meaning::Groups),
        ("group", [action, group, users @ ..]) => self::group(action, group, users, context)?,
        ("friends", []) => call("friend.list", json!({}), Meaning::Friends),
        ("friend", ["add", user]) => call(
            "friend.add",
            json!({ "to": self::user(user)?, "requestID": context.request_id }),
            Meaning::Friends,
        ),
        ("friend", ["delete", user]) => call(
            "friend.delete",
            json!({ "userIDList": [self::user(user)?], "requestID": context.request_id }),
            Meaning::Friends,
        ),
        ("devices", []) => call("device.list", json!({}), Meaning::Devices),
        ("logout-device", [device]) => call(
            "device.logout",
            json!({ "deviceID": DeviceId::new(*device).map_err(|why| format!("{device}: {why}"))? }),
            Meaning::Done,
        ),
        _ => return Err(usage(verb)),
    };
    Ok(Command::Call(call))
}

fn call(method: &'static str, params: Value, meaning: Meaning) -> Call {
    Call {
        method,
        params,
        meaning,
    }
}

fn history(id: ConversationId, before: Option<&str>) -> Call {
    let params = json!({ "conversationID": id, "nextReqMessageID": before });
    call("message.list", params, Meaning::History(id))
}

fn send(id: &ConversationId, text: &str, context: &Context<'_>) -> Call {
    let params = json!({
        "conversationID": id, "type": "TIMTextElem", "payload": { "text": text }, "requestID": context.request_id,
    });
    call("message.send", params, Meaning::Send)
}

/// Tells the server how much of each conversation this device knows, so that nothing is deleted unseen.
fn delete(words: &[&str], context: &Context<'_>) -> Result<Call, String> {
    let keep = words.contains(&"--keep-history");
    let names: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| *word != "--keep-history")
        .collect();
    if names.is_empty() {
        return Err(usage("delete"));
    }
    let known: serde_json::Map<String, Value> = ids(&names)?
        .into_iter()
        .filter_map(|id| {
            let seq = context.state.last_seq(&id)?;
            Some((id.to_string(), json!(seq)))
        })
        .collect();
    Ok(call(
        "conversation.delete",
        json!({
            "conversationIDList": names, "clearHistoryMessage": !keep, "upTo": known,
            "requestID": context.request_id,
        }),
        Meaning::Delete { cleared: !keep },
    ))
}

fn up_to(
    method: &'static str,
    id: &str,
    done: &'static str,
    context: &Context<'_>,
) -> Result<Call, String> {
    let id = conversation(id)?;
    let known = context.state.last_seq(&id);
    let params = json!({ "conversationID": id, "upTo": known, "requestID": context.request_id });
    Ok(call(method, params, Meaning::Mark(done)))
}

fn pin(id: &str, is_pinned: bool, context: &Context<'_>) -> Result<Call, String> {
    let params = json!({
        "conversationID": conversation(id)?, "isPinned": is_pinned, "requestID": context.request_id,
    });
    let done = if is_pinned { "pinned" } else { "unpinned" };
    Ok(call("conversation.pin", params, Meaning::Mark(done)))
}

fn group(
    action: &str,
    group: &str,
    members: &[&str],
    context: &Context<'_>,
) -> Result<Call, String> {
    let id = context.request_id;
    let named = || GroupId::new(group).map_err(|why| format!("{group}: {why}"));
    let one = |method| {
        let params = json!({ "groupID": named()?, "requestID": id });
        Ok(call(method, params, Meaning::Group))
    };
    let many = |method, list: &str| {
        let params = json!({ "groupID": named()?, "userIDList": users(list)?, "requestID": id });
        Ok(call(method, params, Meaning::Group))
    };
    match (action, members) {
        ("create", [] | [_]) => {
            let list = members
                .first()
                .map_or_else(|| Ok(Vec::new()), |list| users(list))?;
            let list: Vec<Value> = list.iter().map(|user| json!({ "userID": user })).collect();
            let params = json!({ "name": group, "memberList": list, "requestID": id });
            Ok(call("group.create", params, Meaning::Group))
        }
        ("join", []) => one("group.join"),
        ("quit", []) => one("group.quit"),
        ("dismiss", []) => one("group.dismiss"),
        ("add", [list]) => many("group.addMember", list),
        ("kick", [list]) => many("group.deleteMember", list),
        _ => Err(usage("group")),
    }
}

fn conversation(text: &str) -> Result<ConversationId, String> {
    text.parse().map_err(|why| format!("{text}: {why}"))
}

fn ids(words: &[&str]) -> Result<Vec<ConversationId>, String> {
    words.iter().map(|word| conversation(word)).collect()
}

fn user(text: &str) -> Result<UserId, String> {
    UserId::new(text).map_err(|why| format!("{text}: {why}"))
}

fn users(list: &str) -> Result<Vec<UserId>, String> {
    list.split(',').map(user).collect()
}

/// The line as typed, spaces and all, after its first words.
fn text_after(line: &str, words: usize) -> &str {
    let mut rest = line.trim();
    for _ in 0..words {
        rest = rest
            .split_once(char::is_whitespace)
            .map_or("", |(_, rest)| rest.trim_start());
    }
    rest
}

fn usage(verb: &str) -> String {
    let mut lines = HELP.lines().map(str::trim_end);
    lines
        .find(|line| {
            let mut starts = line.split(" | ");
            starts.any(|start| start.split(' ').next() == Some(verb))
        })
        .map_or_else(
            || format!("{verb}: no such command; try help"),
            |line| format!("as in: {line}"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::method;

    fn understood(line: &str) -> Result<Command, String> {
        let mut state = State::new(UserId::new("alice").unwrap());
        state.own_message(super::super::row::tests::message("C2Cbob", 1, "alice"));
        let context = Context {
            state: &state,
            older: Some(&("C2Cbob".parse().unwrap(), "m1".into())),
            request_id: "r1",
        };
        parse(line, &context)
    }

    fn params(line: &str) -> (Value, Meaning) {
        match understood(line) {
            Ok(Command::Call(call)) => (call.params, call.meaning),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn every_call_is_one_that_the_server_understands() {
        for line in [
            "open C2Cbob",
            "more",
            "send C2Cbob hi",
            "delete C2Cbob GROUPteam --keep-history",
            "restore C2Cbob",
            "read C2Cbob",
            "pin C2Cbob",
            "unpin C2Cbob",
            "clear C2Cbob",
            "revoke C2Cbob m1",
            "groups",
            "group create team bob,carol",
            "group create alone",
            "group join team",
            "group quit team",
            "group dismiss team",
            "group add team bob,carol",
            "group kick team bob",
            "friends",
            "friend add bob",
            "friend delete bob",
            "devices",
            "logout-device a-phone",
        ] {
            let Ok(Command::Call(call)) = understood(line) else {
                panic!("{line}");
            };
            method::Call::parse(call.method, &call.params.to_string())
                .unwrap_or_else(|error| panic!("{line}: {error:?}"));
        }
    }

    #[test]
    fn a_deletion_says_how_much_is_known() {
        let (params, meaning) = params("delete C2Cbob C2Ccarol");
        assert_eq!(
            params,
            json!({
                "conversationIDList": ["C2Cbob", "C2Ccarol"], "clearHistoryMessage": true,
                "upTo": { "C2Cbob": 1 }, "requestID": "r1",
            })
        );
        assert_eq!(meaning, Meaning::Delete { cleared: true });
    }

    #[test]
    fn history_can_be_kept() {
        let (params, meaning) = params("delete --keep-history C2Cbob");
        assert_eq!(params["clearHistoryMessage"], false);
        assert_eq!(meaning, Meaning::Delete { cleared: false });
    }

    #[test]
    fn a_text_is_sent_as_typed() {
        let (params, _) = params("  send  C2Cbob  two  spaces ");
        assert_eq!(params["payload"]["text"], "two  spaces");
    }

    #[test]
    fn a_wrong_line_is_told_how_it_should_be() {
        for (line, told) in [
            ("delete", "as in: delete ID..."),
            ("delete --keep-history", "as in: delete ID..."),
            ("unpin", "as in: read ID | pin ID | unpin ID"),
            ("friend", "as in: friends | friend add"),
            ("dance", "dance: no such command"),
            ("send bob hi", "bob: must be C2C<userID>"),
            ("group create a b,,c", ": must not be empty"),
        ] {
            let why = understood(line).unwrap_err();
            assert!(why.contains(told), "{line}: {why}");
        }
        assert_eq!(understood("  "), Ok(Command::Nothing));
        assert_eq!(understood("quit"), Ok(Command::Quit));
    }
}
