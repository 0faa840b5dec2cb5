//! Pushes to very many.

use std::sync::atomic::AtomicBool;

use super::super::fanout::{Batch, MOST_UNDER_WAY, Push as NewFanout, THREAD, UnderWay};
use super::super::roster::MOST_AT_ONCE;
use super::*;

const HELD_UP: AccountKey = AccountKey(9);

/// Takes every push, and notes which thread brought it. The thread for very many waits at the gate.
#[derive(Debug, Default)]
pub(super) struct Watched {
    brought: Mutex<Vec<(Frame, Option<String>)>>,
    gate: Mutex<()>,
    /// The thread stands at the gate, or has passed it.
    waits: AtomicBool,
    /// Before each push is taken.
    pause: Duration,
}

impl Watched {
    pub(super) fn slow(pause: Duration) -> Self {
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

/// Devices of an account on a network that takes all, at rest.
pub(super) fn at_rest(
    hub: &Arc<Hub>,
    account: AccountKey,
    devices: usize,
    network: &Arc<Watched>,
) -> Vec<Registration> {
    let device = |number: usize| {
        let registration = hub
            .register(
                arrival(account, &number.to_string(), Platform::Web),
                Arc::clone(network) as Arc<dyn Wire>,
                hub.arriving(),
                LoginPolicy::default(),
                usize::MAX,
            )
            .unwrap();
        let mut context = Context::from_waker(Waker::noop());
        assert!(registration.outbox().poll_take(&mut context).is_pending());
        registration.outbox().lend();
        registration
    };
    (0..devices).map(device).collect()
}

fn waiting(devices: &[Registration]) -> usize {
    let left = devices.iter().filter(|one| !one.outbox().is_empty());
    left.count()
}

pub(super) fn until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1));
        thread::yield_now();
    }
}

/// Each write keeps those waiting who are told next.
#[test]
fn very_many_are_told_by_a_thread_for_that() {
    let hub = hub();
    let network = Arc::new(Watched::default());
    let all = at_rest(&hub, ALICE, 2_000, &network);
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
    let all = at_rest(&hub, ALICE, MOST_AT_ONCE, &network);
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
    let many = at_rest(&hub, ALICE, 3_000, &network);
    let few = at_rest(&hub, BOB, MOST_AT_ONCE + 1, &network);
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

/// A thread that can't go on: an account of very many stands before the gate.
fn hold_up(hub: &Arc<Hub>, network: &Arc<Watched>) -> Vec<Registration> {
    let held_up = at_rest(hub, HELD_UP, MOST_AT_ONCE + 1, network);
    commit(hub, HELD_UP, 1, None);
    until(|| network.waits.load(Ordering::Acquire));
    held_up
}

/// Devices whose network takes nothing.
fn devices(hub: &Arc<Hub>, account: AccountKey, count: usize) -> Vec<Registration> {
    let enter = |number: usize| join(hub, account, &number.to_string());
    (0..count).map(enter).collect()
}

/// The versions of the pushes that wait for a connection; 0: the place of an answer.
pub(super) fn taken(registration: &Registration) -> Vec<u64> {
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
pub(super) fn tell(hub: &Hub, to: &[AccountKey], version: u64, position: u64) {
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

/// Notes a push to an account's devices, which are very many.
fn note(under_way: &UnderWay, account: AccountKey) -> Turn {
    under_way.add(NewFanout {
        to: Audience::Account(account),
        except: None,
        frame: Some(Frame::from("")),
        version: Version(1),
        committed: Instant::now(),
    });
    under_way.newest()
}

/// Takes in hand what may be, and gives the turns of each audience's.
fn begun(under_way: &UnderWay) -> (Vec<Batch>, Vec<Vec<Turn>>) {
    let batches = under_way.begin(true);
    let turns = batches
        .iter()
        .map(|batch| batch.iter().map(|one| one.turn).collect());
    let turns = turns.collect();
    (batches, turns)
}

/// Each had a way of its own through the audience, on which all that had come since was given along: devices had heard
/// four when one was done, and what had long been told was still under way by the hundred.
#[test]
fn one_way_through_an_audience_brings_all_that_has_come() {
    let under_way = UnderWay::default();
    let [first, second] = [note(&under_way, ALICE), note(&under_way, ALICE)];
    let other = note(&under_way, BOB);
    let (batches, turns) = begun(&under_way);
    assert_eq!(turns, [vec![first, second], vec![other]]);
    let [third, fourth] = [note(&under_way, ALICE), note(&under_way, ALICE)];
    assert_eq!(begun(&under_way).1, [[]; 0], "they wait for those before");
    under_way.finish(&batches[0]);
    assert_eq!(begun(&under_way).1, [[third, fourth]]);
}

/// What the hint stands for was committed before those that are done.
#[test]
fn where_a_hint_is_last_nothing_counts_as_told_from_what_it_stands_for_on() {
    let under_way = UnderWay::default();
    let before = note(&under_way, BOB);
    assert_eq!(under_way.hold(Position(10)), None);
    note(&under_way, ALICE);
    assert_eq!(under_way.hold(Position(20)), None);
    let others: Vec<_> = (100..98 + i64::try_from(MOST_UNDER_WAY).unwrap())
        .map(|number| note(&under_way, AccountKey(number)))
        .collect();
    assert_eq!(under_way.hold(Position(30)), None);
    let hint = note(&under_way, ALICE);
    assert_eq!(under_way.hold(Position(40)), None);

    let mut finished = Vec::new();
    loop {
        let (batches, turns) = begun(&under_way);
        if batches.is_empty() {
            break;
        }
        let reached = batches.iter().map(|batch| under_way.finish(batch));
        finished.extend(turns.concat().into_iter().zip(reached));
    }
    let told = [(before, Some(Position(10)))].into_iter();
    let untold = others.into_iter().map(|other| (other, None));
    let all: Vec<_> = told
        .chain(untold)
        .chain([(hint, Some(Position(40)))])
        .collect();
    assert_eq!(finished, all);
    assert_eq!(under_way.hold(Position(50)), Some(Position(50)));
}
