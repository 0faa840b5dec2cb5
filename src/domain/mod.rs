//! The words of the chat and its rules, as plain values.
//!
//! Nothing here does I/O, reads a clock or knows a runtime: every rule is a function of its arguments,
//! so each can be shown by a unit test, and the reference model of the convergence test can be held against it.

pub mod app;
pub mod cursor;
pub mod deletion;
pub mod group;
pub mod ids;
pub mod login_policy;
pub mod message;
pub mod operator;
pub mod retention;
pub mod view;

pub use app::{App, Features, KeyPrint};
pub use cursor::Cursor;
pub use ids::{
    AccountKey, ConversationId, DeviceId, Epoch, GroupId, InvalidId, LogId, Millis, OperatorName,
    Platform, Position, RequestId, SdkAppId, Seq, UserId, Version,
};
pub use operator::Role;
pub use view::{Listing, LogHead, Membership, View};
