use super::*;

const ACCOUNT: Stream = Stream::Account(1);
const OTHER: Stream = Stream::Account(2);

fn by(device: u32) -> Content {
    Content {
        device: Some(device),
        conversations: Some(1),
    }
}

/// Three devices of an account at version 10; device 0 has done what became version 11 and 12.
fn two_deletions() -> (Oracle, Instant) {
    let mut oracle = Oracle::default();
    let now = Instant::now();
    for device in 0..3 {
        oracle.caught_up(device, ACCOUNT, 10);
    }
    oracle.done(0, by(0), ACCOUNT, 11, now);
    oracle.done(0, by(0), ACCOUNT, 12, now);
    (oracle, now)
}

fn tell(oracle: &mut Oracle, device: usize, numbers: &[u64]) {
    for number in numbers {
        oracle.told(device, ACCOUNT, *number, by(0), Instant::now());
    }
}

fn closed(mut oracle: Oracle) -> Faults {
    oracle.close();
    oracle.faults
}

#[test]
fn everything_told_once_and_in_order_is_no_fault() {
    let (mut oracle, _) = two_deletions();
    assert!(!oracle.is_level());
    tell(&mut oracle, 1, &[11, 12]);
    tell(&mut oracle, 2, &[11, 12]);
    assert!(oracle.is_level());
    assert_eq!(closed(oracle), Faults::default());
}

#[test]
fn a_lost_notification_is_found() {
    let (mut oracle, _) = two_deletions();
    tell(&mut oracle, 1, &[11, 12]);
    tell(&mut oracle, 2, &[12]);
    let faults = Faults {
        lost: 1,
        behind: 1,
        ..Faults::default()
    };
    assert_eq!(closed(oracle), faults);
    // The last one is lost too, though no later one shows the gap.
    let (mut oracle, _) = two_deletions();
    tell(&mut oracle, 1, &[11, 12]);
    tell(&mut oracle, 2, &[11]);
    assert_eq!(closed(oracle), faults);
}

#[test]
fn one_that_nobody_heard_of_is_found_by_the_servers_head() {
    let (mut oracle, _) = two_deletions();
    tell(&mut oracle, 1, &[11, 12]);
    tell(&mut oracle, 2, &[11, 12]);
    oracle.head(ACCOUNT, 13);
    assert_eq!(
        closed(oracle),
        Faults {
            lost: 3,
            behind: 3,
            ..Faults::default()
        }
    );
}

#[test]
fn a_notification_that_comes_twice_is_found() {
    let (mut oracle, _) = two_deletions();
    tell(&mut oracle, 1, &[11, 11, 12]);
    tell(&mut oracle, 2, &[11, 12]);
    assert_eq!(
        closed(oracle),
        Faults {
            twice: 1,
            ..Faults::default()
        }
    );
}

#[test]
fn an_echo_to_the_actor_is_found() {
    let (mut oracle, _) = two_deletions();
    tell(&mut oracle, 0, &[12]);
    tell(&mut oracle, 1, &[11, 12]);
    tell(&mut oracle, 2, &[11, 12]);
    assert_eq!(
        closed(oracle),
        Faults {
            twice: 1,
            ..Faults::default()
        }
    );
}

#[test]
fn a_notification_out_of_order_is_found() {
    let (mut oracle, _) = two_deletions();
    tell(&mut oracle, 1, &[12, 11]);
    tell(&mut oracle, 2, &[11, 12]);
    assert_eq!(
        closed(oracle),
        Faults {
            disordered: 1,
            ..Faults::default()
        }
    );
}

#[test]
fn a_notification_to_another_account_is_found() {
    let (mut oracle, now) = two_deletions();
    tell(&mut oracle, 1, &[11, 12]);
    tell(&mut oracle, 2, &[11, 12]);
    oracle.caught_up(9, OTHER, 10);
    oracle.told(9, OTHER, 11, by(0), now);
    assert_eq!(
        closed(oracle),
        Faults {
            unexplained: 1,
            ..Faults::default()
        }
    );
}

