//! One WebSocket: the only place that reads and writes it.
//!
//! The loop waits for whichever comes first:
//! - a message from the client, as long as no request of its is in hand: requests are answered one at a time, in
//!   the order in which they came;
//! - the answer to the request in hand;
//! - what the hub queued: pushes go on while a request is in hand;
//! - time: pings, silence, a login that does not come, a credential that runs out.
//!
//! # Order on the wire
//! Pushes and answers carry versions, and a client that sees a gap waits before it asks. So an answer is written
//! where its operation belongs among the pushes: the hub leaves a mark in the actor's own queue as it tells the
//! others ([`Item::Answer`]). What is queued before the mark is written first, what is behind it waits for the
//! answer.

mod calls;
mod claim;
mod limit;
mod login;
mod session;
#[cfg(test)]
mod tests;
pub(super) mod upgrade;
mod wire;

pub use wire::Socket;

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::metrics::Closed;
use super::{Context, Peer};
use crate::hub::{Frame, Item, Order, Outbox};
use crate::protocol::close::Close;
use crate::protocol::push::{KickedOut, KickedOutType, Push, SyncHint};
use limit::{Limit, Verdict};
use session::{Anonymous, Identified, Next, Reply, Session, Step, Turn, Work};
use wire::{Lost, Wire};

/// Pushes that are written before the network is given them, and the client is listened to again.
const BATCH: usize = 64;

/// Serves one client until it goes or is sent away; gives the socket back with nothing more to write.
pub async fn serve<S: Socket>(socket: S, context: &Arc<Context>, peer: &Arc<Peer>) -> S {
    let mut connection = Connection::new(socket, context, peer);
    let end = connection.run().await;
    connection.finish(end).await
}

/// How a connection ends.
#[derive(Debug)]
enum End {
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

type Flow = Result<(), End>;

enum Event {
    Answered(Turn),
    Queued(Item),
    Received(Option<Result<Message, Error>>),
    Tick,
    Draining,
}

struct Connection<'a, S> {
    context: &'a Arc<Context>,
    peer: &'a Arc<Peer>,
    wire: Wire<S>,
    limit: Limit,
    /// Missing only while a login is in hand.
    session: Option<Session>,
    /// The request in hand.
    work: Option<Work>,
    /// The queue has come to the place of the answer that is still in hand.
    answer_is_next: bool,
    /// The order to close once the request in hand is answered.
    restart: Option<Order>,
    heard: Instant,
    next_ping: Instant,
    login_deadline: Instant,
    timer: Pin<Box<Sleep>>,
}

impl<'a, S: Socket> Connection<'a, S> {
    fn new(socket: S, context: &'a Arc<Context>, peer: &'a Arc<Peer>) -> Self {
        let now = Instant::now();
        let after = |ms| now + Duration::from_millis(ms);
        let settings = &context.server;
        let login_deadline = after(settings.login_timeout_ms);
        Self {
            context,
            peer,
            wire: Wire::new(
                socket,
                Duration::from_millis(settings.write_timeout_ms),
                context.metrics.write.clone(),
            ),
            limit: Limit::new(&context.limits),
            session: Some(Session::Anonymous(Anonymous {
                context: Arc::clone(context),
                peer: Arc::clone(peer),
            })),
            work: None,
            answer_is_next: false,
            restart: None,
            heard: now,
            next_ping: after(settings.ping_interval_ms),
            login_deadline,
            timer: Box::pin(sleep_until(login_deadline)),
        }
    }

    async fn run(&mut self) -> End {
        loop {
            let flow = match self.next().await {
                Event::Answered(turn) => {
                    self.work = None;
                    // It was not listened to meanwhile.
                    self.heard = Instant::now();
                    self.on_turn(turn).await
                }
                Event::Queued(item) => self.on_queued(item).await,
                Event::Received(message) => self.on_message(message).await,
                Event::Tick => self.on_tick().await,
                Event::Draining => Err(Close::Restart.into()),
            };
            if let Err(end) = flow {
                return end;
            }
        }
    }

