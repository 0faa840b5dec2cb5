//! What a setting may be. A setting that makes no sense stops the start, naming itself.

use std::collections::BTreeSet;

use tracing_subscriber::EnvFilter;

use super::{BootstrapApp, Settings};
use crate::domain::UserId;

/// A setting that can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct Invalid {
    /// `section.key`.
    pub key: String,
    pub reason: String,
}

impl Invalid {
    fn new(key: &str, reason: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            reason: reason.into(),
        }
    }
}

/// A number's name, its value, and the least and most it may be.
pub(super) struct Bound {
    pub(super) key: &'static str,
    value: u64,
    pub(super) least: u64,
    pub(super) most: u64,
}

/// Ten minutes: longer than any sane client takes.
const LONG: u64 = 10 * 60 * 1000;
const HOUR: u64 = 60 * 60 * 1000;

/// Every number that can be set.
pub(super) fn bounds(settings: &Settings) -> Vec<Bound> {
    let Settings {
        server,
        store,
        limits,
        ..
    } = settings;
    [
        ("server.backlog", server.backlog.into(), 1, 65_535),
        (
            "server.header_timeout_ms",
            server.header_timeout_ms,
            1,
            LONG,
        ),
        ("server.login_timeout_ms", server.login_timeout_ms, 1, LONG),
        ("server.ping_interval_ms", server.ping_interval_ms, 1, HOUR),
        ("server.idle_timeout_ms", server.idle_timeout_ms, 1, HOUR),
        ("server.write_timeout_ms", server.write_timeout_ms, 1, LONG),
        ("server.drain_ms", server.drain_ms, 0, LONG),
        ("store.queue", store.queue as u64, 1, 1_000_000),
        ("store.group", store.group as u64, 1, 10_000),
        ("store.readers", store.readers as u64, 1, 64),
        (
            "limits.connections",
            limits.connections as u64,
            1,
            10_000_000,
        ),
        (
            "limits.anonymous_per_address",
            limits.anonymous_per_address as u64,
            1,
            10_000_000,
        ),
        (
            "limits.connections_per_account",
            limits.connections_per_account as u64,
            1,
            100_000,
        ),
        (
            "limits.requests_per_second",
            limits.requests_per_second.into(),
            1,
            1_000_000,
        ),
        (
            "limits.request_burst",
            limits.request_burst.into(),
            1,
            1_000_000,
        ),
        // Below it the largest call that the contract allows would be refused.
        (
            "limits.message_bytes",
            limits.message_bytes as u64,
            16_384,
            16_777_216,
        ),
        ("limits.queue_frames", limits.queue_frames as u64, 1, 65_536),
        (
            "limits.queue_bytes",
            limits.queue_bytes as u64,
            1024,
            67_108_864,
        ),
        ("limits.page", limits.page as u64, 1, 1000),
        (
            "limits.group_members",
            limits.group_members as u64,
            2,
            100_000,
        ),
        // The contract promises 24 hours (design 3.5).
        (
            "limits.request_memory_hours",
            limits.request_memory_hours.into(),
            24,
            8760,
        ),
    ]
    .map(|(key, value, least, most)| Bound {
        key,
        value,
        least,
        most,
    })
    .into()
}

impl Settings {
    /// Whether the server can run with these. The first one that makes no sense is named.
    pub fn validate(&self) -> Result<(), Invalid> {
        for bound in bounds(self) {
            if bound.value < bound.least {
                return Err(Invalid::new(
                    bound.key,
                    format!("must be at least {}", bound.least),
                ));
            }
            if bound.value > bound.most {
                return Err(Invalid::new(
                    bound.key,
                    format!("must be at most {}", bound.most),
                ));
            }
        }
        if self.server.idle_timeout_ms <= self.server.ping_interval_ms {
            return Err(Invalid::new(
                "server.idle_timeout_ms",
                "must be above server.ping_interval_ms, or every quiet client is closed",
            ));
        }
        for origin in &self.server.allowed_origins {
            check_origin(origin).map_err(|reason| {
                Invalid::new("server.allowed_origins", format!("{origin:?} {reason}"))
            })?;
        }
        if self.store.path.as_os_str().is_empty() {
            return Err(Invalid::new("store.path", "must not be empty"));
        }
        EnvFilter::try_new(&self.log.filter)
            .map_err(|error| Invalid::new("log.filter", error.to_string()))?;
        check_apps(&self.bootstrap.apps)
    }
}

