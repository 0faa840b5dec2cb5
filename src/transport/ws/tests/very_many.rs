//! What is on its way to very many, and what a session says meanwhile.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::AtomicBool;

use super::*;
use crate::domain::login_policy::LoginPolicy;
use crate::domain::{KeyPrint, Platform};
use crate::hub::{Arrival, Frame, Registration, Sent, Wire};

/// Whoever writes to it waits until it is open.
#[derive(Debug, Default)]
struct Gate(AtomicBool);

impl Wire for Gate {
    fn try_push(&self, _: &Frame, _: std::time::Instant) -> Sent {
        while !self.0.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        Sent::Whole
    }

    fn address(&self) -> IpAddr {
        Ipv4Addr::LOCALHOST.into()
    }
}

/// An account whose very many devices the hub's thread for them can't get past.
struct HeldUp {
    gate: Arc<Gate>,
    _devices: Vec<Registration>,
}

impl Drop for HeldUp {
    fn drop(&mut self) {
        self.gate.0.store(true, Ordering::Release);
    }
}

fn hold_up(world: &World, account: AccountKey) -> HeldUp {
    let gate = Arc::<Gate>::default();
    let enter = |number: usize| {
        let arrival = Arrival {
            app: APP,
            key: KeyPrint(1),
            account,
            device: number.to_string().parse().unwrap(),
            platform: Platform::Web,
        };
        let hub = &world.context.hub;
        let wire = Arc::clone(&gate) as Arc<dyn Wire>;
        let registration = hub
            .register(arrival, wire, hub.arriving(), LoginPolicy::default(), 100)
            .unwrap();
        let mut context = TaskContext::from_waker(Waker::noop());
        assert!(registration.outbox().poll_take(&mut context).is_pending());
        registration.outbox().lend();
        registration
    };
    let devices = (0..70).map(enter).collect();
    world.push_to(account, 1);
    HeldUp {
        gate,
        _devices: devices,
    }
}

/// A call that changes nothing tells nobody anything, and its answer has no place among pushes. It names the account's
/// version all the same, and a client that knew it before the push would take that for one it has.
#[tokio::test]
async fn an_answer_comes_after_what_was_committed_before_it_and_is_on_its_way_to_very_many() {
    let world = World::new().await;
    let mut phone = world.login("alice", "phone").await;
    let mut others = Vec::new();
    for number in 0..70 {
        others.push(world.login("alice", &number.to_string()).await);
    }
    let held_up = hold_up(&world, AccountKey(99));
    world.push(1);
    let nothing = json!({ "conversationIDList": ["C2Cnobody"] });
    assert_eq!(phone.code("conversation.delete", nothing).await, 0);
    assert_eq!(phone.pushes.len(), 1, "before the answer");
    // A ping too tells whoever asks all that was told to anybody before.
    assert_eq!(others[0].code("ping", json!({})).await, 0);
    assert_eq!(others[0].pushes.len(), 1, "before the pong");
    drop(held_up);
    for other in &mut others[1..] {
        assert_eq!(other.hear().await.unwrap()["params"]["version"], 1);
    }
}
