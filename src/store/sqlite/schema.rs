//! The schema, and how an older one becomes this one.

use rusqlite::Connection;

use super::OpenError;
use super::error::failure;
use crate::domain::Epoch;

/// Each step takes the schema from its index to the next. A released step is never changed.
const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// The schema this release knows.
pub(super) const KNOWN: u32 = 2;

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

    #[test]
    fn every_step_is_counted() {
        assert_eq!(MIGRATIONS.len(), KNOWN as usize);
    }
}
