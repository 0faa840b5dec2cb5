//! Who is told what, and how far each has been told.

use super::*;

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
