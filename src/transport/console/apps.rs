//! Apps and their keys.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get, patch, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{Administrator, Operator};
use super::error::ConsoleError;
use super::extract::{Body, Path};
use crate::domain::SdkAppId;
use crate::engine::AppShown;
use crate::transport::Context;

/// The identifier that may call the REST API of a new app.
const ADMIN: &str = "administrator";

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route("/apps", get(list).post(create))
        .route("/apps/{app}", patch(change))
        .route("/apps/{app}/keys", post(rotate_key))
        .route("/apps/{app}/keys/oldest", delete(retire_key))
}

async fn list(
    State(context): State<Arc<Context>>,
    Operator(_): Operator,
) -> Result<Json<Value>, ConsoleError> {
    let apps = context.engine.apps_shown().await?;
    let apps: Vec<_> = apps.iter().map(shown).collect();
    Ok(Json(json!({ "apps": apps })))
}

fn shown(shown: &AppShown) -> Value {
    let AppShown {
        app,
        accounts,
        is_demo,
    } = shown;
    json!({
        "sdkAppID": app.id,
        "disabled": app.disabled,
        "createdAt": app.created_at,
        "keys": app.keys.len(),
        "admins": app.admins,
        "syncConversationDeletion": app.features.sync_conversation_deletion,
        "accounts": accounts,
        "isDemo": is_demo,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    #[serde(rename = "sdkAppID")]
    sdk_app_id: Option<SdkAppId>,
}

async fn create(
    State(context): State<Arc<Context>>,
    Administrator(by): Administrator,
    Body(Create { sdk_app_id }): Body<Create>,
) -> Result<(StatusCode, Json<Value>), ConsoleError> {
    if sdk_app_id == Some(SdkAppId(0)) {
        return Err(ConsoleError::invalid("sdkAppID", "must be at least 1"));
    }
    let admins = vec![ADMIN.into()];
    let by = by.actor();
    let (id, key) = context.engine.new_app(sdk_app_id, admins, &by).await?;
    let made = json!({ "sdkAppID": id, "secretKey": key.reveal() });
    Ok((StatusCode::CREATED, Json(made)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    disabled: Option<bool>,
}

async fn change(
    State(context): State<Arc<Context>>,
    Administrator(by): Administrator,
    Path(app): Path<SdkAppId>,
    Body(Change { disabled }): Body<Change>,
) -> Result<Json<Value>, ConsoleError> {
    let engine = &context.engine;
    engine
        .change_app(app, &by.actor(), move |app| {
            app.disabled = disabled.unwrap_or(app.disabled);
        })
        .await?;
    Ok(Json(shown(&engine.app_shown(app).await?)))
}

async fn rotate_key(
    State(context): State<Arc<Context>>,
    Administrator(by): Administrator,
    Path(app): Path<SdkAppId>,
) -> Result<(StatusCode, Json<Value>), ConsoleError> {
    let key = context.engine.rotate_key(app, &by.actor()).await?;
    let made = json!({ "secretKey": key.reveal() });
    Ok((StatusCode::CREATED, Json(made)))
}

async fn retire_key(
    State(context): State<Arc<Context>>,
    Administrator(by): Administrator,
    Path(app): Path<SdkAppId>,
) -> Result<StatusCode, ConsoleError> {
    context.engine.retire_keys(app, &by.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}
