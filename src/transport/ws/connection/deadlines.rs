//! What is done because of the time: pings, and patience that ends.

use std::task::Context as TaskContext;
use std::time::Duration;

use super::{Connection, Doing, Flow, encoded};
use crate::hub::Order;
use crate::protocol::close::Close;
use crate::protocol::push::{KickedOut, KickedOutType, Push};
use crate::transport::ws::end::{End, Lost};
use crate::transport::ws::frame::Opcode;
use crate::transport::ws::session::Session;
use crate::transport::ws::socket::Socket;
use crate::transport::ws::timers::{NEVER, Tick, later};

impl<S: Socket> Connection<S> {
    /// Does what is due.
    pub(super) fn on_time(&mut self) -> Flow {
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
    pub(super) fn is_blocked(&mut self) {
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
    pub(super) fn set_alarm(&mut self, context: &TaskContext<'_>) {
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
}
