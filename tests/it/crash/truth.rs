//! What the store's file holds, read by the tests' own eyes.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Params, Row};
use serde_json::Value;

use crate::harness::Who;

pub(super) struct Truth {
    store: Connection,
    /// What the audit says of deletions that were told, by whose they were and their version.
    deletions: BTreeMap<String, BTreeMap<i64, Value>>,
}

/// What deletions have made of one account's view of one conversation.
#[derive(Debug, Default, PartialEq)]
struct Deleted {
    version: i64,
    hidden_upto: i64,
    history_floor: i64,
}

impl Truth {
    pub(super) fn of(folder: &Path) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Connection::open_with_flags(folder.join("chatsync.db"), flags);
        let mut truth = Self {
            store: store.expect("the store opens"),
            deletions: BTreeMap::new(),
        };
        truth.read_audit();
        truth
    }

    fn read_audit(&mut self) {
        let sql = "SELECT target, detail FROM audit WHERE action = 'conversation.delete'";
        let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
        for (user, detail) in self.rows(sql, [], read) {
            let detail: Value = serde_json::from_str(&detail).expect("JSON is stored");
            let version = detail["version"].as_i64().expect("a version");
            let own = self.deletions.entry(user).or_default();
            let twin = own.insert(version, detail);
            assert_eq!(twin, None, "version {version} was given twice");
        }
    }

    fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        let mut statement = self.store.prepare_cached(sql).expect("a statement");
        let rows = statement.query_map(params, read).expect("runs");
        rows.collect::<Result<_, _>>().expect("readable")
    }

    fn number(&self, sql: &str, params: impl Params) -> i64 {
        let mut statement = self.store.prepare_cached(sql).expect("a statement");
        let number = statement.query_row(params, |row| row.get(0)).optional();
        number.expect("a number").unwrap_or(0)
    }

    pub(super) fn is_intact(&self) {
        let verdict = self.rows("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
        assert_eq!(verdict, ["ok"]);
    }

    pub(super) fn head(&self, user: &str) -> i64 {
        self.number("SELECT version FROM account WHERE user = ?1", [user])
    }

    /// What is remembered of a call.
    pub(super) fn answer(&self, who: &Who, request: &str) -> Option<Value> {
        let sql =
            "SELECT answer FROM request WHERE account = (SELECT key FROM account WHERE user = ?1)
                   AND device = ?2 AND id = ?3";
        let found = self.rows(sql, [&who.user, &who.device, request], json_at_0);
        found.into_iter().next()
    }

    /// The message is in its log, at its place.
    pub(super) fn has_message(&self, user: &str, message: &Value) {
        let sql = "SELECT payload FROM entry WHERE seq = ?3 AND log = (SELECT log FROM view
                   WHERE account = (SELECT key FROM account WHERE user = ?1) AND conversation = ?2)";
        let conversation = message["conversationID"].as_str();
        let found = self.rows(
            sql,
            (user, conversation, message["seq"].as_i64()),
            json_at_0,
        );
        assert_eq!(
            found,
            [message["payload"].clone()],
            "{user} was told of {message}"
        );
    }

    /// The account's operation of this version deleted these (with what else is said of them).
    pub(super) fn has_deletion(&self, user: &str, version: &Value, list: &Value) {
        let number = version.as_i64().expect("a version");
        let audit = self.deletions.get(user).and_then(|own| own.get(&number));
        let audit = audit.unwrap_or_else(|| panic!("{user} was told of version {version} {list}"));
        let stored = reached(&audit["conversationList"]);
        assert_eq!(reached(list), stored, "version {version} of {user}");
        assert!(
            self.head(user) >= number,
            "{user} was told of version {version}"
        );
    }

    /// Nothing has holes, nothing is there twice or by half. Holds of a store in which, after `before` each
    /// account's version was noted, texts were their requestIDs and deletions the only operations on views.
    pub(super) fn holds_together(&self, before: &BTreeMap<String, i64>) {
        self.logs_have_no_holes();
        self.each_message_is_one_call();
        for (user, base) in before {
            let audits = self.deletions.get(user);
            let audits = audits.into_iter().flat_map(|own| own.range(base + 1..));
            let audits: Vec<_> = audits.collect();
            self.each_deletion_is_one_call(user, *base, &audits);
            self.views_are_what_deletions_made(user, *base, &audits);
        }
    }

    fn logs_have_no_holes(&self) {
        let broken = self.rows(
            "SELECT id, last_seq, COUNT(seq), MAX(seq) FROM log LEFT JOIN entry ON entry.log = log.id GROUP BY id
             HAVING COUNT(seq) <> last_seq OR IFNULL(MAX(seq), 0) <> last_seq
               OR log.message_count <> SUM(NOT IFNULL(is_control, 1))",
            [],
            |row| Ok(format!("log {} ends at {}, has {}", row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)),
        );
        assert_eq!(broken, [""; 0], "seqs have holes");
    }

    fn each_message_is_one_call(&self) {
        let texts = self.rows(
            "SELECT json_extract(payload, '$.text') FROM entry WHERE kind = 'TIMTextElem' ORDER BY 1",
            [],
            |row| row.get::<_, String>(0),
        );
        let calls = self.rows(
            "SELECT id FROM request WHERE answer LIKE '{\"message\"%' ORDER BY 1",
            [],
            |row| row.get::<_, String>(0),
        );
        assert_eq!(texts.len(), calls.len(), "messages and remembered calls");
        for (text, call) in texts.iter().zip(&calls) {
            assert_eq!(text, call, "messages and remembered calls");
        }
    }

    fn each_deletion_is_one_call(&self, user: &str, base: i64, audits: &[(&i64, &Value)]) {
        let versions: Vec<_> = audits.iter().map(|(version, _)| **version).collect();
        let expected: Vec<_> = (base + 1..=self.head(user)).collect();
        assert_eq!(versions, expected, "versions of {user} have holes");
        let calls = self.rows(
            "SELECT answer FROM request JOIN account ON account.key = request.account
             WHERE user = ?1 AND answer LIKE '{\"version\"%' ORDER BY json_extract(answer, '$.version')",
            [user],
            json_at_0,
        );
        assert_eq!(
            calls.len(),
            audits.len(),
            "deletions of {user} and remembered calls"
        );
        for (call, (version, audit)) in calls.iter().zip(audits) {
            assert_eq!(call["version"].as_i64(), Some(**version), "{user}");
            assert_eq!(
                reached(&call["results"]),
                reached(&audit["conversationList"]),
                "{user}"
            );
        }
    }

    fn views_are_what_deletions_made(&self, user: &str, base: i64, audits: &[(&i64, &Value)]) {
        let mut expected: BTreeMap<String, Deleted> = BTreeMap::new();
        for (version, audit) in audits {
            for (id, up_to) in reached(&audit["conversationList"]) {
                let view = expected.entry(id).or_default();
                view.version = **version;
                view.hidden_upto = view.hidden_upto.max(up_to);
                if audit["clearHistoryMessage"] == true {
                    view.history_floor = view.history_floor.max(up_to);
                }
            }
        }
        let views = self.rows(
            "SELECT conversation, view.version, hidden_upto, history_floor, told_hidden_upto, told_history_floor, read_upto
             FROM view JOIN account ON account.key = view.account WHERE user = ?1",
            [user],
            |row| {
                let view = Deleted {
                    version: row.get(1)?,
                    hidden_upto: row.get(2)?,
                    history_floor: row.get(3)?,
                };
                let told = (row.get(4)?, row.get(5)?);
                assert_eq!((view.hidden_upto, view.history_floor), told, "{user} was told else");
                assert!(row.get::<_, i64>(6)? >= view.hidden_upto, "{user} has it unread");
                Ok((row.get::<_, String>(0)?, view))
            },
        );
        for (id, mut view) in views {
            if view.version <= base {
                view.version = 0;
            }
            let expected = expected.remove(&id).unwrap_or_default();
            assert_eq!(view, expected, "{user}'s {id} against the audit");
        }
        assert!(expected.is_empty(), "{user} has no view of {expected:?}");
    }
}

fn json_at_0(row: &Row<'_>) -> rusqlite::Result<Value> {
    let text: String = row.get(0)?;
    Ok(serde_json::from_str(&text).expect("JSON is stored"))
}

/// Which conversations, up to where; in the order of their IDs.
fn reached(list: &Value) -> BTreeMap<String, i64> {
    let list = list.as_array().expect("a list").iter();
    list.map(|entry| {
        let id = entry["conversationID"].as_str().expect("an ID");
        (id.to_owned(), entry["upTo"].as_i64().expect("a seq"))
    })
    .collect()
}
