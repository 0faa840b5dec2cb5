//! What a device is told, and when, while something is under way to it.

use super::*;
use crate::hub::fanout::MOST_UNDER_WAY;

#[test]
fn what_is_under_way_to_a_device_comes_before_what_it_is_told_next() {
    let (hub, network) = (hub(), Arc::new(Watched::default()));
    let gate = network.gate.lock().unwrap();
    let held_up = hold_up(&hub, &network);
    let many = devices(&hub, ALICE, MOST_AT_ONCE);
    let bob = join(&hub, BOB, "phone");
    tell(&hub, &[BOB, ALICE], 1, 10);
    assert!(bob.outbox().is_empty(), "it waits for its turn");
    commit(&hub, BOB, 2, None);
    assert_eq!(taken(&bob), [1, 2]);

    drop(gate);
    until(|| waiting(&many) == MOST_AT_ONCE && waiting(&held_up) == 0);
    assert!(many.iter().all(|one| taken(one) == [1]));
    assert!(bob.outbox().is_empty(), "not a second time");
}

#[test]
fn an_answer_has_its_place_behind_what_is_under_way() {
    let (hub, network) = (hub(), Arc::new(Watched::default()));
    let gate = network.gate.lock().unwrap();
    let _held_up = hold_up(&hub, &network);
    let all = devices(&hub, ALICE, MOST_AT_ONCE + 1);
    commit(&hub, ALICE, 1, Some(all[5].id()));
    commit(&hub, ALICE, 2, Some(all[7].id()));
    assert_eq!(taken(&all[5]), [0]);
    assert_eq!(taken(&all[7]), [1, 0]);
    // Something was committed for it that told nobody, and is to be answered.
    all[9].catch_up();
    assert_eq!(taken(&all[9]), [1, 2]);

    drop(gate);
    until(|| waiting(&all) == all.len() - 2);
    assert_eq!(taken(&all[5]), [2]);
    assert_eq!(taken(&all[8]), [1, 2]);
}

/// A pong would say so, and the device would resume from there.
#[test]
fn what_is_under_way_is_not_said_to_have_been_told() {
    let (hub, network) = (hub(), Arc::new(Watched::default()));
    let gate = network.gate.lock().unwrap();
    let _held_up = hold_up(&hub, &network);
    let all = devices(&hub, ALICE, MOST_AT_ONCE + 1);
    let bob = join(&hub, BOB, "phone");
    commit(&hub, ALICE, 3, None);
    commit(&hub, BOB, 4, None);
    let reached = |version, position| Since {
        version: Version(version),
        position: Position(position),
    };
    assert_eq!(all[0].reached(), reached(0, 0));
    assert_eq!(bob.reached(), reached(4, 0));
    drop(gate);
    until(|| bob.reached() == reached(4, 40));
    assert_eq!(all[0].reached(), reached(3, 40));
}

/// It reads from the store what was committed before.
#[test]
fn a_device_is_not_told_of_what_was_under_way_when_it_came() {
    let (hub, network) = (hub(), Arc::new(Watched::default()));
    let gate = network.gate.lock().unwrap();
    let _held_up = hold_up(&hub, &network);
    let all = devices(&hub, ALICE, MOST_AT_ONCE + 1);
    commit(&hub, ALICE, 1, None);
    let late = join(&hub, ALICE, "late");
    commit(&hub, ALICE, 2, None);
    late.catch_up();
    drop(gate);
    until(|| waiting(&all) == all.len());
    assert_eq!(taken(&late), [2]);
}

#[test]
fn more_under_way_to_an_audience_than_is_borne_becomes_one_hint() {
    let (hub, network) = (hub(), Arc::new(Watched::default()));
    let gate = network.gate.lock().unwrap();
    let _held_up = hold_up(&hub, &network);
    let all = devices(&hub, ALICE, MOST_AT_ONCE + 1);
    let bob = join(&hub, BOB, "phone");
    let most = MOST_UNDER_WAY as u64;
    for version in 1..=3 * most {
        commit(&hub, ALICE, version, Some(all[0].id()));
    }
    commit(&hub, BOB, 3 * most + 1, None);
    // Its own device too: what was told of others is in the same hint.
    all[0].catch_up();
    let last = std::iter::from_fn(|| all[0].outbox().try_take()).last();
    let hinted = |last| matches!(last, Some(Item::Hint(head)) if head > Version(2 * most));
    assert!(hinted(last.clone()), "{last:?}");
    assert_eq!(bob.reached().position, Position(0));
    drop(gate);
    until(|| bob.reached().position == Position((3 * most + 1) * 10));
    for device in &all[1..] {
        assert_eq!(
            device.outbox().try_take(),
            Some(Item::Hint(Version(3 * most)))
        );
        assert!(device.outbox().is_empty());
    }
}
