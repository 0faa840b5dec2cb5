//! Apps, their settings, and who may operate them.

use serde_json::{Value, json};

use super::operation::Operation;
use super::{Actor, Denied, Engine, Result};
use crate::domain::{AccountKey, App, SdkAppId, UserId};
use crate::store::rows::{NewAuditRecord, Operator};
use crate::store::{self, StoreError};

impl Engine {
    pub async fn apps(&self) -> Result<Vec<App>> {
        Ok(store::query(&*self.store, |tx| tx.apps()).await?)
    }

    pub async fn app(&self, id: SdkAppId) -> Result<Option<App>> {
        Ok(store::query(&*self.store, move |tx| tx.app(id)).await?)
    }

    /// Creates an app unless it is there; returns whether it did. `by` goes to the audit log.
    pub async fn create_app(&self, app: App, by: &str) -> Result<bool> {
        let by = by.to_owned();
        self.perform(&nobody(app.id)?, None, move |operation| {
            if operation.tx.app(app.id)?.is_some() {
                return Ok(false);
            }
            put_new(operation, &app, by)?;
            Ok(true)
        })
        .await
    }

    /// Changes an app's settings in one transaction and returns the app as it is now. Each setting that changed
    /// leaves an audit entry: who, when, from, to. It holds from the next commit on, on a running server too:
    /// every operation reads the settings it depends on in its own transaction.
    pub async fn change_app(
        &self,
        id: SdkAppId,
        by: &str,
        change: impl FnOnce(&mut App) + Send + 'static,
    ) -> Result<App> {
        let by = by.to_owned();
        self.perform(&nobody(id)?, None, move |operation| {
            let before = operation.tx.app(id)?.ok_or(Denied::NoSuchApp)?;
            let mut after = before.clone();
            change(&mut after);
            operation.tx.put_app(&after)?;
            for (setting, from, to) in changes(&before, &after) {
                operation.tx.add_audit(&NewAuditRecord {
                    time: operation.now,
                    app: id,
                    actor: by.clone(),
                    action: "app.set".into(),
                    target: setting,
                    detail: json!({ "from": from, "to": to }).to_string(),
                })?;
            }
            Ok(())
        })
        .await?;
        Ok(self.app(id).await?.ok_or(Denied::NoSuchApp)?)
    }

    pub async fn operator(&self, name: &str) -> Result<Option<Operator>> {
        let name = name.to_owned();
        Ok(store::query(&*self.store, move |tx| tx.operator(&name)).await?)
    }

    pub async fn put_operator(&self, operator: Operator) -> Result<()> {
        self.perform(&nobody(SdkAppId(0))?, None, move |operation| {
            Ok(operation.tx.put_operator(&operator)?)
        })
        .await
    }

    /// Commits something that nothing reads: whether the store can.
    pub async fn probe(&self) -> Result<()> {
        self.perform(&nobody(SdkAppId(0))?, None, |operation| {
            let now = operation.now;
            Ok(operation.tx.probe(now)?)
        })
        .await
    }
}

/// Stores an app that was not there.
pub(super) fn put_new(operation: &mut Operation<'_>, app: &App, by: String) -> Result<()> {
    operation.tx.put_app(app)?;
    operation.tx.add_audit(&NewAuditRecord {
        time: operation.now,
        app: app.id,
        actor: by,
        action: "app.create".into(),
        target: app.id.to_string(),
        detail: settings(app).to_string(),
    })?;
    Ok(())
}

/// An operation that is no account's.
pub(super) fn nobody(app: SdkAppId) -> Result<Actor> {
    let user = UserId::new("-").map_err(|error| StoreError::Unexpected(error.to_string()))?;
    Ok(Actor {
        app,
        user,
        account: AccountKey(0),
        device: None,
        connection: None,
    })
}

/// What the audit log may hold of an app: how many keys it has, not which.
fn settings(app: &App) -> Value {
    let features = &app.features;
    json!({
        "sync-conversation-deletion": features.sync_conversation_deletion,
        "undo-window": features.undo_window,
        "revoke-window": features.revoke_window,
        "relationship-check": features.relationship_check,
        "login-mode": features.login_policy.mode,
        "instances-per-platform": features.login_policy.instances_per_platform,
        "disabled": app.disabled,
        "admins": app.admins,
        "keys": app.keys.len(),
    })
}

fn changes(before: &App, after: &App) -> Vec<(String, Value, Value)> {
    let (Value::Object(from), Value::Object(to)) = (settings(before), settings(after)) else {
        return Vec::new();
    };
    let mut changes: Vec<_> = from
        .into_iter()
        .zip(to)
        .filter(|((_, from), (_, to))| from != to)
        .map(|((setting, from), (_, to))| (setting, from, to))
        .collect();
    // Both may be one, and the keys others all the same.
    if before.keys != after.keys && !changes.iter().any(|(setting, ..)| setting == "keys") {
        changes.push(("keys".into(), json!("rotated"), json!("rotated")));
    }
    changes
}
