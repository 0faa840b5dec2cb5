//! Between rows and the domain's values.

use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::domain::app::{Features, SecretKey};
use crate::domain::group::{Group, GroupType, Member, Role};
use crate::domain::login_policy::{LoginMode, LoginPolicy};
use crate::domain::message::{Entry, Sender};
use crate::domain::retention::Mark;
use crate::domain::view::{Floors, Leaving, Undo};
use crate::domain::{
    AccountKey, App, DeviceId, LogHead, LogId, Membership, Platform, SdkAppId, Seq, UserId,
    Version, View,
};
use crate::store::rows::{
    Account, AuditRecord, ConsoleSession, DeviceRow, NewAuditRecord, Operator,
};

/// Counters are 64-bit and unsigned here, signed in `SQLite`; none gets near the sign.
pub(super) fn int(number: u64) -> i64 {
    number.cast_signed()
}

fn number(row: &Row<'_>, column: usize) -> Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

fn seq(row: &Row<'_>, column: usize) -> Result<Seq> {
    number(row, column).map(Seq)
}

fn broken(column: usize, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, Box::new(cause))
}

/// A text column that holds one of the domain's own texts.
fn text<T>(row: &Row<'_>, column: usize) -> Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get_ref(column)?
        .as_str()?
        .parse()
        .map_err(|cause| broken(column, cause))
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|cause| broken(column, cause))
}

/// A bare word that serde knows: a role, a type, a mode.
fn word<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T> {
    let word = row.get::<_, String>(column)?;
    serde_json::from_value(word.into()).map_err(|cause| broken(column, cause))
}

pub(super) const APP: &str = "id, keys, admins, sync_conversation_deletion, undo_window, revoke_window, \
     relationship_check, login_mode, instances_per_platform, history_retention, disabled, created_at";

pub(super) fn app(row: &Row<'_>) -> Result<App> {
    let keys: Vec<String> = json(row, 1)?;
    Ok(App {
        id: SdkAppId(row.get(0)?),
        keys: keys.into_iter().map(SecretKey::new).collect(),
        admins: json(row, 2)?,
        features: features(row, 3)?,
        disabled: row.get(10)?,
        created_at: row.get(11)?,
    })
}

/// The columns of [`features()`], as text that `concat!` takes.
macro_rules! feature_columns {
    () => {
        "sync_conversation_deletion, undo_window, revoke_window, relationship_check, login_mode, \
         instances_per_platform, history_retention"
    };
}
pub(super) use feature_columns;

/// An app's features, whose columns begin with `first`.
pub(super) fn features(row: &Row<'_>, first: usize) -> Result<Features> {
    Ok(Features {
        sync_conversation_deletion: row.get(first)?,
        undo_window: row.get(first + 1)?,
        revoke_window: row.get(first + 2)?,
        relationship_check: row.get(first + 3)?,
        login_policy: LoginPolicy {
            mode: word::<LoginMode>(row, first + 4)?,
            instances_per_platform: row.get(first + 5)?,
        },
        history_retention: row.get(first + 6)?,
    })
}

pub(super) const OPERATOR: &str = "name, password_hash, role, created_at, last_sign_in";

pub(super) fn operator(row: &Row<'_>) -> Result<Operator> {
    Ok(Operator {
        name: text(row, 0)?,
        password_hash: row.get(1)?,
        role: text(row, 2)?,
        created_at: row.get(3)?,
        last_sign_in: row.get(4)?,
    })
}

pub(super) const CONSOLE_SESSION: &str = "token_hash, operator, signed_in_at, seen_at";

pub(super) fn console_session(row: &Row<'_>) -> Result<ConsoleSession> {
    Ok(ConsoleSession {
        token_hash: row.get(0)?,
        operator: text(row, 1)?,
        signed_in_at: row.get(2)?,
        seen_at: row.get(3)?,
    })
}

pub(super) const ACCOUNT: &str = "key, app, user, version, created_at";

pub(super) fn account(row: &Row<'_>) -> Result<Account> {
    Ok(Account {
        key: AccountKey(row.get(0)?),
        app: SdkAppId(row.get(1)?),
        user: text(row, 2)?,
        version: Version(number(row, 3)?),
        created_at: row.get(4)?,
    })
}

/// The columns of [`view()`], as text that `concat!` takes: statements about views are the most frequent.
macro_rules! view_columns {
    () => {
        "conversation, log, hidden_upto, history_floor, told_hidden_upto, told_history_floor, undo, read_upto, \
         read_count, is_pinned, left, version"
    };
}
pub(super) use view_columns;
pub(super) const VIEW_COLUMNS: usize = 12;

