//! What can be set, and where it is read from: defaults < `config/default.toml` < a file named on the command
//! line < environment `CHATSYNC__SECTION__KEY`.

mod bounds;
mod load;
mod show;

pub use bounds::Invalid;
pub use load::LoadError;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Every setting. `config/default.toml` documents each; a test holds the two together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Listening, timing, stopping.
    pub server: ServerSettings,
    /// The embedded store.
    pub store: StoreSettings,
    /// Bounds on clients.
    pub limits: LimitSettings,
    /// The server's log.
    pub log: LogSettings,
    /// The live demo.
    pub demo: DemoSettings,
    /// What is made at start where it is missing.
    pub bootstrap: BootstrapSettings,
}

/// Listening, timing and stopping. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// Address and port; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Connections the kernel keeps until they are accepted.
    pub backlog: u32,
    /// Origins a browser may connect from, exactly as it sends them; empty: those of loopback hosts only.
    /// A client that sends no Origin is no browser and is not asked.
    pub allowed_origins: Vec<String>,
    /// To have sent a request's head.
    pub header_timeout_ms: u64,
    /// To have logged in after the upgrade (design section 6: 5 s).
    pub login_timeout_ms: u64,
    /// Between two pings of the server's; before the first one, a part of that, on each connection another.
    pub ping_interval_ms: u64,
    /// Without hearing anything, after which a connection is closed.
    pub idle_timeout_ms: u64,
    /// For a client to take what it is sent, after which it is closed with 4410.
    pub write_timeout_ms: u64,
    /// Over which a drain spreads `server.draining` and the closing of connections.
    pub drain_ms: u64,
}

/// The embedded store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// Folder of the embedded store.
    pub path: PathBuf,
    /// `full`: an acknowledged operation survives power loss. `off`: it may not; for measuring only.
    pub sync: SyncMode,
    /// Operations waiting for the writer before further ones are refused.
    pub queue: usize,
    /// Most operations in one commit.
    pub group: usize,
    /// Connections that read beside the writer.
    pub readers: usize,
}

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncMode {
    /// It does: an acknowledged operation survives power loss.
    #[default]
    Full,
    /// It does not; for measuring only.
    Off,
}

/// Bounds. A bound reached is told to the client, never silently applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Connections of all kinds.
    pub connections: usize,
    /// Connections of one address that have not logged in.
    pub anonymous_per_address: usize,
    /// Connections of one account, over all its devices.
    pub connections_per_account: usize,
    /// Requests a second a connection may make in the long run…
    pub requests_per_second: u32,
    /// …and at once.
    pub request_burst: u32,
    /// Bytes of one incoming message.
    pub message_bytes: usize,
    /// Pushes waiting for one connection before they collapse into a `sync.hint`.
    pub queue_frames: usize,
    /// Likewise, in bytes.
    pub queue_bytes: usize,
    /// Conversations in one answer of `login` or `conversation.sync`.
    pub page: usize,
    /// Members of a group.
    pub group_members: usize,
    /// Hours a requestID is remembered (at least 24).
    pub request_memory_hours: u32,
}

/// The server's log, on standard error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// As `tracing-subscriber`'s filter: `info`, `chatsync=debug,warn`, …
    pub filter: String,
    /// Of its lines.
    pub format: LogFormat,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// The live demo at `/demo/`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DemoSettings {
    /// To whom.
    pub serve: DemoServed,
}

/// To whom the demo is served. To all others its addresses do not exist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DemoServed {
    /// To this machine: from a loopback address, by a loopback name, through no proxy.
    #[default]
    Loopback,
    /// To everybody.
    Always,
    /// To nobody.
    Never,
}

/// What is made at start where it is missing, and never changed after.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BootstrapSettings {
    /// With none here and none in the store, the first start makes one.
    pub apps: Vec<BootstrapApp>,
}

