//! Deletions: what was deleted, who has it by now, and taking it back.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{Administrator, Operator};
use super::error::ConsoleError;
use super::extract::{Path, Query};
use super::parameters::{limit, parsed};
use crate::domain::SdkAppId;
use crate::engine::inspect::DeletionState;
use crate::transport::Context;

/// Entries of a list, unless the call says otherwise.
const USUAL: usize = 50;
const MOST: usize = 200;

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route("/apps/{app}/deletions", get(list))
        .route("/apps/{app}/deletions/{id}", get(show))
        .route("/apps/{app}/deletions/{id}/restore", post(restore))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    user: Option<String>,
    before: Option<String>,
    limit: Option<String>,
}

async fn list(
    State(context): State<Arc<Context>>,
    Operator(_): Operator,
    Path(app): Path<SdkAppId>,
    Query(asked): Query<Listed>,
) -> Result<Json<Value>, ConsoleError> {
    let limit = limit(asked.limit.as_deref(), USUAL, MOST)?;
    let user = parsed("user", asked.user.as_deref())?;
    let before = parsed("before", asked.before.as_deref())?;
    let page = context.engine.deletions(app, user, before, limit).await?;
    Ok(Json(json!({ "deletions": page.items, "next": page.next })))
}

async fn show(
    State(context): State<Arc<Context>>,
    Operator(_): Operator,
    Path((app, id)): Path<(SdkAppId, i64)>,
) -> Result<Json<DeletionState>, ConsoleError> {
    let mut deletion = context.engine.deletion(app, id).await?;
    for online in context.hub.online(deletion.account) {
        deletion.connected(&online.device, online.ack);
    }
    Ok(Json(deletion))
}

async fn restore(
    State(context): State<Arc<Context>>,
    Administrator(by): Administrator,
    Path((app, id)): Path<(SdkAppId, i64)>,
) -> Result<Json<Value>, ConsoleError> {
    let restored = context.engine.restore_deletion(by.actor(), app, id).await?;
    // Not the conversations as they are now: the newest message would be with them.
    Ok(Json(
        json!({ "version": restored.version, "results": restored.results }),
    ))
}
