//! The use cases, and the only writer of the store.
//!
//! Each use case that changes something is one [`Job`](crate::store::Job): it reads, decides by the rules of
//! [`domain`](crate::domain), writes, and notes what connected devices are to be told. The store commits it;
//! then, in commit order, the notices go to the bus and the answer to the caller.

mod clock;
mod error;
pub mod usersig;

pub use clock::{Clock, SystemClock};
pub use error::{Denied, EngineError};

use std::sync::Arc;

use crate::bus::{Bus, ConnectionId};
use crate::domain::app::Features;
use crate::domain::cursor::Since;
use crate::domain::{AccountKey, DeviceId, Epoch, Millis, Platform, SdkAppId, UserId};
use crate::protocol::{answer, method};
use crate::store::Store;

type Result<T> = std::result::Result<T, EngineError>;

/// An account's device that has shown its credential.
#[derive(Debug, Clone)]
pub struct Identity {
    pub app: SdkAppId,
    pub user: UserId,
    pub account: AccountKey,
    pub device: DeviceId,
    pub platform: Platform,
    /// When its credential runs out.
    pub expires_at: Millis,
    pub features: Features,
}

/// Who does something.
#[derive(Debug, Clone)]
pub struct Actor {
    pub app: SdkAppId,
    pub user: UserId,
    pub account: AccountKey,
    /// None: the app's back end.
    pub device: Option<(DeviceId, Platform)>,
    /// The connection that gets the answer, and so needs no push.
    pub connection: Option<ConnectionId>,
}

/// Bounds that are the operator's to choose.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Conversations in one answer of `login` or `conversation.sync`.
    pub page: usize,
    /// Members of a group.
    pub group_members: usize,
    /// How long a requestID is remembered.
    pub request_memory: Millis,
}

#[derive(Debug)]
pub struct Engine {
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    epoch: Epoch,
    limits: Limits,
}

