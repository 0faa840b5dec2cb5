//! Why a use case did not happen.

use super::operators::Refusal;
use crate::store::StoreError;

/// Refused by a rule: nothing was changed, and trying again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("no such app")]
    NoSuchApp,
    #[error("there is an app of this number already")]
    AppIdTaken,
    #[error("the app is disabled")]
    AppDisabled,
    #[error("the credential was refused: {0}")]
    Credential(#[from] crate::engine::usersig::Refused),
    /// The device was logged out after this UserSig was made.
    #[error("the credential was withdrawn")]
    Withdrawn,
    #[error("conversation not found")]
    NoSuchConversation,
    #[error("message not found")]
    NoSuchMessage,
    #[error("nobody can be written to in this conversation")]
    NotWritable,
    #[error("not a member of the group, or not of the role this takes")]
    NoPermission,
    #[error("the group does not exist or was dissolved")]
    GroupGone,
    #[error("the group ID is taken")]
    GroupIdTaken,
    #[error("at most {0} members")]
    TooManyMembers(usize),
    #[error("the two accounts are not friends")]
    NotFriends,
    #[error("the time in which this could be undone has passed")]
    WindowPassed,
    #[error("at most {0} pinned conversations")]
    TooManyPins(usize),
    #[error("no such device")]
    NoSuchDevice,
    #[error("no such user")]
    NoSuchUser,
    #[error("no such deletion")]
    NoSuchDeletion,
    #[error("{0}")]
    BadMessage(&'static str),
    #[error("the payload is longer than {0} bytes")]
    MessageTooLong(usize),
    #[error(transparent)]
    Operator(#[from] Refusal),
    /// The call itself is malformed.
    #[error("{field}: {reason}")]
    Invalid { field: &'static str, reason: String },
}

impl Denied {
    pub(crate) fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            reason: reason.into(),
        }
    }
}

impl From<Refusal> for EngineError {
    fn from(refusal: Refusal) -> Self {
        Self::Denied(refusal.into())
    }
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}
