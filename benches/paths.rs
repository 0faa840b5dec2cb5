//! How long each step of the hot paths takes: `cargo bench --bench paths`, or `-- --test` to run each once.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark stops at a failure, and waits for its tasks itself"
)]

mod ground;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Instant;

use chatsync::bus::{Audience, Committed, ConnectionId, Notice, Own, Subscriber};
use chatsync::domain::app::{KeyPrint, SecretKey};
use chatsync::domain::deletion::Deletion;
use chatsync::domain::login_policy::{LoginMode, LoginPolicy};
use chatsync::domain::{AccountKey, LogHead, LogId, Platform, Position, Seq, Version, View};
use chatsync::engine::usersig;
use chatsync::hub::{Arrival, Bounds, Frame, Hub, Registration, Sent, Wire};
use chatsync::protocol::push::{ConversationDeleted, DeletedConversation, Origin, Push};
use chatsync::protocol::{jsonrpc, method::Call, method::Login};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ground::{APP, BEGUN, Ground, KEY, Random, deletion, user};
use tokio::runtime::Runtime;

/// Views in the store where `CHATSYNC_BENCH_VIEWS` names no other number.
const VIEWS: usize = 100_000;
/// Deletions submitted together.
const GROUP: usize = 256;

/// `C2Cuser1` and those after it.
fn names(length: usize) -> Vec<String> {
    (1..=length)
        .map(|number| format!("C2C{}", user(number)))
        .collect()
}

fn frame(length: usize) -> String {
    let names = names(length);
    let up_to: std::collections::BTreeMap<_, _> = names.iter().map(|name| (name, 17)).collect();
    serde_json::json!({
        "jsonrpc": "2.0", "id": 2, "method": "conversation.delete",
        "params": { "conversationIDList": names, "upTo": up_to, "requestID": "7f1c8a52-9d1e-4c3b-8f0a-6f7f2f1c9d3e" },
    })
    .to_string()
}

fn push(length: usize) -> Push {
    Push::ConversationDeleted(ConversationDeleted {
        version: Version(42),
        conversation_list: names(length)
            .iter()
            .map(|name| DeletedConversation {
                conversation_id: name.parse().unwrap(),
                up_to: Seq(17),
            })
            .collect(),
        history_cleared: true,
        origin: Some(Origin {
            device_id: "a-phone".parse().unwrap(),
            platform: Platform::IPhone,
        }),
        time: 1_790_000_000_456,
    })
}

fn protocol(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("protocol");
    for length in [1, 100] {
        let text = frame(length);
        group.bench_function(format!("decode a delete of {length}"), |bench| {
            bench.iter(|| {
                let request = jsonrpc::parse(&text).unwrap();
                Call::parse(&request.method, request.params).unwrap()
            });
        });
        let push = push(length);
        group.bench_function(format!("encode a push of {length}"), |bench| {
            bench.iter(|| push.frame().unwrap());
        });
    }
    group.finish();
}

fn domain(criterion: &mut Criterion) {
    let view = View::new("C2Cbob".parse().unwrap(), LogId(1));
    let head = LogHead {
        last_seq: Seq(20),
        last_message_seq: Seq(20),
        message_count: 20,
    };
    let rule = Deletion {
        clear_history: true,
        synced: true,
        now: 1_790_000_000_000,
        undo_window: 604_800_000,
    };
    criterion.bench_function("domain/decide a deletion", |bench| {
        bench.iter_batched_ref(
            || view.clone(),
            |view| rule.apply(view, head, Seq(17), 17),
            BatchSize::SmallInput,
        );
    });
}

