//! What a conversation's log holds.

use serde_json::value::RawValue;

use super::ids::{AccountKey, Millis, Seq, UserId};

/// Largest payload of a message, in bytes of JSON (Tencent: code 93000 above 8 KB).
pub const MAX_PAYLOAD: usize = 8 * 1024;

/// The Web SDK's message types that a client may send (`TYPES.MSG_*`).
pub const SENDABLE_TYPES: [&str; 9] = [
    "TIMTextElem",
    "TIMCustomElem",
    "TIMImageElem",
    "TIMSoundElem",
    "TIMFileElem",
    "TIMVideoFileElem",
    "TIMFaceElem",
    "TIMLocationElem",
    "TIMRelayElem",
];

/// A group's news in its own log: a control entry.
pub const GROUP_TIP: &str = "TIMGroupTipElem";
/// A notice in `@TIM#SYSTEM`: a message.
pub const SYSTEM_NOTICE: &str = "TIMGroupSystemNoticeElem";
/// "The entry at this seq was revoked": a control entry.
pub const REVOKE: &str = "revoke";

/// One entry of a log.
#[derive(Debug, Clone)]
pub struct Entry {
    pub seq: Seq,
    /// Number of messages at or below `seq`.
    pub message_count: u64,
    /// `None`: the system.
    pub sender: Option<Sender>,
    pub time: Millis,
    /// One of [`SENDABLE_TYPES`], [`GROUP_TIP`], [`SYSTEM_NOTICE`] or [`REVOKE`].
    pub kind: String,
    /// `None` once revoked.
    pub payload: Option<Box<RawValue>>,
    pub is_control: bool,
    pub is_revoked: bool,
}

/// An account as the author of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub key: AccountKey,
    pub user: UserId,
}

/// An entry about to be appended; the log gives it its place.
#[derive(Debug, Clone)]
pub struct NewEntry {
    pub sender: Option<Sender>,
    pub time: Millis,
    pub kind: String,
    pub payload: Box<RawValue>,
    pub is_control: bool,
}
