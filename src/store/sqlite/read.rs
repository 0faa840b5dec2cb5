//! Reading.

use rusqlite::{OptionalExtension, Params, Row, params};

use super::error::{failure, unreadable};
use super::row::{self, int};
use super::statements::Sql;
use super::{Tx, audit};
use crate::domain::cursor::Since;
use crate::domain::group::{Group, Member};
use crate::domain::message::Entry;
use crate::domain::retention::Mark;
use crate::domain::{
    AccountKey, App, ConversationId, DeviceId, Epoch, Features, GroupId, LogHead, LogId, Millis,
    OperatorName, Position, RequestId, SdkAppId, Seq, UserId, Version, View,
};
use crate::store::rows::{
    Account, AuditFilter, AuditPage, AuditRecord, ConsoleSession, DeviceRow, LastChange, LogKind,
    Operator, RequestRecord,
};
use crate::store::{ReadTx, Result};

impl Tx<'_> {
    /// The one row that `sql` finds, if any.
    pub(super) fn one<T>(
        &self,
        sql: impl Into<Sql>,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        self.statements
            .with(sql.into(), |statement| {
                statement.query_row(params, read).optional()
            })
            .map_err(failure)
    }

    pub(super) fn many<T>(
        &self,
        sql: impl Into<Sql>,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.statements
            .with(sql.into(), |statement| {
                statement.query_map(params, read)?.collect()
            })
            .map_err(failure)
    }

    fn count(&self, sql: &'static str, params: impl Params) -> Result<usize> {
        let count: Option<i64> = self.one(sql, params, |row| row.get(0))?;
        usize::try_from(count.unwrap_or(0)).map_err(|cause| unreadable("a count", cause))
    }
}

pub(super) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// How a log is found: its kind and the two texts of its key.
pub(super) fn log_key(kind: &LogKind) -> (&'static str, String, String) {
    match kind {
        LogKind::Pair(a, b) => ("pair", a.min(b).0.to_string(), a.max(b).0.to_string()),
        LogKind::Group(_, group) => ("group", group.to_string(), String::new()),
        LogKind::System(account) => ("system", account.0.to_string(), String::new()),
    }
}

