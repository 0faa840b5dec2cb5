//! Lines for people.

use serde_json::Value;

use super::row::Row;
use super::state::{Change, News, State};
use crate::domain::Millis;
use crate::domain::message::{GROUP_TIP, SYSTEM_NOTICE};
use crate::protocol::answer::{Device, Friend};
use crate::protocol::conversation::{ConversationEntry, GroupProfile, MembershipState, Message};
use crate::protocol::push::{KickedOutType, Origin};

/// A line under its time of day (UTC).
pub(super) fn stamped(now: Millis, line: &str) -> String {
    format!("{}  {line}", time_of_day(now))
}

/// The conversation list.
pub(super) fn list(state: &State) -> Vec<String> {
    let rows = state.list();
    if rows.is_empty() {
        return vec!["no conversations".into()];
    }
    rows.into_iter().map(row).collect()
}

fn row(row: &Row) -> String {
    let id = printable(&row.id.to_string());
    let name = match &row.name {
        Some(name) => format!(" ({})", printable(name)),
        None => String::new(),
    };
    let pinned = if row.is_pinned { " [pinned]" } else { "" };
    let membership = match row.membership {
        MembershipState::Active => "",
        MembershipState::Quit => " [left]",
        MembershipState::Kicked => " [removed]",
        MembershipState::Dissolved => " [dissolved]",
    };
    let unread = match row.unread_count() {
        0 => String::new(),
        count => format!(" {count} unread"),
    };
    let last = row
        .last_message
        .as_ref()
        .map_or_else(|| "(no messages)".into(), said);
    format!("  {id}{name}{pinned}{membership}{unread}  {last}")
}

/// What happened elsewhere.
pub(super) fn news(news: &News, state: &State) -> Vec<String> {
    match news {
        News::Change(change, origin) => change_lines(change, origin.as_ref(), state),
        News::Message(message) => {
            let conversation = printable(&message.conversation_id.to_string());
            vec![format!(
                "{conversation}  {}  [{}]",
                said(message),
                printable(&message.id)
            )]
        }
        News::Revoked(revoked) => vec![format!(
            "{}  {} revoked {}",
            printable(&revoked.conversation_id.to_string()),
            printable(&revoked.revoker),
            printable(&revoked.id),
        )],
        News::CaughtUp { reset: true, .. } => {
            let count = state.list().len();
            vec![format!(
                "the list was read anew: {count} conversations, version {}",
                state.version()
            )]
        }
        News::CaughtUp { entries, .. } => {
            let mut lines = vec![format!(
                "caught up: {} changed, version {}",
                entries.len(),
                state.version()
            )];
            lines.extend(entries.iter().map(|entry| self::entry(entry, state)));
            lines
        }
    }
}

fn change_lines(change: &Change, origin: Option<&Origin>, state: &State) -> Vec<String> {
    let by = origin.map_or_else(
        || "by the server".to_owned(),
        |origin| {
            format!(
                "by {} ({})",
                printable(origin.device_id.as_str()),
                origin.platform
            )
        },
    );
    match change {
        Change::Deleted { list, cleared } => {
            let ids: Vec<String> = list
                .iter()
                .map(|(id, _)| printable(&id.to_string()))
                .collect();
            let history = if *cleared {
                "history cleared"
            } else {
                "history kept"
            };
            vec![format!("deleted {}: {} ({history})", by, ids.join(" "))]
        }
        Change::Updated(entries) => entries
            .iter()
            .map(|entry| format!("updated {by}:{}", self::entry(entry, state)))
            .collect(),
    }
}

fn entry(entry: &ConversationEntry, state: &State) -> String {
    match entry {
        ConversationEntry::Deleted(told) => {
            format!("  {} deleted", printable(&told.conversation_id.to_string()))
        }
        ConversationEntry::Unlisted(told) => {
            format!(
                "  {} (not listed)",
                printable(&told.conversation_id.to_string())
            )
        }
        ConversationEntry::Listed(told) => state
            .row(&told.conversation_id)
            .map_or_else(String::new, row),
    }
}

/// A page of history, oldest first.
pub(super) fn history(messages: &[Message]) -> Vec<String> {
    let line = |message: &Message| {
        format!(
            "  {:>5}  {}  {}  [{}]",
            message.seq,
            time_of_day(message.time),
            said(message),
            printable(&message.id)
        )
    };
    messages.iter().map(line).collect()
}

pub(super) fn group(group: &GroupProfile) -> String {
    let (id, name) = (printable(group.group_id.as_str()), printable(&group.name));
    format!("  GROUP{id}  {name} ({})", group.r#type.as_str())
}

pub(super) fn friend(friend: &Friend) -> String {
    format!("  {}", printable(friend.user_id.as_str()))
}

pub(super) fn device(device: &Device, newest: u64) -> String {
    let online = if device.is_online { "online" } else { "away" };
    let behind = newest.saturating_sub(device.ack.0);
    format!(
        "  {} ({})  {online}  applied version {} ({behind} behind)",
        printable(device.device_id.as_str()),
        device.platform,
        device.ack,
    )
}

pub(super) fn kicked(why: KickedOutType) -> &'static str {
    match why {
        KickedOutType::MultipleAccount => "this device logged in elsewhere",
        KickedOutType::MultipleDevice => "another device took its place (login policy)",
        KickedOutType::UserSigExpired => "the UserSig expired",
        KickedOutType::RestApi => "logged out from elsewhere",
    }
}

