//! Killed under load, again and again, on one store.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::time::sleep;

use super::call::{Call, check_acknowledged};
use super::random::Random;
use super::truth::Truth;
use crate::harness::{Event, ServerProcess, TestDevice, Who, all_show};

const CYCLES: u64 = 200;
/// Calls that a device has under way at once.
const DEPTH: usize = 4;
const DEVICES: [(&str, &str); 4] = [
    ("alice", "phone"),
    ("alice", "laptop"),
    ("alice", "tablet"),
    ("bob", "phone"),
];

/// When the process is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    After(Duration),
    /// As soon as a device has seen so many answers, or pushes.
    Answers(u64),
    Pushes(u64),
}

impl Moment {
    fn random(random: &mut Random) -> Self {
        match random.below(3) {
            0 => Self::After(Duration::from_micros(random.below(40_000))),
            1 => Self::Answers(1 + random.below(40)),
            _ => Self::Pushes(1 + random.below(80)),
        }
    }
}

/// Kills the server when the moment has come.
struct Killer<'s> {
    server: RefCell<&'s mut ServerProcess>,
    moment: Moment,
    seen: RefCell<(u64, u64)>,
}

impl Killer<'_> {
    async fn wait(&self) {
        if let Moment::After(time) = self.moment {
            sleep(time).await;
            self.server.borrow_mut().strike();
        }
    }

    fn saw(&self, answers: u64, pushes: u64) {
        let mut seen = self.seen.borrow_mut();
        *seen = (seen.0 + answers, seen.1 + pushes);
        let has_come = match self.moment {
            Moment::After(_) => false,
            Moment::Answers(count) => answers > 0 && seen.0 == count,
            Moment::Pushes(count) => pushes > 0 && seen.1 == count,
        };
        if has_come {
            self.server.borrow_mut().strike();
        }
    }
}

/// Makes calls as fast as it can until the server is gone.
async fn work(
    device: &mut TestDevice,
    name: String,
    mut random: Random,
    killer: &Killer<'_>,
) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut under_way = VecDeque::new();
    loop {
        while under_way.len() < DEPTH {
            let call = random_call(
                &device.who.user,
                &mut random,
                &format!("{name}-{}", calls.len()),
            );
            under_way.push_back((device.ask(call.method, &call.params).await, calls.len()));
            calls.push(call);
        }
        match device.next_event().await {
            Event::Answer(id, answer) => {
                killer.saw(1, 0);
                let (asked, at) = under_way.pop_front().expect("something was asked");
                assert_eq!(id, asked, "answers come in the order of the calls");
                let call: &mut Call = &mut calls[at];
                let answer = answer.unwrap_or_else(|error| panic!("{call:?}: {error:?}"));
                device.learn(call.method, &call.params, &answer);
                call.answer = Some(answer);
            }
            Event::Push => killer.saw(0, 1),
            Event::End => return calls,
        }
    }
}

fn random_call(user: &str, random: &mut Random, request: &str) -> Call {
    let peer = if user == "alice" {
        "C2Cbob"
    } else {
        "C2Calice"
    };
    let own = format!("C2C{user}");
    let all = [peer, "GROUPteam", &own];
    let one = all[usize::try_from(random.below(3)).expect("small")];
    match random.below(6) {
        0 => Call::delete(&[one], random.below(2) == 0, request),
        1 => Call::delete(&all, random.below(2) == 0, request),
        _ => Call::send(one, request),
    }
}

/// Nothing was told that the store does not have.
fn check_told(device: &mut TestDevice, truth: &Truth) {
    let user = device.who.user.clone();
    for push in device.take_told() {
        match push.method.as_str() {
            "message.received" => truth.has_message(&user, &push.params["message"]),
            "conversation.deleted" => {
                truth.has_deletion(
                    &user,
                    &push.params["version"],
                    &push.params["conversationList"],
                );
            }
            "sync.hint" => assert!(push.params["head"].as_i64() <= Some(truth.head(&user))),
            other => panic!("{user} was told {other}"),
        }
    }
}

/// Every device shows what a new one is shown.
async fn all_agree(server: &ServerProcess, devices: &mut [TestDevice]) {
    for user in ["alice", "bob"] {
        let mut fresh = server.device(user, "new").await;
        let own = devices.iter_mut().filter(|device| device.who.user == user);
        all_show(&fresh, &mut own.collect::<Vec<_>>()).await;
        fresh.leave().await;
    }
}

