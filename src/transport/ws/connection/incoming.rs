//! What the client says: from bytes to messages, and from a message to what is done with it.

use std::cell::RefCell;
use std::task::{Context as TaskContext, Poll, ready};

use super::{Connection, Doing, Flow};
use crate::protocol::close::Close;
use crate::transport::ws::end::{End, Lost};
use crate::transport::ws::frame::Opcode;
use crate::transport::ws::limit::Verdict;
use crate::transport::ws::reader::{Incoming, Input};
use crate::transport::ws::session::Step;
use crate::transport::ws::socket::Socket;

/// Bytes that are read at once.
const READ: usize = 16 * 1024;

thread_local! {
    /// What was read last on this thread. Whatever is not used up at once is kept by its connection.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

impl<S: Socket> Connection<S> {
    pub(super) fn poll_read(&mut self, context: &mut TaskContext<'_>) -> Poll<Flow> {
        if !self.is_listening() {
            return Poll::Pending;
        }
        if let Some(mut unread) = self.reader.unread() {
            return Poll::Ready(self.on_bytes(&mut unread));
        }
        BUFFER.with_borrow_mut(|buffer| {
            // Less than a head and a control frame.
            let kept = self.reader.kept();
            let read = self.line.socket.poll_read(context, &mut buffer[kept..]);
            let flow = match ready!(read) {
                Ok(0) => Err(Lost::Gone.into()),
                Ok(count) => {
                    self.reader.restore(buffer);
                    self.on_bytes(&mut buffer[..kept + count])
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection was lost");
                    Err(Lost::Gone.into())
                }
            };
            Poll::Ready(flow)
        })
    }

    /// Takes messages out of what was read, as long as the client is listened to. What it is told in return goes out
    /// before more is read; only what is told in one go is bounded by [`READ`].
    fn on_bytes(&mut self, bytes: &mut [u8]) -> Flow {
        let mut input = Input::new(bytes);
        let most = self.line.context.limits.message_bytes;
        while self.is_listening() {
            let Some(incoming) = self.reader.next(&mut input, most)? else {
                self.reader.keep(input.rest(), true);
                return Ok(());
            };
            self.heard = self.line.context.timers.now();
            self.on_incoming(incoming)?;
        }
        self.reader.keep(input.rest(), false);
        Ok(())
    }

    fn on_incoming(&mut self, incoming: Incoming<'_>) -> Flow {
        match incoming {
            Incoming::Text(text) => self.on_text(&text),
            Incoming::Binary(_) => Err(Close::Unsupported.into()),
            Incoming::Ping(body) => {
                self.writer.control(Opcode::Pong, body.to_vec());
                self.on_control()
            }
            Incoming::Pong => self.on_control(),
            Incoming::Close(body) => {
                self.writer.control(Opcode::Close, body.to_vec());
                Err(End::Left)
            }
        }
    }

    fn on_control(&mut self) -> Flow {
        match self.limit.check(&self.line.context.limits) {
            Verdict::Hopeless => Err(Close::Policy.into()),
            Verdict::Allowed | Verdict::Refused(_) => Ok(()),
        }
    }

    fn on_text(&mut self, text: &str) -> Flow {
        self.line.context.timers.note_asked();
        let verdict = self.limit.check(&self.line.context.limits);
        if verdict == Verdict::Hopeless {
            return Err(Close::Policy.into());
        }
        let Some(session) = self.session.take() else {
            return Ok(());
        };
        match session.on_text(text, verdict) {
            Step::Done(session, turn) => {
                self.session = Some(session);
                self.on_turn(turn)
            }
            Step::Working(session, work) => {
                self.session = session;
                self.doing = Doing::Working(work);
                Ok(())
            }
        }
    }
}
