//! Sessions over channels, against a real engine and a real store: no socket, and time that is moved.

mod ends;
mod login;
mod order;

use std::net::Ipv4Addr;
use std::task::{Context as TaskContext, Poll};

use futures_util::{Sink, Stream};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_util::sync::PollSender;

use super::*;
use crate::bus::LocalBus;
use crate::domain::app::{App, Features, SecretKey};
use crate::domain::{AccountKey, SdkAppId, Version};
use crate::engine::{Engine, Limits, SystemClock, usersig};
use crate::hub::{Bounds, Hub};
use crate::settings::Settings;
use crate::store::sqlite::{Options, SqliteStore};

const APP: SdkAppId = SdkAppId(1_400_000_001);
const KEY: &str = "a key for tests";

/// The server's end of a channel that plays the socket.
struct Pipe {
    out: PollSender<Message>,
    input: mpsc::Receiver<Result<Message, Error>>,
}

impl Stream for Pipe {
    type Item = Result<Message, Error>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
    ) -> Poll<Option<Self::Item>> {
        self.input.poll_recv(context)
    }
}

impl Sink<Message> for Pipe {
    type Error = Error;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
    ) -> Poll<Result<(), Error>> {
        self.out
            .poll_reserve(context)
            .map_err(|_| Error::ConnectionClosed)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.out
            .send_item(message)
            .map_err(|_| Error::ConnectionClosed)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
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
        let hub = Arc::new(Hub::new(Bounds {
            frames: settings.limits.queue_frames,
            bytes: settings.limits.queue_bytes,
        }));
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
        Self {
            context: Arc::new(context),
            _folder: folder,
        }
    }

    /// A client whose pipe holds `room` messages it has not read.
    fn connect_with_room(&self, room: usize) -> Client {
        let (out, from_server) = mpsc::channel(room);
        let (to_server, input) = mpsc::channel(1024);
        let pipe = Pipe {
            out: PollSender::new(out),
            input,
        };
        let context = Arc::clone(&self.context);
        let address = Ipv4Addr::LOCALHOST.into();
        let peer = Arc::new(Peer {
            address,
            admitted: context.admission.admit(address).unwrap(),
        });
        let task = self.context.tracker.spawn(async move {
            serve(pipe, &context, &peer).await;
        });
        Client {
            to_server,
            from_server,
            pushes: Vec::new(),
            next_id: 1,
            task,
        }
    }

    fn connect(&self) -> Client {
        self.connect_with_room(10_000)
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

    /// The account's number, known by who is connected.
    fn push(&self, version: u64) {
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
                to: Audience::Account(AccountKey(1)),
                except: None,
                push,
            }],
            position: None,
            at: std::time::Instant::now(),
        });
    }
}

struct Client {
    to_server: mpsc::Sender<Result<Message, Error>>,
    from_server: mpsc::Receiver<Message>,
    /// Read while an answer was waited for.
    pushes: Vec<Value>,
    next_id: u64,
    task: JoinHandle<()>,
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
    async fn say(&self, message: Message) {
        self.to_server.send(Ok(message)).await.unwrap();
    }

    async fn ask(&mut self, method: &str, params: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let text = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.say(Message::text(text.to_string())).await;
        id
    }

    /// The next text, whole; or the code with which the server closed.
    async fn hear(&mut self) -> Result<Value, u16> {
        let mut whole = Vec::new();
        loop {
            match self.from_server.recv().await {
                None => return Err(1006),
                Some(Message::Text(text)) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Message::Frame(frame)) => {
                    whole.extend_from_slice(frame.payload());
                    if frame.header().is_final {
                        return Ok(serde_json::from_slice(&whole).unwrap());
                    }
                }
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
