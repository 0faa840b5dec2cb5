mod fanout;
mod places;
mod pushes;

use super::*;
use crate::domain::cursor::Since;
use crate::domain::login_policy::LoginMode;
use crate::domain::{KeyPrint, Platform, SdkAppId};
use crate::protocol::push::{ConversationUpdated, SyncHint};
use std::net::{IpAddr, Ipv4Addr};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

const ALICE: AccountKey = AccountKey(1);
const BOB: AccountKey = AccountKey(2);
const MANY: usize = 1_000;

fn hub() -> Arc<Hub> {
    Arc::new(
        Hub::new(Bounds {
            frames: 4,
            bytes: 10_000,
        })
        .unwrap(),
    )
}

fn arrival(account: AccountKey, device: &str, platform: Platform) -> Arrival {
    Arrival {
        app: SdkAppId(1),
        key: KeyPrint(1),
        account,
        device: device.parse().unwrap(),
        platform,
    }
}

/// A network that takes no push: all stays in the queues.
#[derive(Debug)]
struct Full;

impl Wire for Full {
    fn try_push(&self, _: &Frame, _: Instant) -> Sent {
        Sent::Nothing
    }

    fn address(&self) -> IpAddr {
        Ipv4Addr::LOCALHOST.into()
    }
}

fn join(hub: &Arc<Hub>, account: AccountKey, device: &str) -> Registration {
    hub.register(
        arrival(account, device, Platform::Web),
        Arc::new(Full),
        hub.arriving(),
        LoginPolicy::default(),
        MANY,
    )
    .unwrap()
}

fn updated(version: u64) -> Push {
    Push::ConversationUpdated(ConversationUpdated {
        version: Version(version),
        conversation_list: Vec::new(),
        origin: None,
        time: 0,
    })
}

fn commit(hub: &Hub, account: AccountKey, version: u64, except: Option<ConnectionId>) {
    hub.deliver(&Committed {
        notices: vec![Notice::Push {
            to: Audience::Account(account),
            except: except.map(|connection| Own {
                account,
                connection,
            }),
            push: updated(version),
        }],
        position: Some(Position(version * 10)),
        at: Instant::now(),
    });
}

/// The close and the kick that a connection was ordered, as (code, type).
fn ordered(registration: &Registration) -> Option<(u16, String)> {
    match registration.outbox().try_take()? {
        Item::Close(Order { farewell, close }) => {
            let farewell = farewell.map_or_else(String::new, |frame| {
                let frame: serde_json::Value = serde_json::from_str(&frame).unwrap();
                frame["params"]["type"].as_str().unwrap().to_owned()
            });
            Some((close.code(), farewell))
        }
        other => panic!("{other:?}"),
    }
}

/// Each of them is multiplied by all connections that there are; with its two counts it takes 152 bytes.
#[test]
fn a_connection_is_small() {
    assert!(
        size_of::<Connection>() <= 136,
        "{}",
        size_of::<Connection>()
    );
    assert!(
        size_of::<roster::Account>() <= 40,
        "{}",
        size_of::<roster::Account>()
    );
}
