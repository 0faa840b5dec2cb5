//! What the demo's page calls.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::Context;
use crate::domain::{App, UserId};
use crate::engine::{Denied, EngineError};
use crate::transport::pages::protect;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Users {
    #[serde(rename = "userIDList")]
    user_id_list: Vec<UserId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Switch {
    #[serde(rename = "syncConversationDeletion")]
    sync_conversation_deletion: bool,
}

type Answer = Result<Response, Failure>;

/// `POST /demo/api/users {userIDList}` → UserSigs of the demo's app for them.
pub(super) async fn users(
    State(context): State<Arc<Context>>,
    call: Result<Json<Users>, JsonRejection>,
) -> Answer {
    let Json(Users { user_id_list }) = call?;
    let count = u32::try_from(user_id_list.len()).unwrap_or(u32::MAX);
    if let Some(count) = NonZeroU32::new(count) {
        context
            .demo
            .take_user_sigs(count)
            .map_err(Failure::TooMany)?;
    }
    let made = context.engine.demo_credentials(user_id_list).await?;
    let made = made.ok_or(Failure::Full)?;
    let users: Vec<_> = made
        .user_sigs
        .iter()
        .map(|(user, user_sig)| json!({ "userID": user, "userSig": user_sig }))
        .collect();
    Ok(answer(
        StatusCode::OK,
        &json!({
            "sdkAppID": made.app,
            "users": users,
            "expiresIn": made.lifetime,
        }),
    ))
}

/// `GET /demo/api/switch`
pub(super) async fn switch(State(context): State<Arc<Context>>) -> Answer {
    Ok(state(&context.engine.demo_app().await?))
}

/// `PUT /demo/api/switch {syncConversationDeletion}`
pub(super) async fn set_switch(
    State(context): State<Arc<Context>>,
    call: Result<Json<Switch>, JsonRejection>,
) -> Answer {
    let Json(Switch {
        sync_conversation_deletion: on,
    }) = call?;
    context.demo.take_setting().map_err(Failure::TooMany)?;
    Ok(state(&context.engine.set_demo_switch(on).await?))
}

fn state(app: &App) -> Response {
    let on = app.features.sync_conversation_deletion;
    answer(
        StatusCode::OK,
        &json!({ "sdkAppID": app.id, "syncConversationDeletion": on }),
    )
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    let mut answer = (status, Json(body)).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    protect(headers);
    answer
}

/// Why a call was not answered.
#[derive(Debug)]
pub(super) enum Failure {
    Unreadable(JsonRejection),
    TooMany(Duration),
    Full,
    Engine(EngineError),
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        Self::Unreadable(rejection)
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, code, message) = match &self {
            Self::Unreadable(rejection) => (rejection.status(), "invalid", rejection.body_text()),
            Self::TooMany(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_many",
                "the demo gives out no more for now".to_owned(),
            ),
            Self::Full => (
                StatusCode::SERVICE_UNAVAILABLE,
                "full",
                "the demo has all the users it may have".to_owned(),
            ),
            Self::Engine(EngineError::Denied(Denied::AppDisabled)) => (
                StatusCode::FORBIDDEN,
                "forbidden",
                "the demo's app is disabled".to_owned(),
            ),
            Self::Engine(EngineError::Denied(denied)) => {
                (StatusCode::BAD_REQUEST, "invalid", denied.to_string())
            }
            Self::Engine(EngineError::Store(error)) => {
                tracing::warn!(%error, "the demo could not be served");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "the store does not answer".to_owned(),
                )
            }
        };
        let mut answer = answer(
            status,
            &json!({ "error": { "code": code, "message": message } }),
        );
        if let Self::TooMany(wait) = self {
            let seconds = wait.as_secs().saturating_add(1);
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        answer
    }
}
