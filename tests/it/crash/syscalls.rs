//! One system call after another fails, until a run meets no failure any more.
//!
//! Whatever fails, and whenever: the server does not start, or goes on, or stops by itself and says why; nothing
//! that it acknowledged is lost, and the next start, on a disk that is well again, finds a store that is whole.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tempfile::TempDir;

use super::call::{Call, check_acknowledged};
use super::strace::Fault;
use super::truth::Truth;
use crate::harness::{Ended, Launch, ServerProcess, TestDevice};

const IO_FAILURE: i32 = 74;

/// How a run under a fault went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    NotMet,
    DidNotStart,
    LoginRefused,
    /// Some call was refused, or none was touched, and the server went on.
    WentOn,
    /// A call was answered that its outcome is unknown, and the server stopped.
    Unknown,
    /// The connection ended without an answer, and the server stopped.
    Stopped,
    /// All went well until the server stopped; only moving the log at the end failed.
    KeptItsLog,
}

/// A store that goes from one run to the next.
struct Rig {
    server: ServerProcess,
    phone: TestDevice,
    heads: BTreeMap<String, i64>,
    log: TempDir,
    runs: usize,
}

impl Rig {
    async fn new() -> Self {
        let server = ServerProcess::start().await;
        server.set_switch(true).await;
        let mut phone = server.device("alice", "phone").await;
        let call = Call::send("C2Cbob", "setup");
        call.made(&mut phone).await;
        let head = Truth::of(&server.data()).head("alice");
        Self {
            server,
            phone,
            heads: [("alice".to_owned(), head)].into(),
            log: TempDir::new().expect("a folder"),
            runs: 0,
        }
    }

    fn file(&self, end: &str) -> PathBuf {
        self.server.data().join(format!("chatsync.{end}"))
    }

    fn every_file(&self) -> Vec<PathBuf> {
        ["db", "db-wal", "db-shm", "lock"]
            .map(|end| self.file(end))
            .into()
    }

    /// One run under a fault on what a killed server left behind, and one without to see what became of it.
    async fn meet(&mut self, fault: &Fault) -> Fate {
        self.runs += 1;
        let log = self.log.path().join(self.runs.to_string());
        self.server.crash().await;
        self.server.launch = fault.launch(&log);
        let mut calls = Vec::new();
        let fate = match self.server.try_run().await {
            Err(ended) => {
                ended.because(IO_FAILURE);
                Fate::DidNotStart
            }
            Ok(()) => self.work(&mut calls).await,
        };
        let met = Fault::was_met(&log);
        self.recover(&mut calls).await;
        if met { fate } else { Fate::NotMet }
    }

    /// Some calls, until the server is gone; then, or because it is told to, it ends.
    async fn work(&mut self, calls: &mut Vec<Call>) -> Fate {
        let fate = match self.phone.attempt_resume(&self.server).await {
            None => Fate::Stopped,
            Some(Err(error)) => {
                assert_eq!(error.code, 50004, "{error:?}");
                if error.data["outcome"] == "unknown" {
                    Fate::Unknown
                } else {
                    Fate::LoginRefused
                }
            }
            Some(Ok(())) => self.call(calls).await,
        };
        match fate {
            Fate::Unknown | Fate::Stopped => {
                let ended = self.server.ended().await;
                says_that_the_store_failed(&ended);
            }
            _ => {
                self.server.terminate();
                let ended = self.server.ended().await;
                // A fault may come as late as that: what devices did last is stored at the end.
                if ended.status.code() == Some(IO_FAILURE) {
                    says_that_the_store_failed(&ended);
                    return Fate::Stopped;
                }
                assert!(ended.status.success(), "{ended:?}");
                if ended.said.contains("the log stays beside the store") {
                    return Fate::KeptItsLog;
                }
            }
        }
        fate
    }

    async fn call(&mut self, calls: &mut Vec<Call>) -> Fate {
        for number in 0..6 {
            let request = format!("{}-{number}", self.runs);
            let mut call = if number % 3 == 2 {
                Call::delete(&["C2Cbob"], true, &request)
            } else {
                Call::send("C2Cbob", &request)
            };
            let answer = self.phone.attempt(call.method, &call.params).await;
            let failed = match answer {
                Some(Ok(ref answer)) => {
                    call.answer = Some(answer.clone());
                    None
                }
                Some(Err(ref error)) => {
                    assert_eq!(error.code, 50004, "{error:?}");
                    Some(error.data["outcome"].clone())
                }
                None => Some("none".into()),
            };
            calls.push(call);
            match failed.as_ref().and_then(|outcome| outcome.as_str()) {
                None | Some("refused") => {}
                Some("unknown") => return Fate::Unknown,
                _ => return Fate::Stopped,
            }
        }
        Fate::WentOn
    }

