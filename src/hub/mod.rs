//! The connection hub: who is connected here, and the queue of each.
//!
//! A push is handed to each connection's [`Outbox`]: where the connection has nothing else to write it goes straight to
//! the network, else into its queue, and the connection's own task writes it. Meanwhile no lock is held but that of the
//! one queue, and nothing awaits. To very many connections it is brought by a thread for that (`fanout`).

mod fanout;
mod inventory;
mod outbox;
mod registration;
mod roster;
#[cfg(test)]
mod tests;
mod withdrawals;

pub use inventory::{Departure, Figures, Online};
pub use outbox::{Bounds, Frame, Item, Order, Outbox, Pushed, Rest, Sent, Turn, Wire};
pub use registration::{Arrival, Registration};
pub use withdrawals::Arriving;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::bus::{Audience, Committed, ConnectionId, Notice, Own, Subscriber};
use crate::domain::app::Standing;
use crate::domain::login_policy::LoginPolicy;
use crate::domain::{AccountKey, DeviceId, Position, Version};
use crate::protocol::close::Close;
use crate::protocol::push::{KickedOut, KickedOutType, Push};
use fanout::Fanouts;
use registration::Connection;
use roster::Roster;
use withdrawals::{Withdrawal, Withdrawals};

/// Acks of devices that have gone, waiting to be stored; above this they are forgotten. An ack is for show (the
/// console), and the device will tell it again.
const MAX_DEPARTED: usize = 65_536;

/// Connections that gave way to another, and why.
type Displaced = Vec<(Arc<Connection>, KickedOutType)>;

/// An ack to be stored: the newest version a device said it applied.
pub type Ack = (AccountKey, DeviceId, Version);

/// Why a device gets no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    #[error("the account has {most} connections, the most allowed")]
    AccountFull { most: usize },
    /// While its login was under way.
    #[error("the device was logged out")]
    LoggedOut,
    /// Likewise.
    #[error("the app was disabled")]
    AppDisabled,
    /// Likewise.
    #[error("the key of its credential was retired")]
    KeyRetired,
}

/// Everybody's way to every device.
#[derive(Debug)]
pub struct Hub {
    roster: Arc<Roster>,
    bounds: Bounds,
    next_id: AtomicU64,
    departed: Mutex<Vec<Ack>>,
    withdrawals: Withdrawals,
    /// Dropped with the hub, and not before all that is under way has been given.
    _fanouts: Fanouts,
}

impl Hub {
    /// A hub with nobody connected; `bounds` are those of each connection's queue.
    ///
    /// Fails where the system gives it no thread.
    pub fn new(bounds: Bounds) -> io::Result<Self> {
        let roster = Arc::<Roster>::default();
        Ok(Self {
            roster: Arc::clone(&roster),
            bounds,
            next_id: AtomicU64::new(1),
            departed: Mutex::default(),
            withdrawals: Withdrawals::default(),
            _fanouts: Fanouts::start(roster)?,
        })
    }

    /// Gives a device its place, and takes theirs from those it displaces: its own connection of before, and
    /// those that `policy` shuts out. They are told, and closed with 4509.
    ///
    /// `wire` is the connection's way to the network; nothing goes over it before the [`Outbox`] is lent.
    /// `arriving` is from before the device's credential was looked at. `most` connections an account may have;
    /// the device's own old one does not count.
    pub fn register(
        self: &Arc<Self>,
        arrival: Arrival,
        wire: Arc<dyn Wire>,
        arriving: Arriving,
        policy: LoginPolicy,
        most: usize,
    ) -> Result<Registration, NoPlace> {
        let (connection, displaced) = self.place(arrival, wire, policy, most)?;
        for (old, why) in displaced {
            kick(&old, Some(why), Close::Kicked);
        }
        let registration = Registration {
            hub: Arc::clone(self),
            connection,
        };
        // After it was placed: a withdrawal either was noted by now, or will find the connection.
        let arrival = &registration.connection.arrival;
        match self.withdrawals.hit(arriving, arrival) {
            Some(why) => Err(why),
            None => Ok(registration),
        }
    }

