//! What is measured: times of the clients, and what the machine says of processes.

pub(crate) mod cpu;
pub(crate) mod disk;
pub(crate) mod memory;
pub(crate) mod net;
pub(crate) mod times;
