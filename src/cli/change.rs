//! `KEY=VALUE` for `chatsync app set`, and the same words for showing an app.

use std::fmt;
use std::str::FromStr;

use crate::domain::app::MAX_WINDOW;
use crate::domain::login_policy::{LoginMode, MAX_INSTANCES};
use crate::domain::retention::{LONGEST, SHORTEST};
use crate::domain::{App, Millis, UserId};

/// What there is to set, as a help text.
pub const KEYS: &str = "sync-conversation-deletion=on|off, undo-window=DURATION, revoke-window=DURATION (such as \
    7d, 12h, 30m, 10s; 0s to 365d), history-retention=DURATION|none (1d to 3650d), relationship-check=on|off, login-mode=single|dual|triple|multi, \
    instances-per-platform=NUMBER|none, disabled=on|off, admins=NAME,NAME";

const SECOND: Millis = 1000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;
const UNITS: [(&str, Millis); 4] = [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)];
/// More admins than this is a mistake in quoting.
const MOST_ADMINS: usize = 100;

/// One change to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The switch (design section 3).
    SyncConversationDeletion(bool),
    /// How long a deletion can be undone.
    UndoWindow(Millis),
    /// How long a message can be revoked by its sender.
    RevokeWindow(Millis),
    /// How long history is kept; none: for ever.
    HistoryRetention(Option<Millis>),
    /// Refuse messages between accounts that are not friends.
    RelationshipCheck(bool),
    /// Which platforms may be logged in at once.
    LoginMode(LoginMode),
    /// How many devices of one platform; none: any number.
    InstancesPerPlatform(Option<u32>),
    /// Refuse the app's clients.
    Disabled(bool),
    /// Identifiers that may call the REST API.
    Admins(Vec<String>),
}

impl Change {
    /// Makes the change.
    pub fn apply(self, app: &mut App) {
        let features = &mut app.features;
        match self {
            Self::SyncConversationDeletion(on) => features.sync_conversation_deletion = on,
            Self::UndoWindow(window) => features.undo_window = window,
            Self::RevokeWindow(window) => features.revoke_window = window,
            Self::HistoryRetention(kept) => features.history_retention = kept,
            Self::RelationshipCheck(on) => features.relationship_check = on,
            Self::LoginMode(mode) => features.login_policy.mode = mode,
            Self::InstancesPerPlatform(most) => {
                features.login_policy.instances_per_platform = most;
            }
            Self::Disabled(on) => app.disabled = on,
            Self::Admins(admins) => app.admins = admins,
        }
    }

    /// An app's settings as changes that would make them so.
    pub fn all_of(app: &App) -> [Self; 9] {
        let features = &app.features;
        [
            Self::SyncConversationDeletion(features.sync_conversation_deletion),
            Self::UndoWindow(features.undo_window),
            Self::RevokeWindow(features.revoke_window),
            Self::HistoryRetention(features.history_retention),
            Self::RelationshipCheck(features.relationship_check),
            Self::LoginMode(features.login_policy.mode),
            Self::InstancesPerPlatform(features.login_policy.instances_per_platform),
            Self::Disabled(app.disabled),
            Self::Admins(app.admins.clone()),
        ]
    }
}

impl FromStr for Change {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| format!("{text}: must be KEY=VALUE"))?;
        let change = match key {
            "sync-conversation-deletion" => switch(value).map(Self::SyncConversationDeletion),
            "undo-window" => window(value).map(Self::UndoWindow),
            "revoke-window" => window(value).map(Self::RevokeWindow),
            "history-retention" => retention(value).map(Self::HistoryRetention),
            "relationship-check" => switch(value).map(Self::RelationshipCheck),
            "login-mode" => login_mode(value).map(Self::LoginMode),
            "instances-per-platform" => instances(value).map(Self::InstancesPerPlatform),
            "disabled" => switch(value).map(Self::Disabled),
            "admins" => admins(value).map(Self::Admins),
            _ => return Err(format!("{key}: no such setting; there are {KEYS}")),
        };
        change.map_err(|reason| format!("{key}: {reason}"))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = |on: bool| if on { "on" } else { "off" };
        match self {
            Self::SyncConversationDeletion(yes) => {
                write!(f, "sync-conversation-deletion={}", on(*yes))
            }
            Self::UndoWindow(window) => write!(f, "undo-window={}", Duration(*window)),
            Self::RevokeWindow(window) => write!(f, "revoke-window={}", Duration(*window)),
            Self::HistoryRetention(None) => f.write_str("history-retention=none"),
            Self::HistoryRetention(Some(kept)) => {
                write!(f, "history-retention={}", Duration(*kept))
            }
            Self::RelationshipCheck(yes) => write!(f, "relationship-check={}", on(*yes)),
            Self::LoginMode(mode) => write!(f, "login-mode={}", mode.as_str()),
            Self::InstancesPerPlatform(None) => f.write_str("instances-per-platform=none"),
            Self::InstancesPerPlatform(Some(most)) => write!(f, "instances-per-platform={most}"),
            Self::Disabled(yes) => write!(f, "disabled={}", on(*yes)),
            Self::Admins(admins) => write!(f, "admins={}", admins.join(",")),
        }
    }
}

