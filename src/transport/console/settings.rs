//! An app's settings: what the console calls "Feature Configuration".

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::access::{Administrator, Operator};
use super::error::ConsoleError;
use super::extract::{Body, Path};
use crate::domain::app::MAX_WINDOW;
use crate::domain::login_policy::{LoginMode, MAX_INSTANCES};
use crate::domain::retention::{LONGEST, SHORTEST};
use crate::domain::{App, Features, Millis, SdkAppId};
use crate::transport::Context;

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new().route("/apps/{app}/settings", get(show).patch(change))
}

/// Each setting, as the audit log calls it and as it is called here.
const NAMES: &[(&str, &str)] = &[
    ("sync-conversation-deletion", "syncConversationDeletion"),
    ("login-mode", "loginMode"),
    ("instances-per-platform", "instancesPerPlatform"),
    ("undo-window", "undoWindow"),
    ("revoke-window", "revokeWindow"),
    ("history-retention", "historyRetention"),
    ("relationship-check", "relationshipCheck"),
];

async fn show(
    State(context): State<Arc<Context>>,
    Operator(_): Operator,
    Path(app): Path<SdkAppId>,
) -> Result<Json<Value>, ConsoleError> {
    shown(&context, app).await
}

async fn shown(context: &Context, app: SdkAppId) -> Result<Json<Value>, ConsoleError> {
    let audited: Vec<&str> = NAMES.iter().map(|(audited, _)| *audited).collect();
    let (app, last) = context.engine.last_changes(app, audited).await?;
    let changed: Map<_, _> = NAMES
        .iter()
        .zip(last)
        .filter_map(|((_, name), change)| {
            let change = change?;
            let change = json!({ "by": change.by, "time": change.time });
            Some(((*name).to_owned(), change))
        })
        .collect();
    let mut shown = values(&app);
    shown["changed"] = changed.into();
    Ok(Json(shown))
}

fn values(app: &App) -> Value {
    let Features {
        sync_conversation_deletion,
        undo_window,
        revoke_window,
        history_retention,
        relationship_check,
        login_policy,
    } = &app.features;
    json!({
        "syncConversationDeletion": sync_conversation_deletion,
        "loginMode": login_policy.mode,
        "instancesPerPlatform": login_policy.instances_per_platform,
        "undoWindow": undo_window,
        "revokeWindow": revoke_window,
        "historyRetention": history_retention,
        "relationshipCheck": relationship_check,
    })
}

/// What is to be changed; what is not named stays.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Change {
    sync_conversation_deletion: Option<bool>,
    login_mode: Option<LoginMode>,
    #[serde(default, deserialize_with = "named")]
    #[expect(
        clippy::option_option,
        reason = "null is a value, and what is absent stays"
    )]
    instances_per_platform: Option<Option<u32>>,
    undo_window: Option<Millis>,
    revoke_window: Option<Millis>,
    #[serde(default, deserialize_with = "named")]
    #[expect(
        clippy::option_option,
        reason = "null is a value, and what is absent stays"
    )]
    history_retention: Option<Option<Millis>>,
    relationship_check: Option<bool>,
}

/// Tells `null` from what is not named.
#[expect(
    clippy::option_option,
    reason = "null is a value, and what is absent stays"
)]
fn named<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

impl Change {
    fn check(&self) -> Result<(), ConsoleError> {
        for (name, window) in [
            ("undoWindow", self.undo_window),
            ("revokeWindow", self.revoke_window),
        ] {
            if window.is_some_and(|window| !(0..=MAX_WINDOW).contains(&window)) {
                let reason = format!("must be 0 to {MAX_WINDOW} milliseconds (a year)");
                return Err(ConsoleError::invalid(name, reason));
            }
        }
        let kept = self.history_retention.flatten();
        if kept.is_some_and(|kept| !(SHORTEST..=LONGEST).contains(&kept)) {
            let reason = format!(
                "must be {SHORTEST} to {LONGEST} milliseconds (a day to ten years), or null for ever"
            );
            return Err(ConsoleError::invalid("historyRetention", reason));
        }
        let instances = self.instances_per_platform.flatten();
        if instances.is_some_and(|most| !(1..=MAX_INSTANCES).contains(&most)) {
            let reason = format!("must be 1 to {MAX_INSTANCES}, or null for any number");
            return Err(ConsoleError::invalid("instancesPerPlatform", reason));
        }
        Ok(())
    }

    fn apply(self, features: &mut Features) {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(
            &mut features.sync_conversation_deletion,
            self.sync_conversation_deletion,
        );
        set(&mut features.undo_window, self.undo_window);
        set(&mut features.revoke_window, self.revoke_window);
        set(&mut features.history_retention, self.history_retention);
        set(&mut features.relationship_check, self.relationship_check);
        set(&mut features.login_policy.mode, self.login_mode);
        set(
            &mut features.login_policy.instances_per_platform,
            self.instances_per_platform,
        );
    }
}

async fn change(
    State(context): State<Arc<Context>>,
    Administrator(by): Administrator,
    Path(app): Path<SdkAppId>,
    Body(change): Body<Change>,
) -> Result<Json<Value>, ConsoleError> {
    change.check()?;
    context
        .engine
        .change_app(app, &by.actor(), |app| change.apply(&mut app.features))
        .await?;
    shown(&context, app).await
}
