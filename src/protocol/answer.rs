//! What the methods answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conversation::{Conversation, ConversationEntry, GroupMember, GroupProfile, Message};
use crate::domain::{ConversationId, DeviceId, Millis, Platform, Seq, UserId, Version};

/// Answer to `login`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// Names this connection in the server's logs.
    #[serde(rename = "instanceID")]
    pub instance_id: String,
    pub server_time: Millis,
    #[serde(flatten)]
    pub sync: Sync,
    pub features: Features,
}

/// What a client may want to show of its app's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Features {
    pub sync_conversation_deletion: bool,
}

/// Answer to `conversation.sync` and `conversation.list`, and part of that to `login`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sync {
    /// The account's version that the client has once it has every page.
    pub version: Version,
    pub cursor: String,
    /// Forget what you had: this is a snapshot, not what changed.
    pub reset: bool,
    pub conversation_list: Vec<ConversationEntry>,
    /// False: ask `conversation.sync` with `cursor` for the next page.
    pub is_completed: bool,
}

/// Answer to `ping`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pong {
    /// The newest version that this connection was told of, or read by itself.
    pub head: Version,
    /// To resume from, for a client that has applied `head` and every push before this answer.
    pub cursor: String,
    pub server_time: Millis,
}

/// Answer to `conversation.get`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OneConversation {
    pub conversation: Conversation,
}

/// Answer to `conversation.delete` and `conversation.restore`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    pub version: Version,
    /// Whether the account's other devices are told.
    pub synced: bool,
    /// One for each ID, in the order of the call; an ID given twice counts once.
    pub results: Vec<DeletionResult>,
    /// What a restore brought back, as it is now: the actor gets no push of its own doing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conversation_list: Vec<ConversationEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeletionResult {
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// 0, or why not: 2500 not found, 2503 invalid ID, 20016 too late to restore.
    pub code: i32,
    /// Up to where it was deleted, or stays deleted after a restore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Seq>,
}

/// Answer to `conversation.clearHistory`, `.read` and `.pin`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    pub version: Version,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Seq>,
    /// The conversation as it is now: the actor gets no push of its own doing.
    pub conversation_list: Vec<ConversationEntry>,
}

/// Answer to `message.send`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    pub message: Message,
}

/// Answer to `message.list`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageList {
    /// Oldest first.
    pub message_list: Vec<Message>,
    /// For the page before; empty when there is none.
    #[serde(rename = "nextReqMessageID")]
    pub next_req_message_id: String,
    pub is_completed: bool,
}

/// Answer to `message.revoke`: what the others are told with `message.revoked`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Revoked {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    /// The place of the control entry in the log.
    pub seq: Seq,
    pub revoked_seq: Seq,
}

/// Answer to the group methods that change one.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub group: GroupProfile,
    /// The account's version after the change to its own view, if that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// That view as it is now: the actor gets no push of its own doing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conversation_list: Vec<ConversationEntry>,
    /// Those that were added or removed; others were there, or not there, already.
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "userIDList")]
    pub user_id_list: Vec<UserId>,
}

/// Answer to `group.list`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupList {
    pub group_list: Vec<GroupProfile>,
}

/// Answer to `group.memberList`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberList {
    pub member_list: Vec<GroupMember>,
}

/// Answer to the friend methods: those named, or all.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FriendList {
    pub friend_list: Vec<Friend>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Friend {
    #[serde(rename = "userID")]
    pub user_id: UserId,
}

/// Answer to `device.list`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeviceList {
    pub device_list: Vec<Device>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    #[serde(rename = "deviceID")]
    pub device_id: DeviceId,
    pub platform: Platform,
    pub is_online: bool,
    /// When it last logged in.
    pub login_time: Millis,
    /// The newest version it has said it applied.
    pub ack: Version,
}

/// Answer to `logout` and `device.logout`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub struct Done {}
