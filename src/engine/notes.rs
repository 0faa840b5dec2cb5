//! What devices do that is worth storing and that no promise hangs on: it is collected, and stored now and then.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{Engine, Result};
use crate::domain::{AccountKey, DeviceId, Millis, Platform, Version};
use crate::store::rows::DeviceRow;
use crate::store::{Abort, Job, StoreError, WriteTx};

/// Rows of one job: an operation that is queued behind it waits no longer than for a large one.
const ROWS: usize = 250;
/// Logins that wait to be stored; further ones are not noted.
const MOST_LOGINS: usize = 65_536;

type NotedLogins = HashMap<(AccountKey, DeviceId), (Platform, Millis)>;

/// When known devices logged in, to be stored.
#[derive(Debug, Default)]
pub(super) struct Logins(Mutex<NotedLogins>);

impl Logins {
    /// Notes that a device whose row is in the store has logged in.
    pub(super) fn note(&self, account: AccountKey, device: &DeviceRow, now: Millis) {
        let mut logins = self.lock();
        if logins.len() < MOST_LOGINS {
            logins.insert((account, device.id.clone()), (device.platform, now));
        }
    }

    fn take(&self) -> NotedLogins {
        std::mem::take(&mut *self.lock())
    }

    /// When the device logged in last, if that is not stored yet.
    pub(super) fn of(&self, account: AccountKey, device: &DeviceId) -> Option<Millis> {
        let login = (account, device.clone());
        self.lock().get(&login).map(|(_, time)| *time)
    }

    fn lock(&self) -> MutexGuard<'_, NotedLogins> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Stores the newest versions that devices say they have applied, a part at a time. What is lost by a refusal
    /// comes again with the device's next ping.
    pub async fn acknowledge(&self, acks: Vec<(AccountKey, DeviceId, Version)>) -> Result<()> {
        let write = |tx: &mut dyn WriteTx, (account, device, ack): &(_, DeviceId, _)| {
            tx.acknowledge(*account, device, *ack)
        };
        self.store_notes(acks, write).await
    }

    /// Stores when devices that were known already have logged in, a part at a time.
    pub async fn store_logins(&self) -> Result<()> {
        let logins = self.logins.take().into_iter().collect();
        self.store_notes(logins, store_login).await
    }

    /// Each part is stored before the next is submitted, so that operations go between two of them.
    async fn store_notes<T: Send + 'static>(
        &self,
        mut notes: Vec<T>,
        write: fn(&mut dyn WriteTx, &T) -> std::result::Result<(), StoreError>,
    ) -> Result<()> {
        while !notes.is_empty() {
            let part = notes.split_off(notes.len().saturating_sub(ROWS));
            let (stored, outcome) = oneshot::channel();
            self.store.submit(Box::new(Notes {
                part,
                write,
                stored,
            }))?;
            let stopped =
                |_| StoreError::Refused("the store has stopped before it came to this".into());
            match outcome.await.map_err(stopped)? {
                Ok(()) => {}
                Err(Abort::Store(error)) => return Err(error.into()),
                Err(error @ Abort::Withdrawn) => {
                    return Err(StoreError::Unexpected(error.to_string()).into());
                }
            }
        }
        Ok(())
    }
}

fn store_login(
    tx: &mut dyn WriteTx,
    ((account, device), (platform, time)): &((AccountKey, DeviceId), (Platform, Millis)),
) -> std::result::Result<(), StoreError> {
    if tx.note_login(*account, device, *time)? {
        return Ok(());
    }
    // It was forgotten since, as one that had not been here for long.
    let row = DeviceRow {
        id: device.clone(),
        platform: *platform,
        login_time: *time,
        ack: Version(0),
        sigs_refused_upto: 0,
    };
    tx.put_device(*account, &row)
}

struct Notes<T> {
    part: Vec<T>,
    write: fn(&mut dyn WriteTx, &T) -> std::result::Result<(), StoreError>,
    stored: oneshot::Sender<std::result::Result<(), Abort>>,
}

impl<T: Send> Job for Notes<T> {
    fn run(&mut self, tx: &mut dyn WriteTx) -> std::result::Result<(), Abort> {
        for note in &self.part {
            (self.write)(tx, note)?;
        }
        Ok(())
    }

    fn decides_first(&self) -> bool {
        true
    }

    fn done(self: Box<Self>, outcome: std::result::Result<(), Abort>) {
        // Whoever waited for it may have been stopped.
        drop(self.stored.send(outcome));
    }
}
