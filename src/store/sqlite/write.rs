//! Writing.

use rusqlite::{Params, params};

use super::Tx;
use super::error::unreadable;
use super::read::log_key;
use super::row::{self, int};
use super::statements::Sql;
use crate::domain::app::SecretKey;
use crate::domain::group::{Group, Role};
use crate::domain::message::{Entry, NewEntry};
use crate::domain::{
    AccountKey, App, DeviceId, LogHead, LogId, Millis, OperatorName, RequestId, SdkAppId, Seq,
    UserId, Version, View,
};
use crate::store::rows::{
    Account, ConsoleSession, DeviceRow, LogKind, NewAuditRecord, Operator, RequestRecord,
};
use crate::store::{ReadTx, Result, WriteTx};

impl Tx<'_> {
    /// Runs a statement; returns how many rows it changed.
    fn execute(&self, sql: impl Into<Sql>, params: impl Params) -> Result<usize> {
        self.statements.execute(sql.into(), params)
    }
}

impl WriteTx for Tx<'_> {
    fn put_app(&mut self, app: &App) -> Result<()> {
        let keys: Vec<_> = app.keys.iter().map(SecretKey::reveal).collect();
        let json =
            |texts: serde_json::Result<String>| texts.map_err(|cause| unreadable("an app", cause));
        let features = &app.features;
        *self.features.get_mut() = None;
        self.execute(
            &format!(
                "INSERT OR REPLACE INTO app ({}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
                row::APP
            ),
            params![
                app.id.0,
                json(serde_json::to_string(&keys))?,
                json(serde_json::to_string(&app.admins))?,
                features.sync_conversation_deletion,
                features.undo_window,
                features.revoke_window,
                features.relationship_check,
                features.login_policy.mode.as_str(),
                features.login_policy.instances_per_platform,
                features.history_retention,
                app.disabled,
                app.created_at,
            ],
        )?;
        self.execute(
            "UPDATE meta SET value = value + 1 WHERE key = 'app_changes'",
            [],
        )?;
        Ok(())
    }

    fn put_demo_app(&mut self, app: SdkAppId) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES ('demo_app', ?1)",
            [app.0],
        )?;
        Ok(())
    }

    fn put_operator(&mut self, operator: &Operator) -> Result<()> {
        self.execute(
            &format!(
                "INSERT OR REPLACE INTO operator ({}) VALUES (?1, ?2, ?3, ?4, ?5)",
                row::OPERATOR
            ),
            params![
                operator.name.as_str(),
                operator.password_hash,
                operator.role.as_str(),
                operator.created_at,
                operator.last_sign_in,
            ],
        )?;
        Ok(())
    }

    fn remove_operator(&mut self, name: &OperatorName) -> Result<()> {
        self.execute("DELETE FROM operator WHERE name = ?1", [name.as_str()])?;
        Ok(())
    }

    fn put_console_session(&mut self, session: &ConsoleSession) -> Result<()> {
        self.execute(
            &format!(
                "INSERT OR REPLACE INTO console_session ({}) VALUES (?1, ?2, ?3, ?4)",
                row::CONSOLE_SESSION
            ),
            params![
                session.token_hash,
                session.operator.as_str(),
                session.signed_in_at,
                session.seen_at,
            ],
        )?;
        Ok(())
    }

    fn remove_console_session(&mut self, token_hash: &[u8]) -> Result<()> {
        self.execute(
            "DELETE FROM console_session WHERE token_hash = ?1",
            [token_hash],
        )?;
        Ok(())
    }

    fn keep_newest_console_sessions(&mut self, operator: &OperatorName, keep: usize) -> Result<()> {
        self.execute(
            "DELETE FROM console_session WHERE token_hash IN
               (SELECT token_hash FROM console_session WHERE operator = ?1
                ORDER BY signed_in_at DESC, token_hash LIMIT -1 OFFSET ?2)",
            params![operator.as_str(), i64::try_from(keep).unwrap_or(i64::MAX)],
        )?;
        Ok(())
    }

    fn remove_other_console_sessions(
        &mut self,
        operator: &OperatorName,
        except: Option<&[u8]>,
    ) -> Result<()> {
        self.execute(
            "DELETE FROM console_session WHERE operator = ?1 AND token_hash IS NOT ?2",
            params![operator.as_str(), except],
        )?;
        Ok(())
    }

    fn expire_console_sessions(
        &mut self,
        seen: Millis,
        signed_in: Millis,
        most: usize,
    ) -> Result<usize> {
        // Sign-ins are slow and sessions few: a scan of them is as cheap as an index would be.
        self.execute(
            "DELETE FROM console_session WHERE token_hash IN
               (SELECT token_hash FROM console_session WHERE seen_at < ?1 OR signed_in_at < ?2 LIMIT ?3)",
            params![seen, signed_in, i64::try_from(most).unwrap_or(i64::MAX)],
        )
    }

    fn create_account(&mut self, app: SdkAppId, user: &UserId, now: Millis) -> Result<Account> {
        self.execute(
            "INSERT INTO account (app, user, created_at) VALUES (?1, ?2, ?3)",
            params![app.0, user.as_str(), now],
        )?;
        let key = AccountKey(self.connection.last_insert_rowid());
        Ok(Account {
            key,
            app,
            user: user.clone(),
            version: Version(0),
            created_at: now,
        })
    }

    fn bump_version(&mut self, account: AccountKey) -> Result<Version> {
        // Not by RETURNING, for which SQLite keeps a journal of the statement: half as dear again.
        let version = self.version(account)?.next();
        let updated = self.execute(
            "UPDATE account SET version = ?2 WHERE key = ?1",
            [account.0, int(version.0)],
        )?;
        match updated {
            0 => Err(unreadable("account", "missing")),
            _ => Ok(version),
        }
    }

    fn put_view(&mut self, account: AccountKey, view: &View) -> Result<()> {
        let conversation = view.conversation.to_string();
        let undo = view.undo.as_ref().map(row::undo_json);
        let left = row::left_json(&view.membership);
        let row = params![
            account.0,
            conversation,
            view.log.0,
            int(view.floors.hidden_upto.0),
            int(view.floors.history_floor.0),
            int(view.told.hidden_upto.0),
            int(view.told.history_floor.0),
            undo,
            int(view.read_upto.0),
            int(view.read_count),
            view.is_pinned,
            left,
            int(view.version.0),
        ];
        // Nearly always it is there. Its log is the same for ever, and to set it would write an index for nothing.
        let updated = self.execute(
            "UPDATE view SET hidden_upto = ?4, history_floor = ?5, told_hidden_upto = ?6,
               told_history_floor = ?7, undo = ?8, read_upto = ?9, read_count = ?10, is_pinned = ?11, left = ?12,
               version = ?13
             WHERE account = ?1 AND conversation = ?2",
            row,
        )?;
        if updated == 0 {
            self.execute(
                "INSERT INTO view (account, conversation, log, hidden_upto, history_floor, told_hidden_upto,
                   told_history_floor, undo, read_upto, read_count, is_pinned, left, version)
                 VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
                row,
            )?;
        }
        Ok(())
    }

    fn create_log(&mut self, app: SdkAppId, kind: &LogKind) -> Result<LogId> {
        let (name, one, other) = log_key(kind);
        self.execute(
            "INSERT INTO log (app, kind, one, other) VALUES (?1, ?2, ?3, ?4)",
            params![app.0, name, one, other],
        )?;
        Ok(LogId(self.connection.last_insert_rowid()))
    }

    fn append(&mut self, log: LogId, entry: &NewEntry) -> Result<Entry> {
        let position = self.position + 1;
        let (before, is_group, is_empty): (LogHead, bool, bool) = self
            .one(
                "SELECT last_seq, last_message_seq, message_count, kind = 'group', oldest_time IS NULL
                 FROM log WHERE id = ?1",
                [log.0],
                |row| Ok((row::head(row, 0)?, row.get(3)?, row.get(4)?)),
            )?
            .ok_or_else(|| unreadable("log", "missing"))?;
        let head = before.appended(entry.is_control);
        self.execute(
            "UPDATE log SET last_seq = ?2, last_message_seq = ?3, message_count = ?4, position = ?5,
               last_message_time = iif(?6, last_message_time, ?7) WHERE id = ?1",
            params![
                log.0,
                int(head.last_seq.0),
                int(head.last_message_seq.0),
                int(head.message_count),
                int(position),
                entry.is_control,
                entry.time,
            ],
        )?;
        self.execute(
            "INSERT INTO entry (log, seq, message_count, sender, time, kind, payload, is_control)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                log.0,
                int(head.last_seq.0),
                int(head.message_count),
                entry.sender.as_ref().map(|sender| sender.key.0),
                entry.time,
                entry.kind,
                entry.payload.get(),
                entry.is_control,
            ],
        )?;
        if is_empty {
            self.put_oldest_time(log, Some(entry.time))?;
        }
        if !is_group {
            self.execute(
                "UPDATE view SET position = ?2 WHERE log = ?1",
                params![log.0, int(position)],
            )?;
        }
        self.position = position;
        Ok(Entry {
            seq: head.last_seq,
            message_count: head.message_count,
            sender: entry.sender.clone(),
            time: entry.time,
            kind: entry.kind.clone(),
            payload: Some(entry.payload.clone()),
            is_control: entry.is_control,
            is_revoked: false,
        })
    }

    fn revoke(&mut self, log: LogId, seq: Seq) -> Result<()> {
        self.execute(
            "UPDATE entry SET is_revoked = 1, payload = NULL WHERE log = ?1 AND seq = ?2",
            params![log.0, int(seq.0)],
        )?;
        Ok(())
    }

    fn erase(&mut self, log: LogId, upto: Seq, most: usize) -> Result<usize> {
        self.execute(
            "DELETE FROM entry WHERE log = ?1 AND seq IN
               (SELECT seq FROM entry WHERE log = ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3)",
            params![log.0, int(upto.0), i64::try_from(most).unwrap_or(i64::MAX)],
        )
    }

    fn put_oldest_time(&mut self, log: LogId, time: Option<Millis>) -> Result<()> {
        self.execute(
            "UPDATE log SET oldest_time = ?2 WHERE id = ?1",
            params![log.0, time],
        )?;
        Ok(())
    }

    fn schedule_erasure(&mut self, logs: &[LogId], due_at: Millis) -> Result<()> {
        self.execute(
            "INSERT OR IGNORE INTO erasure (due_at, logs) VALUES (?1, ?2)",
            params![due_at, row::logs_json(logs)],
        )?;
        Ok(())
    }

    fn unschedule_erasure(&mut self, logs: &[LogId], due_at: Millis) -> Result<()> {
        self.execute(
            "DELETE FROM erasure WHERE due_at = ?1 AND logs = ?2",
            params![due_at, row::logs_json(logs)],
        )?;
        Ok(())
    }

    fn put_group(&mut self, app: SdkAppId, group: &Group) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO chat_group (log, app, id, name, type, created_at, dismissed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                group.log.0,
                app.0,
                group.id.as_str(),
                group.name,
                group.group_type.as_str(),
                group.created_at,
                group.dismissed
            ],
        )?;
        Ok(())
    }

    fn add_member(
        &mut self,
        group: LogId,
        account: AccountKey,
        role: Role,
        now: Millis,
    ) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO member (group_log, account, role, joined_at) VALUES (?1, ?2, ?3, ?4)",
            params![group.0, account.0, role.as_str(), now],
        )?;
        Ok(())
    }

    fn remove_member(&mut self, group: LogId, account: AccountKey) -> Result<()> {
        self.execute(
            "DELETE FROM member WHERE group_log = ?1 AND account = ?2",
            [group.0, account.0],
        )?;
        Ok(())
    }

    fn add_friend(&mut self, account: AccountKey, friend: AccountKey, now: Millis) -> Result<()> {
        self.execute(
            "INSERT OR IGNORE INTO friend (account, friend, added_at) VALUES (?1, ?2, ?3)",
            params![account.0, friend.0, now],
        )?;
        Ok(())
    }

    fn remove_friend(&mut self, account: AccountKey, friend: AccountKey) -> Result<()> {
        self.execute(
            "DELETE FROM friend WHERE account = ?1 AND friend = ?2",
            [account.0, friend.0],
        )?;
        Ok(())
    }

    fn put_device(&mut self, account: AccountKey, device: &DeviceRow) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO device (account, id, platform, login_time, ack, sigs_refused_upto)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                account.0,
                device.id.as_str(),
                device.platform.as_str(),
                device.login_time,
                int(device.ack.0),
                device.sigs_refused_upto
            ],
        )?;
        Ok(())
    }

    fn note_login(&mut self, account: AccountKey, device: &DeviceId, time: Millis) -> Result<bool> {
        let updated = self.execute(
            "UPDATE device SET login_time = MAX(login_time, ?3) WHERE account = ?1 AND id = ?2",
            params![account.0, device.as_str(), time],
        )?;
        Ok(updated > 0)
    }

    fn keep_newest_devices(&mut self, account: AccountKey, keep: usize) -> Result<()> {
        self.execute(
            "DELETE FROM device WHERE account = ?1 AND id IN
               (SELECT id FROM device WHERE account = ?1 ORDER BY login_time DESC, id LIMIT -1 OFFSET ?2)",
            params![account.0, i64::try_from(keep).unwrap_or(i64::MAX)],
        )?;
        Ok(())
    }

    fn acknowledge(
        &mut self,
        account: AccountKey,
        device: &DeviceId,
        version: Version,
    ) -> Result<()> {
        self.execute(
            "UPDATE device SET ack = ?3 WHERE account = ?1 AND id = ?2 AND ack < ?3",
            params![account.0, device.as_str(), int(version.0)],
        )?;
        Ok(())
    }

    fn put_request(
        &mut self,
        account: AccountKey,
        device: &str,
        id: &RequestId,
        record: &RequestRecord,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO request (account, device, id, fingerprint, answer, time)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                account.0,
                device,
                id.as_str(),
                record.fingerprint,
                record.answer,
                record.time
            ],
        )?;
        Ok(())
    }

    fn expire_requests(&mut self, before: Millis, most: usize) -> Result<usize> {
        self.execute(
            "DELETE FROM request WHERE key IN (SELECT key FROM request ORDER BY key LIMIT ?2) AND time < ?1",
            params![before, i64::try_from(most).unwrap_or(i64::MAX)],
        )
    }

    fn expire_devices(&mut self, before: Millis, most: usize) -> Result<usize> {
        self.execute(
            "DELETE FROM device WHERE (account, id) IN
               (SELECT account, id FROM device WHERE login_time < ?1 ORDER BY login_time LIMIT ?2)",
            params![before, i64::try_from(most).unwrap_or(i64::MAX)],
        )
    }

    fn probe(&mut self, now: Millis) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES ('probe', ?1)",
            [now],
        )?;
        Ok(())
    }

    fn add_audit(&mut self, record: &NewAuditRecord) -> Result<()> {
        self.execute(
            "INSERT INTO audit (time, app, actor, action, target, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![record.time, record.app.0, record.actor, record.action, record.target, record.detail],
        )?;
        Ok(())
    }

    fn add_deletion(
        &mut self,
        account: AccountKey,
        version: Version,
        record: &NewAuditRecord,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO audit (time, app, actor, action, target, detail, previous)
             VALUES (?1, ?2, ?3, 'conversation.delete', ?4, ?5, (SELECT last_deletion FROM account WHERE key = ?6))",
            params![record.time, record.app.0, record.actor, record.target, record.detail, account.0],
        )?;
        self.execute(
            "UPDATE account SET version = ?2, last_deletion = ?3 WHERE key = ?1",
            params![
                account.0,
                int(version.0),
                self.connection.last_insert_rowid()
            ],
        )?;
        Ok(())
    }
}
