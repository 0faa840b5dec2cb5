//! Sessions over a pipe, against a real engine and a real store: no socket, and time that is moved.
//!
//! The client's frames are made and read with another implementation than the server's.

#[cfg(feature = "echo")]
mod echo;
mod ends;
mod frames;
mod login;
mod order;
mod pushes;
mod sizes;

use std::io::{self, Cursor, IoSlice};
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context as TaskContext, Poll, Waker, ready};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf,
};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame as RawFrame, FrameHeader};
use tokio_util::task::TaskTracker;

use super::*;
use crate::bus::LocalBus;
use crate::domain::app::{App, Features, SecretKey};
use crate::domain::{AccountKey, SdkAppId, Version};
use crate::engine::{Engine, Limits, SystemClock, usersig};
use crate::hub::{Bounds, Hub};
use crate::protocol::push::Push;
use crate::settings::Settings;
use crate::store::sqlite::{Options, SqliteStore};
use crate::transport::metrics::Closed;

const APP: SdkAppId = SdkAppId(1_400_000_001);
const KEY: &str = "a key for tests";

/// The server's end of a pipe that plays the socket.
#[derive(Debug)]
struct Pipe(Mutex<DuplexStream>);

impl Pipe {
    fn stream(&self) -> MutexGuard<'_, DuplexStream> {
        self.0.lock().unwrap()
    }
}

