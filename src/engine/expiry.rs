//! Erasing what an app keeps no longer (the rules are in [`retention`](crate::domain::retention)).

use super::apps::nobody;
use super::operation::Operation;
use super::{Engine, Result};
use crate::domain::retention::{Horizon, expire, last_expired};
use crate::domain::{App, LogHead, LogId, Millis, Seq, View};
use crate::store::ReadTx;

/// Rows touched in one call: what an operation queued behind it may have to wait for. The views of one log come on
/// top, as when its group is dissolved.
const ROWS: usize = 2_000;
/// Logs looked at in one call.
const LOGS: usize = 20;
/// How long what has expired may lie unerased. A log that is written to all the time is looked at once in this time,
/// rather than each time its oldest entry expires.
const SLACK: Millis = 60 * 60 * 1000;

impl Engine {
    /// Erases what an app's history has beyond its limit. Bounded; returns whether there is more to do at once.
    pub(super) async fn expire(&self, app: &App) -> Result<bool> {
        if app.features.history_retention.is_none() {
            return Ok(false);
        }
        self.perform(&nobody(app.id)?, None, |operation| {
            let horizon = operation.horizon()?;
            let due = horizon.earlier(SLACK).time();
            let logs = operation
                .tx
                .logs_from_before(operation.actor.app, due, LOGS)?;
            let mut left = ROWS;
            for log in &logs {
                left = left.saturating_sub(expire_log(operation, *log, horizon, left)?);
                if left == 0 {
                    return Ok(true);
                }
            }
            Ok(logs.len() == LOGS)
        })
        .await
    }
}

/// Returns how many rows were touched.
fn expire_log(
    operation: &mut Operation<'_>,
    log: LogId,
    horizon: Horizon,
    most: usize,
) -> Result<usize> {
    let head = operation.tx.head(log)?;
    let oldest = operation.tx.mark(log, Seq(0))?;
    let expired = if oldest.is_some() {
        last_expired(head, horizon, |seq| operation.tx.mark(log, seq))?
    } else {
        // All was erased because everyone cleared it; they may still have the conversation.
        let newest = operation.tx.newest_message(log)?;
        newest.filter(|newest| horizon.is_past(newest.time))
    };
    let mut rows = 1;
    if let Some(expired) = expired {
        for (account, mut view) in operation.tx.views_of_log(log)? {
            if expire(&mut view, head, expired) {
                operation.update_views(account, &mut [view])?;
                rows += 1;
            }
        }
        let erased = operation.tx.erase(log, expired.seq, most)?;
        rows += erased;
        if erased == most {
            // Its oldest time stays as it is, and the log due.
            return Ok(rows);
        }
    }
    // Where nothing is left, it is the newest message's time that still has to come.
    let newest = operation.tx.newest_message(log)?;
    let next = operation
        .tx
        .mark(log, Seq(0))?
        .or(newest.filter(|newest| !horizon.is_past(newest.time)));
    operation
        .tx
        .put_oldest_time(log, next.map(|next| next.time))?;
    Ok(rows)
}

/// When the newest message came that a view could ever have shown, if that is known: not of one that is erased, in a
/// group that was left.
pub(super) fn newest_time(tx: &dyn ReadTx, view: &View, log: LogHead) -> Result<Option<Millis>> {
    let seq = view.head(log).last_message_seq;
    let newest = if seq == log.last_message_seq {
        tx.newest_message(view.log)?
    } else {
        tx.mark(view.log, seq)?.filter(|found| found.seq == seq)
    };
    Ok(newest.map(|newest| newest.time))
}

/// Whether an app still keeps the newest message that a view could show.
pub(super) fn is_newest_kept(
    tx: &dyn ReadTx,
    view: &View,
    log: LogHead,
    horizon: Horizon,
) -> Result<bool> {
    if horizon.is_unlimited() {
        return Ok(true);
    }
    let newest = newest_time(tx, view, log)?;
    Ok(newest.is_some_and(|time| !horizon.is_past(time)))
}
