//! What the thread takes in hand, and how far all has come when it is done.

use super::*;
use crate::hub::fanout::{Batch, MOST_UNDER_WAY, Push as NewFanout, UnderWay};

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