    async fn next(&mut self) -> Event {
        let is_busy = self.work.is_some();
        let is_leaving = self.restart.is_some();
        let is_anonymous = matches!(self.session, Some(Session::Anonymous(_)));
        let outbox = outbox(self.session.as_ref());
        tokio::select! {
            turn = async {
                match &mut self.work {
                    Some(work) => work.await,
                    None => pending().await,
                }
            }, if is_busy => Event::Answered(turn),
            item = async {
                match outbox {
                    Some(outbox) => poll_fn(|context| outbox.poll_take(context)).await,
                    None => pending().await,
                }
            }, if outbox.is_some() && !self.answer_is_next && !is_leaving => Event::Queued(item),
            message = self.wire.next(), if !is_busy && !is_leaving => Event::Received(message),
            () = self.timer.as_mut() => Event::Tick,
            // Whoever has logged in is sent away through its queue, at its own time.
            () = self.context.draining.cancelled(), if is_anonymous => Event::Draining,
        }
    }

    /// Writes an answer in its place.
    async fn on_turn(&mut self, turn: Turn) -> Flow {
        let is_in_place = std::mem::take(&mut self.answer_is_next);
        let frame = match turn.reply {
            Reply::Frame(frame) => {
                if !is_in_place {
                    self.write_queued(true).await?;
                }
                Some(frame)
            }
            Reply::Pong { id, reached } => {
                // The pong says that all up to `reached` came before it on this connection.
                self.write_queued(false).await?;
                self.identified().map(|session| session.pong(&id, reached))
            }
        };
        if let Some(frame) = frame {
            self.wire.feed(frame.into()).await?;
        }
        self.wire.flush().await?;
        match turn.next {
            Next::Stay => {}
            Next::Become(session) => self.become_session(session)?,
            Next::Close(close) => return Err(close.into()),
        }
        if let Some(order) = self.restart.take() {
            return Err(End::Close(order));
        }
        let deadline = self.deadline();
        if deadline < self.timer.deadline() {
            self.timer.as_mut().reset(deadline);
        }
        Ok(())
    }

    fn become_session(&mut self, session: Session) -> Flow {
        let is_identified = session.identified().is_some();
        self.session = Some(session);
        if is_identified {
            self.peer.admitted.identified();
            // The drain may have gone through the hub before this session was in it.
            if self.context.draining.is_cancelled() {
                return Err(Close::Restart.into());
            }
        }
        Ok(())
    }

    /// Writes a batch of what the hub queued.
    async fn on_queued(&mut self, first: Item) -> Flow {
        let mut next = Some(first);
        for left in (0..BATCH).rev() {
            match next {
                Some(Item::Answer) if self.work.is_some() => {
                    self.answer_is_next = true;
                    break;
                }
                Some(item) => self.write(item).await?,
                None => break,
            }
            // Nothing is taken that would not be written.
            next = if left > 0 {
                outbox(self.session.as_ref()).and_then(Outbox::try_take)
            } else {
                None
            };
        }
        self.wire.flush().await?;
        match self.restart.take() {
            Some(order) if self.work.is_none() => Err(End::Close(order)),
            order => {
                self.restart = order;
                Ok(())
            }
        }
    }

    /// Writes what is queued now, or as much of it as lies before the place of an answer.
    async fn write_queued(&mut self, until_answer: bool) -> Flow {
        let mut left = outbox(self.session.as_ref()).map_or(0, Outbox::len);
        while left > 0 {
            let Some(item) = outbox(self.session.as_ref()).and_then(Outbox::try_take) else {
                break;
            };
            match item {
                Item::Answer if until_answer => break,
                // It jumps the queue, so it takes nobody's turn.
                Item::Notice(_) => {}
                _ => left -= 1,
            }
            self.write(item).await?;
        }
        Ok(())
    }

    async fn write(&mut self, item: Item) -> Flow {
        match item {
            Item::Push { frame, committed } => self.wire.feed_push(frame, committed).await?,
            Item::Notice(frame) => self.wire.feed(frame).await?,
            Item::Hint(head) => {
                if let Some(session) = self.identified() {
                    session.hinted();
                }
                if let Some(frame) = encoded(&Push::SyncHint(SyncHint { head })) {
                    self.wire.feed(frame).await?;
                }
            }
            // Nothing is in hand whose place this could be.
            Item::Answer => {}
            Item::Close(order) if order.close == Close::Restart => self.restart = Some(order),
            Item::Close(order) => return Err(End::Close(order)),
        }
        Ok(())
    }

