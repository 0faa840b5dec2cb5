//! Rows that are the store's business and no rule's.

use crate::domain::{
    AccountKey, DeviceId, GroupId, Millis, OperatorName, Platform, Role, SdkAppId, UserId, Version,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub key: AccountKey,
    pub app: SdkAppId,
    pub user: UserId,
    pub version: Version,
    pub created_at: Millis,
}

/// An installation that has logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    pub id: DeviceId,
    pub platform: Platform,
    pub login_time: Millis,
    /// The newest version it said it applied.
    pub ack: Version,
    /// UserSigs made at or before this second (since 1970) are refused for it: it was logged out.
    pub sigs_refused_upto: i64,
}

/// Which conversation a log belongs to, apart from who looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogKind {
    /// Of two accounts, in either order (or of one with itself).
    Pair(AccountKey, AccountKey),
    Group(SdkAppId, GroupId),
    /// An account's `@TIM#SYSTEM`.
    System(AccountKey),
}

/// What a call with a requestID did, so that a retry gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// Tells a retry from another call under the same requestID.
    pub fingerprint: Vec<u8>,
    /// JSON.
    pub answer: String,
    pub time: Millis,
}

/// Who may sign in to the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    pub name: OperatorName,
    /// Argon2id, in PHC string form.
    pub password_hash: String,
    pub role: Role,
    pub created_at: Millis,
    /// None: never.
    pub last_sign_in: Option<Millis>,
}

/// An operator's session in the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleSession {
    /// SHA-256 of the token: what is stored lets nobody in.
    pub token_hash: Vec<u8>,
    pub operator: OperatorName,
    pub signed_in_at: Millis,
    /// When it was last used, as far as that was noted.
    pub seen_at: Millis,
}

/// Who changed a setting last, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastChange {
    pub by: String,
    pub time: Millis,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAuditRecord {
    pub time: Millis,
    pub app: SdkAppId,
    /// `user:alice`, `operator:NAME`, `command line`.
    pub actor: String,
    /// `conversation.delete`, `app.set`, …
    pub action: String,
    /// What it was done to: an account, a setting.
    pub target: String,
    /// JSON.
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    pub id: i64,
    pub record: NewAuditRecord,
}

/// Which records of the audit log are asked for; a filter that is absent lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub app: Option<SdkAppId>,
    /// These three by how the text begins.
    pub actor: Option<String>,
    pub action: Option<String>,
    pub target: Option<String>,
    /// Not before this time.
    pub from: Option<Millis>,
    /// Not after this time.
    pub to: Option<Millis>,
}

impl AuditFilter {
    /// Whether the texts of a record are those asked for.
    pub fn matches(&self, actor: &str, action: &str, target: &str) -> bool {
        let begins = |text: &str, with: &Option<String>| {
            with.as_ref()
                .is_none_or(|with| text.starts_with(with.as_str()))
        };
        begins(actor, &self.actor) && begins(action, &self.action) && begins(target, &self.target)
    }
}

/// A part of the audit log, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    pub records: Vec<AuditRecord>,
    /// Where to go on; none: there is no more. There may be more although the page has few records, or none.
    pub next: Option<i64>,
}
