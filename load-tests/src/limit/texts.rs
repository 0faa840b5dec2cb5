//! What the bare hub says: texts as long as the server's, with the members that clients look at.

use memchr::memmem;

use crate::wire::scan::text;

pub(super) fn answer(id: u64, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{{result}}}}}"#)
}

/// The conversations that a call names.
pub(super) fn conversations(call: &[u8]) -> Vec<&str> {
    memmem::find_iter(call, b"\"C2C")
        .filter_map(|at| text(&call[at..]))
        .collect()
}

/// What a conversation was changed by last.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    Deleted,
    /// The newest message has this number.
    Written(u64),
}

pub(super) fn ping(head: u64, cursor: u64) -> String {
    format!(r#""head":{head},"cursor":"{cursor}","serverTime":1790000000000"#)
}

/// With a catch-up of the conversations that `changed`.
pub(super) fn login(version: u64, cursor: u64, changed: &[(&str, Change)]) -> String {
    let entries = list(changed, |(conversation, change)| match change {
        Change::Deleted => format!(
            r#"{{"conversationID":"{conversation}","type":"C2C","deleted":true,"upTo":1,"historyCleared":true,"historyFloor":1,"lastSeq":1,"readUpTo":1,"membership":"active"}}"#
        ),
        Change::Written(seq) => {
            let message = message(*seq, conversation, 0);
            let message = message.trim_start_matches(r#""message":"#);
            format!(
                r#"{{"conversationID":"{conversation}","type":"C2C","unreadCount":1,"isPinned":false,"lastMessage":{message},"lastSeq":{seq},"lastMessageSeq":{seq},"readUpTo":0,"hiddenUpTo":0,"historyFloor":0,"membership":"active","userProfile":{{"userID":"u0"}}}}"#
            )
        }
    });
    format!(
        r#""instanceID":"raw","serverTime":1790000000000,"version":{version},"cursor":"{cursor}","reset":false,"conversationList":[{entries}],"isCompleted":true,"features":{{"syncConversationDeletion":true}}"#
    )
}

/// A push to the other devices.
pub(super) fn deleted(version: u64, conversations: &[&str], device: u32) -> String {
    let entries = list(conversations, |conversation| {
        format!(r#"{{"conversationID":"{conversation}","upTo":1}}"#)
    });
    format!(
        r#"{{"jsonrpc":"2.0","method":"conversation.deleted","params":{{"version":{version},"conversationList":[{entries}],"historyCleared":true,"origin":{{"deviceID":"d{device}","platform":"Web"}},"time":1790000000000}}}}"#
    )
}

/// The answer to a deletion.
pub(super) fn deletion(version: u64, conversations: &[&str]) -> String {
    let results = list(conversations, |conversation| {
        format!(r#"{{"conversationID":"{conversation}","code":0,"upTo":1}}"#)
    });
    format!(r#""version":{version},"synced":true,"results":[{results}]"#)
}

/// A message, as an answer and a push hold it.
pub(super) fn message(seq: u64, conversation: &str, account: u32) -> String {
    format!(
        r#""message":{{"ID":"1-{seq}","conversationID":"{conversation}","seq":{seq},"from":"u{account}","time":1790000000000,"type":"TIMTextElem","payload":{{"text":"hello there"}},"isRevoked":false,"isControl":false}}"#
    )
}

/// A push of a [`message`].
pub(super) fn received(message: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"message.received","params":{{{message}}}}}"#)
}

fn list<T>(of: &[T], shown: impl Fn(&T) -> String) -> String {
    of.iter().map(shown).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use chatsync::protocol::jsonrpc::{Id, result_frame};
    use chatsync::protocol::{answer as server, push};
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::Value;

    use super::*;

    /// Read as the server's own type, and written by the server: nothing is missing, nothing is added.
    #[track_caller]
    fn is_as_the_server_writes<A: Serialize + DeserializeOwned>(result: &str) {
        let read: A = serde_json::from_str(&format!("{{{result}}}")).unwrap();
        assert_eq!(
            answer(7, result),
            result_frame(&Id::Number(7.into()), &read).unwrap()
        );
    }

    #[track_caller]
    fn is_a_push_of_the_server<P: Serialize + DeserializeOwned>(text: &str) {
        let read: Value = serde_json::from_str(text).unwrap();
        let params: P = serde_json::from_value(read["params"].clone()).unwrap();
        let written = serde_json::to_string(&params).unwrap();
        let begin = format!(r#"{{"jsonrpc":"2.0","method":{},"params":"#, read["method"]);
        assert_eq!(text, format!("{begin}{written}}}"));
    }

    #[test]
    fn what_the_bare_hub_says_is_what_the_server_would() {
        let two = ["C2Cp1-0", "C2Cp1-1"];
        let changed = [(two[0], Change::Deleted), ("C2Cu1", Change::Written(7))];
        is_as_the_server_writes::<server::Login>(&login(5, 6, &changed));
        is_as_the_server_writes::<server::Deletion>(&deletion(5, &two));
        is_as_the_server_writes::<server::Pong>(&ping(5, 6));
        is_a_push_of_the_server::<push::ConversationDeleted>(&deleted(5, &two, 3));
        let message = message(5, "C2Cu1", 2);
        is_a_push_of_the_server::<push::MessageReceived>(&received(&message));
    }

    #[test]
    fn the_conversations_of_a_call_are_found() {
        let call = br#"{"params":{"conversationIDList":["C2Cp1-0","C2Cp1-1"],"requestID":"r-1"}}"#;
        assert_eq!(conversations(call), ["C2Cp1-0", "C2Cp1-1"]);
    }
}
