//! How a connection ends, and the close codes for it.

use super::frame::Fault;
use crate::hub::Order;
use crate::protocol::close::Close;

/// How a connection ends.
#[derive(Debug)]
pub(super) enum End {
    /// The server closes it.
    Close(Order),
    /// The client broke the WebSocket protocol, with the code which that protocol has for it.
    Broken(u16, &'static str),
    /// The client closed it; the answer to its close frame is on its way.
    Left,
    Lost(Lost),
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(Order {
            farewell: None,
            close,
        })
    }
}

impl From<Lost> for End {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

/// Why nothing more can be written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// The client did not take what it was sent in time.
    Slow,
    Gone,
}

/// The close codes of RFC 6455, section 7.4.1.
impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Protocol => Self::Broken(1002, "protocol error"),
            Fault::NotUtf8 => Self::Broken(1007, "not UTF-8"),
            Fault::TooBig => Close::TooBig.into(),
        }
    }
}

/// The body of a close frame.
pub(super) fn close_body(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}