/// A browser sends scheme, host and port, and no path: anything else would never match.
fn check_origin(origin: &str) -> Result<(), &'static str> {
    let (scheme, host) = origin
        .split_once("://")
        .ok_or("must be like https://chat.example.com")?;
    if scheme.is_empty() || host.is_empty() {
        Err("must be like https://chat.example.com")
    } else if host.contains(['/', '?', '#']) {
        Err("must end after the host or port, without a slash")
    } else if origin.contains(|c: char| c.is_whitespace() || c.is_control() || c == '*') {
        Err("must be one exact origin, without spaces or wildcards")
    } else {
        Ok(())
    }
}

fn check_apps(apps: &[BootstrapApp]) -> Result<(), Invalid> {
    let mut seen = BTreeSet::new();
    for (place, app) in apps.iter().enumerate() {
        let invalid = |field: &str, reason: String| {
            Err(Invalid::new(
                &format!("bootstrap.apps[{place}].{field}"),
                reason,
            ))
        };
        if app.sdk_app_id == 0 {
            return invalid("sdk_app_id", "must be at least 1".into());
        }
        if !seen.insert(app.sdk_app_id) {
            return invalid("sdk_app_id", format!("{} is there twice", app.sdk_app_id));
        }
        if app.secret_key.is_empty() {
            return invalid("secret_key", "must not be empty".into());
        }
        for admin in &app.admins {
            if let Err(why) = UserId::new(admin.as_str()) {
                return invalid("admins", format!("{admin:?} {why}"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Settings)) -> String {
        let mut settings = Settings::default();
        change(&mut settings);
        settings.validate().unwrap_err().to_string()
    }

    fn app(id: u32, key: &str) -> BootstrapApp {
        BootstrapApp {
            sdk_app_id: id,
            secret_key: key.into(),
            admins: vec!["administrator".into()],
            sync_conversation_deletion: false,
        }
    }

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(Settings::default().validate(), Ok(()));
    }

    #[test]
    fn a_number_out_of_bounds_names_its_setting() {
        assert_eq!(
            refused(|s| s.server.login_timeout_ms = 0),
            "server.login_timeout_ms: must be at least 1"
        );
        assert_eq!(
            refused(|s| s.limits.request_memory_hours = 23),
            "limits.request_memory_hours: must be at least 24"
        );
        assert_eq!(
            refused(|s| s.limits.page = 1001),
            "limits.page: must be at most 1000"
        );
    }

    #[test]
    fn a_quiet_client_outlives_a_ping() {
        assert!(
            refused(|s| s.server.idle_timeout_ms = s.server.ping_interval_ms)
                .starts_with("server.idle_timeout_ms: ")
        );
    }

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        for origin in [
            "",
            "chat.example.com",
            "https://",
            "https://a/",
            "https://a/b",
            "https://*.a",
            "null",
        ] {
            let line = refused(|s| s.server.allowed_origins = vec![origin.into()]);
            assert!(line.starts_with("server.allowed_origins: "), "{line}");
        }
        let mut settings = Settings::default();
        settings.server.allowed_origins = vec![
            "https://chat.example.com".into(),
            "http://localhost:3000".into(),
        ];
        assert_eq!(settings.validate(), Ok(()));
    }

    #[test]
    fn an_app_has_an_id_of_its_own_and_a_key() {
        assert_eq!(
            refused(|s| s.bootstrap.apps = vec![app(1, "k"), app(1, "k")]),
            "bootstrap.apps[1].sdk_app_id: 1 is there twice"
        );
        assert_eq!(
            refused(|s| s.bootstrap.apps = vec![app(1, "")]),
            "bootstrap.apps[0].secret_key: must not be empty"
        );
        assert_eq!(
            refused(|s| s.bootstrap.apps = vec![app(0, "k")]),
            "bootstrap.apps[0].sdk_app_id: must be at least 1"
        );
    }

    #[test]
    fn a_filter_that_does_not_parse_is_refused() {
        assert!(refused(|s| s.log.filter = "chatsync=loud".into()).starts_with("log.filter: "));
        assert!(refused(|s| s.store.path = "".into()).starts_with("store.path: "));
    }
}
