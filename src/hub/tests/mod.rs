mod fanout;
mod told_in_order;

use std::net::{IpAddr, Ipv4Addr};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use super::*;
use crate::domain::cursor::Since;
use crate::domain::login_policy::LoginMode;
use crate::domain::{KeyPrint, Platform, SdkAppId};
use crate::protocol::push::{ConversationUpdated, SyncHint};

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

#[test]
fn a_push_goes_to_the_accounts_devices_but_the_actors() {
    let hub = hub();
    let (phone, laptop, bob) = (
        join(&hub, ALICE, "phone"),
        join(&hub, ALICE, "laptop"),
        join(&hub, BOB, "phone"),
    );
    commit(&hub, ALICE, 7, Some(phone.id()));
    assert!(
        matches!(laptop.outbox().try_take(), Some(Item::Push { frame, .. }) if frame.contains("\"version\":7"))
    );
    assert_eq!(phone.outbox().try_take(), Some(Item::Answer));
    assert!(phone.outbox().is_empty() && bob.outbox().is_empty());
    assert_eq!(
        phone.reached(),
        Since {
            version: Version(7),
            position: Position(70)
        }
    );
    assert_eq!(bob.reached().version, Version(0));
}

#[test]
fn what_overflows_a_queue_becomes_a_hint_of_the_newest_head() {
    let hub = hub();
    let phone = join(&hub, ALICE, "phone");
    for version in 1..=9 {
        commit(&hub, ALICE, version, None);
    }
    // Without a version: it is the account's head that the hint tells.
    hub.deliver(&Committed {
        notices: vec![Notice::Push {
            to: Audience::Accounts([ALICE, BOB].into()),
            except: None,
            push: Push::SyncHint(SyncHint { head: Version(0) }),
        }],
        position: None,
        at: Instant::now(),
    });
    assert_eq!(phone.outbox().try_take(), Some(Item::Hint(Version(9))));
    assert_eq!(hub.figures().collapses, 1);
}

#[test]
fn a_head_read_from_the_store_counts_and_never_goes_back() {
    let hub = hub();
    let phone = join(&hub, ALICE, "phone");
    phone.observe_head(Version(5));
    commit(&hub, ALICE, 3, None);
    assert_eq!(hub.roster.head(ALICE), Version(5));
}

/// A deletion is in the store a moment before anybody is told of it. A device that logged in just then knew its version,
/// and another that pinged was told it had come so far: had it lost its connection before the push, it would never have
/// heard of the deletion.
#[test]
fn what_one_device_read_from_the_store_no_other_has_been_told() {
    let hub = hub();
    let (phone, laptop) = (join(&hub, ALICE, "phone"), join(&hub, ALICE, "laptop"));
    commit(&hub, ALICE, 3, None);
    phone.observe_head(Version(5));
    assert_eq!(laptop.reached().version, Version(3));
    assert_eq!(hub.roster.head(ALICE), Version(5));
}

#[test]
fn a_reconnect_replaces_its_own_connection() {
    let hub = hub();
    let old = join(&hub, ALICE, "phone");
    let new = hub
        .register(
            arrival(ALICE, "phone", Platform::Web),
            Arc::new(Full),
            hub.arriving(),
            LoginPolicy::default(),
            1,
        )
        .unwrap();
    assert_eq!(ordered(&old), Some((4509, "multipleAccount".into())));
    assert_eq!(ordered(&new), None);
    // The old one's drop comes late, and must not take out the new one.
    drop(old);
    assert!(hub.is_online(ALICE, &"phone".parse().unwrap()));
    commit(&hub, ALICE, 1, None);
    assert_eq!(new.outbox().len(), 1);
    drop(new);
    assert!(hub.roster.accounts.is_empty());
}

#[test]
fn the_policy_displaces_other_devices() {
    let hub = hub();
    let policy = LoginPolicy {
        mode: LoginMode::Triple,
        instances_per_platform: Some(1),
    };
    let enter = |device: &str, platform| {
        hub.register(
            arrival(ALICE, device, platform),
            Arc::new(Full),
            hub.arriving(),
            policy,
            MANY,
        )
        .unwrap()
    };
    let android = enter("android", Platform::Android);
    let web = enter("web", Platform::Web);
    let iphone = enter("iphone", Platform::IPhone);
    assert_eq!(ordered(&android), Some((4509, "multipleDevice".into())));
    assert_eq!(ordered(&web), None);
    let other_web = enter("other web", Platform::Web);
    assert_eq!(ordered(&web), Some((4509, "multipleDevice".into())));
    assert_eq!((ordered(&iphone), ordered(&other_web)), (None, None));
    assert_eq!(hub.figures().connections, 2);
}

#[test]
fn an_account_has_so_many_connections_and_no_more() {
    let hub = hub();
    let _one = join(&hub, ALICE, "one");
    let two = |most| {
        hub.register(
            arrival(ALICE, "two", Platform::Web),
            Arc::new(Full),
            hub.arriving(),
            LoginPolicy::default(),
            most,
        )
    };
    assert_eq!(two(1).unwrap_err(), NoPlace::AccountFull { most: 1 });
    assert!(two(2).is_ok());
    assert!(
        hub.register(
            arrival(BOB, "one", Platform::Web),
            Arc::new(Full),
            hub.arriving(),
            LoginPolicy::default(),
            0
        )
        .is_err()
    );
    assert_eq!(hub.figures().accounts, 1);
}

