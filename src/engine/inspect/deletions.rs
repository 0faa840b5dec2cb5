//! Deletions, as the audit log has them and as they stand now.

use serde::Serialize;

use super::{Page, account};
use crate::domain::deletion::is_undoable;
use crate::domain::retention::Horizon;
use crate::domain::{
    AccountKey, ConversationId, DeviceId, Millis, Platform, SdkAppId, Seq, UserId, Version,
};
use crate::engine::deletion::{DeletionDetail, restore};
use crate::engine::expiry::is_newest_kept;
use crate::engine::{Actor, Denied, Engine, Result};
use crate::protocol::answer;
use crate::protocol::push::Origin;
use crate::store::rows::AuditRecord;
use crate::store::{ReadTx, StoreError};

/// One deletion, of 1 conversation or of 100.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletionRecord {
    pub id: i64,
    pub time: Millis,
    #[serde(rename = "userID")]
    pub user_id: UserId,
    /// The device that did it; none: the app's back end, or an operator.
    pub origin: Option<Origin>,
    /// Who did it, as the audit log names them.
    pub by: String,
    /// How many.
    pub conversations: usize,
    pub history_cleared: bool,
    /// Whether other devices were told: the switch, as it stood then.
    pub synced: bool,
    /// The account's version after it.
    pub version: Version,
}

/// A deletion and what has become of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletionState {
    #[serde(skip)]
    pub account: AccountKey,
    #[serde(flatten)]
    pub record: DeletionRecord,
    pub conversation_list: Vec<DeletedState>,
    pub devices: Vec<DeviceProgress>,
    /// Until when the last of its conversations can be restored; none: none can be.
    pub undo_until: Option<Millis>,
}

/// One conversation of a deletion.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletedState {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    pub up_to: Seq,
    /// Whether a restore would bring it back now.
    pub restorable: bool,
}

/// How far one of the user's devices has come.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceProgress {
    #[serde(rename = "deviceID")]
    pub device_id: DeviceId,
    pub platform: Platform,
    /// For the caller to fill in.
    pub online: bool,
    /// The newest version it said it applied, as far as that is stored; 0: it has said nothing.
    pub ack: Version,
    /// Whether that is the deletion's or a later one; none: the deletion was not told to devices.
    pub applied: Option<bool>,
}

impl DeviceProgress {
    fn acknowledged(&mut self, ack: Version, deletion: &DeletionRecord) {
        self.ack = self.ack.max(ack);
        self.applied = deletion.synced.then_some(self.ack >= deletion.version);
    }
}

impl DeletionState {
    /// The device is connected, and says over that connection that it has applied `ack`.
    pub fn connected(&mut self, device: &DeviceId, ack: Version) {
        let found = self
            .devices
            .iter_mut()
            .find(|known| known.device_id == *device);
        if let Some(known) = found {
            known.online = true;
            known.acknowledged(ack, &self.record);
        }
    }
}

impl Engine {
    /// The deletions in an app, or of one of its users: newest first, below `before`.
    pub async fn deletions(
        &self,
        app: SdkAppId,
        user: Option<UserId>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<DeletionRecord, i64>> {
        self.query(move |tx| {
            tx.app(app)?.ok_or(Denied::NoSuchApp)?;
            let found = tx.deletions(app, user.as_ref(), before, limit + 1)?;
            let page = Page::of(found, limit, |last| last.id);
            let items = page
                .items
                .iter()
                .map(|found| Ok(read(found)?.0))
                .collect::<Result<_>>()?;
            Ok(Page {
                items,
                next: page.next,
            })
        })
        .await
    }

    /// One deletion.
    pub async fn deletion(&self, app: SdkAppId, id: i64) -> Result<DeletionState> {
        let now = self.now();
        self.query(move |tx| {
            let features = tx.app(app)?.ok_or(Denied::NoSuchApp)?.features;
            let window = features.undo_window;
            let horizon = Horizon::of(features.history_retention, now);
            let (record, detail) = find(tx, app, id)?;
            let account = account(tx, app, &record.user_id)?.key;
            let mut undo_until = None;
            let mut conversation_list = Vec::with_capacity(detail.conversation_list.len());
            for deleted in detail.conversation_list {
                let undo = match tx.view(account, &deleted.conversation_id)? {
                    Some(view)
                        if is_undoable(&view, deleted.up_to, record.time, now, window)
                            && is_newest_kept(tx, &view, tx.head(view.log)?, horizon)? =>
                    {
                        view.undo
                    }
                    _ => None,
                };
                undo_until = undo_until.max(undo.map(|undo| undo.deleted_at + window));
                conversation_list.push(DeletedState {
                    conversation_id: deleted.conversation_id,
                    up_to: deleted.up_to,
                    restorable: undo.is_some(),
                });
            }
            let mut devices = Vec::new();
            for device in tx.devices(account)? {
                let mut progress = DeviceProgress {
                    device_id: device.id,
                    platform: device.platform,
                    online: false,
                    ack: Version(0),
                    applied: None,
                };
                progress.acknowledged(device.ack, &record);
                devices.push(progress);
            }
            Ok(DeletionState {
                account,
                record,
                conversation_list,
                devices,
                undo_until,
            })
        })
        .await
    }

    /// Undoes a deletion, by an operator, `by` in the audit log: [`restore`](Self::restore) of its conversations, but for those where a
    /// newer deletion stands. All of the user's devices are told.
    pub async fn restore_deletion(
        &self,
        by: String,
        app: SdkAppId,
        id: i64,
    ) -> Result<answer::Deletion> {
        let (account, record, detail) = self
            .query(move |tx| {
                let (record, detail) = find(tx, app, id)?;
                Ok((account(tx, app, &record.user_id)?, record, detail))
            })
            .await?;
        let ids = detail
            .conversation_list
            .iter()
            .map(|deleted| deleted.conversation_id.to_string())
            .collect();
        let actor = Actor::operator(account, by);
        self.perform(&actor, None, move |operation| {
            let now = operation.now;
            let window = operation.features()?.undo_window;
            restore(operation, ids, |view| {
                // Where there is nothing to undo, restoring has a rule of its own.
                view.undo.is_none()
                    || detail.conversation_list.iter().any(|deleted| {
                        deleted.conversation_id == view.conversation
                            && is_undoable(view, deleted.up_to, record.time, now, window)
                    })
            })
        })
        .await
    }
}

fn find(tx: &dyn ReadTx, app: SdkAppId, id: i64) -> Result<(DeletionRecord, DeletionDetail)> {
    let found = tx
        .audit_record(id)?
        .filter(|found| found.record.app == app && found.record.action == "conversation.delete");
    read(&found.ok_or(Denied::NoSuchDeletion)?)
}

fn read(found: &AuditRecord) -> Result<(DeletionRecord, DeletionDetail)> {
    let AuditRecord { id, record } = found;
    let broken = |cause: String| StoreError::Unexpected(format!("audit record {id}: {cause}"));
    let detail: DeletionDetail =
        serde_json::from_str(&record.detail).map_err(|cause| broken(cause.to_string()))?;
    let user_id = UserId::new(&record.target).map_err(|cause| broken(cause.to_string()))?;
    let deletion = DeletionRecord {
        id: *id,
        time: record.time,
        user_id,
        origin: detail.origin.clone(),
        by: record.actor.clone(),
        conversations: detail.conversation_list.len(),
        history_cleared: detail.clear_history_message,
        synced: detail.synced,
        version: detail.version,
    };
    Ok((deletion, detail))
}
