//! Pushes to very many.

mod order;
mod told_in_order;
mod under_way;
mod very_many;

use std::sync::atomic::AtomicBool;

use super::*;
use crate::hub::fanout::THREAD;
use crate::hub::roster::MOST_AT_ONCE;

const HELD_UP: AccountKey = AccountKey(9);

/// Takes every push, and notes which thread brought it. The thread for very many waits at the gate.
#[derive(Debug, Default)]
struct Watched {
    brought: Mutex<Vec<(Frame, Option<String>)>>,
    gate: Mutex<()>,
    /// The thread stands at the gate, or has passed it.
    waits: AtomicBool,
    /// Before each push is taken.
    pause: Duration,
}

impl Watched {
    fn slow(pause: Duration) -> Self {
        Self {
            pause,
            ..Self::default()
        }
    }
}

impl Wire for Watched {
    fn try_push(&self, frame: &Frame, _: Instant) -> Sent {
        let by = thread::current().name().map(str::to_owned);
        if by.as_deref() == Some(THREAD) {
            self.waits.store(true, Ordering::Release);
            drop(self.gate.lock().unwrap());
        }
        if !self.pause.is_zero() {
            thread::sleep(self.pause);
        }
        self.brought.lock().unwrap().push((frame.clone(), by));
        Sent::Whole
    }

    fn address(&self) -> IpAddr {
        Ipv4Addr::LOCALHOST.into()
    }
}

/// A device with nothing to write, so that a push goes straight to its network.
fn at_rest(
    hub: &Arc<Hub>,
    account: AccountKey,
    device: &str,
    network: Arc<dyn Wire>,
) -> Registration {
    let registration = hub
        .register(
            arrival(account, device, Platform::Web),
            network,
            hub.arriving(),
            LoginPolicy::default(),
            usize::MAX,
        )
        .unwrap();
    let mut context = Context::from_waker(Waker::noop());
    assert!(registration.outbox().poll_take(&mut context).is_pending());
    registration.outbox().lend();
    registration
}

fn all_at_rest(
    hub: &Arc<Hub>,
    account: AccountKey,
    devices: usize,
    network: &Arc<Watched>,
) -> Vec<Registration> {
    let enter =
        |number: usize| at_rest(hub, account, &number.to_string(), Arc::clone(network) as _);
    (0..devices).map(enter).collect()
}

fn waiting(devices: &[Registration]) -> usize {
    let left = devices.iter().filter(|one| !one.outbox().is_empty());
    left.count()
}

fn until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1));
        thread::yield_now();
    }
}

/// Devices whose network takes nothing.
fn devices(hub: &Arc<Hub>, account: AccountKey, count: usize) -> Vec<Registration> {
    let enter = |number: usize| join(hub, account, &number.to_string());
    (0..count).map(enter).collect()
}

/// A thread that can't go on: an account of very many stands before the gate.
fn hold_up(hub: &Arc<Hub>, network: &Arc<Watched>) -> Vec<Registration> {
    let held_up = all_at_rest(hub, HELD_UP, MOST_AT_ONCE + 1, network);
    commit(hub, HELD_UP, 1, None);
    until(|| network.waits.load(Ordering::Acquire));
    held_up
}

/// The versions of the pushes that wait for a connection; 0: the place of an answer.
fn taken(registration: &Registration) -> Vec<u64> {
    std::iter::from_fn(|| registration.outbox().try_take())
        .map(|item| match item {
            Item::Push { frame, .. } => {
                let frame: serde_json::Value = serde_json::from_str(&frame).unwrap();
                frame["params"]["version"].as_u64().unwrap()
            }
            Item::Answer => 0,
            other => panic!("{other:?}"),
        })
        .collect()
}

/// A push to accounts that has one's version, to be told from others by.
fn tell(hub: &Hub, to: &[AccountKey], version: u64, position: u64) {
    hub.deliver(&Committed {
        notices: vec![Notice::Push {
            to: Audience::Accounts(to.into()),
            except: None,
            push: updated(version),
        }],
        position: Some(Position(position)),
        at: Instant::now(),
    });
}