impl ReadTx for Tx<'_> {
    fn epoch(&self) -> Result<Epoch> {
        self.one("SELECT value FROM meta WHERE key = 'epoch'", [], |row| {
            row.get::<_, i64>(0)
        })?
        .map(|epoch| Epoch(epoch.cast_unsigned()))
        .ok_or_else(|| unreadable("meta", "no epoch"))
    }

    fn demo_app(&self) -> Result<Option<SdkAppId>> {
        self.one("SELECT value FROM meta WHERE key = 'demo_app'", [], |row| {
            row.get(0).map(SdkAppId)
        })
    }

    fn app(&self, app: SdkAppId) -> Result<Option<App>> {
        self.one(
            &format!("SELECT {} FROM app WHERE id = ?1", row::APP),
            [app.0],
            row::app,
        )
    }

    fn features(&self, app: SdkAppId) -> Result<Option<Features>> {
        if let Some((of, features)) = &*self.features.borrow()
            && *of == app
        {
            return Ok(Some(features.clone()));
        }
        let found = self.one(
            concat!(
                "SELECT ",
                row::feature_columns!(),
                " FROM app WHERE id = ?1"
            ),
            [app.0],
            |row| row::features(row, 0),
        )?;
        *self.features.borrow_mut() = found.clone().map(|features| (app, features));
        Ok(found)
    }

    fn apps(&self) -> Result<Vec<App>> {
        self.many(
            &format!("SELECT {} FROM app ORDER BY id", row::APP),
            [],
            row::app,
        )
    }

    fn app_changes(&self) -> Result<u64> {
        let changes = self.one(
            "SELECT value FROM meta WHERE key = 'app_changes'",
            [],
            |row| row.get::<_, i64>(0),
        )?;
        Ok(changes.map_or(0, i64::cast_unsigned))
    }

    fn last_change(&self, app: SdkAppId, setting: &str) -> Result<Option<LastChange>> {
        // The action is part of the statement's text: that is how the partial index is found.
        self.one(
            "SELECT actor, time FROM audit WHERE action = 'app.set' AND app = ?1 AND target = ?2
             ORDER BY id DESC LIMIT 1",
            params![app.0, setting],
            |row| {
                Ok(LastChange {
                    by: row.get(0)?,
                    time: row.get(1)?,
                })
            },
        )
    }

    fn operator(&self, name: &OperatorName) -> Result<Option<Operator>> {
        self.one(
            &format!("SELECT {} FROM operator WHERE name = ?1", row::OPERATOR),
            [name.as_str()],
            row::operator,
        )
    }

    fn operators(&self) -> Result<Vec<Operator>> {
        self.many(
            &format!("SELECT {} FROM operator ORDER BY name", row::OPERATOR),
            [],
            row::operator,
        )
    }

    fn console_session(&self, token_hash: &[u8]) -> Result<Option<ConsoleSession>> {
        self.one(
            &format!(
                "SELECT {} FROM console_session WHERE token_hash = ?1",
                row::CONSOLE_SESSION
            ),
            [token_hash],
            row::console_session,
        )
    }

    fn account(&self, app: SdkAppId, user: &UserId) -> Result<Option<Account>> {
        self.one(
            &format!(
                "SELECT {} FROM account WHERE app = ?1 AND user = ?2",
                row::ACCOUNT
            ),
            params![app.0, user.as_str()],
            row::account,
        )
    }

    fn account_count(&self, app: SdkAppId) -> Result<usize> {
        self.count("SELECT COUNT(*) FROM account WHERE app = ?1", [app.0])
    }

    fn account_by_key(&self, key: AccountKey) -> Result<Option<Account>> {
        self.one(
            &format!("SELECT {} FROM account WHERE key = ?1", row::ACCOUNT),
            [key.0],
            row::account,
        )
    }

    fn accounts(
        &self,
        app: SdkAppId,
        prefix: &str,
        after: Option<&UserId>,
        most: usize,
    ) -> Result<Vec<Account>> {
        // What begins alike stands together: it starts at the prefix itself, and ends at the first that doesn't.
        let mut accounts = self.many(
            &format!(
                "SELECT {} FROM account WHERE app = ?1 AND user >= ?2 AND user > ?3 ORDER BY user LIMIT ?4",
                row::ACCOUNT
            ),
            params![app.0, prefix, after.map_or("", UserId::as_str), limit(most)],
            row::account,
        )?;
        if let Some(end) = accounts
            .iter()
            .position(|account| !account.user.as_str().starts_with(prefix))
        {
            accounts.truncate(end);
        }
        Ok(accounts)
    }

    fn view(&self, account: AccountKey, conversation: &ConversationId) -> Result<Option<View>> {
        self.one(
            concat!(
                "SELECT ",
                row::view_columns!(),
                " FROM view WHERE account = ?1 AND conversation = ?2"
            ),
            params![account.0, conversation.to_string()],
            row::view,
        )
    }

    fn view_and_head(
        &self,
        account: AccountKey,
        conversation: &ConversationId,
    ) -> Result<Option<(View, LogHead)>> {
        self.one(
            concat!(
                "SELECT ",
                row::view_columns!(),
                ", last_seq, last_message_seq, message_count
                 FROM view JOIN log ON log.id = view.log WHERE account = ?1 AND conversation = ?2"
            ),
            params![account.0, conversation.to_string()],
            |row| Ok((row::view(row)?, row::head(row, row::VIEW_COLUMNS)?)),
        )
    }

    fn views(
        &self,
        account: AccountKey,
        after: Option<&ConversationId>,
        most: usize,
    ) -> Result<Vec<View>> {
        self.many(
            concat!(
                "SELECT ",
                row::view_columns!(),
                " FROM view WHERE account = ?1 AND conversation > ?2 ORDER BY conversation LIMIT ?3"
            ),
            params![
                account.0,
                after.map_or_else(String::new, ToString::to_string),
                limit(most)
            ],
            row::view,
        )
    }

    fn changed_views(
        &self,
        account: AccountKey,
        since: Since,
        after: Option<&ConversationId>,
        most: usize,
    ) -> Result<Vec<View>> {
        // CROSS JOIN keeps the order: the account's groups, their logs, its views of those.
        self.many(
            concat!(
                "SELECT ",
                row::view_columns!(),
                " FROM view WHERE account = ?1 AND conversation > ?4 AND conversation IN (
                   SELECT conversation FROM view WHERE account = ?1 AND version > ?2
                   UNION
                   SELECT conversation FROM view WHERE account = ?1 AND position > ?3 AND position > 0
                   UNION
                   SELECT v.conversation FROM member m
                     CROSS JOIN log l ON l.id = m.group_log AND l.position > ?3
                     CROSS JOIN view v ON v.log = l.id AND v.account = ?1
                   WHERE m.account = ?1
                 ) ORDER BY conversation LIMIT ?5"
            ),
            params![
                account.0,
                int(since.version.0),
                int(since.position.0),
                after.map_or_else(String::new, ToString::to_string),
                limit(most)
            ],
            row::view,
        )
    }

    fn pinned_count(&self, account: AccountKey) -> Result<usize> {
        self.count(
            "SELECT COUNT(*) FROM view WHERE account = ?1 AND is_pinned",
            [account.0],
        )
    }

    fn version(&self, account: AccountKey) -> Result<Version> {
        let version = self.one(
            "SELECT version FROM account WHERE key = ?1",
            [account.0],
            |row| row.get(0),
        )?;
        Ok(Version(version.map_or(0, i64::cast_unsigned)))
    }

    fn reached(&self, account: AccountKey) -> Result<Since> {
        let position = self
            .one("SELECT MAX(position) FROM log", [], |row| row.get(0))?
            .flatten();
        Ok(Since {
            version: self.version(account)?,
            position: Position(position.map_or(0, i64::cast_unsigned)),
        })
    }

    fn log(&self, kind: &LogKind) -> Result<Option<LogId>> {
        // Account keys are unique over all apps; a group's ID is not, so there the app decides.
        let (name, one, other) = log_key(kind);
        match kind {
            LogKind::Group(app, _) => self.one(
                "SELECT id FROM log WHERE app = ?1 AND kind = ?2 AND one = ?3 AND other = ?4",
                params![app.0, name, one, other],
                |row| row.get(0).map(LogId),
            ),
            LogKind::Pair(account, _) | LogKind::System(account) => self.one(
                "SELECT id FROM log WHERE app = (SELECT app FROM account WHERE key = ?1)
                 AND kind = ?2 AND one = ?3 AND other = ?4",
                params![account.0, name, one, other],
                |row| row.get(0).map(LogId),
            ),
        }
    }

    fn head(&self, log: LogId) -> Result<LogHead> {
        self.one(
            "SELECT last_seq, last_message_seq, message_count FROM log WHERE id = ?1",
            [log.0],
            |row| row::head(row, 0),
        )?
        .ok_or_else(|| unreadable("log", "missing"))
    }

    fn entry(&self, log: LogId, seq: Seq) -> Result<Option<Entry>> {
        self.one(
            &format!(
                "SELECT {} FROM entry e LEFT JOIN account a ON a.key = e.sender WHERE e.log = ?1 AND e.seq = ?2",
                row::ENTRY
            ),
            params![log.0, int(seq.0)],
            row::entry,
        )
    }

    fn entries(&self, log: LogId, floor: Seq, before: Seq, most: usize) -> Result<Vec<Entry>> {
        self.many(
            &format!(
                "SELECT {} FROM entry e LEFT JOIN account a ON a.key = e.sender
                 WHERE e.log = ?1 AND e.seq > ?2 AND e.seq < ?3 AND e.kind <> 'revoke' ORDER BY e.seq DESC LIMIT ?4",
                row::ENTRY
            ),
            params![log.0, int(floor.0), int(before.0), limit(most)],
            row::entry,
        )
    }

    fn message_count(&self, log: LogId, seq: Seq) -> Result<u64> {
        let at_or_below: Option<i64> = self.one(
            "SELECT message_count FROM entry WHERE log = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1",
            params![log.0, int(seq.0)],
            |row| row.get(0),
        )?;
        if let Some(count) = at_or_below {
            return Ok(count.cast_unsigned());
        }
        // All up to here was erased: count from the oldest that is left.
        let above: Option<(i64, bool)> = self.one(
            "SELECT message_count, is_control FROM entry WHERE log = ?1 AND seq > ?2 ORDER BY seq LIMIT 1",
            params![log.0, int(seq.0)],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        match above {
            Some((count, is_control)) => Ok(count.cast_unsigned() - u64::from(!is_control)),
            None => Ok(self.head(log)?.message_count),
        }
    }

    fn group(&self, app: SdkAppId, id: &GroupId) -> Result<Option<Group>> {
        self.one(
            "SELECT log, id, name, type, created_at, dismissed FROM chat_group WHERE app = ?1 AND id = ?2",
            params![app.0, id.as_str()],
            row::group,
        )
    }

    fn member(&self, group: LogId, account: AccountKey) -> Result<Option<Member>> {
        self.one(
            "SELECT account, role, joined_at FROM member WHERE group_log = ?1 AND account = ?2",
            [group.0, account.0],
            row::member,
        )
    }

    fn members(&self, group: LogId, offset: usize, most: usize) -> Result<Vec<(Member, UserId)>> {
        self.many(
            "SELECT m.account, m.role, m.joined_at, a.user FROM member m JOIN account a ON a.key = m.account
             WHERE m.group_log = ?1 ORDER BY m.joined_at, m.account LIMIT ?2 OFFSET ?3",
            params![group.0, limit(most), limit(offset)],
            |row| Ok((row::member(row)?, row::user(row, 3)?)),
        )
    }

    fn member_keys(&self, group: LogId) -> Result<Vec<AccountKey>> {
        self.many(
            "SELECT account FROM member WHERE group_log = ?1",
            [group.0],
            |row| row.get(0).map(AccountKey),
        )
    }

    fn member_count(&self, group: LogId) -> Result<usize> {
        self.count(
            "SELECT COUNT(*) FROM member WHERE group_log = ?1",
            [group.0],
        )
    }

    fn groups_of(&self, account: AccountKey) -> Result<Vec<Group>> {
        self.many(
            "SELECT g.log, g.id, g.name, g.type, g.created_at, g.dismissed
             FROM member m CROSS JOIN chat_group g ON g.log = m.group_log WHERE m.account = ?1 ORDER BY g.id",
            [account.0],
            row::group,
        )
    }

    fn friends(&self, account: AccountKey) -> Result<Vec<UserId>> {
        self.many(
            "SELECT a.user FROM friend f JOIN account a ON a.key = f.friend WHERE f.account = ?1 ORDER BY a.user",
            [account.0],
            |row| row::user(row, 0),
        )
    }

    fn are_friends(&self, one: AccountKey, other: AccountKey) -> Result<bool> {
        let found = self.one(
            "SELECT 1 FROM friend WHERE account = ?1 AND friend = ?2",
            [one.0, other.0],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    fn devices(&self, account: AccountKey) -> Result<Vec<DeviceRow>> {
        self.many(
            "SELECT id, platform, login_time, ack, sigs_refused_upto FROM device WHERE account = ?1 ORDER BY id",
            [account.0],
            row::device,
        )
    }

    fn device(&self, account: AccountKey, device: &DeviceId) -> Result<Option<DeviceRow>> {
        self.one(
            "SELECT id, platform, login_time, ack, sigs_refused_upto FROM device WHERE account = ?1 AND id = ?2",
            params![account.0, device.as_str()],
            row::device,
        )
    }

    fn device_count(&self, account: AccountKey) -> Result<usize> {
        self.count(
            "SELECT COUNT(*) FROM device WHERE account = ?1",
            [account.0],
        )
    }

    fn request(
        &self,
        account: AccountKey,
        device: &str,
        id: &RequestId,
    ) -> Result<Option<RequestRecord>> {
        self.one(
            "SELECT fingerprint, answer, time FROM request WHERE account = ?1 AND device = ?2 AND id = ?3",
            params![account.0, device, id.as_str()],
            |row| Ok(RequestRecord { fingerprint: row.get(0)?, answer: row.get(1)?, time: row.get(2)? }),
        )
    }

    fn audit_record(&self, id: i64) -> Result<Option<AuditRecord>> {
        self.one(
            concat!(
                "SELECT ",
                row::audit_columns!(),
                " FROM audit WHERE id = ?1"
            ),
            [id],
            row::audit,
        )
    }

    fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        most: usize,
        scan: usize,
    ) -> Result<AuditPage> {
        audit::search(self, filter, before, most, scan)
    }

    fn deletions(
        &self,
        app: SdkAppId,
        user: Option<&UserId>,
        before: Option<i64>,
        most: usize,
    ) -> Result<Vec<AuditRecord>> {
        audit::deletions(self, app, user, before, most)
    }

    fn due_erasures(&self, now: Millis, most: usize) -> Result<Vec<(Millis, Vec<LogId>)>> {
        self.many(
            "SELECT due_at, logs FROM erasure WHERE due_at <= ?1 ORDER BY due_at, logs LIMIT ?2",
            params![now, limit(most)],
            |row| Ok((row.get(0)?, row::logs(row, 1)?)),
        )
    }

    fn logs_from_before(&self, app: SdkAppId, before: Millis, most: usize) -> Result<Vec<LogId>> {
        self.many(
            "SELECT id FROM log WHERE app = ?1 AND oldest_time < ?2 ORDER BY oldest_time LIMIT ?3",
            params![app.0, before, limit(most)],
            |row| row.get(0).map(LogId),
        )
    }

    fn mark(&self, log: LogId, seq: Seq) -> Result<Option<Mark>> {
        self.one(
            "SELECT seq, time, message_count FROM entry WHERE log = ?1 AND seq >= ?2 ORDER BY seq LIMIT 1",
            params![log.0, int(seq.0)],
            row::mark,
        )
    }

    fn newest_message(&self, log: LogId) -> Result<Option<Mark>> {
        self.one(
            "SELECT last_message_seq, last_message_time, message_count FROM log
             WHERE id = ?1 AND last_message_time IS NOT NULL",
            [log.0],
            row::mark,
        )
    }

    fn views_of_log(&self, log: LogId) -> Result<Vec<(AccountKey, View)>> {
        self.many(
            concat!(
                "SELECT ",
                row::view_columns!(),
                ", account FROM view WHERE log = ?1"
            ),
            [log.0],
            |row| Ok((AccountKey(row.get("account")?), row::view(row)?)),
        )
    }

    fn app_of_log(&self, log: LogId) -> Result<SdkAppId> {
        self.one("SELECT app FROM log WHERE id = ?1", [log.0], |row| {
            row.get(0).map(SdkAppId)
        })?
        .ok_or_else(|| unreadable("log", "missing"))
    }
}
