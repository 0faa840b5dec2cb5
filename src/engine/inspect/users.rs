//! Users: their devices, and how their conversations stand.

use std::net::IpAddr;

use serde::Serialize;

use super::{Page, account};
use crate::domain::retention::Horizon;
use crate::domain::{
    AccountKey, ConversationId, DeviceId, Millis, Platform, SdkAppId, Seq, UserId, Version, View,
};
use crate::engine::expiry::{is_newest_kept, newest_time};
use crate::engine::{Actor, Denied, Engine, Result, present};
use crate::protocol::conversation::MembershipState;
use crate::protocol::method;
use crate::store::ReadTx;

/// One line of an app's list of users.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserSummary {
    /// To ask the hub by.
    #[serde(skip)]
    pub account: AccountKey,
    #[serde(rename = "userID")]
    pub user_id: UserId,
    pub version: Version,
    /// Devices remembered.
    pub devices: usize,
    /// Those that are connected; for the caller to fill in.
    pub online: usize,
    pub created_at: Millis,
}

/// One user.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserState {
    #[serde(skip)]
    pub account: AccountKey,
    #[serde(rename = "userID")]
    pub user_id: UserId,
    pub version: Version,
    pub created_at: Millis,
    pub devices: Vec<DeviceState>,
}

/// A device that has logged in at some time.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceState {
    #[serde(rename = "deviceID")]
    pub device_id: DeviceId,
    pub platform: Platform,
    /// These two are for the caller to fill in.
    pub online: bool,
    pub address: Option<IpAddr>,
    /// When it last logged in: if it is connected, since when.
    pub since: Millis,
    /// The newest version it said it applied, as far as that is stored; 0: it has said nothing.
    pub ack: Version,
    /// Versions from there to the account's newest.
    pub behind: u64,
}

impl DeviceState {
    /// The device is connected from `address`, and says over that connection that it has applied `ack`.
    pub fn connected(&mut self, address: IpAddr, ack: Version, head: Version) {
        self.online = true;
        self.address = Some(address);
        self.ack = self.ack.max(ack);
        self.behind = behind(self.ack, head);
    }
}

fn behind(ack: Version, head: Version) -> u64 {
    head.0.saturating_sub(ack.0)
}

/// How a conversation stands for one user.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConversationState {
    #[serde(rename = "conversationID")]
    pub conversation_id: ConversationId,
    pub listed: bool,
    pub membership: MembershipState,
    pub unread_count: u64,
    pub is_pinned: bool,
    pub last_seq: Seq,
    pub last_message_seq: Seq,
    /// When the newest message came; none: there is none, or the group was left and it is erased.
    pub last_time: Option<Millis>,
    pub hidden_up_to: Seq,
    pub history_floor: Seq,
    pub read_up_to: Seq,
    pub version: Version,
    /// Until when its deletion can be undone; none: it can't.
    pub undo_until: Option<Millis>,
}

impl Engine {
    /// An app's users whose userID begins with `prefix`, in the order of their userIDs, after the one given.
    pub async fn users(
        &self,
        app: SdkAppId,
        prefix: String,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Page<UserSummary, UserId>> {
        self.query(move |tx| {
            tx.app(app)?.ok_or(Denied::NoSuchApp)?;
            let accounts = tx.accounts(app, &prefix, after.as_ref(), limit + 1)?;
            let page = Page::of(accounts, limit, |last| last.user.clone());
            let items = page
                .items
                .into_iter()
                .map(|account| {
                    Ok(UserSummary {
                        devices: tx.device_count(account.key)?,
                        account: account.key,
                        user_id: account.user,
                        version: account.version,
                        online: 0,
                        created_at: account.created_at,
                    })
                })
                .collect::<Result<_>>()?;
            Ok(Page {
                items,
                next: page.next,
            })
        })
        .await
    }

    /// A user and its devices.
    pub async fn user(&self, app: SdkAppId, user: UserId) -> Result<UserState> {
        self.query(move |tx| {
            let account = account(tx, app, &user)?;
            let devices = tx
                .devices(account.key)?
                .into_iter()
                .map(|device| DeviceState {
                    device_id: device.id,
                    platform: device.platform,
                    online: false,
                    address: None,
                    since: device.login_time,
                    ack: device.ack,
                    behind: behind(device.ack, account.version),
                })
                .collect();
            Ok(UserState {
                account: account.key,
                user_id: account.user,
                version: account.version,
                created_at: account.created_at,
                devices,
            })
        })
        .await
    }

    /// Every conversation a user has, deleted ones too, in the order of their IDs.
    pub async fn conversation_states(
        &self,
        app: SdkAppId,
        user: UserId,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Page<ConversationState, ConversationId>> {
        let now = self.now();
        self.query(move |tx| {
            let features = tx.app(app)?.ok_or(Denied::NoSuchApp)?.features;
            let window = features.undo_window;
            let horizon = Horizon::of(features.history_retention, now);
            let account = account(tx, app, &user)?;
            let views = tx.views(account.key, after.as_ref(), limit + 1)?;
            let page = Page::of(views, limit, |last| last.conversation.clone());
            let items = page
                .items
                .iter()
                .map(|view| state(tx, view, now, window, horizon))
                .collect::<Result<_>>()?;
            Ok(Page {
                items,
                next: page.next,
            })
        })
        .await
    }

    /// As [`log_out_device`](Self::log_out_device), by an operator, `by` in the audit log.
    pub async fn log_out_users_device(
        &self,
        by: String,
        app: SdkAppId,
        user: UserId,
        device_id: DeviceId,
    ) -> Result<()> {
        let account = self.query(move |tx| account(tx, app, &user)).await?;
        let actor = Actor::operator(account, by);
        self.log_out_device(&actor, method::DeviceLogout { device_id })
            .await?;
        Ok(())
    }
}

fn state(
    tx: &dyn ReadTx,
    view: &View,
    now: Millis,
    window: Millis,
    horizon: Horizon,
) -> Result<ConversationState> {
    let log = tx.head(view.log)?;
    let head = view.head(log);
    let is_kept = is_newest_kept(tx, view, log, horizon)?;
    Ok(ConversationState {
        conversation_id: view.conversation.clone(),
        listed: view.is_listed(log),
        membership: present::membership(&view.membership),
        unread_count: view.unread_count(log),
        is_pinned: view.is_pinned,
        last_seq: head.last_seq,
        last_message_seq: head.last_message_seq,
        last_time: newest_time(tx, view, log)?,
        hidden_up_to: view.floors.hidden_upto,
        history_floor: view.floors.history_floor,
        read_up_to: view.read_upto,
        version: view.version,
        undo_until: view
            .undo
            .filter(|undo| is_kept && undo.is_open(now, window))
            .map(|undo| undo.deleted_at + window),
    })
}
