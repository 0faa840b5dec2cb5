//! Where settings are read from. The only place that reads the environment.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use config::builder::DefaultState;
use config::{Config, ConfigBuilder, ConfigError, Environment, File, FileFormat};

use super::bounds::Invalid;
use super::{BootstrapApp, Settings};

/// The documented defaults, so that the program works wherever it lies.
pub(super) const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Looked for in the working directory.
const LOCAL: &str = "config/default.toml";

const PREFIX: &str = "CHATSYNC__";
/// Written in the environment as one text, its parts separated by commas.
const ORIGINS: &str = "CHATSYNC__SERVER__ALLOWED_ORIGINS";
/// Written in the environment as JSON: there is no plain form for a list of tables.
const APPS: &str = "CHATSYNC__BOOTSTRAP__APPS";

/// Why there are no settings. Each is one line that names what is wrong, and no line holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("--config {file}: {cause}", file = .file.display())]
    File {
        file: PathBuf,
        cause: std::io::Error,
    },
    /// A file is no TOML, or a setting is unknown or of the wrong kind.
    #[error("{0}")]
    Unreadable(String),
    #[error("{name}: must be UTF-8")]
    NotText { name: String },
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl Settings {
    /// Reads and checks the settings: defaults < `config/default.toml` < `file` < environment.
    pub fn load(file: Option<&Path>) -> Result<Self, LoadError> {
        layered(Path::new(LOCAL), file, std::env::vars_os())
    }

    /// As [`load`](Self::load), without what the environment says: what another terminal would read.
    pub fn load_files(file: Option<&Path>) -> Result<Self, LoadError> {
        layered(Path::new(LOCAL), file, std::iter::empty())
    }
}

