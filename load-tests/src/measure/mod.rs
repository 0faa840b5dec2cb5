//! What is measured: times of the clients, what the machine says of processes, and what the machine itself does.

pub(crate) mod commits;
pub(crate) mod cpu;
pub(crate) mod disk;
pub(crate) mod memory;
pub(crate) mod net;
pub(crate) mod others;
pub(crate) mod pauses;
pub(crate) mod times;
