//! chatsync: a multi-client chat sync server over WebSockets.
//!
//! # Layers
//! Uses point one way, from the bottom of this list to the top:
//!
//! - [`domain`]: the words and the rules: ids, views and floors, deletion, groups, login policy, cursor.
//!   Pure: no I/O, no clock, no runtime.
//! - [`protocol`]: what goes over the wire: JSON-RPC frames, methods, pushes, codes.
//! - [`store`]: the trait every store keeps, and the embedded one on SQLite.
//! - [`bus`]: carries what was committed to every hub.
//! - [`hub`]: who is connected here, and the queue of each.
//! - [`engine`]: the use cases, and the only writer of the store.
//! - [`transport`]: sockets and HTTP: WebSocket sessions, the accept loop, operations pages.
//! - [`settings`] and [`server`]: what can be set, and the only place where the layers are joined.
//! - [`cli`]: the command line over all of it.

pub mod bus;
pub mod cli;
pub mod domain;
pub mod engine;
pub mod hub;
pub mod protocol;
pub mod server;
pub mod settings;
pub mod store;
pub mod transport;