pub(super) fn view(row: &Row<'_>) -> Result<View> {
    let undo: Option<[i64; 5]> = optional_json(row, 6)?;
    let left: Option<(char, u64, u64, u64)> = optional_json(row, 10)?;
    let floors = |hidden_upto, history_floor| Floors {
        hidden_upto,
        history_floor,
    };
    let unsigned = |number: i64| Seq(number.cast_unsigned());
    Ok(View {
        conversation: text(row, 0)?,
        log: LogId(row.get(1)?),
        floors: floors(seq(row, 2)?, seq(row, 3)?),
        told: floors(seq(row, 4)?, seq(row, 5)?),
        undo: undo.map(
            |[hidden, floor, told_hidden, told_floor, deleted_at]| Undo {
                floors: floors(unsigned(hidden), unsigned(floor)),
                told: floors(unsigned(told_hidden), unsigned(told_floor)),
                deleted_at,
            },
        ),
        read_upto: seq(row, 7)?,
        read_count: number(row, 8)?,
        is_pinned: row.get(9)?,
        membership: left.map_or(
            Membership::Active,
            |(how, last_seq, last_message_seq, message_count)| Membership::Left {
                how: match how {
                    'q' => Leaving::Quit,
                    'k' => Leaving::Kicked,
                    _ => Leaving::Dissolved,
                },
                at: LogHead {
                    last_seq: Seq(last_seq),
                    last_message_seq: Seq(last_message_seq),
                    message_count,
                },
            },
        ),
        version: Version(number(row, 11)?),
    })
}

fn optional_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<Option<T>> {
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => json(row, column).map(Some),
    }
}

pub(super) fn undo_json(undo: &Undo) -> String {
    let Undo {
        floors,
        told,
        deleted_at,
    } = undo;
    format!(
        "[{},{},{},{},{deleted_at}]",
        floors.hidden_upto, floors.history_floor, told.hidden_upto, told.history_floor
    )
}

pub(super) fn left_json(membership: &Membership) -> Option<String> {
    let Membership::Left { how, at } = membership else {
        return None;
    };
    let how = match how {
        Leaving::Quit => 'q',
        Leaving::Kicked => 'k',
        Leaving::Dissolved => 'd',
    };
    Some(format!(
        r#"["{how}",{},{},{}]"#,
        at.last_seq, at.last_message_seq, at.message_count
    ))
}

/// A list of logs.
pub(super) fn logs(row: &Row<'_>, column: usize) -> Result<Vec<LogId>> {
    let keys: Vec<i64> = json(row, column)?;
    Ok(keys.into_iter().map(LogId).collect())
}

pub(super) fn logs_json(logs: &[LogId]) -> String {
    let keys: Vec<_> = logs.iter().map(|log| log.0.to_string()).collect();
    format!("[{}]", keys.join(","))
}

/// The end of a log, whose columns begin with `first`.
pub(super) fn head(row: &Row<'_>, first: usize) -> Result<LogHead> {
    Ok(LogHead {
        last_seq: seq(row, first)?,
        last_message_seq: seq(row, first + 1)?,
        message_count: number(row, first + 2)?,
    })
}

pub(super) const ENTRY: &str = "e.seq, e.message_count, e.sender, a.user, e.time, e.kind, e.payload, \
     e.is_control, e.is_revoked";

pub(super) fn entry(row: &Row<'_>) -> Result<Entry> {
    let sender: Option<i64> = row.get(2)?;
    let payload: Option<String> = row.get(6)?;
    Ok(Entry {
        seq: seq(row, 0)?,
        message_count: number(row, 1)?,
        sender: match sender {
            Some(key) => Some(Sender {
                key: AccountKey(key),
                user: text(row, 3)?,
            }),
            None => None,
        },
        time: row.get(4)?,
        kind: row.get(5)?,
        payload: payload
            .map(RawValue::from_string)
            .transpose()
            .map_err(|cause| broken(6, cause))?,
        is_control: row.get(7)?,
        is_revoked: row.get(8)?,
    })
}

pub(super) fn mark(row: &Row<'_>) -> Result<Mark> {
    Ok(Mark {
        seq: seq(row, 0)?,
        time: row.get(1)?,
        message_count: number(row, 2)?,
    })
}

pub(super) fn group(row: &Row<'_>) -> Result<Group> {
    Ok(Group {
        log: LogId(row.get(0)?),
        id: text(row, 1)?,
        name: row.get(2)?,
        group_type: word::<GroupType>(row, 3)?,
        created_at: row.get(4)?,
        dismissed: row.get(5)?,
    })
}

pub(super) fn member(row: &Row<'_>) -> Result<Member> {
    Ok(Member {
        account: AccountKey(row.get(0)?),
        role: word::<Role>(row, 1)?,
        joined_at: row.get(2)?,
    })
}

pub(super) fn user(row: &Row<'_>, column: usize) -> Result<UserId> {
    text(row, column)
}

pub(super) fn device(row: &Row<'_>) -> Result<DeviceRow> {
    Ok(DeviceRow {
        id: text::<DeviceId>(row, 0)?,
        platform: text::<Platform>(row, 1)?,
        login_time: row.get(2)?,
        ack: Version(number(row, 3)?),
        sigs_refused_upto: row.get(4)?,
    })
}

/// The columns of [`audit()`], as text that `concat!` takes.
macro_rules! audit_columns {
    () => {
        "id, time, app, actor, action, target, detail"
    };
}
pub(super) use audit_columns;

pub(super) fn audit(row: &Row<'_>) -> Result<AuditRecord> {
    Ok(AuditRecord {
        id: row.get(0)?,
        record: NewAuditRecord {
            time: row.get(1)?,
            app: SdkAppId(row.get(2)?),
            actor: row.get(3)?,
            action: row.get(4)?,
            target: row.get(5)?,
            detail: row.get(6)?,
        },
    })
}
