//! One connection: log in, catch up, then pushes, pings and one command at a time, until it ends.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::link::{self, End};
use super::state::{Page, Want};
use super::wire::{self, Incoming, Refusal};
use super::{Client, Failure, Next, answers, render};
use crate::domain::Version;
use crate::engine::{Clock, SystemClock};
use crate::protocol::close::Close;
use crate::protocol::push::Push;
use crate::protocol::{SUBPROTOCOL, answer};

/// Between two pings, each with what was applied.
const PING: Duration = Duration::from_secs(25);
/// After a version was applied, for more of them before it is acknowledged: the console shows who has what.
const ACK: Duration = Duration::from_secs(2);
/// For the missing to come by itself (design section 4).
const PATIENCE: Duration = Duration::from_millis(700);
/// For a connection, and for any answer.
const ANSWER: Duration = Duration::from_secs(15);
/// Largest frame taken, in bytes; the longest list of a page is well below.
const LARGEST: usize = 16 << 20;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens the WebSocket.
pub(super) async fn connect(url: &str) -> Result<Socket, End> {
    let mut request = url
        .into_client_request()
        .map_err(|error| End::Stop(format!("--url: {error}")))?;
    let offered = HeaderValue::from_static(SUBPROTOCOL);
    request
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, offered);
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST));
    match timeout(
        ANSWER,
        connect_async_with_config(request, Some(config), true),
    )
    .await
    {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(response))) => Err(link::handshake(response.status().as_u16())),
        // A server that is just stopping.
        Ok(Err(Error::Protocol(ProtocolError::HandshakeIncomplete))) => {
            Err(End::Again("not connected: cut off".into()))
        }
        Ok(Err(Error::Protocol(error))) => Err(End::Stop(format!("no chatsync there: {error}"))),
        Ok(Err(error)) => Err(End::Again(format!("not connected: {error}"))),
        Err(_) => Err(End::Again("not connected: no answer in time".into())),
    }
}

/// Uses the connection until it ends. None: the user is done.
pub(super) async fn run(
    client: &mut Client<'_>,
    socket: Socket,
    usersig: String,
) -> Result<Option<End>, Failure> {
    let mut session = Session {
        client,
        socket,
        waiting: Waiting::default(),
        logged_in: false,
        gap_until: None,
        ping_at: Instant::now() + PING,
        acked: None,
        kicked: None,
        next_page: None,
    };
    match session.talk(usersig).await {
        Ok(()) => {
            // The server is told by the closing handshake, if it still listens.
            _ = timeout(Duration::from_secs(1), session.socket.close(None)).await;
            Ok(None)
        }
        Err(Break::Ended(end)) => Ok(Some(end)),
        Err(Break::Failed(failure)) => Err(failure),
    }
}

/// Requests on their way: their number, and when to give up on the answer.
#[derive(Default)]
struct Waiting {
    sync: Option<(u64, Instant)>,
    ping: Option<(u64, Instant)>,
    command: Option<(u64, Instant)>,
    last: u64,
}

impl Waiting {
    fn number(&mut self) -> (u64, Instant) {
        self.last += 1;
        (self.last, Instant::now() + ANSWER)
    }

    /// When the first answer is overdue.
    fn until(&self) -> Option<Instant> {
        let all = [self.sync, self.ping, self.command];
        all.into_iter().flatten().map(|(_, until)| until).min()
    }
}

/// Why the talk is over.
enum Break {
    Ended(End),
    Failed(Failure),
}

impl From<Failure> for Break {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

struct Session<'c, 'o> {
    client: &'c mut Client<'o>,
    socket: Socket,
    waiting: Waiting,
    logged_in: bool,
    /// Something is missing, and is waited for until then.
    gap_until: Option<Instant>,
    ping_at: Instant,
    /// What the server was last told to be applied.
    acked: Option<Version>,
    /// The server said why it is about to close.
    kicked: Option<&'static str>,
    /// A catch-up has a further page, from this cursor.
    next_page: Option<String>,
}

impl Session<'_, '_> {
    async fn talk(&mut self, usersig: String) -> Result<(), Break> {
        self.log_in(usersig).await?;
        loop {
            if self.logged_in && self.work().await? {
                return Ok(());
            }
            let far = Instant::now() + PING;
            let (gap, overdue) = (self.gap_until, self.waiting.until());
            tokio::select! {
                frame = self.socket.next() => self.frame(frame)?,
                line = self.client.input.next_line(), if self.client.reads_on() => {
                    self.client.typed(line)?;
                }
                () = sleep_until(gap.unwrap_or(far)), if gap.is_some() => self.sync().await?,
                () = sleep_until(self.ping_at), if self.logged_in => self.ping().await?,
                () = sleep_until(overdue.unwrap_or(far)), if overdue.is_some() => {
                    return Err(lost("no answer in time"));
                }
            }
        }
    }