fn layered(
    local: &Path,
    file: Option<&Path>,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Settings, LoadError> {
    let mut builder = Config::builder()
        .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
        .add_source(File::from(local).format(FileFormat::Toml).required(false));
    if let Some(file) = file {
        // Read here first, for an error that says which argument it was.
        std::fs::read_to_string(file).map_err(|cause| LoadError::File {
            file: file.into(),
            cause,
        })?;
        builder = builder.add_source(File::from(file).format(FileFormat::Toml));
    }
    let settings = with_environment(builder, environment)?
        .build()
        .map_err(|error| LoadError::Unreadable(describe("", &error)))
        .and_then(read)?;
    settings.validate()?;
    Ok(settings)
}

fn read(config: Config) -> Result<Settings, LoadError> {
    // The error of the `config` crate knows the last part of a setting's name only.
    serde_path_to_error::deserialize(config)
        .map_err(|error| LoadError::Unreadable(describe(&error.path().to_string(), error.inner())))
}

/// Adds the variables that are ours. What is not a plain value is understood here.
fn with_environment(
    mut builder: ConfigBuilder<DefaultState>,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<ConfigBuilder<DefaultState>, LoadError> {
    let mut plain = HashMap::new();
    for (name, value) in environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        let not_text = |_| LoadError::NotText { name: name.into() };
        let value = value.into_string().map_err(not_text)?;
        if value.is_empty() {
            continue;
        }
        let overridden = match name {
            ORIGINS => {
                let origins: Vec<&str> = value.split(',').map(str::trim).collect();
                builder.set_override("server.allowed_origins", origins)
            }
            APPS => {
                // Parsed twice: as what it must be, for its error, and as what the `config` crate takes.
                let apps = serde_json::from_str::<Vec<BootstrapApp>>(&value)
                    .and_then(|_| serde_json::from_str::<config::Value>(&value))
                    // The error is not shown whole: it may quote a secret.
                    .map_err(|error| {
                        let place = error.column();
                        LoadError::Unreadable(format!(
                            "{APPS}: must be a JSON array of apps (as in config/default.toml); wrong at byte {place}"
                        ))
                    })?;
                builder.set_override("bootstrap.apps", apps)
            }
            _ => {
                plain.insert(name.to_owned(), value);
                continue;
            }
        };
        builder = overridden
            .map_err(|error| LoadError::Unreadable(format!("{name}: {}", describe("", &error))))?;
    }
    // Values stay text here: each setting knows best what it is read as.
    Ok(builder.add_source(
        Environment::with_prefix("CHATSYNC")
            .prefix_separator("__")
            .separator("__")
            .source(Some(plain)),
    ))
}

/// One line: which setting, what is wrong with it, and where it was read.
fn describe(path: &str, error: &ConfigError) -> String {
    let named = |key: &Option<String>| match (path, key) {
        ("" | ".", Some(key)) => format!("{key}: "),
        ("" | ".", None) => String::new(),
        (path, _) => format!("{path}: "),
    };
    let place = |origin: &Option<String>| {
        origin
            .as_ref()
            .map_or_else(String::new, |origin| format!(" (in {origin})"))
    };
    match error {
        ConfigError::Type {
            origin,
            expected,
            key,
            ..
        } => format!("{}must be {expected}{}", named(key), place(origin)),
        ConfigError::At { error, origin, key } => {
            format!("{}{}{}", named(key), describe("", error), place(origin))
        }
        ConfigError::FileParse { uri, cause } => {
            format!("{}{}", without_excerpt(&cause.to_string()), place(uri))
        }
        other => format!("{}{}", named(&None), without_excerpt(&other.to_string())),
    }
}

/// TOML's errors show the line they are about, which may hold a secret and takes several lines itself.
fn without_excerpt(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let kept: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !line.contains('|'))
        .collect();
    kept.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOWHERE: &str = "/nonexistent/default.toml";

    fn load(file: Option<&Path>, environment: &[(&str, &str)]) -> Result<Settings, String> {
        layered(
            Path::new(NOWHERE),
            file,
            environment.iter().map(|(k, v)| (k.into(), v.into())),
        )
        .map_err(|error| error.to_string())
    }

    fn written(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn the_file_compiled_in_is_the_base() {
        assert_eq!(load(None, &[]), Ok(Settings::default()));
    }

    #[test]
    fn later_layers_win() {
        let local = written("[limits]\npage = 10\nqueue_frames = 11\nconnections = 12");
        let file = written("limits.queue_frames = 21\nlimits.connections = 22");
        let environment = [("CHATSYNC__LIMITS__CONNECTIONS", "32")];
        let settings = layered(
            local.path(),
            Some(file.path()),
            environment.iter().map(|(k, v)| (k.into(), v.into())),
        )
        .unwrap();
        let limits = settings.limits;
        assert_eq!(
            (limits.page, limits.queue_frames, limits.connections),
            (10, 21, 32)
        );
    }

    #[test]
    fn a_list_replaces_the_earlier_one() {
        let file = written("[server]\nallowed_origins = ['http://a', 'http://b']");
        let origins = |environment: &[(&str, &str)]| {
            load(Some(file.path()), environment).map(|settings| settings.server.allowed_origins)
        };
        assert_eq!(origins(&[]), Ok(vec!["http://a".into(), "http://b".into()]));
        assert_eq!(
            origins(&[(ORIGINS, "https://c, https://d")]),
            Ok(vec!["https://c".into(), "https://d".into()])
        );
        assert_eq!(origins(&[(ORIGINS, "")]).map(|list| list.len()), Ok(2));
    }

    #[test]
    fn apps_come_from_a_file_or_as_json() {
        let file = written("[[bootstrap.apps]]\nsdk_app_id = 7\nsecret_key = '0012'");
        let apps = load(Some(file.path()), &[]).unwrap().bootstrap.apps;
        assert_eq!(
            (apps[0].sdk_app_id, apps[0].secret_key.as_str()),
            (7, "0012")
        );
        let json = r#"[{"sdk_app_id":8,"secret_key":"k","sync_conversation_deletion":true}]"#;
        let apps = load(Some(file.path()), &[(APPS, json)])
            .unwrap()
            .bootstrap
            .apps;
        assert_eq!((apps.len(), apps[0].sdk_app_id), (1, 8));
        assert!(apps[0].sync_conversation_deletion);
    }

    #[test]
    fn text_in_the_environment_stays_as_written() {
        let settings = load(None, &[("CHATSYNC__STORE__PATH", "007"), ("OTHER", "x")]).unwrap();
        assert_eq!(settings.store.path, Path::new("007"));
    }

    #[test]
    fn an_error_is_one_line_that_names_the_setting() {
        let refused = |text: &str| load(Some(written(text).path()), &[]).unwrap_err();
        for (text, named) in [
            (
                "[server]\nlogin_timeout_ms = 'soon'",
                "server.login_timeout_ms: ",
            ),
            (
                "[server]\nlogin_timeout_ms = -1",
                "server.login_timeout_ms: ",
            ),
            (
                "[server]\nlogin_timeout_ms = 0",
                "server.login_timeout_ms: ",
            ),
            ("[server]\nlisten = 'here'", "server.listen: "),
            ("[store]\nsync = 'ful'", "store.sync: "),
            ("[server]\nlogin_timeout = 5", "server.login_timeout: "),
            ("[servre]\nlisten = '[::]:1'", "servre: "),
            ("bootstrap.apps = [{ sdk_app_id = 1 }]", "bootstrap.apps[0]"),
        ] {
            let line = refused(text);
            assert!(line.starts_with(named), "{line}");
            assert!(!line.contains('\n'), "{line}");
        }
        let line = load(None, &[("CHATSYNC__LIMITS__PAGE", "many")]).unwrap_err();
        assert!(
            line.starts_with("limits.page: ") && line.contains("environment"),
            "{line}"
        );
    }

    #[test]
    fn a_file_that_is_no_toml_is_named_without_quoting_it() {
        let file = written("[[bootstrap.apps]]\nsecret_key = 'hidden");
        let line = load(Some(file.path()), &[]).unwrap_err();
        assert!(
            line.contains("line 2") && !line.contains("hidden"),
            "{line}"
        );
        // Where the path is given from, the `config` crate decides.
        let name = file.path().file_name().unwrap().to_string_lossy();
        assert!(line.contains(&*name), "{line}");
        assert!(!line.contains('\n'), "{line}");
        let line = load(None, &[(APPS, r#"[{"secret_key":"hidden""#)]).unwrap_err();
        assert!(line.starts_with(APPS) && !line.contains("hidden"), "{line}");
    }

    #[test]
    fn a_missing_file_names_the_argument() {
        let line = load(Some(Path::new("/nonexistent/chatsync.toml")), &[]).unwrap_err();
        assert!(
            line.starts_with("--config /nonexistent/chatsync.toml: "),
            "{line}"
        );
    }
}
