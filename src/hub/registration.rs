//! One connection's place in the hub.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Hub, Order, Outbox};
use crate::bus::ConnectionId;
use crate::domain::cursor::Since;
use crate::domain::{AccountKey, DeviceId, KeyPrint, Platform, SdkAppId, Version};
use crate::protocol::close::Close;

/// A device that has shown its credential and wants to be connected.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub app: SdkAppId,
    /// The key that its credential was made with.
    pub key: KeyPrint,
    pub account: AccountKey,
    pub device: DeviceId,
    pub platform: Platform,
}

/// A connection as the hub knows it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) arrival: Arrival,
    pub(super) outbox: Outbox,
    /// The newest version the device said it applied; 0: it has said nothing.
    pub(super) ack: AtomicU64,
    /// The ack is newer than the one last handed out to be stored.
    pub(super) ack_is_new: AtomicBool,
}

impl Connection {
    /// Tells it something. A defect met on the way costs neither the others what they are told nor this one: it is closed,
    /// as it may not have been told, and reads from the store when it is back.
    pub(super) fn tell<T>(&self, act: impl FnOnce(&Self) -> T) -> Option<T> {
        let told = catch_unwind(AssertUnwindSafe(|| act(self))).ok();
        if told.is_none() {
            tracing::error!(connection = self.id.0, "telling a connection panicked");
            self.outbox.close(Order {
                farewell: None,
                close: Close::Internal,
            });
        }
        told
    }

    /// The ack, if it was not handed out before.
    pub(super) fn take_ack(&self) -> Option<(AccountKey, DeviceId, Version)> {
        self.ack_is_new.swap(false, Ordering::AcqRel).then(|| {
            let ack = Version(self.ack.load(Ordering::Acquire));
            (self.arrival.account, self.arrival.device.clone(), ack)
        })
    }
}

/// A connection's place in the hub; dropping it gives the place up.
///
/// Giving up is fenced by the connection's id: a late drop never takes out the connection that replaced this one.
#[derive(Debug)]
pub struct Registration {
    pub(super) hub: Arc<Hub>,
    pub(super) connection: Arc<Connection>,
}

impl Registration {
    /// The connection's number, for commits that are to leave it out, and for logs.
    pub fn id(&self) -> ConnectionId {
        self.connection.id
    }

    /// The app that it logged in to.
    pub fn app(&self) -> SdkAppId {
        self.connection.arrival.app
    }

    /// Whose the connection is.
    pub fn account(&self) -> AccountKey {
        self.connection.arrival.account
    }

    /// What it was registered as.
    pub fn device(&self) -> (DeviceId, Platform) {
        let arrival = &self.connection.arrival;
        (arrival.device.clone(), arrival.platform)
    }

    /// What waits to be written; to be read by this connection's task alone.
    pub fn outbox(&self) -> &Outbox {
        &self.connection.outbox
    }

    /// Tells the hub of a version read from the store, which may be newer than any push it has carried. That says
    /// nothing of what other connections have been told.
    pub fn observe_head(&self, version: Version) {
        self.hub.roster.observe_head(self.account(), version);
    }

    /// How far pushes have come: every push up to here is in this connection's outbox, or was taken from it.
    pub fn reached(&self) -> Since {
        self.hub.roster.reached(self.account())
    }

    /// Queues those pushes to very many that are on their way to this connection. For an answer, so that all that was
    /// committed before it comes before it.
    pub fn catch_up(&self) {
        self.hub.roster.catch_up(&self.connection);
    }

    /// Notes the newest version the device says it applied.
    ///
    /// Never above the head, since nobody has applied what does not exist, and never back.
    pub fn acknowledge(&self, version: Version) {
        let version = version.min(self.hub.roster.head(self.account()));
        let before = self.connection.ack.fetch_max(version.0, Ordering::AcqRel);
        if before < version.0 {
            self.connection.ack_is_new.store(true, Ordering::Release);
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.hub.unregister(&self.connection);
    }
}