    async fn recover(&mut self, calls: &mut [Call]) {
        self.server.launch = Launch::default();
        self.server.run().await;
        let truth = Truth::of(&self.server.data());
        truth.is_intact();
        truth.holds_together(&self.heads);
        check_acknowledged(&self.phone, calls, &truth);
        self.phone.resume(&self.server).await;
        for call in calls {
            call.retry(&mut self.phone, &truth).await;
        }
        Truth::of(&self.server.data()).holds_together(&self.heads);
    }

    /// The first, the second, … until a run meets no fault, `most` runs at most; how many ended how.
    async fn enumerate(
        &mut self,
        calls: &'static str,
        files: &[PathBuf],
        effect: &'static str,
        places: impl IntoIterator<Item = u32>,
    ) -> BTreeMap<Fate, usize> {
        let mut fates = BTreeMap::new();
        for place in places {
            let fault = Fault {
                calls,
                files: files.to_vec(),
                effect,
                when: place.to_string(),
            };
            let fate = self.meet(&fault).await;
            eprintln!("{calls} {effect} {place}: {fate:?}");
            *fates.entry(fate).or_default() += 1;
            if fate == Fate::NotMet {
                break;
            }
        }
        fates
    }
}

fn says_that_the_store_failed(ended: &Ended) {
    let why = ended.because(IO_FAILURE);
    assert!(why.starts_with("the store failed: "), "{why}");
}

#[tokio::test]
#[ignore = "needs strace: ./tests/run runs it"]
async fn a_failed_sync_of_the_log_is_never_acknowledged_and_stops_the_server() {
    let mut rig = Rig::new().await;
    let log = [rig.file("db-wal")];
    let fates = rig
        .enumerate("fsync,fdatasync", &log, "error=EIO", 1..=12)
        .await;
    assert!(!fates.contains_key(&Fate::WentOn), "{fates:?}");
    assert!(fates.contains_key(&Fate::Unknown), "{fates:?}");
    assert!(
        fates.contains_key(&Fate::NotMet),
        "not all were tried: {fates:?}"
    );
}

/// What a checkpoint could not sync into the store's file is still in the log, and must be read from there by a
/// process that knows nothing.
#[tokio::test]
#[ignore = "needs strace: ./tests/run runs it"]
async fn a_failed_sync_of_a_checkpoint_stops_the_server() {
    let mut rig = Rig::new().await;
    // The second is told of a failure that the first is then told no more.
    for calls in ["fsync,fdatasync", "sync_file_range"] {
        rig.server.crash().await;
        let log = rig.log.path().join(calls);
        let fault = Fault {
            calls,
            files: vec![rig.file("db")],
            effect: "error=EIO",
            when: "1".into(),
        };
        rig.server.launch = fault.launch(&log);
        let ended = match rig.server.try_run().await {
            // It stops by itself, whatever its clients do.
            Ok(()) => rig.server.ended().await,
            Err(ended) => ended,
        };
        assert!(Fault::was_met(&log), "{calls}");
        says_that_the_store_failed(&ended);
        rig.recover(&mut []).await;
    }
}

/// It only makes a sync shorter.
#[tokio::test]
#[ignore = "needs strace: ./tests/run runs it"]
async fn a_system_without_a_call_to_write_portions_does_without() {
    let mut rig = Rig::new().await;
    let fault = Fault {
        calls: "sync_file_range",
        files: vec![rig.file("db")],
        effect: "error=ENOSYS",
        when: "1+".into(),
    };
    assert_eq!(rig.meet(&fault).await, Fate::WentOn);
}

/// In steps that grow: the first hundred writes in eleven runs.
const SPREAD: [u32; 11] = [1, 2, 3, 5, 8, 13, 20, 30, 45, 67, 100];

#[tokio::test]
#[ignore = "needs strace: ./tests/run runs it"]
async fn failing_writes_lose_nothing() {
    let mut rig = Rig::new().await;
    let files = rig.every_file();
    let fates = rig.enumerate("pwrite64", &files, "error=EIO", SPREAD).await;
    assert!(fates.contains_key(&Fate::Unknown), "{fates:?}");
    let fates = rig
        .enumerate("pwrite64", &files, "error=ENOSPC", SPREAD)
        .await;
    assert!(fates.contains_key(&Fate::WentOn), "{fates:?}");
}

#[tokio::test]
#[ignore = "needs strace: ./tests/run runs it"]
async fn failing_opens_and_truncations_lose_nothing() {
    let mut rig = Rig::new().await;
    let files = rig.every_file();
    for effect in ["error=EIO", "error=ENOSPC"] {
        rig.enumerate("ftruncate", &files, effect, 1..=4).await;
        rig.enumerate("openat", &files, effect, [1, 2, 3, 5, 8, 13, 20, 30])
            .await;
    }
}