// Signatures first, so that the layers above can be written against them; bodies follow.
#[allow(
    unused_variables,
    clippy::todo,
    clippy::unused_async,
    reason = "bodies follow"
)]
impl Engine {
    /// Reads the store's epoch, and the place of its newest log entry for the hub.
    pub async fn new(
        store: Arc<dyn Store>,
        bus: Arc<dyn Bus>,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Result<Self> {
        todo!()
    }
    pub fn now(&self) -> Millis {
        self.clock.now()
    }
    /// Checks a login's credential; the account comes into being at its first login.
    pub async fn authenticate(&self, login: &method::Login) -> Result<Identity> {
        todo!()
    }
    /// What changed since `cursor`, or everything. Call only after registering with the hub.
    pub async fn sync(&self, account: AccountKey, cursor: Option<&str>) -> Result<answer::Sync> {
        todo!()
    }
    /// The cursor of a device that has all up to `since`.
    pub fn cursor(&self, account: AccountKey, since: Since) -> String {
        todo!()
    }
    pub async fn conversation(
        &self,
        actor: &Actor,
        call: method::OneConversation,
    ) -> Result<answer::OneConversation> {
        todo!()
    }
    pub async fn delete(&self, actor: &Actor, call: method::Delete) -> Result<answer::Deletion> {
        todo!()
    }
    pub async fn restore(&self, actor: &Actor, call: method::Restore) -> Result<answer::Deletion> {
        todo!()
    }
    pub async fn clear_history(
        &self,
        actor: &Actor,
        call: method::UpTo,
    ) -> Result<answer::Changed> {
        todo!()
    }
    pub async fn read(&self, actor: &Actor, call: method::UpTo) -> Result<answer::Changed> {
        todo!()
    }
    pub async fn pin(&self, actor: &Actor, call: method::Pin) -> Result<answer::Changed> {
        todo!()
    }
    pub async fn send(&self, actor: &Actor, call: method::Send) -> Result<answer::Sent> {
        todo!()
    }
    pub async fn messages(
        &self,
        actor: &Actor,
        call: method::MessageList,
    ) -> Result<answer::MessageList> {
        todo!()
    }
    pub async fn revoke(&self, actor: &Actor, call: method::Revoke) -> Result<answer::Revoked> {
        todo!()
    }
    pub async fn create_group(
        &self,
        actor: &Actor,
        call: method::GroupCreate,
    ) -> Result<answer::Group> {
        todo!()
    }
    pub async fn join_group(&self, actor: &Actor, call: method::OneGroup) -> Result<answer::Group> {
        todo!()
    }
    pub async fn quit_group(&self, actor: &Actor, call: method::OneGroup) -> Result<answer::Group> {
        todo!()
    }
    pub async fn dismiss_group(
        &self,
        actor: &Actor,
        call: method::OneGroup,
    ) -> Result<answer::Group> {
        todo!()
    }
    pub async fn add_members(
        &self,
        actor: &Actor,
        call: method::GroupMembers,
    ) -> Result<answer::Group> {
        todo!()
    }
    pub async fn remove_members(
        &self,
        actor: &Actor,
        call: method::GroupMembers,
    ) -> Result<answer::Group> {
        todo!()
    }
    pub async fn groups(&self, actor: &Actor) -> Result<answer::GroupList> {
        todo!()
    }
    pub async fn members(
        &self,
        actor: &Actor,
        call: method::MemberList,
    ) -> Result<answer::MemberList> {
        todo!()
    }
    pub async fn add_friend(
        &self,
        actor: &Actor,
        call: method::FriendAdd,
    ) -> Result<answer::FriendList> {
        todo!()
    }
    pub async fn delete_friends(
        &self,
        actor: &Actor,
        call: method::FriendDelete,
    ) -> Result<answer::FriendList> {
        todo!()
    }
    pub async fn friends(&self, actor: &Actor) -> Result<answer::FriendList> {
        todo!()
    }
    /// `is_online` is false throughout: the hub knows that, and the caller fills it in.
    pub async fn devices(&self, actor: &Actor) -> Result<answer::DeviceList> {
        todo!()
    }
    /// Closes the device's connection and refuses the UserSigs it has been using.
    pub async fn log_out_device(
        &self,
        actor: &Actor,
        call: method::DeviceLogout,
    ) -> Result<answer::Done> {
        todo!()
    }
    /// Notes the newest versions devices say they applied. Not waited for by any client.
    pub async fn acknowledge(
        &self,
        acks: Vec<(AccountKey, DeviceId, crate::domain::Version)>,
    ) -> Result<()> {
        todo!()
    }
    /// Forgets requestIDs that are old enough and erases history that nobody can ever read again.
    /// Bounded per call; returns whether there is more to do.
    pub async fn sweep(&self) -> Result<bool> {
        todo!()
    }
    /// For readiness: that the store commits.
    pub async fn probe(&self) -> Result<()> {
        todo!()
    }
    pub async fn apps(&self) -> Result<Vec<crate::domain::App>> {
        todo!()
    }
    pub async fn app(&self, id: SdkAppId) -> Result<Option<crate::domain::App>> {
        todo!()
    }
    /// Creates an app unless it is there; returns whether it did. `by` goes to the audit log.
    pub async fn create_app(&self, app: crate::domain::App, by: &str) -> Result<bool> {
        todo!()
    }
    /// Changes an app's settings in one transaction, audited (who, when, from, to) per field that changed;
    /// returns the app as it is now.
    pub async fn change_app(
        &self,
        id: SdkAppId,
        by: &str,
        change: impl FnOnce(&mut crate::domain::App) + Send + 'static,
    ) -> Result<crate::domain::App> {
        todo!()
    }
    pub async fn operator(&self, name: &str) -> Result<Option<crate::store::rows::Operator>> {
        todo!()
    }
    pub async fn put_operator(&self, operator: crate::store::rows::Operator) -> Result<()> {
        todo!()
    }
}
