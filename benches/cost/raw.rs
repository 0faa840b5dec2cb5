//! The least that `SQLite` takes: the rows of a deletion, their texts made beforehand, by statements that are
//! prepared once, in transactions of 256 deletions, durable.

use std::path::Path;

use chatsync::domain::AccountKey;
use rusqlite::{Connection, Statement, params};

use super::ground::deletion;
use super::{Load, pick, times};

const GROUP: usize = 256;
/// As the store does.
const ROWS_BETWEEN_CHECKPOINTS: u64 = 20_000;

struct Call {
    account: i64,
    views: Vec<(String, String)>,
    request: String,
    answer: String,
    detail: String,
}

pub(crate) fn measure(folder: &Path, accounts: &[AccountKey], load: Load) -> times::Spent {
    let calls: Vec<_> = (0..load.calls)
        .map(|number| call(accounts, number, load.length))
        .collect();
    let db = Connection::open(folder.join("chatsync.db")).unwrap();
    for (pragma, value) in [("journal_mode", "WAL"), ("synchronous", "FULL")] {
        db.pragma_update(None, pragma, value).unwrap();
    }
    db.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    db.pragma_update(None, "cache_size", -64 * 1024).unwrap();
    times::measure(|| {
        let mut rows = Rows::new(&db);
        let mut moved = 0;
        for group in calls.chunks(GROUP) {
            db.execute_batch("BEGIN IMMEDIATE").unwrap();
            for call in group {
                rows.delete(call);
            }
            db.execute_batch("COMMIT").unwrap();
            if db.total_changes() - moved > ROWS_BETWEEN_CHECKPOINTS {
                moved = db.total_changes();
                db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
                    .unwrap();
            }
        }
    })
}

fn call(accounts: &[AccountKey], number: usize, length: usize) -> Call {
    let (account, nth) = pick(number, accounts.len());
    let call = deletion(accounts, account, nth, length, number);
    let list = |rest: &str| {
        let items: Vec<_> = call
            .conversation_id_list
            .iter()
            .map(|id| format!(r#"{{"conversationID":"{id}",{rest}"upTo":1}}"#))
            .collect();
        items.join(",")
    };
    Call {
        account: accounts[account].0,
        views: call
            .conversation_id_list
            .iter()
            .map(|id| (id.clone(), "[0,0,0,0,1790000000000]".to_owned()))
            .collect(),
        request: format!("request-{number:020}"),
        answer: format!(
            r#"{{"version":1,"synced":true,"results":[{}]}}"#,
            list(r#""code":0,"#)
        ),
        detail: format!(
            r#"{{"clearHistoryMessage":true,"conversationList":[{}],"origin":{{"deviceID":"phone","platform":"iPhone"}},"synced":true,"version":1}}"#,
            list("")
        ),
    }
}

struct Rows<'c> {
    seen: Statement<'c>,
    switch: Statement<'c>,
    view: Statement<'c>,
    head: Statement<'c>,
    version: Statement<'c>,
    bump: Statement<'c>,
    delete: Statement<'c>,
    erase: Statement<'c>,
    audit: Statement<'c>,
    request: Statement<'c>,
}

impl<'c> Rows<'c> {
    fn new(db: &'c Connection) -> Self {
        let prepare = |sql| db.prepare(sql).unwrap();
        Self {
            seen: prepare("SELECT fingerprint, answer FROM request WHERE account = ?1 AND device = ?2 AND id = ?3"),
            switch: prepare("SELECT sync_conversation_deletion, undo_window FROM app WHERE id = ?1"),
            view: prepare("SELECT log, hidden_upto, history_floor, undo, version FROM view WHERE account = ?1 AND conversation = ?2"),
            head: prepare("SELECT last_seq, last_message_seq, message_count FROM log WHERE id = ?1"),
            version: prepare("SELECT version + 1 FROM account WHERE key = ?1"),
            bump: prepare("UPDATE account SET version = ?2, last_deletion = ?3 WHERE key = ?1"),
            delete: prepare(
                "UPDATE view SET hidden_upto = ?3, history_floor = ?3, told_hidden_upto = ?3, told_history_floor = ?3,
                   undo = ?4, read_upto = ?3, read_count = ?3, is_pinned = 0, version = ?5
                 WHERE account = ?1 AND conversation = ?2",
            ),
            erase: prepare("INSERT OR IGNORE INTO erasure (due_at, logs) VALUES (?1, ?2)"),
            audit: prepare(
                "INSERT INTO audit (time, app, actor, action, target, detail, previous)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, (SELECT last_deletion FROM account WHERE key = ?7))",
            ),
            request: prepare("INSERT INTO request (account, device, id, fingerprint, answer, time) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
        }
    }

    fn delete(&mut self, call: &Call) {
        let seen = self
            .seen
            .exists(params![call.account, "phone", call.request])
            .unwrap();
        assert!(!seen);
        let app = super::ground::APP.0;
        let window: i64 = self.switch.query_row([app], |row| row.get(1)).unwrap();
        let version: i64 = self
            .version
            .query_row([call.account], |row| row.get(0))
            .unwrap();
        let time = 1_790_000_000_000 + version;
        let mut logs = Vec::new();
        for (conversation, undo) in &call.views {
            let key = params![call.account, conversation];
            let log: i64 = self.view.query_row(key, |row| row.get(0)).unwrap();
            let upto: i64 = self.head.query_row([log], |row| row.get(0)).unwrap();
            let row = params![call.account, conversation, upto, undo, version];
            self.delete.execute(row).unwrap();
            logs.push(log.to_string());
        }
        let logs = format!("[{}]", logs.join(","));
        self.erase.execute(params![time + window, logs]).unwrap();
        let audit = params![
            time,
            app,
            "user:user",
            "conversation.delete",
            "user",
            call.detail,
            call.account
        ];
        let id = self.audit.insert(audit).unwrap();
        self.bump.execute([call.account, version, id]).unwrap();
        let row = params![
            call.account,
            "phone",
            call.request,
            [0u8; 16],
            call.answer,
            time
        ];
        self.request.execute(row).unwrap();
    }
}
