//! Writing to a socket that may not take it.

use std::time::{Duration, Instant};

use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as RawFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use crate::hub::Frame;
use crate::transport::latency::Latency;

/// A longer text goes out in fragments of this many bytes: the socket's buffer keeps the size of the largest
/// frame it ever held, for as long as the connection lives.
pub(super) const FRAGMENT: usize = 16 * 1024;

/// For a close frame to go out where the client has already shown that it does not read.
const LAST_WORD: Duration = Duration::from_millis(500);

/// Why nothing more can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// The client did not take it in time.
    Slow,
    Gone,
}

/// What a session needs of a socket; a channel can play it in tests.
pub trait Socket:
    Sink<Message, Error = Error> + Stream<Item = Result<Message, Error>> + Unpin
{
}

impl<S> Socket for S where
    S: Sink<Message, Error = Error> + Stream<Item = Result<Message, Error>> + Unpin
{
}

/// The socket, with a bound on each write.
#[derive(Debug)]
pub(super) struct Wire<S> {
    socket: S,
    patience: Duration,
    /// When the operations were committed whose pushes were fed and not yet flushed.
    fed: Vec<Instant>,
    latency: Latency,
}

impl<S: Socket> Wire<S> {
    /// `patience`: for the client to take one frame. `latency`: observes commit to write.
    pub(super) fn new(socket: S, patience: Duration, latency: Latency) -> Self {
        Self {
            socket,
            patience,
            fed: Vec::new(),
            latency,
        }
    }

    /// The next message from the client.
    pub(super) async fn next(&mut self) -> Option<Result<Message, Error>> {
        self.socket.next().await
    }

    /// Writes a text, to be flushed with what follows.
    pub(super) async fn feed(&mut self, frame: Frame) -> Result<(), Lost> {
        if frame.len() <= FRAGMENT {
            return self.feed_message(Message::Text(frame)).await;
        }
        let mut rest = Bytes::from(frame);
        let mut kind = Data::Text;
        loop {
            let fragment = rest.split_to(FRAGMENT.min(rest.len()));
            let is_last = rest.is_empty();
            let raw = RawFrame::message(fragment, OpCode::Data(kind), is_last);
            self.feed_message(Message::Frame(raw)).await?;
            if is_last {
                return Ok(());
            }
            kind = Data::Continue;
        }
    }

    /// As [`feed`](Self::feed), of a push.
    pub(super) async fn feed_push(&mut self, frame: Frame, committed: Instant) -> Result<(), Lost> {
        self.fed.push(committed);
        self.feed(frame).await
    }

    /// Sends a WebSocket ping, and what was fed before it.
    pub(super) async fn ping(&mut self) -> Result<(), Lost> {
        self.feed_message(Message::Ping(Bytes::new())).await?;
        self.flush().await
    }

    /// Hands all that was fed to the network.
    pub(super) async fn flush(&mut self) -> Result<(), Lost> {
        bounded(self.patience, self.socket.flush()).await?;
        for committed in self.fed.drain(..) {
            self.latency.observe(committed.elapsed().as_secs_f64());
        }
        Ok(())
    }

    /// Sends a close frame, after a farewell if there is one, as far as the client takes them.
    pub(super) async fn close(
        &mut self,
        farewell: Option<Frame>,
        frame: CloseFrame,
        is_slow: bool,
    ) -> Result<(), Lost> {
        let patience = if is_slow { LAST_WORD } else { self.patience };
        bounded(patience, async {
            if let Some(farewell) = farewell {
                self.socket.feed(Message::Text(farewell)).await?;
            }
            self.socket.send(Message::Close(Some(frame))).await
        })
        .await
    }

    pub(super) fn into_socket(self) -> S {
        self.socket
    }

    async fn feed_message(&mut self, message: Message) -> Result<(), Lost> {
        bounded(self.patience, self.socket.feed(message)).await
    }
}

async fn bounded(
    patience: Duration,
    write: impl Future<Output = Result<(), Error>>,
) -> Result<(), Lost> {
    match timeout(patience, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a connection was lost");
            Err(Lost::Gone)
        }
        Err(_) => Err(Lost::Slow),
    }
}
