//! A connection as a future: what it keeps, and in which order it looks after what is there.

mod deadlines;
mod incoming;
mod outgoing;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use super::end::{End, Lost};
use super::finish::finish;
use super::limit::Limit;
use super::line::{Line, Writer};
use super::reader::Reader;
use super::session::{Anonymous, Identified, Session, Work};
use super::socket::Socket;
use super::timers::{NEVER, Place, Tick};
use crate::hub::{Frame, Order, Outbox};
use crate::protocol::close::Close;
use crate::protocol::push::Push;
use crate::transport::{Context, Peer};

/// The connection goes on, or this is its end.
type Flow = Result<(), End>;

/// A client's connection, from its upgrade until its socket is closed.
pub(super) struct Connection<S: Socket> {
    line: Arc<Line<S>>,
    reader: Reader,
    writer: Writer,
    limit: Limit,
    /// Missing only while a login is in hand.
    session: Option<Session>,
    doing: Doing,
    /// The order to close once the request in hand is answered.
    restart: Option<Box<Order>>,
    heard: Tick,
    next_ping: Tick,
    /// When the client, which does not take what it is sent, is given up; [`NEVER`] while it does.
    blocked_until: Tick,
    /// Its place among the [`Timers`](super::Timers), once it has one.
    place: Option<Place>,
    /// What the alarm there is set to.
    alarm_at: Tick,
    /// The queue has come to the place of the answer that is still in hand.
    answer_is_next: bool,
    /// The queue had its turn; now the client has, if it said something.
    client_is_next: bool,
}

enum Doing {
    Listening,
    /// A request is in hand.
    Working(Work),
    Closing(Pin<Box<dyn Future<Output = ()> + Send>>),
}

impl<S: Socket> Future for Connection<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.line.context.timers.is_halted() {
            return Poll::Ready(());
        }
        loop {
            if let Doing::Closing(closing) = &mut this.doing {
                return closing.as_mut().poll(context);
            }
            let end = ready!(this.poll_end(context));
            this.close(end);
        }
    }
}

impl<S: Socket> Connection<S> {
    /// `early`: what was read from the socket already.
    pub(super) fn new(socket: S, early: &[u8], context: Arc<Context>, peer: Arc<Peer>) -> Self {
        let after = |ms| context.timers.after(Duration::from_millis(ms));
        let settings = &context.server;
        // Devices that came back all at once would be pinged all at once for ever, and keep others waiting each time.
        let interval = Duration::from_millis(settings.ping_interval_ms);
        let next_ping = context.timers.spread(interval);
        let deadline = after(settings.login_timeout_ms);
        let heard = context.timers.now();
        let limit = Limit::new(&context.limits);
        let mut reader = Reader::default();
        reader.keep(early, false);
        let line = Arc::new(Line {
            socket,
            context,
            peer,
        });
        let session = Session::Anonymous(Box::new(Anonymous {
            context: Arc::clone(&line.context),
            peer: Arc::clone(&line.peer),
            wire: Arc::<Line<S>>::clone(&line),
            deadline,
        }));
        Self {
            line,
            reader,
            writer: Writer::default(),
            limit,
            session: Some(session),
            doing: Doing::Listening,
            restart: None,
            heard,
            next_ping,
            blocked_until: NEVER,
            place: None,
            alarm_at: NEVER,
            answer_is_next: false,
            client_is_next: false,
        }
    }

    /// Does all there is to do, up to the connection's end.
    fn poll_end(&mut self, context: &mut TaskContext<'_>) -> Poll<End> {
        // From here on the socket is this task's alone.
        if let Some(rest) = self.outbox().and_then(Outbox::reclaim) {
            self.writer.resume(rest);
        }
        let end = loop {
            if let Err(end) = self.on_time() {
                break end;
            }
            match self.writer.poll_flush(&self.line, context) {
                Poll::Ready(Ok(())) => self.blocked_until = NEVER,
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "a connection was lost");
                    break Lost::Gone.into();
                }
                Poll::Pending => {
                    self.is_blocked();
                    self.set_alarm(context);
                    return Poll::Pending;
                }
            }
            match self.poll_flow(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(end)) => break end,
                Poll::Pending => {
                    self.set_alarm(context);
                    if self.is_listening()
                        && let Some(outbox) = self.outbox()
                    {
                        outbox.lend();
                    }
                    return Poll::Pending;
                }
            }
        };
        Poll::Ready(end)
    }

    /// Takes whatever is there.
    fn poll_flow(&mut self, context: &mut TaskContext<'_>) -> Poll<Flow> {
        if let Doing::Working(work) = &mut self.doing
            && let Poll::Ready(turn) = work.as_mut().poll(context)
        {
            self.doing = Doing::Listening;
            // It was not listened to meanwhile.
            self.heard = self.line.context.timers.now();
            return Poll::Ready(self.on_turn(turn));
        }
        if self.line.context.timers.is_draining()
            && matches!(self.session, Some(Session::Anonymous(_)))
        {
            // Whoever has logged in is sent away through its queue, at its own time.
            return Poll::Ready(Err(Close::Restart.into()));
        }
        if std::mem::take(&mut self.client_is_next)
            && let Poll::Ready(flow) = self.poll_read(context)
        {
            return Poll::Ready(flow);
        }
        if !self.answer_is_next
            && self.restart.is_none()
            && let Some(outbox) = self.outbox()
            && let Poll::Ready(item) = outbox.poll_take(context)
        {
            self.client_is_next = true;
            return Poll::Ready(self.on_queued(item));
        }
        self.poll_read(context)
    }

    fn is_listening(&self) -> bool {
        matches!(self.doing, Doing::Listening) && self.restart.is_none()
    }

    fn identified(&self) -> Option<&Identified> {
        self.session.as_ref().and_then(Session::identified)
    }

    fn outbox(&self) -> Option<&Outbox> {
        self.identified().map(Identified::outbox)
    }

    /// Goes over to the closing. Out of the hub first: whoever asks from now on finds it gone.
    fn close(&mut self, end: End) {
        self.session = None;
        let (line, writer) = (Arc::clone(&self.line), std::mem::take(&mut self.writer));
        self.doing = Doing::Closing(Box::pin(finish(line, writer, end)));
    }
}

impl<S: Socket> Drop for Connection<S> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.line.context.timers.remove(place);
        }
    }
}

fn encoded(push: &Push) -> Option<Frame> {
    push.frame().ok().map(Frame::from)
}
