//! A deletion's rows, written straight to the store: no socket, no JSON, no rule.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use chatsync::domain::message::NewEntry;
use chatsync::domain::{AccountKey, ConversationId, RequestId, SdkAppId, UserId, View};
use chatsync::store::rows::{LogKind, NewAuditRecord, RequestRecord};
use chatsync::store::sqlite::{Options, SqliteStore};
use chatsync::store::{Abort, Job, Store as _, StoreError, WriteTx};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::value::RawValue;
use tempfile::TempDir;

use crate::Fallible;
use crate::measure::commits::Commits;
use crate::measure::cpu::of_threads;
use crate::measure::times::Times;
use crate::schedule::{Arrivals, Schedule};

const APP: SdkAppId = SdkAppId(1);
const TIME: i64 = 1_790_000_000_000;
/// The store's own threads. What answers belongs to whoever is answered.
const THREADS: [&str; 2] = ["chatsync-write", "chatsync-checkp"];
/// Jobs that wait at once: a commit takes up to 512.
const IN_FLIGHT: usize = 1024;

/// What the store did.
#[derive(Debug)]
pub(crate) struct Pace {
    pub(crate) per_second: f64,
    /// From the intended time to the end of the sync.
    pub(crate) times: Times,
    /// Microseconds of the store's processor time for each.
    pub(crate) each: f64,
    pub(crate) commits: Commits,
}

/// A store of accounts with conversations, as the scenario's server has them.
#[derive(Debug)]
pub(crate) struct RawStore {
    store: SqliteStore,
    accounts: Vec<AccountKey>,
    conversations: u32,
    random: fastrand::Rng,
    done: Sender<Outcome>,
    outcomes: Receiver<Outcome>,
    next: u64,
    _folder: TempDir,
}

/// When a job was to run, when it was committed, and for which account it was.
type Outcome = (Instant, Instant, Result<AccountKey, Abort>);

impl RawStore {
    /// Durable, as the server's is.
    pub(crate) fn new(accounts: u32, conversations: u32) -> Fallible<Self> {
        let folder = tempfile::tempdir()?;
        let store = SqliteStore::open(&Options {
            queue: 8 * IN_FLIGHT,
            group: 512,
            ..Options::small(folder.path())
        })?;
        let (done, outcomes) = channel();
        let mut raw = Self {
            store,
            accounts: Vec::new(),
            conversations,
            random: fastrand::Rng::with_seed(1),
            done,
            outcomes,
            next: 0,
            _folder: folder,
        };
        let mut begun = 0;
        while raw.accounts.len() < accounts as usize {
            if begun < accounts && (begun as usize) < raw.accounts.len() + IN_FLIGHT {
                raw.submit(Work::Make(begun), Instant::now())?;
                begun += 1;
            } else {
                let (_, _, made) = raw.outcomes.recv()?;
                raw.accounts.push(made?);
            }
        }
        Ok(raw)
    }

    /// As many as it can, always [`IN_FLIGHT`] waiting.
    pub(crate) fn top(&mut self, batch: u32, length: Duration) -> Fallible<Pace> {
        let began = Began::now(&self.store)?;
        let mut times = Times::default();
        let mut waiting = 0;
        loop {
            let is_over = began.at.elapsed() >= length;
            if !is_over && waiting < IN_FLIGHT {
                self.delete(batch, Instant::now())?;
                waiting += 1;
            } else if waiting > 0 {
                let (intended, at, outcome) = self.outcomes.recv()?;
                outcome?;
                times.record(at - intended);
                waiting -= 1;
            } else {
                return began.pace(&self.store, times);
            }
        }
    }

    /// So many a second, by a schedule.
    pub(crate) fn paced(&mut self, batch: u32, rate: f64, length: Duration) -> Fallible<Pace> {
        let began = Began::now(&self.store)?;
        let mut schedule = Schedule::new(Arrivals::Poisson, rate, began.at, length, 1);
        let mut times = Times::default();
        let mut waiting = 0;
        while schedule.peek().is_some() || waiting > 0 {
            while let Some(intended) = schedule.take(Instant::now()) {
                self.delete(batch, intended)?;
                waiting += 1;
            }
            let pause = schedule.peek().map_or(Duration::from_secs(1), |next| {
                next.saturating_duration_since(Instant::now())
            });
            if let Ok((intended, at, outcome)) = self.outcomes.recv_timeout(pause) {
                outcome?;
                times.record(at.saturating_duration_since(intended));
                waiting -= 1;
            }
        }
        began.pace(&self.store, times)
    }

    fn delete(&mut self, batch: u32, intended: Instant) -> Fallible<()> {
        let account = self
            .random
            .choice(&self.accounts)
            .copied()
            .ok_or("a store without accounts")?;
        let from = self.random.u32(..=self.conversations.saturating_sub(batch));
        self.next += 1;
        let work = Work::Delete {
            account,
            from,
            count: batch.min(self.conversations),
            request: self.next,
        };
        self.submit(work, intended)
    }

    fn submit(&self, work: Work, intended: Instant) -> Fallible<()> {
        self.store.submit(Box::new(Row {
            work,
            conversations: self.conversations,
            intended,
            account: AccountKey(0),
            done: self.done.clone(),
        }))?;
        Ok(())
    }
}

/// The beginning of a stretch, and what the store had used and committed then.
struct Began {
    at: Instant,
    used: Duration,
    commits: Commits,
}

