//! Looking things up in the audit log. Its one index has deletions apart from all else, each app's apart from others':
//! what is asked for is put together from such parts.

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;
use rusqlite::{Row, Rows, params};

use super::Tx;
use super::error::failure;
use super::read::limit;
use super::row;
use crate::domain::{Millis, SdkAppId, UserId};
use crate::store::Result;
use crate::store::rows::{AuditFilter, AuditPage, AuditRecord};

/// An app's deletions, or its other records, before a place; the end of the statement says which first and how many.
macro_rules! part {
    ($end:literal) => {
        concat!(
            "SELECT ",
            row::audit_columns!(),
            " FROM audit WHERE app = ?1 AND (action = 'conversation.delete') = ?2 AND (time, id) < (?3, ?4)",
            $end
        )
    };
}

/// A place in the log: time and id of a record.
type Place = (Millis, i64);

/// After every record.
const END: Place = (i64::MAX, i64::MAX);
/// Before every record.
const BEGINNING: Place = (i64::MIN, i64::MIN);

/// By time, and by id where the time is the same. The app and the times are found by the index; of what is left, at
/// most `scan` records are looked at.
pub(super) fn search(
    tx: &Tx<'_>,
    filter: &AuditFilter,
    before: Option<i64>,
    most: usize,
    scan: usize,
) -> Result<AuditPage> {
    let to = (filter.to.unwrap_or(i64::MAX), i64::MAX);
    let before = place(tx, before)?.min(to);
    let from = filter.from.unwrap_or(i64::MIN);
    let apps = match filter.app {
        Some(app) => vec![app.0],
        None => apps(tx)?,
    };
    let mut statements = Vec::new();
    for app in apps {
        for is_deletion in [false, true] {
            let sql = part!(" AND time >= ?5 ORDER BY time DESC, id DESC");
            let statement = tx.connection.prepare_cached(sql).map_err(failure)?;
            statements.push((statement, app, is_deletion));
        }
    }
    let mut parts = Vec::with_capacity(statements.len());
    for (statement, app, is_deletion) in &mut statements {
        let given = params![*app, *is_deletion, before.0, before.1, from];
        let mut part = statement.query(given).map_err(failure)?;
        part.advance().map_err(failure)?;
        parts.push(part);
    }

    let mut page = AuditPage {
        records: Vec::new(),
        next: None,
    };
    let mut last = None;
    let mut seen = 0;
    while let Some(newest) = newest(&parts).map_err(failure)? {
        if page.records.len() == most || seen == scan {
            page.next = last;
            break;
        }
        seen += 1;
        if let Some(row) = parts[newest].get() {
            last = Some(row.get(0).map_err(failure)?);
            if matches(filter, row).map_err(failure)? {
                page.records.push(row::audit(row).map_err(failure)?);
            }
        }
        parts[newest].advance().map_err(failure)?;
    }
    Ok(page)
}

/// Which of the parts stands at the newest record; none: all have ended. They are as few as the apps.
fn newest(parts: &[Rows<'_>]) -> rusqlite::Result<Option<usize>> {
    let mut newest: Option<(Place, usize)> = None;
    for (index, part) in parts.iter().enumerate() {
        if let Some(row) = part.get() {
            let place = (row.get(1)?, row.get(0)?);
            if newest.is_none_or(|(found, _)| place > found) {
                newest = Some((place, index));
            }
        }
    }
    Ok(newest.map(|(_, index)| index))
}

/// Where to go on before a record. Before one that isn't there comes nothing; to begin again would never end.
fn place(tx: &Tx<'_>, before: Option<i64>) -> Result<Place> {
    let Some(id) = before else { return Ok(END) };
    let time = tx.one("SELECT time FROM audit WHERE id = ?1", [id], |row| {
        row.get(0)
    })?;
    Ok(time.map_or(BEGINNING, |time| (time, id)))
}

/// The apps that have records, one look-up for each.
fn apps(tx: &Tx<'_>) -> Result<Vec<u32>> {
    tx.many(
        "WITH RECURSIVE found(app) AS (
           SELECT MIN(app) FROM audit
           UNION ALL
           SELECT (SELECT MIN(app) FROM audit WHERE app > found.app) FROM found WHERE found.app IS NOT NULL
         ) SELECT app FROM found WHERE app IS NOT NULL",
        [],
        |row| row.get(0),
    )
}

fn matches(filter: &AuditFilter, row: &Row<'_>) -> rusqlite::Result<bool> {
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
    if let Some(user) = user {
        return deletions_of(tx, app, user, before, most);
    }
    let (time, id) = place(tx, before)?;
    tx.many(
        part!(" ORDER BY time DESC, id DESC LIMIT ?5"),
        params![app.0, true, time, id, limit(most)],
        row::audit,
    )
}

/// Goes from one deletion of the user's to the one before it.
fn deletions_of(
    tx: &Tx<'_>,
    app: SdkAppId,
    user: &UserId,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<AuditRecord>> {
    let user = user.as_str();
    let first: Option<Option<i64>> = match before {
        None => tx.one(
            "SELECT last_deletion FROM account WHERE app = ?1 AND user = ?2",
            params![app.0, user],
            |row| row.get(0),
        )?,
        Some(id) => tx.one(
            "SELECT previous FROM audit
             WHERE id = ?1 AND app = ?2 AND target = ?3 AND action = 'conversation.delete'",
            params![id, app.0, user],
            |row| row.get(0),
        )?,
    };
    let mut next = first.flatten();
    let mut found = Vec::new();
    while let Some(id) = next.take_if(|_| found.len() < most) {
        let record = tx.one(
            concat!(
                "SELECT ",
                row::audit_columns!(),
                ", previous FROM audit WHERE id = ?1"
            ),
            [id],
            |row| Ok((row::audit(row)?, row.get(7)?)),
        )?;
        if let Some((record, previous)) = record {
            found.push(record);
            next = previous;
        }
    }
    Ok(found)
}
