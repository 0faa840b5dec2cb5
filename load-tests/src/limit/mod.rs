//! The same work done as directly as this machine can, measured in the same run: what is left to be gained.

pub(crate) mod sockets;
pub(crate) mod store;
mod texts;
