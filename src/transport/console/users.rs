//! An app's users: their devices, and how their conversations stand. What was said is in none of this.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{Administrator, Operator};
use super::error::ConsoleError;
use super::extract::{Path, Query};
use super::parameters::{limit, parsed};
use crate::domain::{DeviceId, SdkAppId, UserId};
use crate::engine::inspect::UserState;
use crate::transport::Context;

/// Entries of a list, unless the call says otherwise.
const USUAL: usize = 50;
const MOST: usize = 200;

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route("/apps/{app}/users", get(list))
        .route("/apps/{app}/users/{user}", get(show))
        .route("/apps/{app}/users/{user}/conversations", get(conversations))
        .route(
            "/apps/{app}/users/{user}/devices/{device}/logout",
            post(log_out),
        )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    prefix: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

async fn list(
    State(context): State<Arc<Context>>,
    Operator(_): Operator,
    Path(app): Path<SdkAppId>,
    Query(asked): Query<Listed>,
) -> Result<Json<Value>, ConsoleError> {
    let limit = limit(asked.limit.as_deref(), USUAL, MOST)?;
    let after = parsed("after", asked.after.as_deref())?;
    let prefix = asked.prefix.unwrap_or_default();
    let mut page = context.engine.users(app, prefix, after, limit).await?;
    for user in &mut page.items {
        user.online = context.hub.online(user.account).len();
    }
    Ok(Json(json!({ "users": page.items, "next": page.next })))
}

async fn show(
    State(context): State<Arc<Context>>,
    Operator(_): Operator,
    Path((app, user)): Path<(SdkAppId, UserId)>,
) -> Result<Json<UserState>, ConsoleError> {
    let mut user = context.engine.user(app, user).await?;
    for online in context.hub.online(user.account) {
        let mut devices = user.devices.iter_mut();
        if let Some(device) = devices.find(|device| device.device_id == online.device) {
            device.connected(online.address, online.ack, user.version);
        }
    }
    Ok(Json(user))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paged {
    after: Option<String>,
    limit: Option<String>,
}

async fn conversations(
    State(context): State<Arc<Context>>,
    Operator(_): Operator,
    Path((app, user)): Path<(SdkAppId, UserId)>,
    Query(asked): Query<Paged>,
) -> Result<Json<Value>, ConsoleError> {
    let limit = limit(asked.limit.as_deref(), USUAL, MOST)?;
    let after = parsed("after", asked.after.as_deref())?;
    let page = context
        .engine
        .conversation_states(app, user, after, limit)
        .await?;
    Ok(Json(
        json!({ "conversations": page.items, "next": page.next }),
    ))
}

async fn log_out(
    State(context): State<Arc<Context>>,
    Administrator(by): Administrator,
    Path((app, user, device)): Path<(SdkAppId, UserId, DeviceId)>,
) -> Result<StatusCode, ConsoleError> {
    context
        .engine
        .log_out_users_device(by.actor(), app, user, device)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
