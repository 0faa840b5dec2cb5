//! What goes over the wire: JSON-RPC 2.0 in text frames, subprotocol [`SUBPROTOCOL`].
//!
//! These types are the single source of the protocol; `docs/asyncapi.json` is held against them by a test.

pub mod answer;
pub mod asyncapi;
pub mod close;
pub mod code;
pub mod conversation;
pub mod jsonrpc;
pub mod method;
pub mod push;

/// Offered by the client, selected by the server (design section 6).
pub const SUBPROTOCOL: &str = "chatsync.v1";
