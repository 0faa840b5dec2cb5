//! The methods a client may call, and their params.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::answer;
use super::code::Code;
use super::jsonrpc::ErrorObject;
use crate::domain::group::{GroupType, Role};
use crate::domain::{
    ConversationId, DeviceId, GroupId, Platform, RequestId, SdkAppId, Seq, UserId, Version,
};

/// The table of methods: wire name, variant, params, answer.
macro_rules! methods {
    ($($name:literal $variant:ident($params:ty) -> $answer:ty;)*) => {
        /// A request understood.
        #[derive(Debug)]
        pub enum Call {
            $($variant($params),)*
        }

        impl Call {
            /// Every method's name on the wire.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// Understands `params` as those of `method`.
            pub fn parse(method: &str, params: &str) -> Result<Self, ErrorObject> {
                match method {
                    $($name => read(params).map(Self::$variant),)*
                    _ => {
                        let method: String = method.chars().take(64).collect();
                        Err(ErrorObject::with(Code::METHOD_NOT_FOUND, json!({ "method": method })))
                    }
                }
            }

            /// Every method's name with the schemas of its params and its answer.
            pub fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema, Schema)> {
                vec![$((
                    $name,
                    generator.subschema_for::<$params>(),
                    generator.subschema_for::<$answer>(),
                ),)*]
            }
        }
    };
}

methods! {
    "login" Login(Login) -> answer::Login;
    "logout" Logout(Nothing) -> answer::Done;
    "ping" Ping(Ping) -> answer::Pong;
    "conversation.list" ConversationList(Nothing) -> answer::Sync;
    "conversation.get" ConversationGet(OneConversation) -> answer::OneConversation;
    "conversation.delete" ConversationDelete(Delete) -> answer::Deletion;
    "conversation.restore" ConversationRestore(Restore) -> answer::Deletion;
    "conversation.clearHistory" ConversationClearHistory(UpTo) -> answer::Changed;
    "conversation.read" ConversationRead(UpTo) -> answer::Changed;
    "conversation.pin" ConversationPin(Pin) -> answer::Changed;
    "conversation.sync" ConversationSync(Sync) -> answer::Sync;
    "message.send" MessageSend(Send) -> answer::Sent;
    "message.list" MessageList(MessageList) -> answer::MessageList;
    "message.revoke" MessageRevoke(Revoke) -> answer::Revoked;
    "group.create" GroupCreate(GroupCreate) -> answer::Group;
    "group.join" GroupJoin(OneGroup) -> answer::Group;
    "group.quit" GroupQuit(OneGroup) -> answer::Group;
    "group.dismiss" GroupDismiss(OneGroup) -> answer::Group;
    "group.addMember" GroupAddMember(GroupMembers) -> answer::Group;
    "group.deleteMember" GroupDeleteMember(GroupMembers) -> answer::Group;
    "group.list" GroupList(Nothing) -> answer::GroupList;
    "group.memberList" GroupMemberList(MemberList) -> answer::MemberList;
    "friend.add" FriendAdd(FriendAdd) -> answer::FriendList;
    "friend.delete" FriendDelete(FriendDelete) -> answer::FriendList;
    "friend.list" FriendList(Nothing) -> answer::FriendList;
    "device.list" DeviceList(Nothing) -> answer::DeviceList;
    "device.logout" DeviceLogout(DeviceLogout) -> answer::Done;
}

fn read<'a, T: Deserialize<'a>>(params: &'a str) -> Result<T, ErrorObject> {
    let mut json = serde_json::Deserializer::from_str(params);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner().to_string();
        let field = match member_in_question(&reason) {
            Some(member) if path == "." => member.to_owned(),
            Some(member) => format!("{path}.{member}"),
            None => path,
        };
        ErrorObject::invalid_params(&field, reason)
    })
}

/// The member that an object lacks or names twice. The path of such an error is the object's, and serde has the
/// member's name in its words only.
fn member_in_question(reason: &str) -> Option<&str> {
    let rest = ["missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| reason.strip_prefix(start))?;
    rest.split_once('`').map(|(member, _)| member)
}

/// A method without params.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Nothing {}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "LoginParams")]
pub struct Login {
    #[serde(rename = "sdkAppID")]
    pub sdk_app_id: SdkAppId,
    #[serde(rename = "userID")]
    pub user_id: UserId,
    pub user_sig: String,
    #[serde(rename = "deviceID")]
    pub device_id: DeviceId,
    pub platform: Platform,
    /// Where to resume; none: a snapshot.
    #[serde(default)]
    pub cursor: Option<String>,
}

// By hand, so that no log can hold a UserSig.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("sdk_app_id", &self.sdk_app_id)
            .field("user_id", &self.user_id)
            .field("device_id", &self.device_id)
            .field("platform", &self.platform)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Ping {
    /// The newest version the device has applied.
    #[serde(default)]
    pub ack: Option<Version>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "OneConversationParams")]
