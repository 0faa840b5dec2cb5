//! What the server says unasked.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::conversation::{ConversationEntry, Message};
use crate::domain::{ConversationId, DeviceId, Millis, Platform, Seq, Version};

/// The table of pushes: wire name and params.
macro_rules! pushes {
    ($($name:literal $variant:ident;)*) => {
        /// A push: its method and its params.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(tag = "method", content = "params")]
        pub enum Push {
            $(#[serde(rename = $name)] $variant($variant),)*
        }

        impl Push {
            /// Every push's name on the wire.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// Every push's name with the schema of its params.
            pub fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
                vec![$(($name, generator.subschema_for::<$variant>()),)*]
            }
        }
    };
}

pushes! {
    "conversation.deleted" ConversationDeleted;
    "conversation.updated" ConversationUpdated;
    "message.received" MessageReceived;
    "message.revoked" MessageRevoked;
    "kickedOut" KickedOut;
    "sync.hint" SyncHint;
    "server.draining" ServerDraining;
}

/// One deletion, whether of 1 conversation or of 100.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConversationDeleted {
    pub version: Version,
    pub conversation_list: Vec<DeletedConversation>,
    pub history_cleared: bool,
    /// None: it was done by the app's back end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    pub time: Millis,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeletedConversation {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    pub up_to: Seq,
}

/// The device that acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    #[serde(rename = "deviceID")]
    pub device_id: DeviceId,
    pub platform: Platform,
}

/// Any other operation on the account's views: the present state of what it touched.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConversationUpdated {
    pub version: Version,
    pub conversation_list: Vec<ConversationEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    pub time: Millis,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MessageReceived {
    pub message: Message,
}

/// A message was revoked. It takes a seq of its own, so that the gap rule covers it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageRevoked {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    pub seq: Seq,
    /// The message that was revoked.
    #[serde(rename = "ID")]
    pub id: String,
    pub revoked_seq: Seq,
    /// userID of who revoked it.
    pub revoker: String,
    pub time: Millis,
}

/// This connection is about to be closed for good.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct KickedOut {
    pub r#type: KickedOutType,
}

/// The Web SDK's `TYPES.KICKED_OUT_*` values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KickedOutType {
    /// The same device logged in again elsewhere.
    #[serde(rename = "multipleAccount")]
    MultipleAccount,
    /// Another device took its place under the login policy.
    #[serde(rename = "multipleDevice")]
    MultipleDevice,
    #[serde(rename = "userSigExpired")]
    UserSigExpired,
    /// Logged out by another of the account's devices or by the app's back end.
    #[serde(rename = "REST_API_Kick")]
    RestApi,
}

/// Pushes were dropped: ask `conversation.sync` for what changed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub struct SyncHint {
    pub head: Version,
}

/// The server is about to restart.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerDraining {
    /// Milliseconds to wait before reconnecting.
    pub retry_after: u64,
}

impl Push {
    /// The frame to send, encoded once for all who get it.
    pub fn frame(&self) -> Result<String, serde_json::Error> {
        // The enum's own form is `{"method":…,"params":…}`: all that is missing is the version in front.
        let tail = serde_json::to_string(self)?;
        Ok(format!(r#"{{"jsonrpc":"2.0",{}"#, &tail[1..]))
    }

    /// The account's version the push brings, if it is about views.
    pub fn version(&self) -> Option<Version> {
        match self {
            Self::ConversationDeleted(push) => Some(push.version),
            Self::ConversationUpdated(push) => Some(push.version),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_is_a_json_rpc_notification() {
        let frame = Push::SyncHint(SyncHint { head: Version(7) })
            .frame()
            .unwrap();
        assert_eq!(
            frame,
            r#"{"jsonrpc":"2.0","method":"sync.hint","params":{"head":7}}"#
        );
    }
}
