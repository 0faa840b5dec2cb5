//! What is on the wire, read by the tests' own eyes and not by the server's types.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) fn read<T: DeserializeOwned>(value: &Value) -> T {
    T::deserialize(value).unwrap_or_else(|error| panic!("{error} in {value}"))
}

/// A JSON-RPC error.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct RpcError {
    pub(crate) code: i32,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) data: Value,
}

impl RpcError {
    /// The parameter that was refused.
    pub(crate) fn field(&self) -> &str {
        self.data["field"].as_str().unwrap_or("")
    }
}

/// Something the server said unasked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Push {
    pub(crate) method: String,
    pub(crate) params: Value,
}

impl Push {
    pub(crate) fn version(&self) -> Option<u64> {
        self.params["version"].as_u64()
    }

    /// The conversations that a push about views names, sorted.
    pub(crate) fn conversations(&self) -> Vec<&str> {
        let list = self.params["conversationList"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let mut ids: Vec<_> = list
            .iter()
            .filter_map(|entry| entry["conversationID"].as_str())
            .collect();
        ids.sort_unstable();
        ids
    }
}

/// One entry of a conversation's log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    #[serde(rename = "ID")]
    pub(crate) id: String,
    #[serde(rename = "conversationID")]
    pub(crate) conversation_id: String,
    pub(crate) seq: u64,
    pub(crate) from: String,
    pub(crate) r#type: String,
    pub(crate) payload: Value,
    pub(crate) is_revoked: bool,
    pub(crate) is_control: bool,
}

impl Message {
    pub(crate) fn text(&self) -> &str {
        self.payload["text"].as_str().unwrap_or("")
    }
}

/// A conversation in the list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Conversation {
    #[serde(rename = "conversationID")]
    pub(crate) id: String,
    pub(crate) unread_count: u64,
    pub(crate) is_pinned: bool,
    pub(crate) last_message: Option<Message>,
    pub(crate) last_seq: u64,
    pub(crate) last_message_seq: u64,
    pub(crate) read_up_to: u64,
    pub(crate) hidden_up_to: u64,
    pub(crate) history_floor: u64,
    pub(crate) membership: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tombstone {
    #[serde(rename = "conversationID")]
    pub(crate) id: String,
    pub(crate) up_to: u64,
    pub(crate) history_cleared: bool,
    pub(crate) history_floor: u64,
    pub(crate) last_seq: u64,
    pub(crate) read_up_to: u64,
    pub(crate) membership: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Unlisted {
    #[serde(rename = "conversationID")]
    pub(crate) id: String,
    pub(crate) is_pinned: bool,
    pub(crate) last_seq: u64,
    pub(crate) read_up_to: u64,
    pub(crate) membership: String,
}

/// An entry of a list, a catch-up or an update.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    Listed(Conversation),
    Deleted(Tombstone),
    Unlisted(Unlisted),
}

impl Entry {
    pub(crate) fn read(value: &Value) -> Self {
        if value["deleted"] == true {
            Self::Deleted(read(value))
        } else if value["unlisted"] == true {
            Self::Unlisted(read(value))
        } else {
            Self::Listed(read(value))
        }
    }

    pub(crate) fn read_all(list: &Value) -> Vec<Self> {
        let list = list.as_array().expect("a list of conversations");
        list.iter().map(Self::read).collect()
    }

    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Listed(entry) => &entry.id,
            Self::Deleted(entry) => &entry.id,
            Self::Unlisted(entry) => &entry.id,
        }
    }
}

/// Answer to `conversation.sync` and `conversation.list`, and the part of `login`'s that is like it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SyncAnswer {
    pub(crate) version: u64,
    pub(crate) cursor: String,
    pub(crate) reset: bool,
    pub(crate) is_completed: bool,
    pub(crate) entries: Vec<Entry>,
}

impl SyncAnswer {
    pub(crate) fn read(value: &Value) -> Self {
        Self {
            version: read(&value["version"]),
            cursor: read(&value["cursor"]),
            reset: read(&value["reset"]),
            is_completed: read(&value["isCompleted"]),
            entries: Entry::read_all(&value["conversationList"]),
        }
    }

    /// The entries' conversations, sorted, repeats included.
    pub(crate) fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<_> = self.entries.iter().map(Entry::id).collect();
        ids.sort_unstable();
        ids
    }

    pub(crate) fn entry(&self, id: &str) -> &Entry {
        let entry = self.entries.iter().find(|entry| entry.id() == id);
        entry.unwrap_or_else(|| panic!("no entry for {id} in {self:?}"))
    }
}

/// Answer to `conversation.delete` and `conversation.restore`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Deletion {
    pub(crate) version: u64,
    pub(crate) synced: bool,
    pub(crate) results: Vec<DeletionResult>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletionResult {
    #[serde(rename = "conversationID")]
    pub(crate) conversation_id: String,
    pub(crate) code: i32,
    #[serde(default)]
    pub(crate) up_to: u64,
}
