//! Forgetting what nobody can ask for any more.

use super::apps::nobody;
use super::operation::Operation;
use super::sessions::expire_sessions;
use super::{Denied, Engine, Result};
use crate::domain::deletion::erasable_upto;
use crate::domain::{ConversationId, LogId, Millis, SdkAppId, Seq};

/// Rows removed in one call: what an operation queued behind it may have to wait for.
const ROWS: usize = 2_000;
/// Logs looked at in one call, or as many as one operation scheduled.
const LOGS: usize = 20;
/// Devices that have not logged in for longer are forgotten: as long as Tencent's UserSigs last by default.
const DEVICE_MEMORY: Millis = 180 * 24 * 60 * 60 * 1000;

impl Engine {
    /// Forgets requestIDs, devices and console sessions that are old enough, and erases history that nobody can read
    /// again, or that an app keeps no longer. Bounded; returns whether there is more to do at once.
    pub async fn sweep(&self) -> Result<bool> {
        let mut more = self.forget().await?;
        for app in self.apps().await? {
            more |= self.expire(&app).await?;
        }
        Ok(more)
    }

    async fn forget(&self) -> Result<bool> {
        let memory = self.limits.request_memory;
        self.perform(&nobody(SdkAppId(0))?, None, move |operation| {
            let now = operation.now;
            let requests = operation.tx.expire_requests(now - memory, ROWS)?;
            operation.tx.expire_devices(now - DEVICE_MEMORY, ROWS)?;
            expire_sessions(operation, ROWS)?;
            let (mut left, mut looked_at) = (ROWS, 0);
            let due = operation.tx.due_erasures(now, LOGS)?;
            for (due_at, logs) in &due {
                for log in logs {
                    left -= erase(operation, *log, left)?;
                    if left == 0 {
                        return Ok(true);
                    }
                }
                operation.tx.unschedule_erasure(logs, *due_at)?;
                looked_at += logs.len();
                if looked_at >= LOGS {
                    return Ok(true);
                }
            }
            Ok(requests == ROWS)
        })
        .await
    }
}

/// Erases what every view of a log has let go of, and whose undo windows have passed (design 3.8).
fn erase(operation: &mut Operation<'_>, log: LogId, most: usize) -> Result<usize> {
    let app = operation.tx.app_of_log(log)?;
    let window = operation
        .tx
        .app(app)?
        .ok_or(Denied::NoSuchApp)?
        .features
        .undo_window;
    let views = operation.tx.views_of_log(log)?;

    let is_open_to_more = match views.first().map(|(_, view)| &view.conversation) {
        // Who joins such a group later reads its past.
        Some(ConversationId::Group(id)) => operation
            .tx
            .group(app, id)?
            .is_some_and(|group| group.group_type.shows_past() && !group.dismissed),
        _ => false,
    };
    let upto = views
        .iter()
        .map(|(_, view)| erasable_upto(view, operation.now, window))
        .min();
    let upto = if is_open_to_more {
        Seq(0)
    } else {
        upto.unwrap_or(Seq(0))
    };
    let erased = operation.tx.erase(log, upto, most)?;
    if erased == most {
        return Ok(erased);
    }
    // A deletion that can still be undone will be looked at again when it can't.
    let pending = views
        .iter()
        .filter_map(|(_, view)| view.undo)
        .map(|undo| undo.deleted_at + window + 1)
        .max();
    if let Some(due_at) = pending.filter(|due_at| *due_at > operation.now) {
        operation.tx.schedule_erasure(&[log], due_at)?;
    }
    Ok(erased)
}
