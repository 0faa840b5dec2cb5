//! Two people, three devices each, and anything that can happen: every device ends equal to a small model.
//!
//! Each case is a list of random steps, made one after the other on a real server over real sockets: sends,
//! deletions (with and without history, of what was known or of all, with replies lost and retried), restores,
//! reads, pins, revokes, people leaving and joining; devices that go, come back, or start over; bursts that
//! overflow their queues; the switch flipped; the server restarted; time passing, and with it what is kept of the
//! history in some cases. `CONVERGENCE_CASES` sets how
//! many cases, `CONVERGENCE_SEED` repeats a run.

mod model;
mod world;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use model::Conv;
use world::World;

const CASES: u32 = 1_000;
const STEPS: usize = 50;

#[derive(Debug, Clone)]
enum Step {
    Send {
        who: (usize, usize),
        conv: Conv,
    },
    Delete {
        who: (usize, usize),
        convs: Vec<Conv>,
        clear: bool,
        known: bool,
        lose_reply: bool,
    },
    Restore {
        who: (usize, usize),
        convs: Vec<Conv>,
    },
    Clear {
        who: (usize, usize),
        conv: Conv,
    },
    Read {
        who: (usize, usize),
        conv: Conv,
    },
    Pin {
        who: (usize, usize),
        conv: Conv,
        pinned: bool,
    },
    Revoke {
        who: (usize, usize),
        conv: Conv,
    },
    Burst {
        convs: Vec<Conv>,
    },
    Membership {
        add: bool,
    },
    Leave {
        who: (usize, usize),
    },
    Vanish {
        who: (usize, usize),
    },
    Return {
        who: (usize, usize),
    },
    StartOver {
        who: (usize, usize),
    },
    Switch {
        on: bool,
    },
    Restart,
    Wait {
        days: i64,
    },
    Check,
}

fn who() -> impl Strategy<Value = (usize, usize)> {
    (0..2usize, 0..model::DEVICES)
}

fn conv() -> impl Strategy<Value = Conv> {
    prop::sample::select(&Conv::ALL[..])
}

fn convs() -> impl Strategy<Value = Vec<Conv>> {
    prop::sample::subsequence(&Conv::ALL[..], 1..=3)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (who(), conv()).prop_map(|(who, conv)| Step::Send { who, conv }),
        10 => (who(), convs(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.2)).prop_map(
            |(who, convs, clear, known, lose_reply)| Step::Delete { who, convs, clear, known, lose_reply }
        ),
        3 => (who(), convs()).prop_map(|(who, convs)| Step::Restore { who, convs }),
        2 => (who(), conv()).prop_map(|(who, conv)| Step::Clear { who, conv }),
        2 => (who(), conv()).prop_map(|(who, conv)| Step::Read { who, conv }),
        2 => (who(), conv(), any::<bool>()).prop_map(|(who, conv, pinned)| Step::Pin { who, conv, pinned }),
        2 => (who(), conv()).prop_map(|(who, conv)| Step::Revoke { who, conv }),
        2 => convs().prop_map(|convs| Step::Burst { convs }),
        2 => any::<bool>().prop_map(|add| Step::Membership { add }),
        3 => who().prop_map(|who| Step::Leave { who }),
        2 => who().prop_map(|who| Step::Vanish { who }),
        4 => who().prop_map(|who| Step::Return { who }),
        1 => who().prop_map(|who| Step::StartOver { who }),
        2 => any::<bool>().prop_map(|on| Step::Switch { on }),
        1 => Just(Step::Restart),
        1 => (1..9i64).prop_map(|days| Step::Wait { days }),
        1 => Just(Step::Check),
    ]
}

#[test]
fn every_device_ends_equal_to_the_model() {
    let cases =
        number("CONVERGENCE_CASES").map_or(CASES, |cases| u32::try_from(cases).expect("a count"));
    let seed = number("CONVERGENCE_SEED").unwrap_or_else(|| getrandom::u64().expect("random"));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");

    // A step shrinks to none at all, so that a failing case ends with those that matter.
    let steps = prop::collection::vec(prop::option::weighted(0.99, step()), STEPS);
    let kept = prop::option::weighted(0.3, 1..15i64);
    let case = (any::<bool>(), kept, steps);
    let outcome = TestRunner::new_with_rng(config, rng).run(&case, |(synced, kept, steps)| {
        // The case runs as a task of its own, so that a failed assertion is a failed case.
        let task = runtime
            .handle()
            .spawn(run(synced, kept, steps.into_iter().flatten().collect()));
        runtime.block_on(task).map_err(|error| {
            let panic = error.into_panic();
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            TestCaseError::fail(text.unwrap_or("panicked").to_owned())
        })
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, (synced, kept, steps))) => {
            let steps: Vec<_> = steps
                .iter()
                .flatten()
                .map(|step| format!("  {step:?}"))
                .collect();
            panic!(
                "CONVERGENCE_SEED={seed}: {reason}\nsynced: {synced}\nkept: {kept:?} days\n{}",
                steps.join("\n")
            );
        }
        Err(error) => panic!("CONVERGENCE_SEED={seed}: {error}"),
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().expect("a number"))
}

async fn run(synced: bool, kept: Option<i64>, steps: Vec<Step>) {
    let mut world = World::new(synced, kept).await;
    for step in steps {
        world = world.take(step).await;
    }
    world.check().await;
}