    async fn on_message(&mut self, message: Option<Result<Message, Error>>) -> Flow {
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(broken(&error)),
            None => return Err(End::Left),
        };
        self.heard = Instant::now();
        match message {
            Message::Text(text) => self.on_text(&text).await,
            Message::Binary(_) => Err(Close::Unsupported.into()),
            // The pong is written by the WebSocket's own layer.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => match self.limit.check() {
                Verdict::Hopeless => Err(Close::Policy.into()),
                Verdict::Allowed | Verdict::Refused(_) => Ok(()),
            },
            Message::Close(_) => Err(End::Left),
        }
    }

    async fn on_text(&mut self, text: &str) -> Flow {
        let verdict = self.limit.check();
        if verdict == Verdict::Hopeless {
            return Err(Close::Policy.into());
        }
        let Some(session) = self.session.take() else {
            return Ok(());
        };
        match session.on_text(text, verdict) {
            Step::Done(session, turn) => {
                self.session = Some(session);
                self.on_turn(turn).await
            }
            Step::Working(session, work) => {
                self.session = session;
                self.work = Some(work);
                Ok(())
            }
        }
    }

    async fn on_tick(&mut self) -> Flow {
        let now = Instant::now();
        let is_anonymous = matches!(self.session, Some(Session::Anonymous(_)));
        if is_anonymous && now >= self.login_deadline {
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
        if self.work.is_none() && now >= self.silent_at() {
            return Err(Close::Silent.into());
        }
        if now >= self.next_ping {
            self.next_ping = now + Duration::from_millis(self.context.server.ping_interval_ms);
            self.wire.ping().await?;
        }
        let deadline = self.deadline();
        self.timer.as_mut().reset(deadline);
        Ok(())
    }

    fn silent_at(&self) -> Instant {
        self.heard + Duration::from_millis(self.context.server.idle_timeout_ms)
    }

    /// When there is something to do if nothing happens. One timer serves all: it is set to the first of them, and
    /// what has moved on meanwhile is found out when it fires.
    fn deadline(&self) -> Instant {
        let mut first = self.next_ping;
        if self.work.is_none() {
            first = first.min(self.silent_at());
        }
        match &self.session {
            Some(Session::Anonymous(_)) => first.min(self.login_deadline),
            Some(Session::Identified(session)) => first.min(session.expires()),
            None => first,
        }
    }

    fn identified(&self) -> Option<&Identified> {
        self.session.as_ref().and_then(Session::identified)
    }

    /// Says goodbye as far as the client listens.
    async fn finish(mut self, end: End) -> S {
        // Out of the hub first: whoever asks from now on finds it gone.
        self.work = None;
        self.session = None;
        let (code, result) = match end {
            End::Close(Order { farewell, close }) => {
                let frame = close_frame(close.code(), close.reason());
                let result = self.wire.close(farewell, frame, false).await;
                (close.code(), result)
            }
            End::Broken(code, reason) => {
                let frame = close_frame(code, reason);
                (code, self.wire.close(None, frame, false).await)
            }
            // The answer to its close frame is queued in the WebSocket's own layer.
            End::Left => (1005, self.wire.flush().await),
            End::Lost(Lost::Slow) => {
                let frame = close_frame(Close::Slow.code(), Close::Slow.reason());
                let result = self.wire.close(None, frame, true).await;
                (Close::Slow.code(), result)
            }
            End::Lost(Lost::Gone) => (1006, Ok(())),
        };
        tracing::debug!(code, ?result, address = %self.peer.address, "a connection was closed");
        let closed = Closed { code: code.into() };
        self.context.metrics.closes.get_or_create(&closed).inc();
        self.wire.into_socket()
    }
}

fn outbox(session: Option<&Session>) -> Option<&Outbox> {
    session
        .and_then(Session::identified)
        .map(Identified::outbox)
}

fn encoded(push: &Push) -> Option<Frame> {
    push.frame().ok().map(Frame::from)
}

fn close_frame(code: u16, reason: &'static str) -> CloseFrame {
    CloseFrame {
        code: code.into(),
        reason: Utf8Bytes::from_static(reason),
    }
}

/// The close codes of RFC 6455, section 7.4.1, for what the WebSocket layer found wrong.
fn broken(error: &Error) -> End {
    match error {
        Error::Capacity(_) => Close::TooBig.into(),
        Error::Utf8(_) => End::Broken(1007, "not UTF-8"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Lost(Lost::Gone),
        Error::Protocol(_) | Error::AttackAttempt => End::Broken(1002, "protocol error"),
        _ => End::Lost(Lost::Gone),
    }
}