    /// Does what the state and the user ask for; true once the user is done.
    async fn work(&mut self) -> Result<bool, Break> {
        if let Some(cursor) = self.next_page.take() {
            self.ask_page(Some(cursor)).await?;
        }
        match self.client.state.want() {
            Want::Nothing => {
                self.gap_until = None;
                if self.waiting.sync.is_none() && self.acked != Some(self.client.state.version()) {
                    self.ping_at = self.ping_at.min(Instant::now() + ACK);
                }
            }
            Want::Missing => {
                self.gap_until
                    .get_or_insert_with(|| Instant::now() + PATIENCE);
            }
            Want::Sync => self.sync().await?,
        }
        // A command is understood by the state it meets, so it waits until that is right.
        if self.waiting.command.is_some() || self.waiting.sync.is_some() {
            return Ok(false);
        }
        // One that was cut off comes first.
        if self.client.current.is_none() {
            match self.client.next_call()? {
                Next::Nothing => return Ok(false),
                Next::Quit => return Ok(true),
                Next::Call(call) => self.client.current = Some(call),
            }
        }
        if let Some(call) = self.client.current.clone() {
            let sent = self.send(call.method, &call.params).await?;
            self.waiting.command = Some(sent);
        }
        Ok(false)
    }

    async fn log_in(&mut self, usersig: String) -> Result<(), Break> {
        let cursor = self.client.state.begin_sync();
        let of = &self.client.arguments;
        let params = json!({
            "sdkAppID": of.app, "userID": of.user, "userSig": usersig,
            "deviceID": of.device, "platform": of.platform, "cursor": cursor,
        });
        self.waiting.sync = Some(self.send("login", &params).await?);
        Ok(())
    }

    async fn sync(&mut self) -> Result<(), Break> {
        self.gap_until = None;
        if self.waiting.sync.is_none() {
            let cursor = self.client.state.begin_sync();
            self.ask_page(cursor).await?;
        }
        Ok(())
    }

    async fn ask_page(&mut self, cursor: Option<String>) -> Result<(), Break> {
        let params = json!({ "cursor": cursor });
        self.waiting.sync = Some(self.send("conversation.sync", &params).await?);
        Ok(())
    }

    async fn ping(&mut self) -> Result<(), Break> {
        self.ping_at = Instant::now() + PING;
        if self.waiting.ping.is_none() {
            let version = self.client.state.version();
            self.acked = Some(version);
            let params = json!({ "ack": version });
            self.waiting.ping = Some(self.send("ping", &params).await?);
        }
        Ok(())
    }

    async fn send(&mut self, method: &str, params: &Value) -> Result<(u64, Instant), Break> {
        let waiting = self.waiting.number();
        let frame = Message::text(wire::request(waiting.0, method, params));
        match timeout(ANSWER, self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(waiting),
            // The reason, if the server gave one, is still to be read.
            Ok(Err(_)) => Err(self.last_words().await),
            Err(_) => Err(lost("the server takes nothing")),
        }
    }

    /// Reads what the server said before it closed.
    async fn last_words(&mut self) -> Break {
        while let Ok(Some(Ok(message))) = timeout(Duration::from_secs(1), self.socket.next()).await
        {
            if let Message::Close(frame) = message {
                return self.closed(frame.as_ref());
            }
        }
        lost("connection lost")
    }
}

/// What comes in.
impl Session<'_, '_> {
    fn frame(&mut self, frame: Option<Result<Message, Error>>) -> Result<(), Break> {
        match frame {
            Some(Ok(Message::Text(text))) => match wire::read(&text) {
                Ok(Incoming::Push(push)) => self.push(push),
                Ok(Incoming::Answer { id, outcome }) => self.answer(id, outcome),
                Ok(Incoming::Unknown(what)) => {
                    let line = format!("not understood: {}", render::printable(&what));
                    Ok(self.client.say(&line)?)
                }
                Err(error) => Err(lost(&format!("not the protocol: {error}"))),
            },
            Some(Ok(Message::Close(frame))) => Err(self.closed(frame.as_ref())),
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(lost(&error.to_string())),
            None => Err(lost("connection lost")),
        }
    }