impl Began {
    fn now(store: &SqliteStore) -> Fallible<Self> {
        Ok(Self {
            at: Instant::now(),
            used: of_threads(&THREADS)?,
            commits: commits(store)?,
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn pace(self, store: &SqliteStore, times: Times) -> Fallible<Pace> {
        let used = of_threads(&THREADS)?.saturating_sub(self.used);
        let count = times.count() as f64;
        Ok(Pace {
            per_second: count / self.at.elapsed().as_secs_f64(),
            each: used.as_secs_f64() * 1e6 / count.max(1.0),
            commits: commits(store)? - self.commits,
            times,
        })
    }
}

/// As a server shows them that has this store.
fn commits(store: &SqliteStore) -> Fallible<Commits> {
    let mut registry = Registry::with_prefix("chatsync");
    registry.register("store_commit_seconds", "", store.commits());
    let mut page = String::new();
    encode(&mut page, &registry)?;
    Commits::read(&page).ok_or_else(|| "the store's commits are not shown".into())
}

enum Work {
    /// An account with this number and its conversations.
    Make(u32),
    Delete {
        account: AccountKey,
        from: u32,
        count: u32,
        request: u64,
    },
}

struct Row {
    work: Work,
    conversations: u32,
    intended: Instant,
    account: AccountKey,
    done: Sender<Outcome>,
}

impl Job for Row {
    fn run(&mut self, tx: &mut dyn WriteTx) -> Result<(), Abort> {
        self.account = match self.work {
            Work::Make(number) => make(tx, number, self.conversations)?,
            Work::Delete {
                account,
                from,
                count,
                request,
            } => {
                delete(tx, account, from..from + count, request)?;
                account
            }
        };
        Ok(())
    }

    fn done(self: Box<Self>, outcome: Result<(), Abort>) {
        // Whoever waited has given up if this fails.
        drop(self.done.send((
            self.intended,
            Instant::now(),
            outcome.map(|()| self.account),
        )));
    }
}

fn conversation(number: u32) -> Result<ConversationId, StoreError> {
    Ok(ConversationId::C2c(
        UserId::new(format!("p0-{number}")).map_err(unexpected)?,
    ))
}

fn make(tx: &mut dyn WriteTx, number: u32, conversations: u32) -> Result<AccountKey, StoreError> {
    let user = |name: String| UserId::new(name).map_err(unexpected);
    let account = tx
        .create_account(APP, &user(format!("u{number}"))?, TIME)?
        .key;
    for other in 0..conversations {
        let peer = tx
            .create_account(APP, &user(format!("p{number}-{other}"))?, TIME)?
            .key;
        let log = tx.create_log(APP, &LogKind::Pair(account, peer))?;
        tx.put_view(account, &View::new(conversation(other)?, log))?;
        let entry = NewEntry {
            sender: None,
            time: TIME,
            kind: "TIMTextElem".into(),
            payload: RawValue::from_string(r#"{"text":"hello there"}"#.into())
                .map_err(unexpected)?,
            is_control: false,
        };
        tx.append(log, &entry)?;
    }
    Ok(account)
}

/// The rows that the server reads and writes for one deletion.
fn delete(
    tx: &mut dyn WriteTx,
    account: AccountKey,
    numbers: std::ops::Range<u32>,
    request: u64,
) -> Result<(), StoreError> {
    let id = RequestId::new(format!("r{request}")).map_err(unexpected)?;
    let known = tx.request(account, "d0", &id)?;
    if known.is_some() {
        return Err(unexpected("a request came twice"));
    }
    let version = tx.version(account)?.next();
    let (mut told, mut logs) = (Vec::new(), Vec::new());
    for number in numbers {
        let name = conversation(number)?;
        let mut view = tx
            .view(account, &name)?
            .ok_or_else(|| unexpected("no view"))?;
        let head = tx.head(view.log)?;
        view.floors.hidden_upto = head.last_seq;
        view.floors.history_floor = head.last_seq;
        view.told = view.floors;
        view.version = version;
        tx.put_view(account, &view)?;
        logs.push(view.log);
        told.push(format!(
            r#"{{"conversationID":"{name}","upTo":{}}}"#,
            head.last_seq.0
        ));
    }
    let told = format!(
        r#"{{"version":{},"conversationList":[{}]}}"#,
        version.0,
        told.join(",")
    );
    tx.schedule_erasure(&logs, TIME)?;
    let record = NewAuditRecord {
        time: TIME,
        app: APP,
        actor: "user:u0".into(),
        action: "conversation.delete".into(),
        target: "u0".into(),
        detail: told.clone(),
    };
    tx.add_deletion(account, version, &record)?;
    let record = RequestRecord {
        fingerprint: vec![0; 16],
        answer: told,
        time: TIME,
    };
    tx.put_request(account, "d0", &id, &record)
}

fn unexpected(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unexpected(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_committed() {
        let mut store = RawStore::new(3, 4).unwrap();
        let top = store.top(2, Duration::from_millis(100)).unwrap();
        assert!(top.per_second > 0.0 && top.times.count() > 0 && top.each > 0.0);
        assert!(
            (1..=top.times.count()).contains(&top.commits.count()),
            "{top:?}"
        );
        let paced = store.paced(4, 100.0, Duration::from_millis(200)).unwrap();
        assert!(paced.times.count() > 5, "{paced:?}");
    }
}
