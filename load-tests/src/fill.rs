//! Fills a store with conversations.

use std::error::Error;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};

use chatsync::domain::message::{self, NewEntry};
use chatsync::domain::{ConversationId, SdkAppId, UserId, View};
use chatsync::store::rows::{Account, LogKind};
use chatsync::store::sqlite::{Options, SqliteStore};
use chatsync::store::{Abort, Job, Store, StoreError, WriteTx};
use serde_json::value::RawValue;

/// Conversations that an account has begun; it has as many that others began with it.
const BEGUN: u64 = 100;
const TIME: i64 = 1_790_000_000_000;

/// Makes a store in `folder` with so many pairs of accounts that have exchanged a message.
pub(crate) fn fill(folder: &Path, app: SdkAppId, conversations: u64) -> Result<(), Box<dyn Error>> {
    let options = Options {
        durable: false,
        ..Options::small(folder)
    };
    let store = SqliteStore::open(&options)?;
    let (done, outcomes) = channel();
    for account in 0..conversations.div_ceil(BEGUN) {
        store.submit(Box::new(Begin {
            app,
            account,
            count: BEGUN.min(conversations - account * BEGUN),
            done: done.clone(),
        }))?;
        outcomes.recv()??;
    }
    Ok(())
}

/// One account begins conversations with those numbered after it.
struct Begin {
    app: SdkAppId,
    account: u64,
    count: u64,
    done: Sender<Result<(), Abort>>,
}

impl Job for Begin {
    fn run(&mut self, tx: &mut dyn WriteTx) -> Result<(), Abort> {
        let own = account(tx, self.app, self.account)?;
        for other in self.account + 1..=self.account + self.count {
            let other = account(tx, self.app, other)?;
            let log = tx.create_log(self.app, &LogKind::Pair(own.key, other.key))?;
            for (of, with) in [(&own, &other), (&other, &own)] {
                let conversation = ConversationId::C2c(with.user.clone());
                tx.put_view(of.key, &View::new(conversation, log))?;
            }
            tx.append(log, &message(&own)?)?;
        }
        Ok(())
    }

    fn done(self: Box<Self>, outcome: Result<(), Abort>) {
        // Whoever waits for it has given up if this fails.
        drop(self.done.send(outcome));
    }
}

fn account(tx: &mut dyn WriteTx, app: SdkAppId, number: u64) -> Result<Account, StoreError> {
    let user = UserId::new(format!("user{number}")).map_err(unexpected)?;
    match tx.account(app, &user)? {
        Some(account) => Ok(account),
        None => tx.create_account(app, &user, TIME),
    }
}

fn message(from: &Account) -> Result<NewEntry, StoreError> {
    Ok(NewEntry {
        sender: Some(message::Sender {
            key: from.key,
            user: from.user.clone(),
        }),
        time: TIME,
        kind: "TIMTextElem".into(),
        payload: RawValue::from_string(r#"{"text":"hello"}"#.into()).map_err(unexpected)?,
        is_control: false,
    })
}

fn unexpected(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unexpected(error.to_string())
}
