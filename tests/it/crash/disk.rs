//! The disk is full, and then it is not; or it is slow.

use std::fs::{File, remove_file};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::call::{Call, check_acknowledged};
use super::strace::Fault;
use super::truth::Truth;
use crate::harness::{Figures, Launch, RpcError, ServerProcess, TestDevice, Who};

/// A file system of a few megabytes in memory. To mount it takes root, as continuous integration has, or `sudo`
/// without a password.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    fn mounted() -> Self {
        let folder = TempDir::new().expect("a folder");
        let place = folder.path().to_string_lossy();
        as_root(&[
            "mount",
            "-t",
            "tmpfs",
            "-o",
            "size=8m,mode=777",
            "tmpfs",
            &place,
        ]);
        Self { folder }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }

    /// Leaves not one byte.
    fn fill(&self) {
        let mut ballast = File::create(self.ballast()).expect("a file");
        for size in [64 * 1024, 1] {
            let block = vec![0; size];
            let full = loop {
                if let Err(error) = ballast.write_all(&block) {
                    break error;
                }
            };
            assert_eq!(full.kind(), ErrorKind::StorageFull);
        }
    }

    fn empty(&self) {
        remove_file(self.ballast()).expect("removed");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        as_root(&["umount", "-l", &self.folder.path().to_string_lossy()]);
    }
}

fn as_root(words: &[&str]) {
    let id = Command::new("id")
        .arg("-u")
        .output()
        .expect("id runs")
        .stdout;
    let sudo: &[&str] = if id == b"0\n" { &[] } else { &["sudo", "-n"] };
    let words = [sudo, words].concat();
    let done = Command::new(words[0])
        .args(&words[1..])
        .output()
        .expect("runs");
    assert!(done.status.success(), "{words:?} takes root: {done:?}");
}

/// Nothing was changed, and it may be tried again.
fn is_refused(error: &RpcError) -> bool {
    error.code == 50004 && error.data["outcome"] == "refused"
}

/// Makes calls until one is refused, which what is left of space already allotted can delay; that one and those
/// before it.
async fn until_refused(device: &mut TestDevice) -> (Call, Vec<Call>) {
    let mut made = Vec::new();
    for number in 0..500 {
        let mut call = Call::send("C2Cbob", &format!("filling-{number}"));
        match device.call(call.method, call.params.clone()).await {
            Ok(answer) => {
                call.answer = Some(answer);
                made.push(call);
            }
            Err(error) => {
                assert!(is_refused(&error), "{error:?}");
                return (call, made);
            }
        }
    }
    panic!("the disk is full, and everything is acknowledged");
}

#[tokio::test]
#[ignore = "needs root: ./tests/run runs it"]
async fn a_full_disk_refuses_and_recovers_without_a_restart() {
    let disk = SmallDisk::mounted();
    let data = disk.data();
    let launch = Launch::default().set("CHATSYNC__STORE__PATH", data.to_string_lossy());
    let mut server = ServerProcess::start_with(launch).await;
    server.set_switch(true).await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    let mut calls = vec![Call::send("C2Cbob", "before").made(&mut phone).await];
    laptop.sees_message("before").await;

    disk.fill();
    let (refused, made) = until_refused(&mut phone).await;
    calls.extend(made);
    calls.push(refused);
    let mut deletion = Call::delete(&["C2Cbob"], true, "deletion");
    let error = phone
        .refused(deletion.method, deletion.params.clone())
        .await;
    assert!(is_refused(&error), "{error:?}");

    // Reading goes on, pushes and pings too, and nobody is told of what was refused.
    laptop.settle().await;
    assert_eq!(laptop.texts("C2Cbob").await.len(), calls.len() - 1);
    laptop.sees_nothing_more().await;
    // Who logs in is noted. Where even that finds no space, it is told to come back, not turned away for good.
    let mut tablet = TestDevice::offline(&server, Who::new("alice", "tablet"));
    if let Err(error) = tablet.try_login(&server).await {
        assert!(is_refused(&error), "{error:?}");
        assert_eq!(tablet.closed_with().await, Some(1013));
    }

    disk.empty();
    let truth = Truth::of(&data);
    for call in &mut calls {
        call.retry(&mut phone, &truth).await;
    }
    deletion.retry(&mut phone, &truth).await;
    calls.push(deletion);
    laptop.sees_deleted(&["C2Cbob"]).await;
    tablet.resume(&server).await;

    server.crash_and_restart().await;
    let truth = Truth::of(&data);
    truth.is_intact();
    truth.holds_together(&[("alice".to_owned(), 0)].into());
    check_acknowledged(&phone, &calls, &truth);
    server.crash().await;
}

/// Who looks for the reason of late answers has to know whose it is: the disk's, or the server's.
#[tokio::test]
#[ignore = "needs strace: ./tests/run runs it"]
async fn figures_tell_a_slow_disk_from_a_slow_server() {
    let mut server = ServerProcess::start().await;
    server.set_switch(true).await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    phone.say("C2Cbob", "hi").await;
    server.crash().await;
    let traced = TempDir::new().expect("a folder");
    let traced = traced.path().join("slow");
    let slow = Fault {
        calls: "fsync,fdatasync",
        files: vec![server.data().join("chatsync.db-wal")],
        effect: "delay_exit=300000",
        when: "1+".into(),
    };
    server.launch = slow.launch(&traced);
    server.run().await;
    phone.resume(&server).await;
    laptop.resume(&server).await;
    let before = Figures::of(&server).await;

    phone.delete(&["C2Cbob"]).await;
    laptop.sees_deleted(&["C2Cbob"]).await;

    assert!(Fault::was_met(&traced));
    let after = Figures::of(&server).await;
    let grown = |name: &str| after.get(name) - before.get(name);
    // A fifth of a second and longer: the call's answer, and the store's commits, but not the way from there.
    for (name, is_slow) in [
        ("commit_seconds", true),
        ("store_commit_seconds", true),
        ("write_seconds", false),
    ] {
        let all = grown(&format!("{name}_count"));
        let quick = grown(&format!("{name}_bucket{{le=\"0.2048\"}}"));
        assert!(all > 0.5, "{name} was not counted: {after:?}");
        let slow = all - quick;
        assert!((slow > 0.5) == is_slow, "{name}: {slow} of {all} are slow");
    }
    server.crash().await;
}