/// Waits for deletions of so many conversations that were submitted together.
async fn delete(ground: &Arc<Ground>, calls: usize, length: usize, next: &AtomicUsize) {
    let tasks: Vec<_> = (0..calls)
        .map(|_| {
            let ground = Arc::clone(ground);
            let number = next.fetch_add(1, Ordering::Relaxed);
            let mut random = Random::new(number);
            let (account, nth) = (random.below(ground.accounts.len()), random.below(BEGUN));
            tokio::spawn(async move {
                let call = deletion(&ground.accounts, account, nth, length, number);
                ground.engine.delete(&ground.phone(account), call).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

fn engine(criterion: &mut Criterion) {
    let views = std::env::var("CHATSYNC_BENCH_VIEWS").map_or(VIEWS, |views| views.parse().unwrap());
    let folder = tempfile::TempDir::new().unwrap();
    let accounts = ground::fill(folder.path(), views);
    let runtime = Runtime::new().unwrap();
    let ground = Arc::new(runtime.block_on(Ground::open(folder.path(), accounts)));
    let next = AtomicUsize::new(0);

    let mut group = criterion.benchmark_group("engine");
    group.sample_size(20);
    for (calls, length) in [(1, 1), (GROUP, 1), (GROUP / 16, 100)] {
        group.throughput(Throughput::Elements(calls as u64));
        let name = format!("commit {calls} deletes of {length} together");
        group.bench_function(name, |bench| {
            bench
                .to_async(&runtime)
                .iter(|| delete(&ground, calls, length, &next));
        });
    }
    group.throughput(Throughput::Elements(1));
    login_and_sync(&mut group, &runtime, &ground, &next);
    group.finish();
}

type Group<'c> = criterion::BenchmarkGroup<'c, criterion::measurement::WallTime>;

fn login_and_sync(
    group: &mut Group<'_>,
    runtime: &Runtime,
    ground: &Arc<Ground>,
    next: &AtomicUsize,
) {
    let engine = &ground.engine;
    let whole = |account| engine.sync(account, APP, None);
    let sig = usersig::sign(
        APP,
        &SecretKey::new(KEY),
        &user(0),
        engine.now() / 1000,
        86_400,
    );
    let login = Login {
        sdk_app_id: APP,
        user_id: user(0),
        user_sig: sig,
        device_id: "phone".parse().unwrap(),
        platform: Platform::IPhone,
        cursor: Some(runtime.block_on(whole(ground.accounts[0])).unwrap().cursor),
    };
    runtime.block_on(engine.authenticate(&login)).unwrap();
    group.bench_function("login with a cursor, nothing changed", |bench| {
        bench.to_async(runtime).iter(|| async {
            let identity = engine.authenticate(&login).await.unwrap();
            engine
                .sync(identity.account, APP, login.cursor.as_deref())
                .await
                .unwrap()
        });
    });

    for (name, ago) in [("just now", 0), ("10,000 operations ago", 10_000)] {
        let cursor = runtime.block_on(async {
            let cursor = whole(ground.accounts[1]).await.unwrap().cursor;
            for number in 0..10 + ago {
                let id = next.fetch_add(1, Ordering::Relaxed);
                let call = deletion(&ground.accounts, 1, number % 10, 1, id);
                engine.delete(&ground.phone(1), call).await.unwrap();
            }
            cursor
        });
        let name = format!("catch up with 10 of 200 that changed, cursor from {name}");
        group.bench_function(name, |bench| {
            bench.to_async(runtime).iter(|| async {
                let sync = engine
                    .sync(ground.accounts[1], APP, Some(&cursor))
                    .await
                    .unwrap();
                assert_eq!(sync.conversation_list.len(), 10);
                sync
            });
        });
    }
}

/// A network that takes every push, or none.
#[derive(Debug)]
struct Pipe(Sent);

impl Wire for Pipe {
    fn try_push(&self, _: &Frame, _: Instant) -> Sent {
        self.0
    }

    fn address(&self) -> IpAddr {
        Ipv4Addr::LOCALHOST.into()
    }
}

/// Devices of one account that wait for a push.
fn at_rest(hub: &Arc<Hub>, devices: usize, network: Sent) -> Vec<Registration> {
    let arrive = |device| {
        let arrival = Arrival {
            app: APP,
            key: KeyPrint(1),
            account: AccountKey(1),
            device: format!("device{device}").parse().unwrap(),
            platform: Platform::Web,
        };
        let wire = Arc::new(Pipe(network));
        let policy = LoginPolicy {
            mode: LoginMode::Multi,
            instances_per_platform: None,
        };
        let registration = hub
            .register(arrival, wire, hub.arriving(), policy, devices)
            .unwrap();
        rest(&registration);
        registration
    };
    (0..devices).map(arrive).collect()
}

fn rest(device: &Registration) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(device.outbox().poll_take(&mut context).is_pending());
    device.outbox().lend();
}

fn hub(criterion: &mut Criterion) {
    let bounds = Bounds {
        frames: 256,
        bytes: 256 * 1024,
    };
    let committed = Committed {
        notices: vec![Notice::Push {
            to: Audience::Account(AccountKey(1)),
            except: Some(Own {
                account: AccountKey(1),
                connection: ConnectionId(u64::MAX),
            }),
            push: push(1),
        }],
        position: None,
        at: Instant::now(),
    };
    let mut group = criterion.benchmark_group("hub");
    for (name, network) in [("straight", Sent::Whole), ("through queues", Sent::Nothing)] {
        let hub = Arc::new(Hub::new(bounds).unwrap());
        let devices = at_rest(&hub, 4, network);
        group.bench_function(format!("fan a push out to 4 devices {name}"), |bench| {
            bench.iter(|| {
                hub.deliver(&committed);
                for device in &devices {
                    if device.outbox().try_take().is_some() {
                        rest(device);
                    }
                }
            });
        });
    }
    let hub = Arc::new(Hub::new(bounds).unwrap());
    let devices = at_rest(&hub, 1_000, Sent::Whole);
    group.bench_function("fan a push out to 1,000 devices", |bench| {
        let mut position = 0;
        bench.iter(|| {
            position += 1;
            hub.deliver(&Committed {
                position: Some(Position(position)),
                ..committed.clone()
            });
            while devices[0].reached().position < Position(position) {
                std::hint::spin_loop();
            }
        });
    });
}

criterion_group!(paths, protocol, domain, hub, engine);
criterion_main!(paths);