/// An app to be there from the start.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootstrapApp {
    pub sdk_app_id: u32,
    /// Hidden in `Debug` and in what `config check` shows.
    pub secret_key: String,
    /// Identifiers that may call the REST API.
    #[serde(default)]
    pub admins: Vec<String>,
    /// The switch (design section 3).
    #[serde(default)]
    pub sync_conversation_deletion: bool,
}

impl std::fmt::Debug for BootstrapApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BootstrapApp")
            .field("sdk_app_id", &self.sdk_app_id)
            .finish_non_exhaustive()
    }
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            backlog: 4096,
            allowed_origins: Vec::new(),
            header_timeout_ms: 5_000,
            login_timeout_ms: 5_000,
            ping_interval_ms: 30_000,
            idle_timeout_ms: 75_000,
            write_timeout_ms: 10_000,
            drain_ms: 5_000,
        }
    }
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            path: "data".into(),
            sync: SyncMode::Full,
            queue: 8192,
            group: 512,
            readers: 4,
        }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            connections: 19_500,
            anonymous_per_address: 2_000,
            connections_per_account: 100,
            requests_per_second: 100,
            request_burst: 500,
            message_bytes: 64 * 1024,
            queue_frames: 256,
            queue_bytes: 256 * 1024,
            page: 500,
            group_members: 10_000,
            request_memory_hours: 48,
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            filter: "info".into(),
            format: LogFormat::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;

    /// What `config/default.toml` says: `section.key` → its comment and its value as written.
    fn documented() -> BTreeMap<String, (String, String)> {
        let (mut section, mut comment) = (String::new(), String::new());
        let mut found = BTreeMap::new();
        for line in load::DEFAULTS.lines() {
            if let Some(text) = line.strip_prefix('#') {
                comment.push_str(text);
            } else if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']').to_owned();
                comment.clear();
            } else if let Some((key, value)) = line.split_once(" = ") {
                let entry = (std::mem::take(&mut comment), value.to_owned());
                found.insert(format!("{section}.{key}"), entry);
            } else {
                comment.clear();
            }
        }
        found
    }

    fn keys() -> BTreeMap<String, Value> {
        let Value::Object(sections) = serde_json::to_value(Settings::default()).unwrap() else {
            panic!("settings are sections");
        };
        let keys = sections.into_iter().flat_map(|(section, keys)| {
            let Value::Object(keys) = keys else {
                panic!("{section} is a section");
            };
            keys.into_iter()
                .map(move |(key, value)| (format!("{section}.{key}"), value))
        });
        keys.collect()
    }

    #[test]
    fn every_setting_is_documented_with_its_default_and_no_other() {
        let documented = documented();
        assert!(documented.keys().eq(keys().keys()), "{documented:?}");
        for (key, value) in keys() {
            let (comment, written) = &documented[&key];
            assert_eq!(written, &value.to_string(), "{key}");
            assert!(
                comment.contains(&format!("Default: {value}.")),
                "{key}: {comment}"
            );
        }
    }

    #[test]
    fn every_number_is_documented_with_its_bounds() {
        let documented = documented();
        let bounds = bounds::bounds(&Settings::default());
        for bound in &bounds {
            let comment = &documented[bound.key].0;
            let told = format!("Bounds: {} to {}", bound.least, bound.most);
            assert!(comment.contains(&told), "{}: {comment}", bound.key);
        }
        let numbers = keys().into_values().filter(Value::is_number).count();
        assert_eq!(bounds.len(), numbers);
    }

    #[test]
    fn no_secret_is_shown() {
        let mut settings = Settings::default();
        settings.bootstrap.apps.push(BootstrapApp {
            sdk_app_id: 1,
            secret_key: "s3cret".into(),
            admins: Vec::new(),
            sync_conversation_deletion: false,
        });
        assert!(!format!("{settings:?}").contains("s3cret"));
        assert!(!settings.to_string().contains("s3cret"));
    }
}
