//! What an `SQLite` error means for a caller.

use rusqlite::ErrorCode;

use crate::store::StoreError;

/// An error before the commit: nothing was changed.
#[expect(
    clippy::needless_pass_by_value,
    reason = "so that it can be named to map_err"
)]
pub(super) fn failure(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DiskFull
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::OutOfMemory
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly,
        ) => StoreError::Refused(error.to_string()),
        _ => StoreError::Unexpected(error.to_string()),
    }
}

/// An error of the commit itself. Where the disk was full or another held the lock nothing was written that
/// counts. After anything else, a failed sync above all, the file may or may not hold the commit; and a second
/// sync could report success for pages the kernel has dropped, so there is no trying again.
#[expect(
    clippy::needless_pass_by_value,
    reason = "so that it can be named to map_err"
)]
pub(super) fn commit_failure(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Refused(error.to_string())
        }
        _ => StoreError::Unknown(error.to_string()),
    }
}

pub(super) fn unreadable(what: &str, cause: impl std::fmt::Display) -> StoreError {
    StoreError::Unexpected(format!("{what}: {cause}"))
}
