//! Conversations and messages as clients see them; field names as in the Web SDK.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::group::{GroupType, Role};
use crate::domain::{ConversationId, GroupId, Millis, Seq, UserId};

/// One conversation in a list, a catch-up or an update.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ConversationEntry {
    Deleted(Tombstone),
    Unlisted(Unlisted),
    // Last: the others are told from it by a field that it lacks.
    Listed(Box<Conversation>),
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

/// A deleted conversation in a catch-up.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tombstone {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    pub deleted: True,
    pub up_to: Seq,
    /// Whether the history up to `upTo` was cleared with it.
    pub history_cleared: bool,
    /// What a client holds at or below it, it forgets.
    pub history_floor: Seq,
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
