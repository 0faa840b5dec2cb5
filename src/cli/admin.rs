//! Commands on apps, operators, settings and the store; each does one thing and ends.

use std::io::Write;

use super::args::{App as AppCommand, Backup, ConfigCommand, Operator, Usersig};
use super::change::Change;
use super::failure::Failure;
use super::local;
use crate::domain::{App, SdkAppId, UserId};
use crate::engine::{Clock, Engine, SystemClock, usersig};
use crate::settings::Settings;
use crate::store::sqlite::SqliteStore;

/// Who did it, for the audit log.
pub(super) const ACTOR: &str = "command line";

type Result<T> = std::result::Result<T, Failure>;

/// `chatsync usersig`: nothing but the UserSig goes to `out`, so that it can be put into another command.
pub(super) async fn usersig(call: &Usersig, out: &mut dyn Write) -> Result<()> {
    let settings = Settings::load(call.settings.config.as_deref())?;
    let text = make_usersig(&settings, call.app, &call.user, call.expire).await?;
    writeln!(out, "{text}")?;
    Ok(())
}

/// A UserSig that holds for `lifetime` seconds from now, made with the app's newest key.
pub(super) async fn make_usersig(
    settings: &Settings,
    app: SdkAppId,
    user: &UserId,
    lifetime: u32,
) -> Result<String> {
    let key = local::signing_key(settings, app).await?;
    let now = SystemClock.now() / 1000;
    Ok(usersig::sign(app, &key, user, now, lifetime.into()))
}

/// `chatsync app …`
pub(super) async fn app(command: AppCommand, out: &mut dyn Write) -> Result<()> {
    match command {
        AppCommand::Create {
            settings,
            app,
            admins,
        } => {
            let settings = Settings::load(settings.config.as_deref())?;
            let engine = local::open(&settings).await?;
            let admins = admins.into_iter().map(String::from).collect();
            let (id, key) = engine.new_app(app, admins, ACTOR).await?;
            writeln!(out, "app {id}\nsecret key {}", key.reveal())?;
        }
        AppCommand::List { settings } => {
            let settings = Settings::load(settings.config.as_deref())?;
            if let Some(engine) = local::open_existing(&settings).await? {
                let demo = engine.demo_app_id().await?;
                for app in engine.apps().await? {
                    let mark = if demo == Some(app.id) {
                        " (the demo's)"
                    } else {
                        ""
                    };
                    writeln!(out, "{}{mark}", describe(&app))?;
                }
            }
        }
        AppCommand::RotateKey { settings, app } => {
            let engine = opened(settings.config.as_deref()).await?;
            let key = engine.rotate_key(app, ACTOR).await?;
            writeln!(out, "app {app}\nsecret key {}", key.reveal())?;
        }
        AppCommand::Set {
            settings,
            app,
            changes,
        } => {
            let engine = opened(settings.config.as_deref()).await?;
            let change = move |app: &mut App| changes.into_iter().for_each(|c| c.apply(app));
            let app = engine.change_app(app, ACTOR, change).await?;
            writeln!(out, "{}", describe(&app))?;
        }
    }
    Ok(())
}

/// `chatsync operator …`
pub(super) async fn operator(command: Operator, out: &mut dyn Write) -> Result<()> {
    let Operator::Set {
        settings,
        name,
        role,
    } = command;
    let settings = Settings::load(settings.config.as_deref())?;
    let engine = local::open(&settings).await?;
    let password = engine.set_operator(ACTOR, name.clone(), role).await?;
    writeln!(out, "operator {name}\npassword {password}")?;
    Ok(())
}

/// `chatsync config …`
pub(super) fn config(command: &ConfigCommand, out: &mut dyn Write) -> Result<()> {
    let ConfigCommand::Check(file) = command;
    let settings = Settings::load(file.config.as_deref())?;
    write!(out, "ok\n{settings}")?;
    Ok(())
}

/// `chatsync backup`
pub(super) fn backup(call: &Backup, out: &mut dyn Write) -> Result<()> {
    let settings = Settings::load(call.settings.config.as_deref())?;
    let folder = &settings.store.path;
    let to = call.to.display();
    if call.to.exists() {
        return Err(Failure::usage(format!("--to: {to} is there already")));
    }
    if !folder.is_dir() {
        let folder = folder.display();
        return Err(Failure::usage(format!("store.path: no store at {folder}")));
    }
    SqliteStore::backup(folder, &call.to)?;
    writeln!(out, "copied to {to}")?;
    Ok(())
}

/// Opens a store that must be there, since the app to change is in it.
async fn opened(file: Option<&std::path::Path>) -> Result<Engine> {
    let settings = Settings::load(file)?;
    local::open_existing(&settings).await?.ok_or_else(|| {
        let path = settings.store.path.display();
        Failure::usage(format!(
            "store.path: no store at {path}; the server makes it"
        ))
    })
}