    fn closed(&mut self, frame: Option<&CloseFrame>) -> Break {
        let end = match frame {
            Some(frame) => {
                if u16::from(frame.code) == Close::TooBig.code() {
                    // Sent again it would be too big again.
                    self.client.current = None;
                }
                let said = render::printable(&frame.reason);
                link::closed(frame.code.into(), self.kicked.unwrap_or(&said))
            }
            None => End::Again("connection closed".into()),
        };
        Break::Ended(end)
    }

    fn push(&mut self, push: Push) -> Result<(), Break> {
        match &push {
            Push::KickedOut(push) => self.kicked = Some(render::kicked(push.r#type)),
            Push::ServerDraining(push) => {
                let now = SystemClock.now();
                self.client.backoff.draining(now, push.retry_after);
                self.client.say("the server is about to restart")?;
            }
            _ => {}
        }
        let news = self.client.state.push(push);
        Ok(self.client.tell(&news)?)
    }

    fn answer(&mut self, id: u64, outcome: Result<Box<RawValue>, Refusal>) -> Result<(), Break> {
        let is = |waiting: Option<(u64, Instant)>| waiting.is_some_and(|(number, _)| number == id);
        if is(self.waiting.sync) {
            self.waiting.sync = None;
            self.synced(outcome)
        } else if is(self.waiting.ping) {
            self.waiting.ping = None;
            if let Ok(raw) = outcome {
                let pong = read::<answer::Pong>(&raw)?;
                self.client.state.pong(pong);
            }
            Ok(())
        } else if is(self.waiting.command) {
            self.waiting.command = None;
            self.answered(outcome)
        } else {
            Ok(())
        }
    }

    /// The answer to `login` or `conversation.sync`.
    fn synced(&mut self, outcome: Result<Box<RawValue>, Refusal>) -> Result<(), Break> {
        let raw = match outcome {
            Ok(raw) => raw,
            Err(refusal) if self.logged_in => return Err(lost(&refusal.to_string())),
            Err(refusal) => {
                let text = format!("login refused: {}", render::printable(&refusal.to_string()));
                return Err(Break::Ended(link::refused(refusal.code, text)));
            }
        };
        let sync = if self.logged_in {
            read::<answer::Sync>(&raw)?
        } else {
            let login = read::<answer::Login>(&raw)?;
            self.logged_in = true;
            self.client.backoff.succeeded();
            let of = &self.client.arguments;
            let switch = if login.features.sync_conversation_deletion {
                "on"
            } else {
                "off"
            };
            let line = format!(
                "logged in as {} on {} ({}); sync of deletions is {switch}; type help",
                of.user, of.device, of.platform
            );
            self.client.say(&line)?;
            login.sync
        };
        match self.client.state.page(sync) {
            Page::Last(news) => Ok(self.client.tell(&news)?),
            Page::Next(cursor) => {
                self.next_page = Some(cursor);
                Ok(())
            }
        }
    }

    /// The answer to a command.
    fn answered(&mut self, outcome: Result<Box<RawValue>, Refusal>) -> Result<(), Break> {
        let Some(call) = self.client.current.take() else {
            return Ok(());
        };
        match outcome {
            Ok(raw) => {
                let taken = answers::take(&call.meaning, &raw, &mut self.client.state)
                    .map_err(|error| lost(&format!("not the protocol: {error}")))?;
                if taken.older.is_some() {
                    self.client.older = taken.older;
                }
                self.client.show(&taken.lines)?;
                Ok(self.client.tell(&taken.news)?)
            }
            Err(refusal) => {
                let line = render::printable(&refusal.to_string());
                Ok(self.client.show(&[line])?)
            }
        }
    }
}

fn lost(why: &str) -> Break {
    Break::Ended(End::Again(why.into()))
}

fn read<T: serde::de::DeserializeOwned>(raw: &RawValue) -> Result<T, Break> {
    serde_json::from_str(raw.get()).map_err(|error| lost(&format!("not the protocol: {error}")))
}

#[cfg(test)]
mod tests;
