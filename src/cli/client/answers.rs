//! What an answer does to the state, and what the user is told of it.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::commands::Meaning;
use super::render;
use super::state::{Change, News, State};
use crate::domain::{ConversationId, Seq};
use crate::protocol::answer;
use crate::protocol::push::MessageRevoked;

/// An answer taken.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) lines: Vec<String>,
    pub(super) news: Vec<News>,
    /// The page of history before the one answered.
    pub(super) older: Option<(ConversationId, String)>,
}

/// Takes the answer to a command; the error is one of form.
pub(super) fn take(
    meaning: &Meaning,
    raw: &RawValue,
    state: &mut State,
) -> Result<Taken, serde_json::Error> {
    let mut taken = Taken::default();
    match meaning {
        Meaning::Delete { cleared } => {
            let answer: answer::Deletion = read(raw)?;
            let list = succeeded(&answer)
                .filter_map(|result| {
                    let id = result.conversation_id.parse().ok()?;
                    Some((id, result.up_to.unwrap_or_default()))
                })
                .collect();
            taken.lines = results("deleted", &answer);
            let change = Change::Deleted {
                list,
                cleared: *cleared,
            };
            taken.news = state.own(answer.synced.then_some(answer.version), change);
        }
        Meaning::Restore => {
            let answer: answer::Deletion = read(raw)?;
            taken.lines = results("restored", &answer);
            let version = answer.synced.then_some(answer.version);
            taken.news = state.own(version, Change::Updated(answer.conversation_list));
        }
        Meaning::Mark(done) => {
            let answer: answer::Changed = read(raw)?;
            let change = Change::Updated(answer.conversation_list);
            taken.news = state.own(Some(answer.version), change);
            taken.lines.push((*done).into());
        }
        Meaning::Send => {
            let answer: answer::Sent = read(raw)?;
            taken
                .lines
                .push(format!("sent [{}]", render::printable(&answer.message.id)));
            taken.news = state.own_message(answer.message);
        }
        Meaning::Revoke(conversation) => {
            let answer: answer::Revoked = read(raw)?;
            taken.lines.push("revoked".into());
            taken.news = state.own_revoke(MessageRevoked {
                conversation_id: conversation.clone(),
                seq: answer.seq,
                id: answer.id,
                // Of no use to the one who revoked it.
                revoked_seq: Seq(0),
                revoker: String::new(),
                time: 0,
            });
        }
        Meaning::History(conversation) => {
            let answer: answer::MessageList = read(raw)?;
            taken.lines = render::history(&answer.message_list);
            if answer.is_completed {
                taken.lines.insert(0, "  (the beginning)".into());
            } else {
                taken.lines.insert(0, "  (more before: type more)".into());
                taken.older = Some((conversation.clone(), answer.next_req_message_id));
            }
        }
        Meaning::Group => {
            let answer: answer::Group = read(raw)?;
            taken.lines.push(render::group(&answer.group));
            if answer.version.is_some() {
                let change = Change::Updated(answer.conversation_list);
                taken.news = state.own(answer.version, change);
            }
        }
        Meaning::Groups => {
            let answer: answer::GroupList = read(raw)?;
            taken.lines = listed(answer.group_list.iter().map(render::group), "no groups");
        }
        Meaning::Friends => {
            let answer: answer::FriendList = read(raw)?;
            taken.lines = listed(answer.friend_list.iter().map(render::friend), "no friends");
        }
        Meaning::Devices => {
            let answer: answer::DeviceList = read(raw)?;
            let newest = state.version().0;
            let lines = answer
                .device_list
                .iter()
                .map(|device| render::device(device, newest));
            taken.lines = listed(lines, "no devices");
        }
        Meaning::Done => taken.lines.push("done".into()),
    }
    Ok(taken)
}

fn read<T: DeserializeOwned>(raw: &RawValue) -> Result<T, serde_json::Error> {
    serde_json::from_str(raw.get())
}

fn succeeded(answer: &answer::Deletion) -> impl Iterator<Item = &answer::DeletionResult> {
    answer.results.iter().filter(|result| result.code == 0)
}

fn results(done: &str, answer: &answer::Deletion) -> Vec<String> {
    let told = if answer.synced {
        "your other devices are told"
    } else {
        "your other devices are not told"
    };
    let each = answer.results.iter().map(|result| {
        let id = render::printable(&result.conversation_id);
        match result.code {
            0 => format!("  {id} {done}"),
            code => format!("  {id} not {done}: error {code}"),
        }
    });
    let mut lines: Vec<String> = each.collect();
    if succeeded(answer).next().is_some() {
        lines.push(format!("  version {}, {told}", answer.version));
    }
    lines
}

fn listed(lines: impl Iterator<Item = String>, none: &str) -> Vec<String> {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        vec![none.into()]
    } else {
        lines
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::row::tests::{conversation, message};
    use super::*;
    use crate::domain::{UserId, Version};

    fn state() -> State {
        let mut state = State::new(UserId::new("alice").unwrap());
        state.own_message(message("C2Cbob", 1, "bob"));
        state
    }

    fn taken(meaning: &Meaning, answer: &serde_json::Value, state: &mut State) -> Taken {
        let raw = RawValue::from_string(answer.to_string()).unwrap();
        take(meaning, &raw, state).unwrap()
    }

    #[test]
    fn an_own_deletion_takes_its_version_only_if_it_is_told() {
        for (synced, version) in [(true, 1), (false, 0)] {
            let mut state = state();
            let answer = json!({ "version": version, "synced": synced, "results": [
                { "conversationID": "C2Cbob", "code": 0, "upTo": 1 },
                { "conversationID": "nonsense", "code": 2503 },
            ]});
            let taken = taken(&Meaning::Delete { cleared: true }, &answer, &mut state);
            assert_eq!(taken.lines.len(), 3);
            assert!(taken.lines[1].contains("2503"));
            assert_eq!(state.version(), Version(version));
            assert!(state.list().is_empty());
        }
    }

    #[test]
    fn a_restored_conversation_is_listed_as_it_is_now() {
        let mut state = state();
        let own = Change::Deleted {
            list: vec![("C2Cbob".parse().unwrap(), Seq(1))],
            cleared: true,
        };
        state.own(Some(Version(1)), own);
        let answer = json!({
            "version": 2, "synced": true,
            "results": [{ "conversationID": "C2Cbob", "code": 0, "upTo": 0 }],
            "conversationList": [conversation("C2Cbob", 1, 0)],
        });
        taken(&Meaning::Restore, &answer, &mut state);
        assert_eq!((state.list().len(), state.version()), (1, Version(2)));
    }

    #[test]
    fn a_mark_takes_over_the_conversation_and_the_version() {
        let mut state = state();
        let mut pinned = json!(conversation("C2Cbob", 1, 0));
        pinned["isPinned"] = json!(true);
        let answer =
            json!({ "conversationID": "C2Cbob", "version": 1, "conversationList": [pinned] });
        taken(&Meaning::Mark("pinned"), &answer, &mut state);
        assert!(state.list()[0].is_pinned);
        assert_eq!(state.version(), Version(1));
    }

    #[test]
    fn an_unfinished_history_can_be_continued() {
        let id: ConversationId = "C2Cbob".parse().unwrap();
        let answer = json!({
            "messageList": [message("C2Cbob", 4, "bob")], "nextReqMessageID": "m4", "isCompleted": false,
        });
        let taken = taken(&Meaning::History(id.clone()), &answer, &mut state());
        assert_eq!(taken.older, Some((id, "m4".into())));
    }
}
