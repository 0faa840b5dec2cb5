//! The methods a client may call, and their params.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::code::Code;
use super::jsonrpc::ErrorObject;
use crate::domain::group::{GroupType, Role};
use crate::domain::{
    ConversationId, DeviceId, GroupId, Platform, RequestId, SdkAppId, Seq, UserId, Version,
};

/// The table of methods: wire name, variant, params.
macro_rules! methods {
    ($($name:literal $variant:ident($params:ty);)*) => {
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
                    _ => Err(ErrorObject::with(Code::METHOD_NOT_FOUND, json!({ "method": method.chars().take(64).collect::<String>() }))),
                }
            }
        }
    };
}

methods! {
    "login" Login(Login);
    "logout" Logout(Nothing);
    "ping" Ping(Ping);
    "conversation.list" ConversationList(Nothing);
    "conversation.get" ConversationGet(OneConversation);
    "conversation.delete" ConversationDelete(Delete);
    "conversation.restore" ConversationRestore(Restore);
    "conversation.clearHistory" ConversationClearHistory(UpTo);
    "conversation.read" ConversationRead(UpTo);
    "conversation.pin" ConversationPin(Pin);
    "conversation.sync" ConversationSync(Sync);
    "message.send" MessageSend(Send);
    "message.list" MessageList(MessageList);
    "message.revoke" MessageRevoke(Revoke);
    "group.create" GroupCreate(GroupCreate);
    "group.join" GroupJoin(OneGroup);
    "group.quit" GroupQuit(OneGroup);
    "group.dismiss" GroupDismiss(OneGroup);
    "group.addMember" GroupAddMember(GroupMembers);
    "group.deleteMember" GroupDeleteMember(GroupMembers);
    "group.list" GroupList(Nothing);
    "group.memberList" GroupMemberList(MemberList);
    "friend.add" FriendAdd(FriendAdd);
    "friend.delete" FriendDelete(FriendDelete);
    "friend.list" FriendList(Nothing);
    "device.list" DeviceList(Nothing);
    "device.logout" DeviceLogout(DeviceLogout);
}

fn read<'a, T: Deserialize<'a>>(params: &'a str) -> Result<T, ErrorObject> {
    let mut json = serde_json::Deserializer::from_str(params);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        ErrorObject::invalid_params(&field, error.into_inner())
    })
}

/// A method without params.
#[derive(Debug, Deserialize)]
pub struct Nothing {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
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

#[derive(Debug, Deserialize)]
pub struct Ping {
    /// The newest version the device has applied.
    #[serde(default)]
    pub ack: Option<Version>,
}

#[derive(Debug, Deserialize)]
pub struct OneConversation {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
}

fn yes() -> bool {
    true
}

/// The IDs are text, not [`ConversationId`]s: a malformed one gets a result of its own (design 3.4).
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delete {
    #[serde(rename = "conversationIDList")]
    pub conversation_id_list: Vec<String>,
    #[serde(default = "yes")]
    pub clear_history_message: bool,
    /// Per conversation, the last seq the client knew of.
    #[serde(default, with = "sorted")]
    pub up_to: HashMap<String, Seq>,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

/// Writes a map in the order of its keys, so that the same call always reads the same.
mod sorted {
    use std::collections::{BTreeMap, HashMap};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::domain::Seq;

    pub(super) fn serialize<S: Serializer>(
        map: &HashMap<String, Seq>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        map.iter().collect::<BTreeMap<_, _>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<HashMap<String, Seq>, D::Error> {
        HashMap::deserialize(from)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Restore {
    #[serde(rename = "conversationIDList")]
    pub conversation_id_list: Vec<String>,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Serialize, Deserialize)]
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

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pin {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    pub is_pinned: bool,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Deserialize)]
pub struct Sync {
    #[serde(default)]
    pub cursor: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Send {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    pub r#type: String,
    /// A JSON object of at most 8 KB.
    pub payload: Box<RawValue>,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Deserialize)]
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

#[derive(Debug, Serialize, Deserialize)]
pub struct Revoke {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    /// The message's `ID`.
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Serialize, Deserialize)]
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

#[derive(Debug, Serialize, Deserialize)]
pub struct NewMember {
    #[serde(rename = "userID")]
    pub user_id: UserId,
    /// `Member` or `Admin`; `Member` if absent.
    #[serde(default)]
    pub role: Option<Role>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct OneGroup {
    #[serde(rename = "groupID")]
    pub group_id: GroupId,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct GroupMembers {
    #[serde(rename = "groupID")]
    pub group_id: GroupId,
    /// 1 to 500 (the Web SDK's limit).
    #[serde(rename = "userIDList")]
    pub user_id_list: Vec<UserId>,
    /// Told to those removed.
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Deserialize)]
pub struct MemberList {
    #[serde(rename = "groupID")]
    pub group_id: GroupId,
    #[serde(default)]
    pub offset: u32,
    /// 1 to 100; 15 if absent (the Web SDK's).
    #[serde(default)]
    pub count: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct FriendAdd {
    /// Whom to befriend; both become friends of each other (the Web SDK's `Add_Type_Both`).
    pub to: UserId,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct FriendDelete {
    /// 1 to 100 (the Web SDK's limit); both sides lose each other.
    #[serde(rename = "userIDList")]
    pub user_id_list: Vec<UserId>,
    #[serde(default, rename = "requestID")]
    pub request_id: Option<RequestId>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct DeviceLogout {
    #[serde(rename = "deviceID")]
    pub device_id: DeviceId,
}