fn said(message: &Message) -> String {
    let from = if message.from.is_empty() {
        "system".to_owned()
    } else {
        printable(&message.from)
    };
    let payload = message
        .payload
        .as_ref()
        .and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
    let what = match &payload {
        _ if message.is_revoked => "(revoked)".to_owned(),
        None => format!("({})", printable(&message.r#type)),
        Some(payload) => match payload.get("text").and_then(Value::as_str) {
            Some(text) => printable(text),
            None if [GROUP_TIP, SYSTEM_NOTICE].contains(&message.r#type.as_str()) => {
                group_news(&message.r#type, payload)
            }
            None => format!(
                "({}) {}",
                printable(&message.r#type),
                printable(&payload.to_string())
            ),
        },
    };
    format!("{from}: {what}")
}

/// A group's news in a sentence, by the Web SDK's `operationType` values.
fn group_news(kind: &str, payload: &Value) -> String {
    let text = |value: &Value| printable(value.as_str().unwrap_or("?"));
    let group = text(&payload["groupProfile"]["name"]);
    let by = text(&payload["operatorID"]);
    let users = payload["userIDList"].as_array();
    let users: Vec<String> = users.into_iter().flatten().map(text).collect();
    let users = users.join(", ");
    match (kind, payload["operationType"].as_u64()) {
        (GROUP_TIP, Some(1)) if users == by => format!("{by} joined {group}"),
        (GROUP_TIP, Some(1)) => format!("{by} added {users} to {group}"),
        (GROUP_TIP, Some(2)) => format!("{by} left {group}"),
        (GROUP_TIP, Some(3)) => format!("{by} removed {users} from {group}"),
        (SYSTEM_NOTICE, Some(4)) => format!("{by} removed you from {group}"),
        (SYSTEM_NOTICE, Some(7)) => format!("{by} added you to {group}"),
        (GROUP_TIP, Some(12)) | (SYSTEM_NOTICE, Some(5)) => format!("{by} dissolved {group}"),
        _ => format!("news of {group}"),
    }
}

/// What others wrote must not steer this terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn time_of_day(now: Millis) -> String {
    let seconds = now.div_euclid(1000).rem_euclid(24 * 60 * 60);
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::message;
    use super::*;

    #[test]
    fn a_message_reads_as_said_and_can_be_named() {
        let lines = history(&[message("C2Cbob", 3, "bob")]);
        assert_eq!(lines, ["      3  00:00:00  bob: text 3  [m3]"]);
    }

    #[test]
    fn nothing_that_others_wrote_steers_the_terminal() {
        let mut nasty = message("C2Cbob", 3, "bob\u{1b}[2J");
        nasty.id = "m\u{7}".into();
        nasty.payload = serde_json::from_str(r#"{"text":"a\u001b[31mb\nc\u009b"}"#).unwrap();
        let line = history(&[nasty]).remove(0);
        assert!(!line.contains(char::is_control), "{line:?}");
    }

    #[test]
    fn what_is_no_text_is_shown_as_it_is() {
        let mut custom = message("C2Cbob", 3, "");
        custom.r#type = "TIMCustomElem".into();
        custom.payload = serde_json::from_str(r#"{"data":1}"#).unwrap();
        assert_eq!(said(&custom), r#"system: (TIMCustomElem) {"data":1}"#);
        custom.is_revoked = true;
        custom.payload = None;
        assert_eq!(said(&custom), "system: (revoked)");
    }

    #[test]
    fn a_groups_news_is_a_sentence() {
        let told = |kind: &str, operation: u8, users: &str| {
            let mut tip = message("GROUPteam", 1, "");
            tip.r#type = kind.into();
            let payload = format!(
                r#"{{"groupProfile":{{"name":"team"}},"operationType":{operation},"operatorID":"al\u0007","userIDList":{users}}}"#
            );
            tip.payload = serde_json::from_str(&payload).unwrap();
            said(&tip)
        };
        assert_eq!(
            told(GROUP_TIP, 1, r#"["bob","carol"]"#),
            "system: al\u{fffd} added bob, carol to team"
        );
        assert_eq!(
            told(GROUP_TIP, 1, r#"["al\u0007"]"#),
            "system: al\u{fffd} joined team"
        );
        assert_eq!(
            told(SYSTEM_NOTICE, 4, "[]"),
            "system: al\u{fffd} removed you from team"
        );
        assert_eq!(told(SYSTEM_NOTICE, 99, "null"), "system: news of team");
    }

    #[test]
    fn times_are_of_the_day() {
        assert_eq!(time_of_day(1_790_000_000_123), "14:13:20");
        assert_eq!(stamped(0, "x"), "00:00:00  x");
    }
}
