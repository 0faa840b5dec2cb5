//! What the benchmarks stand on: an engine over a real store, filled with conversations.

use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use chatsync::bus::{ConnectionId, LocalBus, Subscriber};
use chatsync::domain::app::{App, Features, SecretKey};
use chatsync::domain::message::{NewEntry, Sender};
use chatsync::domain::{AccountKey, ConversationId, Platform, SdkAppId, Seq, UserId, View};
use chatsync::engine::{Actor, Engine, Limits, SystemClock};
use chatsync::hub::{Bounds, Hub};
use chatsync::protocol::method;
use chatsync::store::rows::LogKind;
use chatsync::store::sqlite::{Options, SqliteStore};
use chatsync::store::{Abort, Job, Result, Store, WriteTx};
use serde_json::value::RawValue;

pub(crate) const APP: SdkAppId = SdkAppId(1_400_000_001);
pub(crate) const KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";
/// Conversations that each account begins with those numbered after it; it has twice as many.
pub(crate) const BEGUN: usize = 100;
const TIME: i64 = 1_790_000_000_000;

/// An account of the ring: `user0` has conversations with the 100 before it and the 100 after it.
pub(crate) fn user(number: usize) -> UserId {
    UserId::new(format!("user{number}")).unwrap()
}

/// A ring of accounts, each with a message to and from each of its 200 neighbours.
pub(crate) struct Ground {
    pub(crate) engine: Arc<Engine>,
    pub(crate) accounts: Vec<AccountKey>,
}

/// Makes a store in `folder` with so many views, at least 201 × 200 of them.
pub(crate) fn fill(folder: &Path, views: usize) -> Vec<AccountKey> {
    let options = Options {
        durable: false,
        ..Options::small(folder)
    };
    let store = SqliteStore::open(&options).unwrap();
    let count = (views / (2 * BEGUN)).max(2 * BEGUN + 1);
    let accounts = write(&store, move |tx| {
        tx.put_app(&App {
            id: APP,
            keys: vec![SecretKey::new(KEY)],
            admins: vec!["administrator".into()],
            features: Features {
                sync_conversation_deletion: true,
                ..Features::default()
            },
            disabled: false,
            created_at: TIME,
        })?;
        (0..count)
            .map(|number| Ok(tx.create_account(APP, &user(number), TIME)?.key))
            .collect::<Result<Vec<_>>>()
    });
    for number in 0..count {
        let accounts = accounts.clone();
        write(&store, move |tx| {
            for step in 1..=BEGUN {
                talk(tx, &accounts, number, (number + step) % accounts.len())?;
            }
            Ok(())
        });
    }
    accounts
}

/// One message from one account to another, in a conversation that both have from then on.
fn talk(tx: &mut dyn WriteTx, accounts: &[AccountKey], from: usize, to: usize) -> Result<()> {
    let log = tx.create_log(APP, &LogKind::Pair(accounts[from], accounts[to]))?;
    for (of, with) in [(from, to), (to, from)] {
        tx.put_view(
            accounts[of],
            &View::new(ConversationId::C2c(user(with)), log),
        )?;
    }
    let message = NewEntry {
        sender: Some(Sender {
            key: accounts[from],
            user: user(from),
        }),
        time: TIME,
        kind: "TIMTextElem".into(),
        payload: RawValue::from_string(r#"{"text":"hello"}"#.into()).unwrap(),
        is_control: false,
    };
    tx.append(log, &message).map(drop)
}

impl Ground {
    /// An engine over the store in `folder`, durable as it is served.
    pub(crate) async fn open(folder: &Path, accounts: Vec<AccountKey>) -> Self {
        let options = Options {
            queue: 8192,
            group: 512,
            readers: 4,
            ..Options::small(folder)
        };
        let store = Arc::new(SqliteStore::open(&options).unwrap());
        let hub = Arc::new(
            Hub::new(Bounds {
                frames: 256,
                bytes: 256 * 1024,
            })
            .unwrap(),
        );
        let subscriber: Arc<dyn Subscriber> = Arc::<Hub>::clone(&hub);
        let limits = Limits {
            page: 1_000,
            group_members: 10_000,
            request_memory: 48 * 60 * 60 * 1000,
        };
        let bus = Arc::new(LocalBus::new(subscriber));
        let engine = Engine::new(store, bus, Arc::new(SystemClock), limits)
            .await
            .unwrap();
        Self {
            engine: Arc::new(engine),
            accounts,
        }
    }

    /// The phone of an account of the ring.
    pub(crate) fn phone(&self, number: usize) -> Actor {
        let device = ("phone".parse().unwrap(), Platform::IPhone);
        let account = self.accounts[number];
        Actor::device(APP, user(number), account, device, ConnectionId(u64::MAX))
    }
}

/// A deletion of conversations with the neighbours after an account, from the `nth` on.
pub(crate) fn deletion(
    accounts: &[AccountKey],
    account: usize,
    nth: usize,
    length: usize,
    id: usize,
) -> method::Delete {
    let names: Vec<_> = (nth..nth + length)
        .map(|nth| format!("C2C{}", user((account + 1 + nth % BEGUN) % accounts.len())))
        .collect();
    method::Delete {
        up_to: names.iter().map(|name| (name.clone(), Seq(1))).collect(),
        conversation_id_list: names,
        clear_history_message: true,
        request_id: Some(format!("request-{id:020}").parse().unwrap()),
    }
}

/// Numbers that look random and are the same in each run (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: usize) -> Self {
        Self(seed as u64)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }
}

struct Call<F>(
    Option<F>,
    std::sync::mpsc::Sender<std::result::Result<(), Abort>>,
);

impl<F: FnOnce(&mut dyn WriteTx) -> Result<()> + Send> Job for Call<F> {
    fn run(&mut self, tx: &mut dyn WriteTx) -> std::result::Result<(), Abort> {
        Ok((self.0.take().unwrap())(tx)?)
    }

    fn done(self: Box<Self>, outcome: std::result::Result<(), Abort>) {
        self.1.send(outcome).unwrap();
    }
}

/// Commits something as a job of its own.
pub(crate) fn write<T: Send + 'static>(
    store: &dyn Store,
    act: impl FnOnce(&mut dyn WriteTx) -> Result<T> + Send + 'static,
) -> T {
    let slot = Arc::new(Mutex::new(None));
    let filled = Arc::clone(&slot);
    let (tell, told) = channel();
    let act = move |tx: &mut dyn WriteTx| {
        *filled.lock().unwrap() = Some(act(tx)?);
        Ok(())
    };
    store.submit(Box::new(Call(Some(act), tell))).unwrap();
    told.recv().unwrap().unwrap();
    slot.lock().unwrap().take().unwrap()
}
