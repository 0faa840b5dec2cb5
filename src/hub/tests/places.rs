//! Who has a place, and who loses it.

use super::*;

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