#[test]
fn a_notification_that_names_another_actor_is_found() {
    for told_first in [false, true] {
        let mut oracle = Oracle::default();
        let now = Instant::now();
        oracle.caught_up(0, ACCOUNT, 10);
        oracle.caught_up(1, ACCOUNT, 10);
        if told_first {
            oracle.told(1, ACCOUNT, 11, by(5), now);
        }
        oracle.done(0, by(0), ACCOUNT, 11, now);
        if !told_first {
            oracle.told(1, ACCOUNT, 11, by(5), now);
        }
        assert_eq!(
            closed(oracle),
            Faults {
                misplaced: 1,
                ..Faults::default()
            }
        );
    }
}

#[test]
fn a_notification_of_fewer_conversations_is_found() {
    let (mut oracle, now) = two_deletions();
    tell(&mut oracle, 1, &[11, 12]);
    tell(&mut oracle, 2, &[11]);
    let part = Content {
        conversations: Some(0),
        ..by(0)
    };
    oracle.told(2, ACCOUNT, 12, part, now);
    let faults = Faults {
        garbled: 1,
        ..Faults::default()
    };
    assert_eq!(closed(oracle), faults);
}

#[test]
fn two_operations_with_one_number_are_found() {
    let (mut oracle, now) = two_deletions();
    tell(&mut oracle, 1, &[11]);
    tell(&mut oracle, 2, &[11, 12]);
    oracle.done(1, by(1), ACCOUNT, 12, now);
    assert_eq!(
        closed(oracle),
        Faults {
            clashing: 1,
            ..Faults::default()
        }
    );
}

#[test]
fn what_nobody_did_is_found_unless_an_answer_was_lost() {
    let mut oracle = Oracle::default();
    oracle.caught_up(0, ACCOUNT, 10);
    oracle.told(0, ACCOUNT, 11, Content::default(), Instant::now());
    oracle.told(0, ACCOUNT, 12, Content::default(), Instant::now());
    oracle.unknown(ACCOUNT);
    assert_eq!(
        closed(oracle),
        Faults {
            unexplained: 1,
            ..Faults::default()
        }
    );
}

#[test]
fn a_catch_up_covers_what_was_missed_and_pushes_up_to_it_are_ignored() {
    let (mut oracle, _) = two_deletions();
    tell(&mut oracle, 1, &[11, 12]);
    tell(&mut oracle, 2, &[12]);
    oracle.caught_up(2, ACCOUNT, 12);
    tell(&mut oracle, 2, &[11, 12]);
    assert_eq!(closed(oracle), Faults::default());
}

#[test]
fn a_device_that_left_is_not_waited_for() {
    let (mut oracle, _) = two_deletions();
    tell(&mut oracle, 1, &[11, 12]);
    oracle.left(2, [ACCOUNT]);
    assert!(oracle.is_level());
    assert_eq!(closed(oracle), Faults::default());
}

#[test]
fn latency_runs_from_the_intended_time_also_if_the_push_is_before_the_answer() {
    let mut oracle = Oracle::default();
    let intended = Instant::now();
    let after = |ms| intended + Duration::from_millis(ms);
    for device in 0..3 {
        oracle.caught_up(device, ACCOUNT, 0);
    }
    assert_eq!(
        oracle.told(1, ACCOUNT, 1, by(0), after(3)),
        Heard::default()
    );
    let answered = oracle.done(0, by(0), ACCOUNT, 1, intended);
    assert_eq!(answered.latencies, [Duration::from_millis(3)]);
    assert!(!answered.is_complete);
    let last = oracle.told(2, ACCOUNT, 1, by(0), after(5));
    assert_eq!(last.latencies, [Duration::from_millis(5)]);
    assert!(last.is_complete);
}

#[test]
fn what_everybody_heard_is_forgotten() {
    let mut oracle = Oracle::default();
    let now = Instant::now();
    oracle.caught_up(0, ACCOUNT, 0);
    oracle.caught_up(1, ACCOUNT, 0);
    for number in 1..=10_000 {
        oracle.done(0, by(0), ACCOUNT, number, now);
        oracle.told(1, ACCOUNT, number, by(0), now);
    }
    assert!(oracle.streams[&ACCOUNT].operations.len() <= 128);
}
