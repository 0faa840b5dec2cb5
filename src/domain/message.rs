//! What a conversation's log holds.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use serde_json::value::RawValue;

use super::ids::{AccountKey, LogId, Millis, Seq, UserId};

/// Largest payload of a message, in bytes of JSON (Tencent: code 93000 above 8 KB).
pub const MAX_PAYLOAD: usize = 8 * 1024;

/// Most lists and objects within each other in a payload, itself included. Readers of JSON give up at some depth,
/// many at 128, and a payload reaches them some levels down in a frame.
pub const MAX_PAYLOAD_DEPTH: usize = 32;

/// A payload as any reader of JSON will understand it, or none if there are readers who can't: it would keep them
/// from the whole frame it comes in, time and again. Its text may hold a number beyond all bounds, half a
/// surrogate pair, or endless nesting, all of which is JSON by its grammar.
pub fn readable(payload: &RawValue) -> Option<Value> {
    let value = serde_json::from_str(payload.get()).ok()?;
    (depth(&value) <= MAX_PAYLOAD_DEPTH).then_some(value)
}

/// The reader of JSON has its own limit, so this ends.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

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

/// A message's identity within the store, written `<log>-<seq>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageId {
    pub log: LogId,
    pub seq: Seq,
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.log.0, self.seq)
    }
}

/// The text is no message's ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message's ID")]
pub struct NotAMessageId;

impl FromStr for MessageId {
    type Err = NotAMessageId;
    fn from_str(text: &str) -> Result<Self, NotAMessageId> {
        let (log, seq) = text.split_once('-').ok_or(NotAMessageId)?;
        let id = Self {
            log: LogId(log.parse().map_err(|_| NotAMessageId)?),
            seq: Seq(seq.parse().map_err(|_| NotAMessageId)?),
        };
        // One message has one ID: no signs, no leading zeros.
        if id.to_string() == text {
            Ok(id)
        } else {
            Err(NotAMessageId)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_reads_back_as_written() {
        let id = MessageId {
            log: LogId(12),
            seq: Seq(7),
        };
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in [
            "",
            "-",
            "12",
            "12-",
            "-7",
            "a-b",
            "12-7-1",
            "12--7",
            "+12-7",
            "12-+7",
            "012-7",
            "99999999999999999999-1",
        ] {
            assert_eq!(text.parse::<MessageId>(), Err(NotAMessageId), "{text}");
        }
    }

    #[test]
    fn what_some_reader_could_not_read_is_not_readable() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let is_readable = |text: String| {
            let raw = RawValue::from_string(text).expect("JSON by its grammar");
            readable(&raw).is_some()
        };
        for text in [
            "1e400".into(),
            r#""\ud800""#.into(),
            r#"{"\udfff":1}"#.into(),
            nested(MAX_PAYLOAD_DEPTH + 1),
            nested(4000),
        ] {
            assert!(!is_readable(text));
        }
        for text in [
            nested(MAX_PAYLOAD_DEPTH),
            r#"{"a":"\ud83d\ude00\u0000"}"#.into(),
        ] {
            assert!(is_readable(text));
        }
    }
}
