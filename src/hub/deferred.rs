//! Pushes that wait for their turn at the network.
//!
//! A push to very many devices would keep everybody waiting who is told next, if it were written in one go. So only
//! the first are written at once; the others by a task that lets the rest of the server go on in between.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::yield_now;

use super::Hub;
use super::registration::Connection;

/// Connections that are written to before others have their turn: less than half a millisecond, at some microseconds
/// each.
const AT_ONCE: usize = 64;

/// Connections with something [deferred](super::Pushed::Deferred); each is in here once at most.
#[derive(Debug, Default)]
pub(super) struct Deferred {
    connections: Mutex<VecDeque<Arc<Connection>>>,
    more: Notify,
}

impl Deferred {
    pub(super) fn add(&self, connections: Vec<Arc<Connection>>) {
        if !connections.is_empty() {
            self.lock().extend(connections);
            self.more.notify_one();
        }
    }

    pub(super) fn take(&self) -> Vec<Arc<Connection>> {
        let mut connections = self.lock();
        let count = connections.len().min(AT_ONCE);
        connections.drain(..count).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Connection>>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// Writes what was deferred, for as long as it is polled. Must run as long as connections are served, once.
    pub async fn write_deferred(&self) {
        loop {
            let connections = self.deferred.take();
            if connections.is_empty() {
                self.deferred.more.notified().await;
            } else {
                for connection in connections {
                    connection.outbox.write_deferred();
                }
                yield_now().await;
            }
        }
    }
}
