//! Conversations and messages as clients see them; field names as in the Web SDK.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::group::{GroupType, Role};
use crate::domain::{ConversationId, GroupId, Millis, Seq, UserId};

/// One conversation in a list, a catch-up or an update.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ConversationEntry {
    Deleted(Tombstone),
    Unlisted(Unlisted),
    Listed(Box<Conversation>),
}

// By hand: serde's own way of telling untagged variants apart can't hold a message's `RawValue` meanwhile.
impl<'de> Deserialize<'de> for ConversationEntry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let entry = Value::deserialize(from)?;
        let read = if entry.get("deleted").is_some() {
            serde_json::from_value(entry).map(Self::Deleted)
        } else if entry.get("unlisted").is_some() {
            serde_json::from_value(entry).map(Self::Unlisted)
        } else {
            serde_json::from_value(entry).map(Self::Listed)
        };
        read.map_err(D::Error::custom)
    }
}

/// A conversation in the list.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    /// `C2C`, `GROUP` or `@TIM#SYSTEM`.
    pub r#type: String,
    pub unread_count: u64,
    pub is_pinned: bool,
    /// The newest message, unless its history was cleared.
    pub last_message: Option<Message>,
    /// Seq of the newest entry, control entries included: what the gap rule counts from.
    pub last_seq: Seq,
    /// Seq of the newest message, also where it can't be read: what the deletion floor is held against.
    pub last_message_seq: Seq,
    pub read_up_to: Seq,
    /// The deletion floor as told: a client lists the conversation iff its newest message is above it.
    pub hidden_up_to: Seq,
    /// The history floor as told: a client forgets what it holds at or below it.
    pub history_floor: Seq,
    pub membership: MembershipState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_profile: Option<GroupProfile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_profile: Option<UserProfile>,
}

/// A deleted conversation in a catch-up. It may yet come back, so what it is otherwise is told too.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tombstone {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    pub r#type: String,
    pub deleted: True,
    pub up_to: Seq,
    /// Whether the history up to `upTo` was cleared with it.
    pub history_cleared: bool,
    /// What a client holds at or below it, it forgets.
    pub history_floor: Seq,
    pub last_seq: Seq,
    pub read_up_to: Seq,
    pub membership: MembershipState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_profile: Option<GroupProfile>,
}

/// News of a conversation that neither puts it in the list nor takes it out: a client that shows it takes the
/// values over, one that doesn't keeps them for when a message lists it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unlisted {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    pub r#type: String,
    pub unlisted: True,
    pub is_pinned: bool,
    pub last_seq: Seq,
    pub read_up_to: Seq,
    pub membership: MembershipState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_profile: Option<GroupProfile>,
}

/// A field that is present to tell one shape from another; always `true`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "bool", into = "bool")]
pub struct True;

impl From<True> for bool {
    fn from(_: True) -> Self {
        true
    }
}

impl TryFrom<bool> for True {
    type Error = &'static str;
    fn try_from(value: bool) -> Result<Self, Self::Error> {
        if value { Ok(Self) } else { Err("must be true") }
    }
}

/// An account's part in a conversation; always `active` but for groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MembershipState {
    Active,
    Quit,
    Kicked,
    Dissolved,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupProfile {
    #[serde(rename = "groupID")]
    pub group_id: GroupId,
    pub name: String,
    pub r#type: GroupType,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserProfile {
    #[serde(rename = "userID")]
    pub user_id: UserId,
}

/// One entry of a conversation's log, as one account sees it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    pub seq: Seq,
    /// The sender's userID; empty for the system.
    pub from: String,
    pub time: Millis,
    pub r#type: String,
    /// Null once revoked.
    pub payload: Option<Box<RawValue>>,
    pub is_revoked: bool,
    /// A control entry takes a seq, but never lists a conversation, brings it back, or counts as unread.
    pub is_control: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupMember {
    #[serde(rename = "userID")]
    pub user_id: UserId,
    pub role: Role,
    pub join_time: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::answer;
    use crate::protocol::push::Push;

    const MESSAGE: &str = r#"{"ID":"m","conversationID":"C2Cbob","seq":3,"from":"bob","time":1,"type":"TIMTextElem","payload":{"text":"hi"},"isRevoked":false,"isControl":false}"#;

    fn listed() -> String {
        format!(
            r#"{{"conversationID":"C2Cbob","type":"C2C","unreadCount":1,"isPinned":false,"lastMessage":{MESSAGE},"lastSeq":3,"lastMessageSeq":3,"readUpTo":2,"hiddenUpTo":0,"historyFloor":0,"membership":"active"}}"#
        )
    }

    #[test]
    fn a_client_reads_back_what_the_server_writes() {
        let tombstone = r#"{"conversationID":"C2Cal","type":"C2C","deleted":true,"upTo":2,"historyCleared":true,"historyFloor":2,"lastSeq":2,"readUpTo":2,"membership":"active"}"#;
        let unlisted = r#"{"conversationID":"GROUPg","type":"GROUP","unlisted":true,"isPinned":false,"lastSeq":1,"readUpTo":0,"membership":"active"}"#;
        let list = format!("[{},{tombstone},{unlisted}]", listed());
        let login = format!(
            r#"{{"instanceID":"i","serverTime":1,"version":4,"cursor":"c","reset":true,"conversationList":{list},"isCompleted":true,"features":{{"syncConversationDeletion":true}}}}"#
        );
        let login: answer::Login = serde_json::from_str(&login).unwrap();
        assert!(matches!(
            &login.sync.conversation_list[..],
            [
                ConversationEntry::Listed(_),
                ConversationEntry::Deleted(_),
                ConversationEntry::Unlisted(_)
            ]
        ));
        let push = format!(
            r#"{{"jsonrpc":"2.0","method":"conversation.updated","params":{{"version":4,"conversationList":{list},"time":1}}}}"#
        );
        let push: Push = serde_json::from_str(&push).unwrap();
        let Push::ConversationUpdated(push) = push else {
            panic!("{push:?}");
        };
        let ConversationEntry::Listed(listed) = &push.conversation_list[0] else {
            panic!("listed first");
        };
        let payload = listed.last_message.as_ref().unwrap().payload.as_ref();
        assert_eq!(payload.unwrap().get(), r#"{"text":"hi"}"#);
    }
}
