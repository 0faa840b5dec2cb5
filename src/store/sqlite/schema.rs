//! The schema, and how an older one becomes this one.

use rusqlite::Connection;

use super::OpenError;
use super::error::failure;
use crate::domain::Epoch;

/// Each step takes the schema from its index to the next. A released step is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
];

/// The schema this release knows.
pub(super) const KNOWN: u32 = 5;

/// Brings the schema up to date. Refuses one made by a newer release: its rules are not known here.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let tx = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(failure)?;
    let found: u32 = tx
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(failure)?;
    if found > KNOWN {
        return Err(OpenError::Newer {
            found,
            known: KNOWN,
        });
    }
    for step in MIGRATIONS.iter().skip(found as usize) {
        tx.execute_batch(step).map_err(failure)?;
    }
    tx.pragma_update(None, "user_version", KNOWN)
        .map_err(failure)?;
    tx.commit().map_err(failure)?;
    Ok(())
}

/// Gives the store an epoch if it has none: it is new, or it was opened from a backup, whose history may
/// lack what devices have already seen.
pub(super) fn ensure_epoch(connection: &Connection, fresh: Epoch) -> Result<(), OpenError> {
    connection
        .execute(
            "INSERT OR IGNORE INTO meta (key, value) VALUES ('epoch', ?1)",
            [fresh.0.cast_signed()],
        )
        .map_err(failure)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{LogId, SdkAppId, Seq, UserId};
    use crate::store::ReadTx;
    use crate::store::sqlite::Tx;

    #[test]
    fn every_step_is_counted() {
        assert_eq!(MIGRATIONS.len(), KNOWN as usize);
    }

    /// A store as the release before this schema left it: a log with a message and a tip, one whose history was
    /// erased, an empty one; and a deletion in the audit log.
    #[test]
    fn a_store_of_schema_2_keeps_what_it_has() {
        let mut connection = Connection::open_in_memory().unwrap();
        for step in &MIGRATIONS[..2] {
            connection.execute_batch(step).unwrap();
        }
        connection.pragma_update(None, "user_version", 2).unwrap();
        connection
            .execute_batch(
                "INSERT INTO app VALUES (1, '[]', '[]', 1, 7, 2, 0, 'multi', NULL, 0, 5);
                 INSERT INTO log VALUES (1, 1, 'pair', '1', '2', 2, 1, 1, 2), (2, 1, 'pair', '1', '3', 4, 4, 4, 6),
                   (3, 1, 'pair', '1', '4', 0, 0, 0, 0);
                 INSERT INTO entry VALUES (1, 1, 1, NULL, 50, 'TIMTextElem', '{}', 0, 0),
                   (1, 2, 1, NULL, 60, 'TIMGroupTipElem', '{}', 1, 0);
                 INSERT INTO account VALUES (1, 1, 'alice', 3, 5), (2, 1, 'bob', 0, 5);
                 INSERT INTO audit VALUES (1, 9, 1, 'user:alice', 'conversation.delete', 'alice', '{}'),
                   (2, 9, 2, 'user:alice', 'conversation.delete', 'alice', '{}'),
                   (3, 9, 1, 'user:alice', 'conversation.restore', 'alice', '{}'),
                   (4, 9, 1, 'user:alice', 'conversation.delete', 'alice', '{}');",
            )
            .unwrap();
        migrate(&mut connection).unwrap();

        let tx = Tx::on(&connection);
        let app = tx.app(SdkAppId(1)).unwrap().unwrap();
        assert_eq!(app.features.history_retention, None);
        assert_eq!((app.features.undo_window, app.created_at), (7, 5));
        assert_eq!(tx.logs_from_before(app.id, 51, 9).unwrap(), [LogId(1)]);
        assert_eq!(tx.logs_from_before(app.id, 50, 9).unwrap(), []);
        let newest = tx.newest_message(LogId(1)).unwrap().unwrap();
        assert_eq!(
            (newest.seq, newest.time, newest.message_count),
            (Seq(1), 50, 1)
        );
        for log in [2, 3] {
            assert_eq!(tx.newest_message(LogId(log)).unwrap(), None, "{log}");
        }
        let deletions = |user: Option<&str>| {
            let user = user.map(|name| UserId::new(name).unwrap());
            let found = tx.deletions(app.id, user.as_ref(), None, 9).unwrap();
            found.iter().map(|found| found.id).collect::<Vec<_>>()
        };
        assert_eq!(deletions(None), [4, 1]);
        assert_eq!(deletions(Some("alice")), [4, 1]);
        assert_eq!(deletions(Some("bob")), [0; 0]);
        drop(tx);
        // And once more changes nothing.
        migrate(&mut connection).unwrap();
    }
}
