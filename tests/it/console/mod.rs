//! What the console's pages call: who may, what it does, and what it answers to those who may not.

mod apps;
mod audit;
mod deletions;
mod hostile;
mod live;
mod operators;
mod retention;
mod roles;
mod settings;
mod sign_in;
mod users;

use crate::harness::APP;

/// A call about the app.
fn path(rest: &str) -> String {
    format!("/apps/{APP}/{rest}")
}

/// Any text as one segment of a path, or one value of a query.
fn uri(text: &str) -> String {
    let bytes = text.bytes().map(|byte| format!("%{byte:02X}"));
    bytes.collect()
}
