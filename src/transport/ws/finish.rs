//! A connection's last words.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::end::{End, Lost, close_body};
use super::frame::Opcode;
use super::line::{Line, Writer};
use super::socket::Socket;
use crate::hub::{Frame, Order};
use crate::protocol::close::Close;
use crate::transport::metrics::Closed;

/// For a close frame to go out where the client has already shown that it does not read.
const LAST_WORD: Duration = Duration::from_millis(500);
/// For a client to close its side once the server has closed its own.
const LINGER: Duration = Duration::from_secs(2);
/// Most that is read and dropped in that time, in bytes.
const LINGER_BYTES: usize = 1024 * 1024;

/// Says goodbye as far as the client listens, and closes the socket.
pub(super) async fn finish<S: Socket>(line: Arc<Line<S>>, mut writer: Writer, end: End) {
    let (code, words) = match end {
        End::Close(Order { farewell, close }) => (
            close.code(),
            say(&mut writer, farewell, close.code(), close.reason()),
        ),
        End::Broken(code, reason) => (code, say(&mut writer, None, code, reason)),
        End::Left => (1005, Words::Some),
        End::Lost(Lost::Slow) => {
            let slow = Close::Slow;
            say(&mut writer, None, slow.code(), slow.reason());
            (slow.code(), Words::Last)
        }
        End::Lost(Lost::Gone) => (1006, Words::None),
    };
    let patience = match words {
        Words::Some => Duration::from_millis(line.context.server.write_timeout_ms),
        Words::Last => LAST_WORD,
        Words::None => Duration::ZERO,
    };
    let result = timeout(
        patience,
        poll_fn(|context| writer.poll_flush(&line, context)),
    )
    .await;
    tracing::debug!(code, ?result, address = %line.peer.address(), "a connection was closed");
    let closed = Closed { code: code.into() };
    line.context.metrics.closes.get_or_create(&closed).inc();
    // A socket closed with unread bytes in it answers with a reset, and the client may lose the close frame. So: end
    // our side, and take what comes until the client has ended its own.
    _ = timeout(LINGER, linger(&line.socket)).await;
}

enum Words {
    Some,
    /// To a client that has not listened so far.
    Last,
    None,
}

fn say(writer: &mut Writer, farewell: Option<Frame>, code: u16, reason: &str) -> Words {
    if let Some(farewell) = farewell {
        writer.text(farewell);
    }
    writer.control(Opcode::Close, close_body(code, reason));
    Words::Some
}

async fn linger<S: Socket>(socket: &S) -> io::Result<()> {
    socket.shut()?;
    let mut dropped = 0;
    // On the stack: it is here only while this future is polled.
    while dropped < LINGER_BYTES {
        let read = poll_fn(|context| socket.poll_read(context, &mut [0; 1024])).await?;
        if read == 0 {
            break;
        }
        dropped += read;
    }
    Ok(())
}
