//! A client's side of the conversation: messages in, messages out, no socket.
//!
//! A session is [`Anonymous`] until its login, which consumes it and gives an [`Identified`] one: an anonymous
//! session has no method that touches an account.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::claim::Claim;
use super::limit::Verdict;
use super::timers::Tick;
use super::{calls, login};
use crate::domain::UserId;
use crate::domain::cursor::Since;
use crate::engine::{Actor, EngineError};
use crate::hub::{Outbox, Registration, Wire};
use crate::protocol::answer;
use crate::protocol::close::Close;
use crate::protocol::code::Code;
use crate::protocol::jsonrpc::{self, ErrorObject, Id, error_frame, result_frame};
use crate::protocol::method::Call;
use crate::transport::{Context, Peer, error};
use serde::Serialize;
use serde_json::json;

/// What one message leads to.
pub(super) enum Step {
    /// The answer is there.
    Done(Session, Turn),
    /// The answer will come. The session is missing if the answer decides what becomes of it.
    Working(Option<Session>, Work),
}

pub(super) type Work = Pin<Box<dyn Future<Output = Turn> + Send>>;

/// An answer, and what comes after it.
pub(super) struct Turn {
    pub(super) reply: Reply,
    pub(super) next: Next,
}

pub(super) enum Reply {
    /// A frame to write.
    Frame(String),
    /// To be made by [`Identified::pong`] once everything that is queued has been written.
    Pong { id: Id, reached: Since },
}

pub(super) enum Next {
    Stay,
    Become(Session),
    Close(Close),
}

impl Turn {
    pub(super) fn stay(frame: String) -> Self {
        Self {
            reply: Reply::Frame(frame),
            next: Next::Stay,
        }
    }

    pub(super) fn close(frame: String, close: Close) -> Self {
        Self {
            reply: Reply::Frame(frame),
            next: Next::Close(close),
        }
    }
}

pub(super) enum Session {
    Anonymous(Box<Anonymous>),
    Identified(Identified),
}

/// A client that has not logged in.
pub(super) struct Anonymous {
    pub(super) context: Arc<Context>,
    pub(super) peer: Arc<Peer>,
    /// For the hub, once it has logged in.
    pub(super) wire: Arc<dyn Wire>,
    /// When it must have logged in.
    pub(super) deadline: Tick,
}

/// A device of an account.
#[derive(Clone)]
pub(super) struct Identified(Arc<Device>);

/// What the calls of one connection share.
pub(super) struct Device {
    pub(super) context: Arc<Context>,
    pub(super) registration: Registration,
    pub(super) user: UserId,
    /// When its credential runs out.
    pub(super) expires: Tick,
    claim: Mutex<Claim>,
}

impl Session {
    /// A text frame came in; `verdict`: what the rate limit says of it.
    pub(super) fn on_text(self, text: &str, verdict: Verdict) -> Step {
        let request = match jsonrpc::parse(text) {
            Ok(request) => request,
            Err((id, error)) => {
                return self.refuse(id.as_ref(), "unknown", &error);
            }
        };
        let method = Call::NAMES
            .iter()
            .find(|name| **name == request.method)
            .copied()
            .unwrap_or("unknown");
        if let Verdict::Refused(wait) = verdict {
            // Rounded up: a client that waits exactly this long is let through.
            let wait = u64::try_from(wait.as_millis()).map_or(u64::MAX, |ms| ms + 1);
            let error =
                ErrorObject::with(Code::OVER_FREQUENCY_LIMIT, json!({ "retryAfter": wait }));
            return self.refuse(Some(&request.id), method, &error);
        }
        let is_login = method == "login";
        let call = Call::parse(&request.method, request.params);
        match (self, call) {
            (Self::Anonymous(session), Ok(Call::Login(login))) => {
                let work = login::login(*session, request.id, login);
                Step::Working(None, Box::pin(work))
            }
            (Self::Identified(session), Ok(call)) if !is_login => {
                session.on_call(request.id, method, call)
            }
            (session, call) => {
                let is_known = method != "unknown";
                let error = match (&session, call) {
                    (Self::Anonymous(_), Err(error)) if is_login || !is_known => error,
                    (Self::Anonymous(_), _) => Code::NOT_LOGGED_IN.into(),
                    (Self::Identified(_), Err(error)) if !is_login => error,
                    (Self::Identified(_), _) => Code::REPEAT_LOGIN.into(),
                };
                session.refuse(Some(&request.id), method, &error)
            }
        }
    }