pub struct OneConversation {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
}

fn yes() -> bool {
    true
}

/// The IDs are text, not [`ConversationId`]s: a malformed one gets a result of its own (design 3.4).
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delete {
    #[serde(rename = "conversationIDList")]
    pub conversation_id_list: Vec<String>,
    #[serde(default = "yes")]
    pub clear_history_message: bool,
    /// Per conversation, the last seq the client knew of.
    #[serde(default)]
    pub up_to: BTreeMap<String, Seq>,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Restore {
    #[serde(rename = "conversationIDList")]
    pub conversation_id_list: Vec<String>,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpTo {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    /// The last seq the client knew of; none: the newest.
    #[serde(default)]
    pub up_to: Option<Seq>,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pin {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    pub is_pinned: bool,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "SyncParams")]
pub struct Sync {
    #[serde(default)]
    pub cursor: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Send {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    pub r#type: String,
    /// A JSON object of at most 8 KB.
    pub payload: Box<RawValue>,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "MessageListParams")]
pub struct MessageList {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    /// The page before this message; none: the newest page.
    #[serde(default, rename = "nextReqMessageID")]
    pub next_req_message_id: Option<String>,
    /// 1 to 100; 15 if absent (the Web SDK's page).
    #[serde(default)]
    pub count: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Revoke {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    /// The message's `ID`.
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupCreate {
    /// None: the server makes one.
    #[serde(default, rename = "groupID")]
    pub group_id: Option<GroupId>,
    pub name: String,
    #[serde(default)]
    pub r#type: GroupType,
    #[serde(default)]
    pub member_list: Vec<NewMember>,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct NewMember {
    #[serde(rename = "userID")]
    pub user_id: UserId,
    /// `Member` or `Admin`; `Member` if absent.
    #[serde(default)]
    pub role: Option<Role>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct OneGroup {
    #[serde(rename = "groupID")]
    pub group_id: GroupId,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct GroupMembers {
    #[serde(rename = "groupID")]
    pub group_id: GroupId,
    /// 1 to 500 (the Web SDK's limit).
    #[serde(rename = "userIDList")]
    pub user_id_list: Vec<UserId>,
    /// Told to those removed; at most 1024 bytes.
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "MemberListParams")]
pub struct MemberList {
    #[serde(rename = "groupID")]
    pub group_id: GroupId,
    #[serde(default)]
    pub offset: u32,
    /// 1 to 100; 15 if absent (the Web SDK's).
    #[serde(default)]
    pub count: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct FriendAdd {
    /// Whom to befriend; both become friends of each other (the Web SDK's `Add_Type_Both`).
    pub to: UserId,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct FriendDelete {
    /// 1 to 100 (the Web SDK's limit); both sides lose each other.
    #[serde(rename = "userIDList")]
    pub user_id_list: Vec<UserId>,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeviceLogout {
    #[serde(rename = "deviceID")]
    pub device_id: DeviceId,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field_of(method: &str, params: &str) -> serde_json::Value {
        let error = Call::parse(method, params).expect_err(params);
        error.data.expect("data")["field"].clone()
    }

    #[test]
    fn what_is_wrong_is_named_also_where_it_is_missing_or_there_twice() {
        for (method, params, field) in [
            (
                "conversation.get",
                r#"{"conversationID":7}"#,
                "conversationID",
            ),
            ("conversation.get", "{}", "conversationID"),
            (
                "conversation.get",
                r#"{"conversationID":"C2Ca","conversationID":"C2Cb"}"#,
                "conversationID",
            ),
            (
                "group.create",
                r#"{"name":"g","memberList":[{"userID":"a"},{}]}"#,
                "memberList[1].userID",
            ),
            (
                "group.create",
                r#"{"name":"g","memberList":[{"userID":"a","role":"King"}]}"#,
                "memberList[0].role",
            ),
            (
                "message.send",
                r#"{"conversationID":"C2Ca","type":"TIMTextElem"}"#,
                "payload",
            ),
        ] {
            assert_eq!(field_of(method, params), field, "{params}");
        }
    }

    #[test]
    fn a_client_cannot_name_a_field_by_its_own_words() {
        let params = r#"{"conversationIDList":[],"upTo":{"missing field `x`":-1}}"#;
        assert_eq!(
            field_of("conversation.delete", params),
            "upTo.missing field `x`"
        );
    }
}
