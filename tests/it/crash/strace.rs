//! Runs a server under `strace`, and reads what it wrote.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::harness::Launch;

/// Fails loudly where a machine forbids tracing: without it, nothing would be shown.
fn strace(options: &[&str]) -> Launch {
    let mut words = vec!["strace", "-f", "-qq", "--seccomp-bpf"];
    words.extend(options);
    Launch::under(&words)
}

/// System calls that fail, or take their time.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) calls: &'static str,
    pub(super) files: Vec<PathBuf>,
    /// As strace has it: `error=EIO`, `delay_exit=300000` (microseconds).
    pub(super) effect: &'static str,
    /// As strace has it: `3` the third on any of the files, `3+` from then on, `3..5` for a time.
    pub(super) when: String,
}

impl Fault {
    /// A server that meets it; what was hit is written to `log`.
    pub(super) fn launch(&self, log: &Path) -> Launch {
        let Self {
            calls,
            effect,
            when,
            ..
        } = self;
        let inject = format!("inject={calls}:{effect}:when={when}");
        let trace = format!("trace={calls}");
        let log = log.to_string_lossy();
        let mut options = vec!["-o", &log, "-y", "-s", "0", "-e", &trace, "-e", &inject];
        let files: Vec<_> = self
            .files
            .iter()
            .map(|file| file.to_string_lossy())
            .collect();
        for file in &files {
            options.extend(["-P", file.as_ref()]);
        }
        strace(&options)
    }

    /// Whether it came to it.
    pub(super) fn was_met(log: &Path) -> bool {
        let text = std::fs::read(log).expect("a record");
        let text = String::from_utf8_lossy(&text);
        ["(INJECTED)", "(DELAYED)"]
            .iter()
            .any(|mark| text.contains(mark))
    }
}

/// Writes all that is read, written and synced to `log`.
pub(super) fn recording(log: &Path) -> Launch {
    let calls = "trace=fsync,fdatasync,pwrite64,pwritev,write,writev,sendto,sendmsg,ftruncate";
    // Enough for a page of the store and for any frame of the tests'.
    let log = log.to_string_lossy().into_owned();
    strace(&["-y", "-s", "5000", "-o", &log, "-e", calls])
}

/// One system call.
#[derive(Debug)]
pub(super) struct Syscall {
    pub(super) name: String,
    /// As strace shows them, the file's name and the bytes included.
    pub(super) arguments: String,
    /// Places in the order of all that happened.
    pub(super) began: usize,
    pub(super) ended: usize,
    pub(super) result: i64,
}

impl Syscall {
    pub(super) fn is_sync(&self) -> bool {
        self.name == "fdatasync" || self.name == "fsync"
    }

    /// On a file whose path ends so.
    pub(super) fn is_on(&self, file: &str) -> bool {
        self.first().contains(&format!("{file}>"))
    }

    pub(super) fn is_to_socket(&self) -> bool {
        self.first().contains("<socket:") || self.first().contains("<TCP")
    }

    /// The first argument: a descriptor and, in brackets, what it is open on.
    fn first(&self) -> &str {
        self.arguments.split([',', ')']).next().unwrap_or("")
    }

    pub(super) fn is_write_to(&self, file: &str) -> bool {
        self.name.starts_with("pwrite") && self.is_on(file)
    }
}

/// Every system call of a record, in the order in which they began.
pub(super) fn read(log: &Path) -> Vec<Syscall> {
    let bytes = std::fs::read(log).expect("a record");
    let text = String::from_utf8_lossy(&bytes);
    let mut calls: Vec<Syscall> = Vec::new();
    // Of each thread, the call that has not returned.
    let mut open: HashMap<&str, usize> = HashMap::new();
    for (place, line) in text.lines().enumerate() {
        let Some((thread, event)) = line.split_once(' ') else {
            continue;
        };
        let event = event.trim_start();
        if let Some(rest) = event.strip_prefix("<... ") {
            let call = open.remove(thread).map(|at| &mut calls[at]);
            let call = call.unwrap_or_else(|| panic!("returned without a call: {rest}"));
            (call.ended, call.result) = (place, result(rest));
        } else if let Some((name, arguments)) = event.split_once('(') {
            let is_open = arguments.ends_with("<unfinished ...>");
            if is_open {
                open.insert(thread, calls.len());
            }
            calls.push(Syscall {
                name: name.into(),
                arguments: arguments.into(),
                began: place,
                ended: if is_open { usize::MAX } else { place },
                result: if is_open { i64::MIN } else { result(arguments) },
            });
        }
    }
    calls
}

/// What follows the last ` = `.
fn result(text: &str) -> i64 {
    let value = text.rsplit_once(" = ").map_or("", |(_, value)| value);
    let number = value.split(' ').next().unwrap_or("");
    number.parse().unwrap_or(i64::MIN)
}