    fn refuse(self, id: Option<&Id>, method: &'static str, error: &ErrorObject) -> Step {
        let frame = refused(self.context(), id, method, error);
        Step::Done(self, Turn::stay(frame))
    }

    fn context(&self) -> &Context {
        match self {
            Self::Anonymous(session) => &session.context,
            Self::Identified(session) => &session.0.context,
        }
    }

    pub(super) fn identified(&self) -> Option<&Identified> {
        match self {
            Self::Anonymous(_) => None,
            Self::Identified(session) => Some(session),
        }
    }
}

impl Identified {
    /// A device that has just logged in; `claim`: of what the login's answer tells it.
    pub(super) fn new(
        context: Arc<Context>,
        registration: Registration,
        user: UserId,
        expires: Tick,
        claim: Claim,
    ) -> Self {
        Self(Arc::new(Device {
            context,
            registration,
            user,
            expires,
            claim: Mutex::new(claim),
        }))
    }

    fn on_call(self, id: Id, method: &'static str, call: Call) -> Step {
        let device = &self.0;
        let turn = match call {
            Call::Ping(ping) => {
                if let Some(ack) = ping.ack {
                    device.registration.acknowledge(ack);
                }
                device.registration.catch_up();
                // Read before the queue is written out, not after: what is queued in between is in neither.
                let reached = device.registration.reached();
                Turn {
                    reply: Reply::Pong { id, reached },
                    next: Next::Stay,
                }
            }
            Call::Logout(_) => Turn::close(
                replied(&device.context, &id, method, Ok(answer::Done {})),
                Close::Normal,
            ),
            call => {
                let work = calls::answer(Arc::clone(device), id, method, call);
                return Step::Working(Some(Session::Identified(self)), Box::pin(work));
            }
        };
        Step::Done(Session::Identified(self), turn)
    }

    /// The answer to a ping, where everything up to `reached` has been written before it.
    pub(super) fn pong(&self, id: &Id, reached: Since) -> String {
        let device = &self.0;
        let engine = &device.context.engine;
        let claimed = device.claim().of(reached);
        let pong = answer::Pong {
            head: reached.version.max(claimed.version),
            cursor: engine.cursor(device.registration.account(), claimed),
            server_time: engine.now(),
        };
        replied(&device.context, id, "ping", Ok(pong))
    }

    /// Has what was committed before an answer queued before it.
    pub(super) fn catch_up(&self) {
        self.0.registration.catch_up();
    }

    /// A hint is about to be written in place of pushes.
    pub(super) fn hinted(&self) {
        self.0.claim().hinted();
    }

    pub(super) fn outbox(&self) -> &Outbox {
        self.0.registration.outbox()
    }

    pub(super) fn expires(&self) -> Tick {
        self.0.expires
    }
}

impl Device {
    /// Who acts; made for each call, since the hub knows most of it already.
    pub(super) fn actor(&self) -> Actor {
        Actor::device(
            self.registration.app(),
            self.user.clone(),
            self.registration.account(),
            self.registration.device(),
            self.registration.id(),
        )
    }

    pub(super) fn claim(&self) -> MutexGuard<'_, Claim> {
        self.claim.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The frame that answers a call, counted.
pub(super) fn replied<T: Serialize>(
    context: &Context,
    id: &Id,
    method: &'static str,
    result: Result<T, EngineError>,
) -> String {
    let error = match result {
        Ok(answer) => match result_frame(id, &answer) {
            Ok(frame) => {
                count(context, method, 0);
                return frame;
            }
            Err(error) => {
                tracing::error!(%error, method, "an answer could not be encoded");
                Code::INTERNAL.into()
            }
        },
        Err(error) => error::told(&error),
    };
    refused(context, Some(id), method, &error)
}

/// The frame that refuses a call, counted.
pub(super) fn refused(
    context: &Context,
    id: Option<&Id>,
    method: &'static str,
    error: &ErrorObject,
) -> String {
    count(context, method, error.code);
    error_frame(id, error)
}

fn count(context: &Context, method: &'static str, code: i32) {
    context.metrics.answered(method, code);
}
