//! What a client is told of a failure. The client gets a code and a sentence; the log gets the cause, once.

use serde_json::json;

use crate::engine::usersig::Refused;
use crate::engine::{Denied, EngineError, StoreError};
use crate::protocol::close::Close;
use crate::protocol::code::Code;
use crate::protocol::jsonrpc::ErrorObject;

/// The error a client gets, having logged what is the operator's to know.
pub fn told(error: &EngineError) -> ErrorObject {
    match error {
        EngineError::Denied(denied) => refusal(denied),
        EngineError::Store(error) => {
            log(error);
            failure(error)
        }
    }
}

fn refusal(denied: &Denied) -> ErrorObject {
    match denied {
        Denied::NoSuchApp => Code::APP_NOT_FOUND.into(),
        Denied::AppDisabled => Code::APP_DISABLED.into(),
        Denied::Credential(Refused::Malformed) => Code::USERSIG_INVALID.into(),
        Denied::Credential(Refused::OtherUser) => Code::USERSIG_OTHER_USER.into(),
        Denied::Credential(Refused::OtherApp) => Code::USERSIG_OTHER_APP.into(),
        Denied::Credential(Refused::WrongKey) => Code::USERSIG_WRONG_KEY.into(),
        Denied::Credential(Refused::Expired) | Denied::Withdrawn => Code::USERSIG_EXPIRED.into(),
        Denied::NoSuchConversation => Code::CONVERSATION_NOT_FOUND.into(),
        Denied::NoSuchMessage => Code::MESSAGE_NOT_FOUND.into(),
        Denied::NotWritable => Code::SENDER_OR_RECEIVER_INVALID.into(),
        Denied::NoPermission => Code::NO_PERMISSION.into(),
        Denied::GroupGone => Code::GROUP_GONE.into(),
        Denied::GroupIdTaken => Code::GROUP_ID_TAKEN.into(),
        Denied::TooManyMembers(most) => {
            ErrorObject::with(Code::TOO_MANY_GROUPS, json!({ "max": most }))
        }
        Denied::NotFriends => Code::NOT_FRIENDS.into(),
        Denied::WindowPassed => Code::WINDOW_PASSED.into(),
        Denied::TooManyPins(most) => ErrorObject::with(Code::TOO_MANY_PINS, json!({ "max": most })),
        Denied::NoSuchDevice => ErrorObject::invalid_params("deviceID", denied),
        Denied::BadMessage(reason) => {
            ErrorObject::with(Code::BAD_MESSAGE_BODY, json!({ "reason": reason }))
        }
        Denied::MessageTooLong(most) => {
            ErrorObject::with(Code::MESSAGE_TOO_LONG, json!({ "max": most }))
        }
        // No device operates the server.
        Denied::Operator(_) | Denied::AppIdTaken | Denied::NoSuchUser | Denied::NoSuchDeletion => {
            Code::INTERNAL.into()
        }
        Denied::Invalid { field, reason } => ErrorObject::invalid_params(field, reason),
    }
}

/// A retry with the same requestID is right in both cases; the outcome tells whether it may find the work done.
fn failure(error: &StoreError) -> ErrorObject {
    match error {
        StoreError::Refused(_) => {
            ErrorObject::with(Code::TRY_AGAIN, json!({ "outcome": "refused" }))
        }
        StoreError::Unknown(_) => {
            ErrorObject::with(Code::TRY_AGAIN, json!({ "outcome": "unknown" }))
        }
        StoreError::Unexpected(_) => Code::INTERNAL.into(),
    }
}

fn log(error: &StoreError) {
    match error {
        StoreError::Unexpected(_) => tracing::error!(%error, "an operation failed"),
        StoreError::Refused(_) | StoreError::Unknown(_) => {
            tracing::warn!(%error, "an operation was not committed");
        }
    }
}

/// How a connection ends whose login failed.
pub fn login_close(error: &EngineError) -> Close {
    match error {
        EngineError::Denied(Denied::Credential(Refused::Expired)) => Close::RefreshCredential,
        EngineError::Denied(Denied::Withdrawn) => Close::Revoked,
        EngineError::Denied(_) => Close::LoginRefused,
        EngineError::Store(StoreError::Refused(_) | StoreError::Unknown(_)) => Close::Overloaded,
        EngineError::Store(StoreError::Unexpected(_)) => Close::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_learns_nothing_of_the_stores_own_words() {
        for error in [
            StoreError::Refused("disk full at /secret".into()),
            StoreError::Unknown("fsync: /secret".into()),
            StoreError::Unexpected("no such column: secret".into()),
        ] {
            let told = serde_json::to_string(&told(&error.into())).unwrap();
            assert!(!told.contains("secret"), "{told}");
        }
    }

    #[test]
    fn the_outcome_of_a_failure_is_told() {
        let outcome = |error: StoreError| {
            let told = told(&error.into());
            (told.code, told.data.map(|data| data["outcome"].clone()))
        };
        assert_eq!(
            outcome(StoreError::Refused(String::new())),
            (50004, Some("refused".into()))
        );
        assert_eq!(
            outcome(StoreError::Unknown(String::new())),
            (50004, Some("unknown".into()))
        );
        assert_eq!(
            outcome(StoreError::Unexpected(String::new())),
            (-32603, None)
        );
    }

    #[test]
    fn a_login_that_can_succeed_later_is_told_to_reconnect() {
        let close = |error: EngineError| login_close(&error).code();
        assert_eq!(
            close(Denied::Credential(Refused::Expired).into()),
            Close::RefreshCredential.code()
        );
        assert_eq!(
            close(StoreError::Refused(String::new()).into()),
            Close::Overloaded.code()
        );
        assert_eq!(close(Denied::Withdrawn.into()), Close::Revoked.code());
        assert_eq!(
            close(Denied::Credential(Refused::WrongKey).into()),
            Close::LoginRefused.code()
        );
    }
}
