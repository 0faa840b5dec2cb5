//! The audit log, for those who may read it.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Engine, Result};
use crate::domain::{Millis, SdkAppId};
use crate::store::rows::AuditRecord;
use crate::store::{self, StoreError};

pub use crate::store::rows::AuditFilter;

/// Records looked at for one answer. What takes more is asked for again, from `next` on, so that nobody waits long
/// behind a search that finds little.
const SCAN: usize = 20_000;

/// One record.
#[derive(Debug, Clone, Serialize)]
pub struct AuditEntry {
    pub id: i64,
    pub time: Millis,
    /// 0: it is no app's.
    pub app: SdkAppId,
    pub actor: String,
    pub action: String,
    pub target: String,
    pub detail: Box<RawValue>,
}

/// A part of the audit log, newest first.
#[derive(Debug, Clone, Serialize)]
pub struct AuditEntries {
    pub records: Vec<AuditEntry>,
    /// Where to go on; none: that was all. There may be more although there are few records here, or none.
    pub next: Option<i64>,
}

impl Engine {
    /// The records that `filter` lets through, after the record `before`: `limit` at most, and no more than can be
    /// found by looking at a bounded number.
    pub async fn audit(
        &self,
        filter: Arc<AuditFilter>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<AuditEntries> {
        let page = store::query(&*self.store, move |tx| {
            tx.audit(&filter, before, limit, SCAN)
        })
        .await?;
        let records = page.records.into_iter().map(entry).collect::<Result<_>>()?;
        Ok(AuditEntries {
            records,
            next: page.next,
        })
    }
}

fn entry(found: AuditRecord) -> Result<AuditEntry> {
    let AuditRecord { id, record } = found;
    let detail = RawValue::from_string(record.detail)
        .map_err(|cause| StoreError::Unexpected(format!("audit record {id}: {cause}")))?;
    Ok(AuditEntry {
        id,
        time: record.time,
        app: record.app,
        actor: record.actor,
        action: record.action,
        target: record.target,
        detail,
    })
}