fn describe(app: &App) -> String {
    let mut words = vec![app.id.to_string()];
    words.extend(Change::all_of(app).iter().map(Change::to_string));
    words.push(format!("keys={}", app.keys.len()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::SettingsFile;
    use crate::domain::Features;
    use crate::domain::app::SecretKey;

    fn app(id: u32) -> App {
        App {
            id: SdkAppId(id),
            keys: vec![SecretKey::new("old")],
            admins: Vec::new(),
            features: Features::default(),
            disabled: false,
            created_at: 0,
        }
    }

    /// A settings file whose store is a folder beside it.
    fn settings_file(folder: &tempfile::TempDir) -> SettingsFile {
        let file = folder.path().join("chatsync.toml");
        let store = folder.path().join("data");
        std::fs::write(&file, format!("store.path = '{}'", store.display())).unwrap();
        SettingsFile { config: Some(file) }
    }

    async fn printed(command: AppCommand) -> Result<String> {
        let mut out = Vec::new();
        super::app(command, &mut out).await?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[tokio::test]
    async fn an_app_from_creation_to_a_new_key() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings_file(&folder);
        let list = || {
            printed(AppCommand::List {
                settings: settings.clone(),
            })
        };
        assert_eq!(list().await, Ok(String::new()));
        assert!(!folder.path().join("data").exists());

        let create = |app| {
            printed(AppCommand::Create {
                settings: settings.clone(),
                app,
                admins: vec![UserId::new("boss").unwrap()],
            })
        };
        let created = create(None).await.unwrap();
        let id = SdkAppId(1_400_000_001);
        assert!(
            created.starts_with("app 1400000001\nsecret key "),
            "{created}"
        );
        assert_eq!(create(Some(id)).await.unwrap_err().code, Failure::USAGE);

        let changed = printed(AppCommand::Set {
            settings: settings.clone(),
            app: id,
            changes: vec![Change::SyncConversationDeletion(true)],
        });
        assert!(
            changed
                .await
                .unwrap()
                .contains(" sync-conversation-deletion=on ")
        );

        let rotated = printed(AppCommand::RotateKey {
            settings: settings.clone(),
            app: id,
        });
        let rotated = rotated.await.unwrap();
        let key = |text: &str| SecretKey::new(text.trim().rsplit(' ').next().unwrap());
        let all = list().await.unwrap();
        assert!(
            all.contains("sync-conversation-deletion=on") && all.contains("keys=2"),
            "{all}"
        );
        assert!(all.contains("admins=boss"), "{all}");

        // What is signed from now on holds under the new key alone.
        let user = UserId::new("alice").unwrap();
        let settings = Settings::load(settings.config.as_deref()).unwrap();
        let sig = make_usersig(&settings, id, &user, 60).await.unwrap();
        let now = SystemClock.now() / 1000;
        let check = |key| usersig::verify(id, &[key], &user, &sig, now);
        assert!(check(key(&rotated)).is_ok());
        assert_eq!(check(key(&created)), Err(usersig::Refused::WrongKey));
    }

    #[tokio::test]
    async fn an_app_that_is_not_there_is_a_wrong_argument() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings_file(&folder);
        let rotate = || {
            printed(AppCommand::RotateKey {
                settings: settings.clone(),
                app: SdkAppId(1),
            })
        };
        let failure = rotate().await.unwrap_err();
        assert!(failure.line.starts_with("store.path: "), "{failure}");
        operator(
            Operator::Set {
                settings: settings.clone(),
                name: "admin".parse().unwrap(),
                role: None,
            },
            &mut Vec::new(),
        )
        .await
        .unwrap();
        assert_eq!(rotate().await, Err(Failure::usage("--app: no such app")));
    }

    #[tokio::test]
    async fn a_copy_can_be_opened() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings_file(&folder);
        let loaded = Settings::load(settings.config.as_deref()).unwrap();
        let engine = local::open(&loaded).await.unwrap();
        let created = engine.new_app(Some(SdkAppId(5)), Vec::new(), ACTOR);
        created.await.unwrap();
        let restored = folder.path().join("restored");
        std::fs::create_dir(&restored).unwrap();
        let call = Backup {
            settings,
            to: restored.join("chatsync.db"),
        };
        // Beside the store that is open.
        backup(&call, &mut Vec::new()).unwrap();
        let mut settings = loaded;
        settings.store.path = restored;
        let copy = local::open(&settings).await.unwrap();
        assert_eq!(copy.apps().await.unwrap()[0].id, SdkAppId(5));
    }

    #[tokio::test]
    async fn a_usersig_that_is_printed_is_valid() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chatsync.toml");
        let text = format!(
            "store.path = '{}'\n[[bootstrap.apps]]\nsdk_app_id = 7\nsecret_key = 'k'",
            folder.path().join("none").display()
        );
        std::fs::write(&file, text).unwrap();
        let call = Usersig {
            settings: SettingsFile { config: Some(file) },
            app: SdkAppId(7),
            user: UserId::new("alice").unwrap(),
            expire: 60,
        };
        let mut out = Vec::new();
        usersig(&call, &mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        let sig = text.strip_suffix('\n').unwrap();
        let now = SystemClock.now() / 1000;
        let credential =
            usersig::verify(call.app, &[SecretKey::new("k")], &call.user, sig, now).unwrap();
        assert_eq!(credential.expires_at - credential.issued_at, 60);
        assert!(!folder.path().join("none").exists());
    }

    #[test]
    fn no_key_is_listed() {
        assert!(describe(&app(1)).ends_with(" keys=1"));
        assert!(!describe(&app(1)).contains("old"));
    }

    #[test]
    fn a_backup_does_not_overwrite() {
        let there = tempfile::NamedTempFile::new().unwrap();
        let call = Backup {
            settings: SettingsFile::default(),
            to: there.path().into(),
        };
        let failure = backup(&call, &mut Vec::new()).unwrap_err();
        assert_eq!(failure.code, Failure::USAGE);
        assert!(failure.line.starts_with("--to: "), "{failure}");
    }
}
