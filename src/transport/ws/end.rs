//! How a connection ends, and the close codes for it.

use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::wire::Lost;
use crate::hub::Order;
use crate::protocol::close::Close;

/// How a connection ends.
#[derive(Debug)]
pub(super) enum End {
    /// The server closes it.
    Close(Order),
    /// The client broke the WebSocket protocol, with the code which that protocol has for it.
    Broken(u16, &'static str),
    /// The client closed it.
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

pub(super) fn close_frame(code: u16, reason: &'static str) -> CloseFrame {
    CloseFrame {
        code: code.into(),
        reason: Utf8Bytes::from_static(reason),
    }
}

/// The close codes of RFC 6455, section 7.4.1, for what the WebSocket layer found wrong.
pub(super) fn broken(error: &Error) -> End {
    match error {
        Error::Capacity(_) => Close::TooBig.into(),
        Error::Utf8(_) => End::Broken(1007, "not UTF-8"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Lost(Lost::Gone),
        Error::Protocol(_) | Error::AttackAttempt => End::Broken(1002, "protocol error"),
        _ => End::Lost(Lost::Gone),
    }
}