    /// The moment before a login's credential is looked at, for [`register`](Self::register).
    pub fn arriving(&self) -> Arriving {
        self.withdrawals.arriving()
    }

    /// Puts a connection into the map and takes out those it displaces. All under one entry's lock, so two
    /// logins at once can't both miss the other.
    fn place(
        &self,
        arrival: Arrival,
        wire: Arc<dyn Wire>,
        policy: LoginPolicy,
        most: usize,
    ) -> Result<(Arc<Connection>, Displaced), NoPlace> {
        if most == 0 {
            return Err(NoPlace::AccountFull { most });
        }
        // What was committed up to now the device will read from the store.
        let turn = self.roster.under_way.newest();
        let mut account = self.roster.accounts.entry(arrival.account).or_default();
        let others: Vec<_> = account
            .connections
            .iter()
            .filter(|present| present.arrival.device != arrival.device)
            .map(|present| (present.id, present.arrival.platform))
            .collect();
        let shut_out = policy.displaced(arrival.platform, &others);
        // A new entry has nobody in it, so that a refusal here never leaves an empty one behind.
        if others.len() - shut_out.len() >= most {
            return Err(NoPlace::AccountFull { most });
        }
        let mut displaced = Vec::new();
        account.connections.retain(|present: &mut Arc<Connection>| {
            let why = if present.arrival.device == arrival.device {
                KickedOutType::MultipleAccount
            } else if shut_out.contains(&present.id) {
                KickedOutType::MultipleDevice
            } else {
                return true;
            };
            displaced.push((Arc::clone(present), why));
            false
        });
        let connection = Arc::new(Connection {
            // Given here, they ascend within an account.
            id: ConnectionId(self.next_id.fetch_add(1, Ordering::Relaxed)),
            arrival,
            outbox: Outbox::new(self.bounds, wire, turn),
            ack: AtomicU64::new(0),
            ack_is_new: false.into(),
        });
        account.connections.push(Arc::clone(&connection));
        Ok((connection, displaced))
    }

    fn unregister(&self, connection: &Connection) {
        if let Some(ack) = connection.take_ack() {
            self.return_acks(vec![ack]);
        }
        self.take_out(connection.arrival.account, |present| {
            present.id == connection.id
        });
    }

    /// Takes the first connection that `is_it` out of the map, and the account with its last one.
    fn take_out(
        &self,
        account: AccountKey,
        is_it: impl Fn(&Connection) -> bool,
    ) -> Option<Arc<Connection>> {
        let taken = {
            let mut account = self.roster.accounts.get_mut(&account)?;
            let at = account.connections.iter().position(|c| is_it(c))?;
            account.connections.remove(at)
        };
        // Looked at again under the lock: a login may have come in between.
        self.roster
            .accounts
            .remove_if(&account, |_, account| account.connections.is_empty());
        Some(taken)
    }

    /// Sets the place of the newest log entry from which on the hub will be told of commits.
    pub fn start_at(&self, position: Position) {
        self.roster.observe_position(position);
    }

    /// The acks that changed since they were last taken, those of devices that have gone included.
    pub fn take_acks(&self) -> Vec<Ack> {
        let mut acks = std::mem::take(&mut *self.departed());
        for account in &self.roster.accounts {
            acks.extend(account.connections.iter().filter_map(|c| c.take_ack()));
        }
        acks
    }

    /// Gives back acks that could not be stored, to be taken again.
    pub fn return_acks(&self, acks: Vec<Ack>) {
        let mut departed = self.departed();
        let room = MAX_DEPARTED.saturating_sub(departed.len());
        departed.extend(acks.into_iter().take(room));
    }

