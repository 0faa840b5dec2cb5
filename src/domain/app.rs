//! An app (tenant) and its feature settings.

use std::fmt;

use sha2::{Digest, Sha256};

use super::ids::{Millis, SdkAppId};
use super::login_policy::LoginPolicy;

/// A secret key: shown once by the command that makes it, hidden everywhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(String);

impl SecretKey {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The key itself. Named so that each place which uses it can be found.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Tells a key from others without being of any use to who sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPrint(pub u64);

impl SecretKey {
    /// The first bytes of its hash.
    pub fn print(&self) -> KeyPrint {
        let hash = Sha256::digest(&self.0);
        let first = hash.iter().take(8);
        KeyPrint(first.fold(0, |print, byte| print << 8 | u64::from(*byte)))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

/// A tenant: nothing crosses between apps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    pub id: SdkAppId,
    /// Newest first; two while a rotation is under way (design section 6).
    pub keys: Vec<SecretKey>,
    /// Identifiers that may call the REST API.
    pub admins: Vec<String>,
    pub features: Features,
    pub disabled: bool,
    pub created_at: Millis,
}

/// Which of an app's credentials hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub app: SdkAppId,
    pub disabled: bool,
    /// Of the keys that are valid.
    pub keys: Vec<KeyPrint>,
}

/// What a credential is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    /// None of the app's does.
    AppDisabled,
    /// The key that it was made with is valid no longer.
    KeyRetired,
}

impl App {
    pub fn standing(&self) -> Standing {
        Standing {
            app: self.id,
            disabled: self.disabled,
            keys: self.keys.iter().map(SecretKey::print).collect(),
        }
    }
}

impl Standing {
    /// Of a credential of this app, made with this key.
    pub fn verdict(&self, key: KeyPrint) -> Verdict {
        if self.disabled {
            Verdict::AppDisabled
        } else if self.keys.contains(&key) {
            Verdict::Holds
        } else {
            Verdict::KeyRetired
        }
    }
}

/// What the console calls "Feature Configuration".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// *Sync Conversation Deletion Across Clients*: off by default (seed page, note 2).
    pub sync_conversation_deletion: bool,
    /// How long a deletion can be undone, in milliseconds (design 3.8: 7 days).
    pub undo_window: Millis,
    /// How long a message can be revoked by its sender, in milliseconds (Tencent: 2 minutes).
    pub revoke_window: Millis,
    /// How long history is kept, in milliseconds; none: for ever (see [`retention`](super::retention)). Tencent's
    /// "Historical Message Storage Period".
    pub history_retention: Option<Millis>,
    /// Refuse C2C messages between accounts that are not friends (Tencent: off).
    pub relationship_check: bool,
    pub login_policy: LoginPolicy,
}

const DAY: Millis = 24 * 60 * 60 * 1000;
/// The longest window that can be set, in milliseconds: a year.
pub const MAX_WINDOW: Millis = 365 * DAY;

impl Default for Features {
    fn default() -> Self {
        Self {
            sync_conversation_deletion: false,
            undo_window: 7 * DAY,
            revoke_window: 2 * 60 * 1000,
            history_retention: None,
            relationship_check: false,
            login_policy: LoginPolicy::default(),
        }
    }
}
