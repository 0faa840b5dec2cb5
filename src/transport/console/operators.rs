//! Who may operate the server.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, patch};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::Administrator;
use super::error::ConsoleError;
use super::extract::{Body, Path};
use crate::domain::{OperatorName, Role};
use crate::engine::{Operator, OperatorChange};
use crate::transport::Context;

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route("/operators", get(list).post(create))
        .route("/operators/{name}", patch(change).delete(remove))
}

async fn list(
    State(context): State<Arc<Context>>,
    Administrator(_): Administrator,
) -> Result<Json<Value>, ConsoleError> {
    let operators = context.engine.operators().await?;
    let operators: Vec<_> = operators.iter().map(shown).collect();
    Ok(Json(json!({ "operators": operators })))
}

fn shown(operator: &Operator) -> Value {
    json!({
        "name": operator.name,
        "role": operator.role,
        "createdAt": operator.created_at,
        "lastSignIn": operator.last_sign_in,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    name: OperatorName,
    role: Role,
    password: Option<String>,
}

async fn create(
    State(context): State<Arc<Context>>,
    Administrator(by): Administrator,
    Body(Create {
        name,
        role,
        password,
    }): Body<Create>,
) -> Result<(StatusCode, Json<Value>), ConsoleError> {
    let engine = &context.engine;
    let password = engine
        .create_operator(by.actor(), name.clone(), role, password)
        .await?;
    let made = json!({ "name": name, "role": role, "password": password });
    Ok((StatusCode::CREATED, Json(made)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    role: Option<Role>,
    password: Option<String>,
}

async fn change(
    State(context): State<Arc<Context>>,
    Administrator(by): Administrator,
    Path(name): Path<OperatorName>,
    Body(Change { role, password }): Body<Change>,
) -> Result<Json<Value>, ConsoleError> {
    let to = OperatorChange { role, password };
    let operator = context.engine.change_operator(by, name, to).await?;
    Ok(Json(shown(&operator)))
}

async fn remove(
    State(context): State<Arc<Context>>,
    Administrator(by): Administrator,
    Path(name): Path<OperatorName>,
) -> Result<StatusCode, ConsoleError> {
    context.engine.remove_operator(by.actor(), name).await?;
    Ok(StatusCode::NO_CONTENT)
}
