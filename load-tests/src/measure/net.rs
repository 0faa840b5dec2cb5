//! What the kernel dropped or had to send again, from `/proc/net`.

use std::fs;
use std::io;
use std::ops::{Add, Sub};

use serde::Serialize;

/// Counts since the machine's start, of all its sockets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Net {
    /// Connections that a full accept queue refused.
    pub(crate) listen_overflows: u64,
    /// SYNs dropped, for that reason or another.
    pub(crate) syn_drops: u64,
    pub(crate) retransmits: u64,
}

impl Net {
    pub(crate) fn now() -> io::Result<Self> {
        let netstat = fs::read_to_string("/proc/net/netstat")?;
        let snmp = fs::read_to_string("/proc/net/snmp")?;
        let read = |text: &str, group, name| {
            field(text, group, name)
                .ok_or_else(|| io::Error::other(format!("no {name} in /proc/net")))
        };
        Ok(Self {
            listen_overflows: read(&netstat, "TcpExt:", "ListenOverflows")?,
            syn_drops: read(&netstat, "TcpExt:", "ListenDrops")?,
            retransmits: read(&snmp, "Tcp:", "RetransSegs")?,
        })
    }
}

impl Add for Net {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            listen_overflows: self.listen_overflows + other.listen_overflows,
            syn_drops: self.syn_drops + other.syn_drops,
            retransmits: self.retransmits + other.retransmits,
        }
    }
}

impl Sub for Net {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            listen_overflows: self
                .listen_overflows
                .saturating_sub(before.listen_overflows),
            syn_drops: self.syn_drops.saturating_sub(before.syn_drops),
            retransmits: self.retransmits.saturating_sub(before.retransmits),
        }
    }
}

/// A line of names, followed by one of values.
fn field(text: &str, group: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter(|line| line.starts_with(group));
    let (names, values) = (lines.next()?, lines.next()?);
    let at = names.split_ascii_whitespace().position(|n| n == name)?;
    values.split_ascii_whitespace().nth(at)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stands_below_its_name() {
        let text = "A: x y\nA: 1 2\nTcpExt: a ListenDrops b\nTcpExt: 5 6 7\n";
        assert_eq!(field(text, "TcpExt:", "ListenDrops"), Some(6));
        assert_eq!(field(text, "TcpExt:", "c"), None);
    }

    #[test]
    fn this_machine_has_them() {
        assert!(Net::now().is_ok());
    }
}
