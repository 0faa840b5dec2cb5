//! One WebSocket: the only place that reads and writes it.
//!
//! A connection is a task of few bytes: it is polled when there is something to do, and holds a buffer only as long
//! as something is incomplete. What is on its way out goes first; nothing else happens while the socket is full. Then
//! whichever is there:
//! - a message from the client, as long as no request of its is in hand: requests are answered one at a time, in
//!   the order in which they came;
//! - the answer to the request in hand;
//! - what the hub queued: pushes go on while a request is in hand;
//! - time: pings, silence, a login that does not come, a credential that runs out, a socket that stays full.
//!
//! With nothing left to do it lends the socket to the hub: a push is then written without waking the task.
//!
//! # Order on the wire
//! Pushes and answers carry versions, and a client that sees a gap waits before it asks. So an answer is written
//! where its operation belongs among the pushes: the hub leaves a mark in the actor's own queue as it tells the
//! others ([`Item::Answer`]). What is queued before the mark is written first, what is behind it waits for the
//! answer.

mod calls;
mod claim;
mod end;
mod finish;
mod frame;
mod limit;
mod line;
mod login;
mod reader;
mod session;
mod socket;
#[cfg(test)]
mod tests;
mod timers;
pub(super) mod upgrade;

pub use socket::Socket;
pub use timers::Timers;

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use super::{Context, Peer};
use crate::hub::{Frame, Item, Order, Outbox};
use crate::protocol::close::Close;
use crate::protocol::push::{KickedOut, KickedOutType, Push, SyncHint};
use end::{End, Lost};
use frame::Opcode;
use limit::{Limit, Verdict};
use line::{Line, Writer};
use reader::{Incoming, Input, Reader};
use session::{Anonymous, Identified, Next, Reply, Session, Step, Turn, Work};
use timers::{NEVER, Place, Tick, later};

/// Pushes that are written before the client is listened to again.
const BATCH: usize = 64;
/// Bytes that are read at once.
const READ: usize = 16 * 1024;

