//! Signing in and out, and the own password.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{Operator, cookie};
use super::error::ConsoleError;
use super::extract::Body;
use crate::engine::Session;
use crate::transport::admission::host;
use crate::transport::{Context, Peer};

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route("/sign-in", post(sign_in))
        .route("/session", get(show))
        .route("/sign-out", post(sign_out))
        .route("/password", post(change_password))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    name: String,
    password: String,
}

async fn sign_in(
    State(context): State<Arc<Context>>,
    Extension(peer): Extension<Arc<Peer>>,
    headers: HeaderMap,
    Body(SignIn { name, password }): Body<SignIn>,
) -> Result<Response, ConsoleError> {
    let from = host(peer.address());
    let (token, session) = context.engine.sign_in(&name, password, from).await?;
    let cookie = [(header::SET_COOKIE, cookie(&token, &headers)?)];
    Ok((cookie, Json(shown(&session))).into_response())
}

async fn show(Operator(session): Operator) -> Json<Value> {
    Json(shown(&session))
}

fn shown(session: &Session) -> Value {
    json!({
        "name": session.operator,
        "role": session.role,
        "csrfToken": session.csrf_token,
        "expiresAt": session.expires_at,
    })
}

async fn sign_out(
    State(context): State<Arc<Context>>,
    Operator(session): Operator,
    headers: HeaderMap,
) -> Result<Response, ConsoleError> {
    context.engine.sign_out(session).await?;
    let cookie = [(header::SET_COOKIE, cookie("", &headers)?)];
    Ok((StatusCode::NO_CONTENT, cookie).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangePassword {
    current: String,
    password: String,
}

async fn change_password(
    State(context): State<Arc<Context>>,
    Operator(session): Operator,
    Extension(peer): Extension<Arc<Peer>>,
    Body(ChangePassword { current, password }): Body<ChangePassword>,
) -> Result<StatusCode, ConsoleError> {
    let from = host(peer.address());
    context
        .engine
        .change_password(session, current, password, from)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
