//! Looking things up in the audit log.

use rusqlite::{ToSql, params};

use super::Tx;
use super::error::failure;
use super::read::limit;
use super::row;
use crate::domain::{SdkAppId, UserId};
use crate::store::Result;
use crate::store::rows::{AuditFilter, AuditPage, AuditRecord};

/// By time, and by id where the time is the same. The app and the times are found by an index; of what is left,
/// at most `scan` records are looked at.
pub(super) fn search(
    tx: &Tx<'_>,
    filter: &AuditFilter,
    before: Option<i64>,
    most: usize,
    scan: usize,
) -> Result<AuditPage> {
    let to = filter.to.unwrap_or(i64::MAX);
    let (time, id) = match before {
        None => (to, i64::MAX),
        Some(id) => match tx.one("SELECT time FROM audit WHERE id = ?1", [id], |row| {
            row.get(0)
        })? {
            Some(time) if time > to => (to, i64::MAX),
            Some(time) => (time, id),
            // After a record that isn't there comes nothing; to begin again would never end.
            None => (i64::MIN, i64::MIN),
        },
    };
    let from = filter.from.unwrap_or(i64::MIN);
    let app = filter.app.map(|app| app.0);
    let of_app = if app.is_some() { "app = ?4 AND " } else { "" };
    let sql = format!(
        "SELECT {} FROM audit WHERE {of_app}(time, id) < (?1, ?2) AND time >= ?3 ORDER BY time DESC, id DESC",
        row::AUDIT
    );
    let mut given: Vec<&dyn ToSql> = vec![&time, &id, &from];
    given.extend(app.iter().map(|app| app as &dyn ToSql));

    let mut statement = tx.connection.prepare_cached(&sql).map_err(failure)?;
    let mut rows = statement.query(given.as_slice()).map_err(failure)?;
    let mut page = AuditPage {
        records: Vec::new(),
        next: None,
    };
    let mut seen = 0;
    let mut last = None;
    while let Some(row) = rows.next().map_err(failure)? {
        if page.records.len() == most || seen == scan {
            page.next = last;
            break;
        }
        seen += 1;
        last = Some(row.get(0).map_err(failure)?);
        if matches(filter, row).map_err(failure)? {
            page.records.push(row::audit(row).map_err(failure)?);
        }
    }
    Ok(page)
}

fn matches(filter: &AuditFilter, row: &rusqlite::Row<'_>) -> rusqlite::Result<bool> {
    let text = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_str()?);
    Ok(filter.matches(text(3)?, text(4)?, text(5)?))
}

pub(super) fn deletions(
    tx: &Tx<'_>,
    app: SdkAppId,
    user: Option<&UserId>,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<AuditRecord>> {
    let before = before.unwrap_or(i64::MAX);
    // The action is written out, not bound: only so does SQLite use the index that holds deletions alone.
    let of_user = if user.is_some() {
        "AND target = ?4"
    } else {
        ""
    };
    let sql = format!(
        "SELECT {} FROM audit WHERE action = 'conversation.delete' AND app = ?1 AND id < ?2 {of_user}
         ORDER BY id DESC LIMIT ?3",
        row::AUDIT
    );
    match user {
        Some(user) => tx.many(
            &sql,
            params![app.0, before, limit(most), user.as_str()],
            row::audit,
        ),
        None => tx.many(&sql, params![app.0, before, limit(most)], row::audit),
    }
}
