//! Memory: a process's own from `/proc/PID`, the kernel's from `/proc/meminfo`.

use std::fs;
use std::io;

use serde::Serialize;

/// Bytes.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Memory {
    /// Of the process alone, neither files nor shared: its heap and stacks.
    pub(crate) anonymous: u64,
    /// Resident, with the parts of files that are mapped.
    pub(crate) resident: u64,
    /// The kernel's objects of all processes, sockets of both ends among them; 0 if it can't be read.
    pub(crate) slab: u64,
    /// Buffers of all TCP sockets of the machine.
    pub(crate) tcp: u64,
}

impl Memory {
    /// What a process and its kernel take now.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let meminfo = fs::read_to_string("/proc/meminfo")?;
        let sockets = fs::read_to_string("/proc/net/sockstat")?;
        let missing = |what| io::Error::other(format!("no {what} in /proc"));
        Ok(Self {
            anonymous: kilobytes(&rollup, "Anonymous:").ok_or_else(|| missing("Anonymous"))?,
            resident: kilobytes(&rollup, "Rss:").ok_or_else(|| missing("Rss"))?,
            slab: kilobytes(&meminfo, "Slab:").unwrap_or(0),
            tcp: tcp_pages(&sockets).unwrap_or(0) * rustix::param::page_size() as u64,
        })
    }
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_ascii_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// `TCP: inuse 4 orphan 0 tw 0 alloc 5 mem 1`
fn tcp_pages(sockstat: &str) -> Option<u64> {
    let line = sockstat.lines().find(|line| line.starts_with("TCP:"))?;
    line.split_once(" mem ")?
        .1
        .split_ascii_whitespace()
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_own_memory_is_read_and_grows() {
        let pid = std::process::id();
        let before = Memory::of(pid).unwrap();
        assert!(
            before.anonymous > 0 && before.resident >= before.anonymous,
            "{before:?}"
        );
        let held = vec![1u8; 32 << 20];
        let after = Memory::of(pid).unwrap();
        assert!(
            after.anonymous >= before.anonymous + (24 << 20),
            "{before:?} {after:?}"
        );
        drop(held);
    }

    #[test]
    fn the_pages_of_sockets_are_found() {
        let text =
            "sockets: used 9\nTCP: inuse 4 orphan 0 tw 0 alloc 5 mem 17\nUDP: inuse 0 mem 3\n";
        assert_eq!(tcp_pages(text), Some(17));
    }
}
