//! The use cases, and the only writer of the store.
//!
//! Each use case that changes something is one [`Job`](crate::store::Job): it reads, decides by the rules of
//! [`domain`](crate::domain), writes, and notes what connected devices are to be told. The store commits it;
//! then, in commit order, the notices go to the bus and the answer to the caller.

mod apps;
mod attempts;
pub mod audit;
mod clock;
mod deletion;
mod demo;
mod devices;
mod error;
mod expiry;
mod friends;
mod groups;
pub mod inspect;
mod login;
mod marks;
mod messages;
mod notes;
mod operation;
mod operators;
mod present;
mod retention;
mod secret;
mod sessions;
mod sync;
pub mod usersig;

pub use crate::store::StoreError;
pub use crate::store::rows::LastChange;
pub use apps::AppShown;
pub use clock::{Clock, SystemClock};
pub use demo::DemoCredentials;
pub use error::{Denied, EngineError};
pub use operators::{Operator, OperatorChange, Refusal};
pub use sessions::Session;

use std::sync::Arc;

use crate::bus::{Bus, ConnectionId};
use crate::domain::app::Features;
use crate::domain::{AccountKey, DeviceId, Epoch, KeyPrint, Millis, Platform, SdkAppId, UserId};
use crate::store::{self, Store};
use attempts::Attempts;
use secret::Passwords;

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
    /// Of the key that its credential was made with.
    pub key: KeyPrint,
    pub features: Features,
}

/// Who does something.
#[derive(Debug, Clone)]
pub struct Actor {
    pub app: SdkAppId,
    pub user: UserId,
    pub account: AccountKey,
    /// None: the app's back end, or an operator.
    pub device: Option<(DeviceId, Platform)>,
    /// Who does it for the account, as the audit log has them: an operator.
    pub by: Option<String>,
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
    logins: notes::Logins,
    attempts: Attempts,
    passwords: Passwords,
}

impl Engine {
    pub async fn new(
        store: Arc<dyn Store>,
        bus: Arc<dyn Bus>,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Result<Self> {
        let epoch = store::query(&*store, |tx| tx.epoch()).await?;
        Ok(Self {
            store,
            bus,
            clock,
            epoch,
            limits,
            logins: notes::Logins::default(),
            attempts: Attempts::default(),
            passwords: Passwords::default(),
        })
    }

    /// Wall-clock time as the engine sees it.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Asks the store for a value.
    async fn query<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn store::ReadTx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        store::query(&*self.store, move |tx| Ok(ask(tx))).await?
    }
}