    fn departed(&self) -> std::sync::MutexGuard<'_, Vec<Ack>> {
        self.departed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, to: &Audience, except: Option<Own>, push: &Push, committed: Instant) {
        let frame = match push.frame() {
            Ok(frame) => Some(Frame::from(frame)),
            Err(error) => {
                tracing::error!(%error, "a push could not be encoded; its devices are hinted instead");
                None
            }
        };
        let version = push.version().unwrap_or_default();
        let roster = &self.roster;
        // The map is free again before a socket is written.
        let Some(connections) = roster.few(to.accounts()) else {
            self.fan_out(fanout::Push {
                to: to.clone(),
                except,
                frame,
                version,
                committed,
            });
            return;
        };
        for (connection, head) in connections {
            connection.tell(|connection| {
                roster.catch_up(connection);
                if except.is_some_and(|own| own.connection == connection.id) {
                    connection.outbox.mark_answer();
                    return;
                }
                let head = version.max(head);
                roster.count(match &frame {
                    Some(frame) => connection.outbox.push(frame, head, committed),
                    None => connection.outbox.collapse(head),
                });
            });
        }
        // After the queues: whoever reads these heads finds all pushes up to them in them.
        for to in to.accounts() {
            roster.observe_pushed(*to, version);
        }
    }

    /// Has a push given to very many.
    fn fan_out(&self, push: fanout::Push) {
        let roster = &self.roster;
        if let Some(own) = push.except.and_then(|own| roster.find(own)) {
            own.tell(|own| {
                roster.catch_up(own);
                own.outbox.mark_answer();
            });
        }
        if push.version > Version::default() {
            for to in push.to.accounts() {
                roster.observe_head(*to, push.version);
            }
        }
        roster.under_way.add(push);
    }

    fn log_out(&self, account: AccountKey, device: &DeviceId) {
        self.withdrawals
            .note(Withdrawal::Device(account, device.clone()));
        // Out of the map at once, rather than when its task gets to it: it must hear no more.
        let gone = self.take_out(account, |present| present.arrival.device == *device);
        if let Some(connection) = gone {
            kick(&connection, Some(KickedOutType::RestApi), Close::Revoked);
        }
    }

    /// Sends away who came in with a credential that holds no longer. Goes through all connections: an operator does
    /// this once in a while.
    fn apply(&self, standing: &Standing) {
        let withdrawal = Withdrawal::App(standing.clone());
        // Noted first: a login that is not there yet will see it.
        self.withdrawals.note(withdrawal.clone());
        let (mut gone, mut empty) = (Vec::new(), Vec::new());
        for mut account in self.roster.accounts.iter_mut() {
            account
                .connections
                .retain(|present| match withdrawal.hits(&present.arrival) {
                    Some(why) => {
                        gone.push((Arc::clone(present), why));
                        false
                    }
                    None => true,
                });
            if account.connections.is_empty() {
                empty.push(*account.key());
            }
        }
        for account in empty {
            self.roster
                .accounts
                .remove_if(&account, |_, account| account.connections.is_empty());
        }
        for (connection, why) in gone {
            if why == NoPlace::KeyRetired {
                let why = Some(KickedOutType::UserSigExpired);
                kick(&connection, why, Close::RefreshCredential);
            } else {
                // As a login is answered from now on.
                kick(&connection, None, Close::LoginRefused);
            }
        }
    }
}

fn kick(connection: &Connection, why: Option<KickedOutType>, close: Close) {
    let farewell = why
        .and_then(|why| Push::KickedOut(KickedOut { r#type: why }).frame().ok())
        .map(Frame::from);
    connection.outbox.close(Order { farewell, close });
}

impl Subscriber for Hub {
    fn deliver(&self, committed: &Committed) {
        for notice in &committed.notices {
            match notice {
                Notice::Push { to, except, push } => self.push(to, *except, push, committed.at),
                Notice::Logout { account, device } => self.log_out(*account, device),
                Notice::Standing(standing) => self.apply(standing),
            }
        }
        // Last, for the same reason as the head.
        let reached = committed
            .position
            .and_then(|position| self.roster.under_way.hold(position));
        if let Some(position) = reached {
            self.roster.observe_position(position);
        }
    }
}