#[test]
fn a_logout_closes_the_device_at_once() {
    let hub = hub();
    let (phone, laptop) = (join(&hub, ALICE, "phone"), join(&hub, ALICE, "laptop"));
    commit(&hub, ALICE, 1, None);
    hub.deliver(&Committed {
        notices: vec![Notice::Logout {
            account: ALICE,
            device: "phone".parse().unwrap(),
        }],
        position: None,
        at: Instant::now(),
    });
    assert!(!hub.is_online(ALICE, &"phone".parse().unwrap()));
    assert_eq!(ordered(&phone), Some((4501, "REST_API_Kick".into())));
    assert_eq!(laptop.outbox().len(), 1);
}

/// A device was logged out between the check of its credential and its registration, and stayed connected.
#[test]
fn a_logout_during_a_login_is_not_missed() {
    let hub = hub();
    let arriving = hub.arriving();
    hub.deliver(&Committed {
        notices: vec![Notice::Logout {
            account: ALICE,
            device: "phone".parse().unwrap(),
        }],
        position: None,
        at: Instant::now(),
    });
    let enter = |device, arriving| {
        hub.register(
            arrival(ALICE, device, Platform::Web),
            Arc::new(Full),
            arriving,
            LoginPolicy::default(),
            MANY,
        )
    };
    assert_eq!(enter("phone", arriving).unwrap_err(), NoPlace::LoggedOut);
    assert!(hub.roster.accounts.is_empty());
    assert!(enter("laptop", arriving).is_ok());
    assert!(enter("phone", hub.arriving()).is_ok());
}

fn stands(hub: &Hub, disabled: bool, keys: &[u64]) {
    let keys = keys.iter().copied().map(KeyPrint).collect();
    hub.deliver(&Committed {
        notices: vec![Notice::Standing(Standing {
            app: SdkAppId(1),
            disabled,
            keys,
        })],
        position: None,
        at: Instant::now(),
    });
}

#[test]
fn who_came_in_with_a_key_that_is_retired_is_sent_for_another() {
    let hub = hub();
    let enter = |device, app, key| {
        let arrival = Arrival {
            app: SdkAppId(app),
            key: KeyPrint(key),
            ..arrival(ALICE, device, Platform::Web)
        };
        hub.register(
            arrival,
            Arc::new(Full),
            hub.arriving(),
            LoginPolicy::default(),
            MANY,
        )
        .unwrap()
    };
    let (old, new) = (enter("old", 1, 1), enter("new", 1, 2));
    let other = enter("other", 2, 1);
    stands(&hub, false, &[2, 1]);
    assert!(old.outbox().is_empty());
    stands(&hub, false, &[3, 2]);
    assert_eq!(ordered(&old), Some((4401, "userSigExpired".into())));
    assert!(!hub.is_online(ALICE, &"old".parse().unwrap()));
    assert!(new.outbox().is_empty() && other.outbox().is_empty());
}

#[test]
fn all_of_a_disabled_app_are_sent_away() {
    let hub = hub();
    let all = [join(&hub, ALICE, "phone"), join(&hub, BOB, "phone")];
    let arriving = hub.arriving();
    stands(&hub, true, &[1]);
    for registration in &all {
        assert_eq!(ordered(registration), Some((4500, String::new())));
    }
    assert!(hub.roster.accounts.is_empty());
    let late = arrival(ALICE, "late", Platform::Web);
    let late = hub.register(late, Arc::new(Full), arriving, LoginPolicy::default(), MANY);
    assert_eq!(late.unwrap_err(), NoPlace::AppDisabled);
}

#[test]
fn acks_are_handed_out_once_also_after_a_disconnect() {
    let hub = hub();
    let (phone, laptop) = (join(&hub, ALICE, "phone"), join(&hub, ALICE, "laptop"));
    phone.observe_head(Version(9));
    phone.acknowledge(Version(4));
    phone.acknowledge(Version(2));
    assert_eq!(
        hub.take_acks(),
        [(ALICE, "phone".parse().unwrap(), Version(4))]
    );
    assert!(hub.take_acks().is_empty());
    let figures = hub.figures();
    assert_eq!((figures.lag_max, figures.lag_sum), (5, 5));
    // More than there is can't have been applied.
    laptop.acknowledge(Version(u64::MAX));
    drop(laptop);
    let acks = hub.take_acks();
    assert_eq!(acks, [(ALICE, "laptop".parse().unwrap(), Version(9))]);
    hub.return_acks(acks.clone());
    assert_eq!(hub.take_acks(), acks);
}

#[test]
fn a_drain_tells_each_connection_and_closes_it() {
    let hub = hub();
    let phone = join(&hub, ALICE, "phone");
    for departure in hub.departures() {
        departure.send_away(Some("draining".into()));
    }
    assert_eq!(
        phone.outbox().try_take(),
        Some(Item::Notice("draining".into()))
    );
    assert_eq!(ordered(&phone), Some((1012, String::new())));
}

/// Accounts came and went on the same shard, and an entry without connections stayed for good.
#[test]
fn coming_and_going_leaves_nothing_behind() {
    let hub = hub();
    thread::scope(|threads| {
        for thread in 0..4 {
            let hub = &hub;
            threads.spawn(move || {
                for turn in 0..1_000 {
                    let account = AccountKey(turn % 7);
                    let device = format!("device {}", (turn + thread) % 3);
                    let held = join(hub, account, &device);
                    commit(hub, account, 1, None);
                    let other = join(hub, account, "other");
                    drop(held);
                    drop(other);
                }
            });
        }
    });
    assert!(hub.roster.accounts.is_empty());
    assert_eq!(hub.figures().connections, 0);
}