thread_local! {
    /// What was read last on this thread. Whatever is not used up at once is kept by its connection.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// Serves one client until it goes or is sent away, and closes the socket. `early`: what was read from it already.
pub fn serve<S: Socket>(
    socket: S,
    early: &[u8],
    context: &Arc<Context>,
    peer: Arc<Peer>,
) -> impl Future<Output = ()> + Send + use<S> {
    Connection::new(socket, early, Arc::clone(context), peer)
}

type Flow = Result<(), End>;

struct Connection<S: Socket> {
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
    /// Its place among the [`Timers`], once it has one.
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
    fn new(socket: S, early: &[u8], context: Arc<Context>, peer: Arc<Peer>) -> Self {
        let after = |ms| context.timers.after(Duration::from_millis(ms));
        let settings = &context.server;
        let next_ping = after(settings.ping_interval_ms);
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

    fn poll_read(&mut self, context: &mut TaskContext<'_>) -> Poll<Flow> {
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

    fn is_listening(&self) -> bool {
        matches!(self.doing, Doing::Listening) && self.restart.is_none()
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

    /// Writes an answer in its place.
    fn on_turn(&mut self, turn: Turn) -> Flow {
        let is_in_place = std::mem::take(&mut self.answer_is_next);
        let frame = match turn.reply {
            Reply::Frame(frame) => {
                if !is_in_place {
                    self.write_queued(true)?;
                }
                Some(frame)
            }
            Reply::Pong { id, reached } => {
                // The pong says that all up to `reached` came before it on this connection.
                self.write_queued(false)?;
                self.identified().map(|session| session.pong(&id, reached))
            }
        };
        if let Some(frame) = frame {
            self.writer.text(frame);
        }
        match turn.next {
            Next::Stay => {}
            Next::Become(session) => self.become_session(session)?,
            Next::Close(close) => return Err(close.into()),
        }
        match self.restart.take() {
            Some(order) => Err(End::Close(*order)),
            None => Ok(()),
        }
    }

    fn become_session(&mut self, session: Session) -> Flow {
        let is_identified = session.identified().is_some();
        self.session = Some(session);
        if is_identified {
            self.line.peer.admitted.identified();
            // The drain may have gone through the hub before this session was in it.
            if self.line.context.draining.is_cancelled() {
                return Err(Close::Restart.into());
            }
        }
        Ok(())
    }

    /// Writes a batch of what the hub queued.
    fn on_queued(&mut self, first: Item) -> Flow {
        let is_working = matches!(self.doing, Doing::Working(_));
        let mut next = Some(first);
        for left in (0..BATCH).rev() {
            match next {
                Some(Item::Answer) if is_working => {
                    self.answer_is_next = true;
                    break;
                }
                Some(item) => self.write(item)?,
                None => break,
            }
            // Nothing is taken that would not be written.
            next = if left > 0 {
                self.outbox().and_then(Outbox::try_take)
            } else {
                None
            };
        }
        match self.restart.take() {
            Some(order) if !is_working => Err(End::Close(*order)),
            order => {
                self.restart = order;
                Ok(())
            }
        }
    }

    /// Writes what is queued now, or as much of it as lies before the place of an answer.
    fn write_queued(&mut self, until_answer: bool) -> Flow {
        let mut left = self.outbox().map_or(0, Outbox::len);
        while left > 0 {
            let Some(item) = self.outbox().and_then(Outbox::try_take) else {
                break;
            };
            match item {
                Item::Answer if until_answer => break,
                // It jumps the queue, so it takes nobody's turn.
                Item::Notice(_) => {}
                _ => left -= 1,
            }
            self.write(item)?;
        }
        Ok(())
    }

    fn write(&mut self, item: Item) -> Flow {
        match item {
            Item::Push { frame, committed } => self.writer.push(frame, committed),
            Item::Notice(frame) => self.writer.text(frame),
            Item::Hint(head) => {
                if let Some(session) = self.identified() {
                    session.hinted();
                }
                if let Some(frame) = encoded(&Push::SyncHint(SyncHint { head })) {
                    self.writer.text(frame);
                }
            }
            // Nothing is in hand whose place this could be.
            Item::Answer => {}
            Item::Close(order) if order.close == Close::Restart => {
                self.restart = Some(Box::new(order));
            }
            Item::Close(order) => return Err(End::Close(order)),
        }
        Ok(())
    }

    /// Does what is due.
    fn on_time(&mut self) -> Flow {
        let timers = &self.line.context.timers;
        let now = timers.now();
        if now < self.alarm_at {
            return Ok(());
        }
        if self.blocked_until != NEVER {
            return if now >= self.blocked_until {
                Err(Lost::Slow.into())
            } else {
                Ok(())
            };
        }
        if let Some(Session::Anonymous(session)) = &self.session
            && now >= session.deadline
        {
            return Err(Close::LoginTimeout.into());
        }
        if self
            .identified()
            .is_some_and(|session| now >= session.expires())
        {
            return Err(End::Close(Order {
                farewell: encoded(&Push::KickedOut(KickedOut {
                    r#type: KickedOutType::UserSigExpired,
                })),
                close: Close::RefreshCredential,
            }));
        }
        if !matches!(self.doing, Doing::Working(_)) && now >= self.silent_at() {
            return Err(Close::Silent.into());
        }
        if now >= self.next_ping {
            let interval = Duration::from_millis(self.line.context.server.ping_interval_ms);
            self.next_ping = timers.after(interval);
            self.writer.control(Opcode::Ping, Vec::new());
        }
        Ok(())
    }

    fn silent_at(&self) -> Tick {
        let timeout = Duration::from_millis(self.line.context.server.idle_timeout_ms);
        later(self.heard, timeout)
    }

    /// The socket is full.
    fn is_blocked(&mut self) {
        if self.blocked_until == NEVER {
            let context = &self.line.context;
            let patience = Duration::from_millis(context.server.write_timeout_ms);
            self.blocked_until = context.timers.after(patience);
        }
    }

    /// When there is something to do if nothing happens.
    fn deadline(&self) -> Tick {
        if self.blocked_until != NEVER {
            return self.blocked_until;
        }
        let mut first = self.next_ping;
        if !matches!(self.doing, Doing::Working(_)) {
            first = first.min(self.silent_at());
        }
        match &self.session {
            Some(Session::Anonymous(session)) => first.min(session.deadline),
            Some(Session::Identified(session)) => first.min(session.expires()),
            None => first,
        }
    }

    /// One alarm serves all: it is set to the first of them, and what has moved on meanwhile is found out when it
    /// goes off.
    fn set_alarm(&mut self, context: &TaskContext<'_>) {
        let at = self.deadline();
        let timers = &self.line.context.timers;
        match self.place {
            None => self.place = Some(timers.add(at, context.waker().clone())),
            Some(place) if at < self.alarm_at || self.alarm_at <= timers.now() => {
                timers.set(place, at);
            }
            Some(_) => return,
        }
        self.alarm_at = at;
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
        self.doing = Doing::Closing(Box::pin(finish::finish(line, writer, end)));
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
