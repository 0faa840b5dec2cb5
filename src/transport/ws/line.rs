//! A connection's socket, with what belongs to it; and what is on its way out.
//!
//! While the connection's task has something to do, it alone writes, through its [`Writer`]. While it rests, whoever
//! has a push writes it straight to the socket, under the lock of the connection's queue: see
//! [`Outbox::lend`](crate::hub::Outbox::lend).

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Instant;

use tokio_tungstenite::tungstenite::Bytes;

use super::frame::{Lead, Opcode};
use super::socket::Socket;
use crate::hub::{Frame, Rest, Sent, Wire};
use crate::transport::latency::Latency;
use crate::transport::{Context, Peer};

/// Parts of one write.
const PARTS: usize = 64;

/// What a connection's task and the hub share.
#[derive(Debug)]
pub(super) struct Line<S> {
    pub(super) socket: S,
    pub(super) context: Arc<Context>,
    pub(super) peer: Arc<Peer>,
}

impl<S: Socket> Wire for Line<S> {
    fn try_push(&self, frame: &Frame, committed: Instant) -> Sent {
        let lead = Lead::new(Opcode::Text, frame.len());
        let parts = [lead.as_bytes(), frame.as_bytes()].map(IoSlice::new);
        match self.socket.try_write(&parts) {
            Ok(count) if count == lead.as_bytes().len() + frame.len() => {
                observe(&self.context.metrics.write, committed);
                Sent::Whole
            }
            Ok(count) if count > 0 => Sent::Part(count),
            // Full, or lost: the connection's task will see.
            Ok(_) | Err(_) => Sent::Nothing,
        }
    }

    fn address(&self) -> IpAddr {
        self.peer.address()
    }
}

fn observe(latency: &Latency, committed: Instant) {
    latency.observe(committed.elapsed().as_secs_f64());
}

/// Frames that the socket has not taken yet, in their order. Nothing is copied, and at rest there is nothing.
#[derive(Debug, Default)]
pub(super) struct Writer(Option<Box<Out>>);

#[derive(Debug, Default)]
struct Out {
    frames: VecDeque<Outgoing>,
    /// Bytes of the first that went.
    written: usize,
}

#[derive(Debug)]
struct Outgoing {
    lead: Lead,
    payload: Bytes,
    /// Of a push: when its operation was committed.
    committed: Option<Instant>,
}

impl Outgoing {
    fn len(&self) -> usize {
        self.lead.as_bytes().len() + self.payload.len()
    }
}

impl Writer {
    pub(super) fn text(&mut self, text: impl Into<Frame>) {
        self.put(Opcode::Text, text.into().into(), None);
    }

    pub(super) fn push(&mut self, frame: Frame, committed: Instant) {
        self.put(Opcode::Text, frame.into(), Some(committed));
    }

    /// The protocol has no binary messages; an echo has.
    #[cfg(all(test, feature = "echo"))]
    pub(super) fn binary(&mut self, bytes: Vec<u8>) {
        self.put(Opcode::Binary, bytes.into(), None);
    }

    pub(super) fn control(&mut self, opcode: Opcode, body: impl Into<Bytes>) {
        self.put(opcode, body.into(), None);
    }

    /// Goes on where a publisher could not. Before anything else is written.
    pub(super) fn resume(&mut self, rest: Rest) {
        self.push(rest.frame, rest.committed);
        if let Some(out) = &mut self.0 {
            out.written = rest.written;
        }
    }

    /// Writes until all is written.
    pub(super) fn poll_flush<S: Socket>(
        &mut self,
        line: &Line<S>,
        context: &mut TaskContext<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(out) = &mut self.0 {
            let count = ready!(out.poll_write(&line.socket, context))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            out.written += count;
            while let Some(first) = out.frames.front()
                && out.written >= first.len()
            {
                out.written -= first.len();
                if let Some(committed) = first.committed {
                    observe(&line.context.metrics.write, committed);
                }
                out.frames.pop_front();
            }
            if out.frames.is_empty() {
                self.0 = None;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn put(&mut self, opcode: Opcode, payload: Bytes, committed: Option<Instant>) {
        let lead = Lead::new(opcode, payload.len());
        let out = self.0.get_or_insert_default();
        out.frames.push_back(Outgoing {
            lead,
            payload,
            committed,
        });
    }
}

impl Out {
    fn poll_write<S: Socket>(
        &self,
        socket: &S,
        context: &mut TaskContext<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut parts = [IoSlice::new(&[]); PARTS];
        let mut skip = self.written;
        let bytes = self
            .frames
            .iter()
            .flat_map(|frame| [frame.lead.as_bytes(), &frame.payload[..]]);
        let mut count = 0;
        for (part, bytes) in parts.iter_mut().zip(bytes) {
            let gone = skip.min(bytes.len());
            skip -= gone;
            *part = IoSlice::new(&bytes[gone..]);
            count += 1;
        }
        socket.poll_write(context, &parts[..count])
    }
}
