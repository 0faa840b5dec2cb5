//! What the server promises of a fault: what was acknowledged is there, what was told is there, nothing is there
//! by half, and a retry finds out the rest.
//!
//! - [`kill`]: the process is killed under load, again and again.
//! - [`trace`]: a kill can't show a missing sync, for the kernel keeps what was written; the order of system calls can.
//! - [`disk`]: a full disk, a failing sync.
//! - [`syscalls`]: one system call after another fails.
//!
//! [`truth`] reads the store's file itself and knows nothing of the server's code.

mod call;
mod disk;
mod kill;
mod random;
mod strace;
mod syscalls;
mod trace;
mod truth;
