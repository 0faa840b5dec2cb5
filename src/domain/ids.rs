//! Identifiers and counters. Each is a type of its own, and its limits and arithmetic live with it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Wall-clock time in milliseconds since 1970-01-01 UTC.
pub type Millis = i64;

/// Why a string is not the identifier it was meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    #[error("must not be empty")]
    Empty,
    #[error("must be at most {max} bytes of UTF-8")]
    TooLong { max: usize },
    #[error("must not contain control characters")]
    ControlCharacter,
    #[error("must be C2C<userID>, GROUP<groupID> or @TIM#SYSTEM")]
    NotAConversation,
}

fn check(text: &str, max: usize) -> Result<(), InvalidId> {
    if text.is_empty() {
        Err(InvalidId::Empty)
    } else if text.len() > max {
        Err(InvalidId::TooLong { max })
    } else if text.chars().any(char::is_control) {
        Err(InvalidId::ControlCharacter)
    } else {
        Ok(())
    }
}

/// A text identifier: opaque, case-sensitive, compared byte for byte, 1 to `MAX` bytes, no control characters.
/// A clone shares the text.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $max:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The longest allowed, in bytes of UTF-8.
            pub const MAX: usize = $max;

            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                check(&text, Self::MAX)?;
                Ok(Self(text.into()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().into()
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }
    };
}

text_id!(
    /// An account within its app.
    UserId,
    64
);
text_id!(
    /// An installation of a client; the client chooses it and keeps it.
    DeviceId,
    64
);
text_id!(
    /// A group within its app. Tencent's own limit is 48 bytes.
    GroupId,
    48
);
text_id!(
    /// Who signs in to the console.
    OperatorName,
    64
);
text_id!(
    /// Made by the client for one operation and repeated on each retry of it.
    RequestId,
    64
);

/// A number that is never mixed up with another of its kind.
macro_rules! counter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter!(
    /// Place of an entry in its conversation's log: 1, 2, 3… without holes. 0 is before the first.
    Seq
);
counter!(
    /// Number of committed operations on an account's views; each adds exactly 1.
    Version
);
counter!(
    /// Place of a log entry in the order in which the whole store committed entries.
    Position
);
counter!(
    /// Identity of a store's history; a restored backup gets a new one.
    Epoch
);

/// An app (tenant). Tencent's are 32-bit; so are these.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct SdkAppId(pub u32);

impl fmt::Display for SdkAppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The store's own number for an account; unique over all apps, so it can't be taken for another app's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey(pub i64);

/// The store's own number for a conversation's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId(pub i64);

/// The platforms of design section 2.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Platform {
    Android,
    #[serde(rename = "iPhone")]
    IPhone,
    #[serde(rename = "iPad")]
    IPad,
    Windows,
    Mac,
    Linux,
    Web,
}

impl Platform {
    pub const ALL: [Self; 7] = [
        Self::Android,
        Self::IPhone,
        Self::IPad,
        Self::Windows,
        Self::Mac,
        Self::Linux,
        Self::Web,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Android => "Android",
            Self::IPhone => "iPhone",
            Self::IPad => "iPad",
            Self::Windows => "Windows",
            Self::Mac => "Mac",
            Self::Linux => "Linux",
            Self::Web => "Web",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Platform {
    type Err = UnknownPlatform;
    fn from_str(text: &str) -> Result<Self, UnknownPlatform> {
        Self::ALL
            .into_iter()
            .find(|platform| platform.as_str() == text)
            .ok_or(UnknownPlatform)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of Android, iPhone, iPad, Windows, Mac, Linux, Web")]
pub struct UnknownPlatform;

/// A conversation as one account sees it, written as the Web SDK writes it.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub enum ConversationId {
    /// `C2C<userID>`: with one other account.
    C2c(UserId),
    /// `GROUP<groupID>`.
    Group(GroupId),
    /// `@TIM#SYSTEM`: the account's own notices.
    System,
}

impl ConversationId {
    const C2C: &'static str = "C2C";
    const GROUP: &'static str = "GROUP";
    const SYSTEM: &'static str = "@TIM#SYSTEM";

    /// The Web SDK's `TYPES` value for the conversation.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::C2c(_) => Self::C2C,
            Self::Group(_) => Self::GROUP,
            Self::System => Self::SYSTEM,
        }
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::C2c(user) => write!(f, "{}{user}", Self::C2C),
            Self::Group(group) => write!(f, "{}{group}", Self::GROUP),
            Self::System => f.write_str(Self::SYSTEM),
        }
    }
}

impl FromStr for ConversationId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text == Self::SYSTEM {
            Ok(Self::System)
        } else if let Some(group) = text.strip_prefix(Self::GROUP) {
            GroupId::new(group).map(Self::Group)
        } else if let Some(user) = text.strip_prefix(Self::C2C) {
            UserId::new(user).map(Self::C2c)
        } else {
            Err(InvalidId::NotAConversation)
        }
    }
}

impl TryFrom<String> for ConversationId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<ConversationId> for String {
    fn from(id: ConversationId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversation_ids_read_back_as_written() {
        for text in [
            "C2Cbob",
            "GROUPteam",
            "@TIM#SYSTEM",
            "GROUP@TGS#1",
            "C2CGROUPx",
            "C2C李雷",
        ] {
            assert_eq!(
                text.parse::<ConversationId>().map(|id| id.to_string()),
                Ok(text.into())
            );
        }
    }

    #[test]
    fn malformed_conversation_ids_are_refused() {
        for (text, why) in [
            ("", InvalidId::NotAConversation),
            ("bob", InvalidId::NotAConversation),
            ("c2cbob", InvalidId::NotAConversation),
            ("@TIM#SYSTEM2", InvalidId::NotAConversation),
            ("C2C", InvalidId::Empty),
            ("GROUP", InvalidId::Empty),
            ("C2Ca\u{0}b", InvalidId::ControlCharacter),
            ("C2Ca\u{85}b", InvalidId::ControlCharacter),
        ] {
            assert_eq!(text.parse::<ConversationId>(), Err(why), "{text:?}");
        }
    }

    #[test]
    fn length_is_counted_in_bytes() {
        assert!(UserId::new("é".repeat(32)).is_ok());
        assert_eq!(
            UserId::new("é".repeat(33)),
            Err(InvalidId::TooLong { max: 64 })
        );
    }

    #[test]
    fn ids_are_compared_byte_for_byte() {
        assert_ne!(UserId::new("e\u{301}"), UserId::new("\u{e9}"));
        assert_ne!(UserId::new("Bob"), UserId::new("bob"));
    }
}
