//! What a page is told when it does not get what it asked for: the only place that knows HTTP statuses.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::engine::{Denied, EngineError, Refusal, StoreError};

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ConsoleError {
    #[error("sign in first")]
    SignedOut,
    #[error("the name or the password is wrong")]
    WrongCredentials,
    #[error("too many wrong passwords; try again in {retry_after} s")]
    Locked {
        /// Seconds.
        retry_after: u64,
    },
    #[error("this takes an administrator")]
    Forbidden,
    #[error("the CSRF token is missing or wrong")]
    BadCsrf,
    #[error("the request does not come from a page of the console's own")]
    BadOrigin,
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("this is not how it is called")]
    NotAllowed,
    #[error("{field}: {reason}")]
    Invalid { field: String, reason: String },
    #[error("{0}")]
    Conflict(String),
    #[error("the server can't do this now; try again")]
    Unavailable,
    #[error("the server failed; its log says why")]
    Internal,
}

impl ConsoleError {
    /// `what` is missing: an app, an operator.
    pub(super) fn not_found(what: &'static str) -> Self {
        Self::NotFound(what)
    }

    /// A member of the body or a parameter is not as it must be.
    pub(super) fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            reason: reason.into(),
        }
    }

    fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::SignedOut => (StatusCode::UNAUTHORIZED, "signed_out"),
            Self::WrongCredentials => (StatusCode::UNAUTHORIZED, "wrong_credentials"),
            Self::Locked { .. } => (StatusCode::TOO_MANY_REQUESTS, "locked"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            Self::BadCsrf => (StatusCode::FORBIDDEN, "bad_csrf"),
            Self::BadOrigin => (StatusCode::FORBIDDEN, "bad_origin"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::NotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "not_found"),
            Self::Invalid { .. } => (StatusCode::BAD_REQUEST, "invalid"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl IntoResponse for ConsoleError {
    fn into_response(self) -> Response {
        let (status, code) = self.code();
        let mut error = json!({ "code": code, "message": self.to_string() });
        let mut retry_after = None;
        match self {
            Self::Locked { retry_after: wait } => {
                error["retryAfter"] = wait.into();
                retry_after = Some(HeaderValue::from(wait));
            }
            Self::Invalid { field, .. } => error["field"] = field.into(),
            _ => {}
        }
        let mut response = (status, Json(json!({ "error": error }))).into_response();
        if let Some(wait) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        response
    }
}

impl From<EngineError> for ConsoleError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Denied(denied) => denied.into(),
            EngineError::Store(error @ StoreError::Unexpected(_)) => {
                tracing::error!(%error, "a call of the console's failed");
                Self::Internal
            }
            EngineError::Store(error) => {
                tracing::warn!(%error, "a call of the console's was not committed");
                Self::Unavailable
            }
        }
    }
}

impl From<Denied> for ConsoleError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Operator(refusal) => refusal.into(),
            Denied::NoSuchApp => Self::not_found("app"),
            Denied::NoSuchConversation => Self::not_found("conversation"),
            Denied::NoSuchDevice => Self::not_found("device"),
            Denied::NoSuchUser => Self::not_found("user"),
            Denied::NoSuchDeletion => Self::not_found("deletion"),
            Denied::Invalid { field, reason } => Self::invalid(field, reason),
            other => Self::Conflict(other.to_string()),
        }
    }
}

impl From<Refusal> for ConsoleError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::WrongCredentials => Self::WrongCredentials,
            Refusal::Locked { retry_after } => Self::Locked { retry_after },
            Refusal::SignedOut => Self::SignedOut,
            Refusal::NoSuchOperator => Self::not_found("operator"),
            Refusal::NameTaken | Refusal::LastAdministrator => Self::Conflict(refusal.to_string()),
        }
    }
}
