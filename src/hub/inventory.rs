//! Who is here, for those who ask: pages, figures, a drain.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::registration::Connection;
use super::{Frame, Hub, Order};
use crate::domain::{AccountKey, DeviceId, Platform, Version};
use crate::protocol::close::Close;

/// What a hub shows of itself at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    pub connections: usize,
    pub accounts: usize,
    /// Largest distance between an account's head and a connection's ack, of those that have acknowledged.
    pub lag_max: u64,
    /// Sum of these distances.
    pub lag_sum: u64,
    /// Queues that collapsed into a hint, since the start.
    pub collapses: u64,
}

/// A device that is connected here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Online {
    pub device: DeviceId,
    pub platform: Platform,
    pub address: IpAddr,
    /// The newest version it said it applied over this connection; 0: none.
    pub ack: Version,
}

/// A connection that is to be sent away in an orderly manner.
#[derive(Debug)]
pub struct Departure(Arc<Connection>);

impl Departure {
    /// Tells the device `notice` and closes its connection with 1012 once its queue and its request are done.
    pub fn send_away(self, notice: Option<Frame>) {
        if let Some(notice) = notice {
            self.0.outbox.notice(notice);
        }
        self.0.outbox.close(Order {
            farewell: None,
            close: Close::Restart,
        });
    }
}

impl Hub {
    /// Whether the device is connected here.
    pub fn is_online(&self, account: AccountKey, device: &DeviceId) -> bool {
        self.roster.accounts.get(&account).is_some_and(|account| {
            account
                .connections
                .iter()
                .any(|present| present.arrival.device == *device)
        })
    }

    /// The account's devices that are connected here, oldest login first.
    pub fn online(&self, account: AccountKey) -> Vec<Online> {
        self.roster
            .accounts
            .get(&account)
            .map_or_else(Vec::new, |found| {
                found
                    .connections
                    .iter()
                    .map(|present| Online {
                        device: present.arrival.device.clone(),
                        platform: present.arrival.platform,
                        address: present.outbox.address(),
                        ack: Version(present.ack.load(Ordering::Relaxed)),
                    })
                    .collect()
            })
    }

    /// Counts what there is. Goes through all connections: for a scrape, not for a request.
    pub fn figures(&self) -> Figures {
        let mut figures = Figures {
            collapses: self.roster.collapses.load(Ordering::Relaxed),
            ..Figures::default()
        };
        for account in &self.roster.accounts {
            figures.accounts += 1;
            figures.connections += account.connections.len();
            let head = account.head().0;
            for connection in &account.connections {
                let ack = connection.ack.load(Ordering::Relaxed);
                let lag = if ack == 0 {
                    0
                } else {
                    head.saturating_sub(ack)
                };
                figures.lag_max = figures.lag_max.max(lag);
                figures.lag_sum += lag;
            }
        }
        figures
    }

    /// Handles to all connections of this moment, for a drain to go through at its own pace.
    pub fn departures(&self) -> Vec<Departure> {
        self.roster
            .accounts
            .iter()
            .flat_map(|account| {
                let departures: Vec<_> = account
                    .connections
                    .iter()
                    .map(|connection| Departure(Arc::clone(connection)))
                    .collect();
                departures
            })
            .collect()
    }
}