impl Socket for Pipe {
    fn poll_read(
        &self,
        context: &mut TaskContext<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(pin!(&mut *self.stream()).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(
        &self,
        context: &mut TaskContext<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut written = 0;
        for part in parts.iter().filter(|part| !part.is_empty()) {
            match pin!(&mut *self.stream()).poll_write(context, part) {
                Poll::Ready(Ok(count)) => {
                    written += count;
                    if count < part.len() {
                        break;
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if written == 0 => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(Ok(written))
    }

    fn try_write(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.poll_write(&mut TaskContext::from_waker(Waker::noop()), parts) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn shut(&self) -> io::Result<()> {
        let mut context = TaskContext::from_waker(Waker::noop());
        _ = pin!(&mut *self.stream()).poll_shutdown(&mut context);
        Ok(())
    }
}

/// A server's insides, without a socket.
struct World {
    context: Arc<Context>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&Options {
            folder: folder.path().to_owned(),
            durable: false,
            queue: 1024,
            group: 64,
            readers: 2,
            serving: true,
        })
        .unwrap();
        let hub = Arc::new(
            Hub::new(Bounds {
                frames: settings.limits.queue_frames,
                bytes: settings.limits.queue_bytes,
            })
            .unwrap(),
        );
        let bus = LocalBus::new(Arc::<Hub>::clone(&hub) as Arc<_>);
        let limits = Limits {
            page: settings.limits.page,
            group_members: 100,
            request_memory: 1_000_000,
        };
        let engine = Engine::new(
            Arc::new(store),
            Arc::new(bus),
            Arc::new(SystemClock),
            limits,
        )
        .await
        .unwrap();
        let app = App {
            id: APP,
            keys: vec![SecretKey::new(KEY)],
            admins: Vec::new(),
            features: Features {
                sync_conversation_deletion: true,
                ..Features::default()
            },
            disabled: false,
            created_at: engine.now(),
        };
        engine.create_app(app, "test").await.unwrap();
        let context = Context::new(
            Arc::new(engine),
            hub,
            settings.server,
            settings.limits,
            &settings.demo,
        );
        let context = Arc::new(context);
        let timing = Arc::clone(&context);
        // Not the server's own: a drain waits for that one's tasks.
        TaskTracker::new()
            .spawn(async move { timing.timers.run(&timing.draining, &timing.halt).await });
        Self {
            context,
            _folder: folder,
        }
    }

    /// A client whose pipe holds so many bytes that it has not read.
    fn connect_with_room(&self, room: usize) -> Client {
        let (pipe, ours) = tokio::io::duplex(room);
        let address = Ipv4Addr::LOCALHOST.into();
        let peer = Arc::new(Peer {
            admitted: self.context.admission.admit(address).unwrap(),
        });
        let connection = serve(Pipe(Mutex::new(ours)), b"", &self.context, peer);
        Client {
            pipe,
            unread: Vec::new(),
            pushes: Vec::new(),
            next_id: 1,
            task: self.context.tracker.spawn(connection),
        }
    }

    fn connect(&self) -> Client {
        self.connect_with_room(4_000_000)
    }

    async fn login(&self, user: &str, device: &str) -> Client {
        let mut client = self.connect();
        client.log_in(user, device).await;
        client
    }

    fn closes(&self, code: u16) -> u64 {
        let closed = Closed { code: code.into() };
        self.context.metrics.closes.get_or_create(&closed).get()
    }

    /// Tells all devices of who logged in first.
    fn push(&self, version: u64) {
        self.push_to(AccountKey(1), version);
    }

    fn push_to(&self, account: AccountKey, version: u64) {
        use crate::bus::{Audience, Committed, Notice, Subscriber as _};
        use crate::protocol::push::ConversationUpdated;
        let push = Push::ConversationUpdated(ConversationUpdated {
            version: Version(version),
            conversation_list: Vec::new(),
            origin: None,
            time: 0,
        });
        self.context.hub.deliver(&Committed {
            notices: vec![Notice::Push {
                to: Audience::Account(account),
                except: None,
                push,
            }],
            position: None,
            at: std::time::Instant::now(),
        });
    }
}

struct Client {
    pipe: DuplexStream,
    unread: Vec<u8>,
    /// Read while an answer was waited for.
    pushes: Vec<Value>,
    next_id: u64,
    task: JoinHandle<()>,
}

fn message(opcode: OpCode, payload: Vec<u8>) -> Message {
    use tokio_tungstenite::tungstenite::protocol::CloseFrame;
    match opcode {
        OpCode::Data(Data::Text) => Message::text(String::from_utf8(payload).unwrap()),
        OpCode::Control(Control::Ping) => Message::Ping(payload.into()),
        OpCode::Control(Control::Pong) => Message::Pong(payload.into()),
        OpCode::Control(Control::Close) => {
            let (code, reason) = payload.split_first_chunk().unwrap();
            Message::Close(Some(CloseFrame {
                code: u16::from_be_bytes(*code).into(),
                reason: String::from_utf8(reason.to_vec()).unwrap().into(),
            }))
        }
        other => panic!("{other:?}"),
    }
}

fn sig(user: &str, lifetime: i64) -> String {
    let now = i64::try_from(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    )
    .unwrap();
    usersig::sign(
        APP,
        &SecretKey::new(KEY),
        &user.parse().unwrap(),
        now,
        lifetime,
    )
}

fn login(user: &str, device: &str, sig: &str) -> Value {
    json!({ "sdkAppID": APP, "userID": user, "userSig": sig, "deviceID": device, "platform": "Web" })
}

impl Client {
    async fn say(&mut self, message: Message) {
        let (opcode, payload) = match message {
            Message::Text(text) => (OpCode::Data(Data::Text), text.into()),
            Message::Binary(bytes) => (OpCode::Data(Data::Binary), bytes),
            Message::Ping(bytes) => (OpCode::Control(Control::Ping), bytes),
            Message::Pong(bytes) => (OpCode::Control(Control::Pong), bytes),
            other => panic!("{other:?}"),
        };
        let header = FrameHeader {
            opcode,
            mask: Some([1, 2, 3, 4]),
            ..FrameHeader::default()
        };
        let mut bytes = Vec::new();
        let frame = RawFrame::from_payload(header, payload);
        frame.format(&mut bytes).unwrap();
        self.say_bytes(&bytes).await;
    }

    async fn say_bytes(&mut self, bytes: &[u8]) {
        self.pipe.write_all(bytes).await.unwrap();
    }

    /// The next frame; none if the server has ended its side.
    async fn recv(&mut self) -> Option<Message> {
        loop {
            let mut cursor = Cursor::new(&self.unread);
            if let Some((header, length)) = FrameHeader::parse(&mut cursor).unwrap() {
                let start = usize::try_from(cursor.position()).unwrap();
                let end = start + usize::try_from(length).unwrap();
                if end <= self.unread.len() {
                    assert!(header.is_final && header.mask.is_none(), "{header:?}");
                    let payload = self.unread[start..end].to_vec();
                    self.unread.drain(..end);
                    return Some(message(header.opcode, payload));
                }
            }
            if self.pipe.read_buf(&mut self.unread).await.unwrap() == 0 {
                return None;
            }
        }
    }

    async fn ask(&mut self, method: &str, params: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let text = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.say(Message::text(text.to_string())).await;
        id
    }

    /// The next text; or the code with which the server closed.
    async fn hear(&mut self) -> Result<Value, u16> {
        loop {
            match self.recv().await {
                None => return Err(1006),
                Some(Message::Text(text)) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Message::Close(Some(frame))) => return Err(frame.code.into()),
                Some(_) => {}
            }
        }
    }

    /// The answer to a request; pushes before it are kept.
    async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params).await;
        loop {
            let frame = self.hear().await.unwrap();
            if frame["id"] == id {
                return frame;
            }
            self.pushes.push(frame);
        }
    }

    async fn code(&mut self, method: &str, params: Value) -> i64 {
        self.call(method, params).await["error"]["code"]
            .as_i64()
            .unwrap_or_default()
    }

    async fn log_in(&mut self, user: &str, device: &str) -> Value {
        let answer = self
            .call("login", login(user, device, &sig(user, 86_400)))
            .await;
        assert!(answer["result"]["cursor"].is_string(), "{answer}");
        answer["result"].clone()
    }

    /// The code with which the server closes, sooner or later.
    async fn closed(&mut self) -> u16 {
        loop {
            match self.hear().await {
                Ok(frame) => self.pushes.push(frame),
                Err(code) => return code,
            }
        }
    }
}
