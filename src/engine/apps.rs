//! Apps, their settings, and who may operate them.

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::operation::Operation;
use super::{Actor, Denied, Engine, Result, secret};
use crate::bus::Notice;
use crate::domain::app::SecretKey;
use crate::domain::{AccountKey, App, Features, SdkAppId, UserId};
use crate::store::rows::{LastChange, NewAuditRecord};
use crate::store::{self, ReadTx, StoreError};

/// The first app's number; Tencent's begin so.
const FIRST: u32 = 1_400_000_001;
/// The current key and the one before it (design section 6).
const KEYS: usize = 2;

impl Engine {
    pub async fn apps(&self) -> Result<Vec<App>> {
        Ok(store::query(&*self.store, |tx| tx.apps()).await?)
    }

    /// Rises with each change of an app, whichever process makes it.
    pub async fn app_changes(&self) -> Result<u64> {
        self.query(|tx| Ok(tx.app_changes()?)).await
    }

    /// Tells the hub which credentials hold of the apps that differ from `known`, and returns every app as it is.
    ///
    /// In the writer's turn, though it writes nothing: so it is told in the order of the commits, and never
    /// something older after something newer.
    pub async fn tell_standings(&self, known: Vec<App>) -> Result<Vec<App>> {
        let (tell, told) = oneshot::channel();
        self.perform(&nobody(SdkAppId(0))?, None, move |operation| {
            let apps = operation.tx.apps()?;
            for app in apps.iter().filter(|app| !known.contains(app)) {
                operation.note(Notice::Standing(app.standing()));
            }
            // The asker may have gone meanwhile.
            drop(tell.send(apps));
            Ok(())
        })
        .await?;
        Ok(told
            .await
            .map_err(|_| StoreError::Unexpected("the apps were dropped".into()))?)
    }

    /// Every app, as the console lists them: the demo's last, so that nobody takes it for one of theirs.
    pub async fn apps_shown(&self) -> Result<Vec<AppShown>> {
        self.query(|tx| {
            let apps = tx.apps()?.into_iter().map(|app| shown(tx, app));
            let mut apps = apps.collect::<Result<Vec<_>>>()?;
            apps.sort_by_key(|shown| shown.is_demo);
            Ok(apps)
        })
        .await
    }

    /// One app, as the console lists it.
    pub async fn app_shown(&self, id: SdkAppId) -> Result<AppShown> {
        self.query(move |tx| shown(tx, tx.app(id)?.ok_or(Denied::NoSuchApp)?))
            .await
    }

    /// An app, and who changed each of these settings last; in the words of the audit log.
    pub async fn last_changes(
        &self,
        id: SdkAppId,
        settings: Vec<&'static str>,
    ) -> Result<(App, Vec<Option<LastChange>>)> {
        self.query(move |tx| {
            let app = tx.app(id)?.ok_or(Denied::NoSuchApp)?;
            let changes = settings.iter().map(|setting| tx.last_change(id, setting));
            Ok((app, changes.collect::<store::Result<_>>()?))
        })
        .await
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
            add(operation, &app, by)?;
            Ok(true)
        })
        .await
    }

    /// Makes an app with a key of its own, which is returned to be shown once. Without an `id` it gets the number
    /// after the largest.
    pub async fn new_app(
        &self,
        id: Option<SdkAppId>,
        admins: Vec<String>,
        by: &str,
    ) -> Result<(SdkAppId, SecretKey)> {
        let key = secret::app_key()?;
        let (by, first) = (by.to_owned(), key.clone());
        let id = self
            .perform(&nobody(SdkAppId(0))?, None, move |operation| {
                let id = match id {
                    Some(id) if operation.tx.app(id)?.is_some() => {
                        return Err(Denied::AppIdTaken.into());
                    }
                    Some(id) => id,
                    None => next_free(&operation.tx.apps()?)?,
                };
                let app = App {
                    id,
                    keys: vec![first],
                    admins,
                    features: Features::default(),
                    disabled: false,
                    created_at: operation.now,
                };
                add(operation, &app, by)?;
                Ok(id)
            })
            .await?;
        Ok((id, key))
    }

    /// Gives an app a new key, which is returned to be shown once; the one before it stays valid, older ones don't.
    pub async fn rotate_key(&self, id: SdkAppId, by: &str) -> Result<SecretKey> {
        let key = secret::app_key()?;
        let newest = key.clone();
        self.change_app(id, by, move |app| {
            app.keys.insert(0, newest);
            app.keys.truncate(KEYS);
        })
        .await?;
        Ok(key)
    }

    /// Leaves an app its newest key alone.
    pub async fn retire_keys(&self, id: SdkAppId, by: &str) -> Result<()> {
        self.change_app(id, by, |app| app.keys.truncate(1)).await?;
        Ok(())
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
            if (before.disabled, &before.keys) != (after.disabled, &after.keys) {
                operation.note(Notice::Standing(after.standing()));
            }
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

    /// Commits something that nothing reads: whether the store can.
    pub async fn probe(&self) -> Result<()> {
        self.perform(&nobody(SdkAppId(0))?, None, |operation| {
            let now = operation.now;
            Ok(operation.tx.probe(now)?)
        })
        .await
    }
}

/// An app, and how many accounts it has.
#[derive(Debug)]
pub struct AppShown {
    pub app: App,
    pub accounts: usize,
    /// It is the demo's own (`/demo/`), and no application's.
    pub is_demo: bool,
}

fn shown(tx: &dyn ReadTx, app: App) -> Result<AppShown> {
    let accounts = tx.account_count(app.id)?;
    let is_demo = tx.demo_app()? == Some(app.id);
    Ok(AppShown {
        app,
        accounts,
        is_demo,
    })
}

/// An operation that is no account's.
pub(super) fn nobody(app: SdkAppId) -> Result<Actor> {
    let user = UserId::new("-").map_err(|error| StoreError::Unexpected(error.to_string()))?;
    Ok(Actor {
        app,
        user,
        account: AccountKey(0),
        device: None,
        by: None,
        connection: None,
    })
}

pub(super) fn add(operation: &mut Operation<'_>, app: &App, by: String) -> Result<()> {
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

/// The number after the largest.
fn next_free(apps: &[App]) -> Result<SdkAppId> {
    match apps.iter().map(|app| app.id.0).max() {
        None => Ok(SdkAppId(FIRST)),
        Some(largest) => Ok(largest.checked_add(1).map(SdkAppId).ok_or_else(|| {
            Denied::invalid("sdkAppID", "must be given: the largest number is taken")
        })?),
    }
}

/// What the audit log may hold of an app: how many keys it has, not which.
fn settings(app: &App) -> Value {
    let features = &app.features;
    json!({
        "sync-conversation-deletion": features.sync_conversation_deletion,
        "undo-window": features.undo_window,
        "revoke-window": features.revoke_window,
        "history-retention": features.history_retention,
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