fn switch(value: &str) -> Result<bool, String> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("must be on or off".into()),
    }
}

fn duration(value: &str) -> Result<Millis, String> {
    let wrong = || "must be a number and a unit (d, h, m or s), such as 7d or 30m".to_owned();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| value.strip_suffix(name).map(|number| (number, unit)))
        .ok_or_else(wrong)?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    // Only too large a number still fails to parse.
    let number: Millis = number.parse().unwrap_or(Millis::MAX);
    Ok(number.saturating_mul(*unit))
}

fn window(value: &str) -> Result<Millis, String> {
    let window = duration(value)?;
    if window <= MAX_WINDOW {
        Ok(window)
    } else {
        Err("must be at most 365d".into())
    }
}

fn retention(value: &str) -> Result<Option<Millis>, String> {
    if value == "none" {
        return Ok(None);
    }
    let kept = duration(value)?;
    if (SHORTEST..=LONGEST).contains(&kept) {
        Ok(Some(kept))
    } else {
        Err("must be 1d to 3650d, or none".into())
    }
}

fn login_mode(value: &str) -> Result<LoginMode, String> {
    [
        LoginMode::Single,
        LoginMode::Dual,
        LoginMode::Triple,
        LoginMode::Multi,
    ]
    .into_iter()
    .find(|mode| mode.as_str() == value)
    .ok_or_else(|| "must be single, dual, triple or multi".into())
}

fn instances(value: &str) -> Result<Option<u32>, String> {
    match value.parse() {
        Ok(most @ 1..=MAX_INSTANCES) => Ok(Some(most)),
        _ if value == "none" => Ok(None),
        _ => Err("must be 1 to 1000, or none".into()),
    }
}

fn admins(value: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = value
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| match UserId::new(name) {
            Ok(user) => Ok(user.into()),
            Err(why) => Err(format!("{name:?} {why}")),
        })
        .collect::<Result<_, _>>()?;
    if names.len() <= MOST_ADMINS {
        Ok(names)
    } else {
        Err(format!("at most {MOST_ADMINS}"))
    }
}

/// A time span in its largest whole unit.
struct Duration(Millis);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS
            .iter()
            .find(|(_, unit)| self.0 != 0 && self.0 % unit == 0);
        match whole {
            Some((name, unit)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}s", self.0 / SECOND),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Features, SdkAppId};

    fn app() -> App {
        App {
            id: SdkAppId(1),
            keys: Vec::new(),
            admins: vec!["administrator".into()],
            features: Features::default(),
            disabled: false,
            created_at: 0,
        }
    }

    #[test]
    fn an_app_is_shown_in_the_words_that_change_it() {
        let shown: Vec<String> = Change::all_of(&app())
            .iter()
            .map(Change::to_string)
            .collect();
        assert_eq!(
            shown.join(" "),
            "sync-conversation-deletion=off undo-window=7d revoke-window=2m history-retention=none relationship-check=off \
             login-mode=multi instances-per-platform=none disabled=off admins=administrator"
        );
        for text in shown {
            assert_eq!(text.parse::<Change>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn every_change_lands() {
        let mut app = app();
        for text in [
            "sync-conversation-deletion=on",
            "undo-window=12h",
            "revoke-window=90s",
            "history-retention=30d",
            "relationship-check=on",
            "login-mode=dual",
            "instances-per-platform=3",
            "disabled=on",
            "admins=a,李雷",
        ] {
            text.parse::<Change>().unwrap().apply(&mut app);
            assert!(
                Change::all_of(&app)
                    .iter()
                    .any(|change| change.to_string() == text),
                "{text}"
            );
        }
        "admins=".parse::<Change>().unwrap().apply(&mut app);
        assert!(app.admins.is_empty());
    }

    #[test]
    fn durations_have_a_unit_and_a_bound() {
        for (text, millis) in [
            ("0s", 0),
            ("10s", 10_000),
            ("30m", 1_800_000),
            ("365d", MAX_WINDOW),
        ] {
            assert_eq!(window(text), Ok(millis));
        }
        for text in [
            "",
            "7",
            "d",
            "-1d",
            "+1d",
            "1.5h",
            "7 d",
            "366d",
            "99999999999999999999d",
            "7w",
        ] {
            assert!(window(text).is_err(), "{text}");
        }
        for (text, kept) in [
            ("none", None),
            ("1d", Some(SHORTEST)),
            ("3650d", Some(LONGEST)),
        ] {
            assert_eq!(retention(text), Ok(kept));
        }
        for text in ["", "0s", "23h", "3651d", "99999999999999999999d", "None"] {
            assert!(retention(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            ("sync-conversation-deletion", "KEY=VALUE"),
            (
                "sync-conversation-deletion=yes",
                "sync-conversation-deletion: ",
            ),
            ("login-mode=quad", "login-mode: "),
            ("instances-per-platform=0", "instances-per-platform: "),
            ("undo=7d", "undo: "),
        ] {
            let line = text.parse::<Change>().unwrap_err();
            assert!(line.contains(named), "{line}");
        }
        let long = format!("admins={}", "x".repeat(65));
        assert!(long.parse::<Change>().unwrap_err().starts_with("admins: "));
    }
}
