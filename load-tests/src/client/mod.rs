//! The client side: many devices in one thread of one process.

pub(crate) mod connection;
pub(crate) mod frame;
pub(crate) mod handshake;
pub(crate) mod order;
pub(crate) mod socket;
pub(crate) mod task;
pub(crate) mod timer;
pub(crate) mod worker;
pub(crate) mod world;
