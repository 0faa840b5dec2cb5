//! What a durable deletion costs in processor time, by thread, and what `SQLite` alone takes for the same rows.
//!
//! `cargo bench --bench cost`. In the environment: `CHATSYNC_BENCH_VIEWS` (100,000), `CHATSYNC_BENCH_DELETES`
//! (20,000), `CHATSYNC_BENCH_RATE` (5,000, of the deletions that come at a steady rate), and `CHATSYNC_BENCH_ONLY`, a part of the name of what to measure.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark stops at a failure, prints what it finds, waits for its tasks itself, and counts little"
)]

#[path = "../ground/mod.rs"]
mod ground;
mod paced;
mod raw;
mod times;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs};

use chatsync::domain::AccountKey;
use ground::{BEGUN, Ground, Random};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Devices that delete at the same time, each waiting for its answer before the next.
const DEVICES: usize = 256;

/// What is to be done: so many calls, each with so many conversations.
#[derive(Clone, Copy)]
struct Load {
    calls: usize,
    length: usize,
}

fn main() {
    // `cargo bench -- --test`: whether it works at all.
    let is_test = env::args().any(|argument| argument == "--test");
    let number = |name: &str, usual: usize, test: usize| match env::var(name) {
        Ok(text) => text.parse().unwrap(),
        Err(_) if is_test => test,
        Err(_) => usual,
    };
    let views = number("CHATSYNC_BENCH_VIEWS", 100_000, 0);
    let deletes = number("CHATSYNC_BENCH_DELETES", 20_000, DEVICES);
    let only = env::var("CHATSYNC_BENCH_ONLY").unwrap_or_default();

    let filled = TempDir::new().unwrap();
    let accounts = ground::fill(filled.path(), views);
    let size = fs::metadata(filled.path().join("chatsync.db"))
        .unwrap()
        .len()
        >> 20;
    println!(
        "{} views of {} accounts, {size} MB",
        accounts.len() * 2 * BEGUN,
        accounts.len()
    );
    if "paced".contains(&only) {
        let rate = number("CHATSYNC_BENCH_RATE", 5_000, 5_000);
        pace(filled.path(), &accounts, deletes, rate);
    }
    for load in [
        Load {
            calls: deletes,
            length: 1,
        },
        Load {
            calls: deletes.div_ceil(20),
            length: 100,
        },
    ] {
        for (who, measure) in [("SQLite", raw::measure as Measure), ("engine", measure)] {
            let name = format!("{who}, {} conversations", load.length);
            if name.contains(&only) {
                let folder = copy(filled.path());
                let spent = measure(folder.path(), &accounts, load);
                println!("{name:24} {}", spent.of(u32::try_from(load.calls).unwrap()));
            }
        }
    }
}

/// Deletions that come at a steady rate, in small commits.
fn pace(filled: &Path, accounts: &[AccountKey], calls: usize, rate: usize) {
    let folder = copy(filled);
    let runtime = runtime();
    let ground = Arc::new(runtime.block_on(Ground::open(folder.path(), accounts.to_vec())));
    let mut latencies = None;
    let spent = times::measure(|| {
        latencies = Some(runtime.block_on(paced::run(Arc::clone(&ground), calls, rate)));
    });
    println!(
        "{:24} {}",
        format!("paced, {rate}/s"),
        spent.of(u32::try_from(calls).unwrap())
    );
    println!("{:24} {}", "", latencies.unwrap().show());
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap()
}

type Measure = fn(&Path, &[AccountKey], Load) -> times::Spent;

/// Deletions by many devices at once.
fn measure(folder: &Path, accounts: &[AccountKey], load: Load) -> times::Spent {
    let runtime = runtime();
    let ground = Arc::new(runtime.block_on(Ground::open(folder, accounts.to_vec())));
    let next = Arc::new(AtomicUsize::new(0));
    times::measure(|| {
        runtime.block_on(async {
            let devices: Vec<_> = (0..DEVICES)
                .map(|_| tokio::spawn(delete(Arc::clone(&ground), Arc::clone(&next), load)))
                .collect();
            for device in devices {
                device.await.unwrap();
            }
        });
    })
}

async fn delete(ground: Arc<Ground>, next: Arc<AtomicUsize>, load: Load) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= load.calls {
            return;
        }
        let (account, nth) = pick(number, ground.accounts.len());
        let call = ground::deletion(&ground.accounts, account, nth, load.length, number);
        let answer = ground
            .engine
            .delete(&ground.phone(account), call)
            .await
            .unwrap();
        assert!(answer.results.iter().all(|result| result.code == 0));
    }
}

/// The account that makes a call, and the first of its conversations that are meant.
fn pick(number: usize, accounts: usize) -> (usize, usize) {
    let mut random = Random::new(number);
    (random.below(accounts), random.below(BEGUN))
}

/// A copy of the filled store, so that each measurement finds the same.
fn copy(filled: &Path) -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in fs::read_dir(filled).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    folder
}