/// The server, its devices, and each account's version once everybody has a conversation with everybody.
async fn prepared() -> (ServerProcess, Vec<TestDevice>, BTreeMap<String, i64>) {
    let server = ServerProcess::start().await;
    server.set_switch(true).await;
    let mut devices = Vec::new();
    for (user, name) in DEVICES {
        devices.push(TestDevice::fresh(&server, Who::new(user, name)).await);
    }
    devices[0].create_group("team", &["bob"]).await;
    for (device, conversation) in [
        (0, "C2Cbob"),
        (0, "C2Calice"),
        (0, "GROUPteam"),
        (3, "C2Cbob"),
    ] {
        let call = Call::send(conversation, &format!("setup-{device}-{conversation}"));
        call.made(&mut devices[device]).await;
    }
    let truth = Truth::of(&server.data());
    let heads = ["alice", "bob"].map(|user| (user.to_owned(), truth.head(user)));
    for device in &mut devices {
        device.settle().await;
    }
    (server, devices, heads.into())
}

#[derive(Debug, Default)]
struct Tally {
    calls: usize,
    acknowledged: usize,
    /// Not acknowledged, and committed all the same.
    found: usize,
    told: usize,
}

/// One cycle: load, kill, restart, look, retry, converge.
async fn cycle(
    number: u64,
    server: &mut ServerProcess,
    devices: &mut [TestDevice],
    heads: &BTreeMap<String, i64>,
    random: &mut Random,
    tally: &mut Tally,
) {
    let killer = Killer {
        server: RefCell::new(server),
        moment: Moment::random(random),
        seen: RefCell::default(),
    };
    let working = devices.iter_mut().map(|device| {
        let name = format!("{number}-{}", device.who.device);
        work(device, name, random.fork(), &killer)
    });
    let (mut calls, ()) = tokio::join!(join_all(working), killer.wait());
    tally.told += usize::try_from(killer.seen.into_inner().1).expect("small");
    server.ended().await;

    server.run().await;
    let truth = Truth::of(&server.data());
    truth.holds_together(heads);
    for (device, calls) in devices.iter_mut().zip(&calls) {
        check_acknowledged(device, calls, &truth);
        check_told(device, &truth);
        let acknowledged = calls.iter().filter(|call| call.answer.is_some()).count();
        let known = |call: &&Call| truth.answer(&device.who, call.request()).is_some();
        tally.calls += calls.len();
        tally.acknowledged += acknowledged;
        tally.found += calls.iter().filter(known).count() - acknowledged;
    }
    for (device, calls) in devices.iter_mut().zip(&mut calls) {
        device.resume(server).await;
        for call in calls {
            call.retry(device, &truth).await;
        }
    }
    all_agree(server, devices).await;
    for device in devices {
        device.take_told();
    }
}

/// `CRASH_CYCLES` says how many, `CRASH_SEED` repeats a run's calls and moments.
fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
    )
}

#[tokio::test]
async fn what_was_acknowledged_or_told_survives_kills() {
    let cycles = from_environment("CRASH_CYCLES").unwrap_or(CYCLES);
    let seed = from_environment("CRASH_SEED").unwrap_or_else(|| getrandom::u64().expect("a seed"));
    // Shown if the test fails, as is the cycle it came to.
    eprintln!("CRASH_SEED={seed}");
    let mut random = Random::new(seed);
    let (mut server, mut devices, heads) = prepared().await;
    let (mut tally, began) = (Tally::default(), Instant::now());
    for number in 1..=cycles {
        eprintln!("cycle {number}, after {:?}", began.elapsed());
        cycle(
            number,
            &mut server,
            &mut devices,
            &heads,
            &mut random,
            &mut tally,
        )
        .await;
    }
    eprintln!("{cycles} kills in {:?}: {tally:?}", began.elapsed());
    let truth = Truth::of(&server.data());
    truth.holds_together(&heads);
    truth.is_intact();
    // A run that never caught the server at work would show nothing.
    assert!(
        tally.acknowledged as u64 > cycles && tally.told as u64 > cycles,
        "{tally:?}"
    );
    assert!(tally.calls > tally.acknowledged, "{tally:?}");
}
