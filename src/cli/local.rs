//! The store of the settings, opened beside the server that may be running on it.

use std::sync::Arc;

use crate::bus::{Bus, Committed};
use crate::domain::SdkAppId;
use crate::domain::app::SecretKey;
use crate::engine::{Engine, SystemClock};
use crate::server;
use crate::settings::Settings;
use crate::store::sqlite::{Options, SqliteStore};

use super::failure::Failure;

/// The bus of a process that nobody is connected to.
///
/// What commands change (apps, operators) is read by the server in each transaction that depends on it, so there
/// is nobody who would have to be told.
#[derive(Debug)]
struct NobodyToTell;

impl Bus for NobodyToTell {
    fn publish(&self, _: Committed) {}
}

/// Opens the store; makes one where there is none.
pub(super) async fn open(settings: &Settings) -> Result<Engine, Failure> {
    let store = SqliteStore::open(&Options {
        // One command, one question at a time.
        readers: 1,
        serving: false,
        ..server::store_options(&settings.store)
    })?;
    Ok(Engine::new(
        Arc::new(store),
        Arc::new(NobodyToTell),
        Arc::new(SystemClock),
        server::engine_limits(&settings.limits),
    )
    .await?)
}

/// Opens the store if there is one: a command that only looks must not leave a folder behind.
pub(super) async fn open_existing(settings: &Settings) -> Result<Option<Engine>, Failure> {
    if settings.store.path.is_dir() {
        open(settings).await.map(Some)
    } else {
        Ok(None)
    }
}

/// The key that an app's UserSigs are made with: the store's newest or, for an app that the server has not made
/// yet, that of the settings.
pub(super) async fn signing_key(settings: &Settings, app: SdkAppId) -> Result<SecretKey, Failure> {
    let stored = match open_existing(settings).await? {
        Some(engine) => engine.app(app).await?,
        None => None,
    };
    if let Some(key) = stored.and_then(|app| app.keys.into_iter().next()) {
        return Ok(key);
    }
    bootstrap_key(settings, app).ok_or_else(|| {
        let path = settings.store.path.display();
        Failure::usage(format!(
            "--app: no app {app} in the store at {path} (store.path) nor in bootstrap.apps"
        ))
    })
}

fn bootstrap_key(settings: &Settings, app: SdkAppId) -> Option<SecretKey> {
    let mut apps = settings.bootstrap.apps.iter();
    apps.find(|candidate| candidate.sdk_app_id == app.0)
        .map(|found| SecretKey::new(found.secret_key.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::BootstrapApp;

    #[tokio::test]
    async fn an_app_of_the_settings_signs_before_any_server_ran() {
        let mut settings = Settings::default();
        settings.store.path = "/nonexistent/store".into();
        settings.bootstrap.apps.push(BootstrapApp {
            sdk_app_id: 7,
            secret_key: "k".into(),
            admins: Vec::new(),
            sync_conversation_deletion: false,
        });
        let key = signing_key(&settings, SdkAppId(7)).await;
        assert_eq!(key, Ok(SecretKey::new("k")));
        let failure = signing_key(&settings, SdkAppId(8)).await.unwrap_err();
        assert_eq!(failure.code, Failure::USAGE);
        assert!(failure.line.starts_with("--app: no app 8"), "{failure}");
    }
}
