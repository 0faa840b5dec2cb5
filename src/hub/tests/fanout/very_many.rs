//! Who brings a push, and whom that keeps waiting.

use super::*;

/// Each write keeps those waiting who are told next.
#[test]
fn very_many_are_told_by_a_thread_for_that() {
    let hub = hub();
    let network = Arc::new(Watched::default());
    let all = all_at_rest(&hub, ALICE, 2_000, &network);
    commit(&hub, ALICE, 1, None);
    commit(&hub, ALICE, 2, None);

    until(|| network.brought.lock().unwrap().len() == 4_000);
    let brought = network.brought.lock().unwrap();
    assert!(brought.iter().all(|(_, by)| by.as_deref() == Some(THREAD)));
    assert_eq!(waiting(&all), 0);
}

#[test]
fn where_there_are_not_very_many_all_are_written_at_once() {
    let hub = hub();
    let network = Arc::new(Watched::default());
    let all = all_at_rest(&hub, ALICE, MOST_AT_ONCE, &network);
    commit(&hub, ALICE, 1, None);

    assert_eq!(waiting(&all), 0);
    let brought = network.brought.lock().unwrap();
    let mine = thread::current().name().map(str::to_owned);
    assert!(brought.len() == MOST_AT_ONCE && brought.iter().all(|(_, by)| *by == mine));
}

/// The devices of one account waited until the last of another's ten thousand had its push.
#[test]
fn the_few_need_not_wait_for_the_very_many() {
    let hub = hub();
    let network = Arc::new(Watched::default());
    let many = all_at_rest(&hub, ALICE, 3_000, &network);
    let few = all_at_rest(&hub, BOB, MOST_AT_ONCE + 1, &network);
    let gate = network.gate.lock().unwrap();
    commit(&hub, ALICE, 1, None);
    commit(&hub, BOB, 2, None);
    drop(gate);
    let all = many.len() + few.len();
    until(|| network.brought.lock().unwrap().len() == all);

    let brought = network.brought.lock().unwrap();
    let to_many = &brought[0].0;
    let last = brought.iter().rposition(|(frame, _)| frame != to_many);
    assert!(last < Some(4 * MOST_AT_ONCE), "{last:?}");
}

/// Defective: as the server must never be.
#[derive(Debug)]
struct Defective;

impl Wire for Defective {
    fn try_push(&self, _: &Frame, _: Instant) -> Sent {
        panic!("on purpose")
    }

    fn address(&self) -> IpAddr {
        Ipv4Addr::LOCALHOST.into()
    }
}

/// One that panicked took the thread with it: nobody of very many was told anything any more, and nobody knew why.
#[test]
fn a_defect_at_one_connection_costs_the_others_nothing() {
    for others in [1, MOST_AT_ONCE + 1] {
        let (hub, network) = (hub(), Arc::new(Watched::default()));
        let first = at_rest(&hub, ALICE, "first", Arc::new(Defective));
        let others = all_at_rest(&hub, ALICE, others, &network);
        let last = at_rest(&hub, ALICE, "last", Arc::new(Defective));
        for version in 1..=2 {
            commit(&hub, ALICE, version, None);
            until(|| others[0].reached().version == Version(version));
        }
        assert_eq!(network.brought.lock().unwrap().len(), 2 * others.len());
        // They may not have been told: back again, they read it from the store.
        for defective in [first, last] {
            assert_eq!(ordered(&defective), Some((1011, String::new())));
        }
    }
}
