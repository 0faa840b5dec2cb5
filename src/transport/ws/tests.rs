use std::net::Ipv4Addr;
use std::task::{Context as TaskContext, Poll};

use futures_util::{Sink, Stream};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
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
        let context = Context::new(Arc::new(engine), hub, settings.server, settings.limits);
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

#[tokio::test]
async fn a_client_without_a_login_is_closed_in_time() {
    let world = World::new().await;
    let mut client = world.connect();
    tokio::time::pause();
    let began = Instant::now();
    assert_eq!(client.closed().await, 4408);
    assert_eq!(began.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn before_the_login_there_is_only_the_login() {
    let world = World::new().await;
    let mut client = world.connect();
    assert_eq!(client.code("ping", json!({})).await, 2024);
    assert_eq!(
        client
            .code("conversation.delete", json!({ "what": 1 }))
            .await,
        2024
    );
    assert_eq!(client.code("no.such", json!({})).await, -32601);
    assert_eq!(
        client.code("login", json!({ "sdkAppID": "x" })).await,
        -32602
    );
    client.log_in("alice", "phone").await;
    assert_eq!(client.code("login", json!({})).await, 2025);
    assert_eq!(client.code("ping", json!({})).await, 0);
    assert_eq!(client.code("no.such", json!({})).await, -32601);
}

#[tokio::test]
async fn a_refused_login_says_why_and_whether_to_come_back() {
    let world = World::new().await;
    let expired = sig("alice", -10);
    let other = sig("bob", 86_400);
    for (sig, code, close) in [
        (expired.as_str(), 70001, 4401),
        (other.as_str(), 70013, 4500),
        ("nonsense", 70003, 4500),
    ] {
        let mut client = world.connect();
        assert_eq!(
            client.code("login", login("alice", "phone", sig)).await,
            code
        );
        assert_eq!(client.closed().await, close);
    }
    assert_eq!(world.context.hub.figures().accounts, 0);
}

#[tokio::test]
async fn an_account_with_too_many_connections_is_told_to_wait() {
    let world = World::with(|settings| settings.limits.connections_per_account = 1).await;
    let _phone = world.login("alice", "phone").await;
    let mut laptop = world.connect();
    let params = login("alice", "laptop", &sig("alice", 86_400));
    assert_eq!(laptop.code("login", params).await, 2996);
    assert_eq!(laptop.closed().await, 1013);
}

#[tokio::test]
async fn a_reconnect_of_a_device_ends_its_old_connection() {
    let world = World::new().await;
    let mut old = world.login("alice", "phone").await;
    let mut new = world.login("alice", "phone").await;
    assert_eq!(old.closed().await, 4509);
    assert_eq!(old.pushes[0]["params"]["type"], "multipleAccount");
    assert_eq!(new.code("ping", json!({})).await, 0);
}

#[tokio::test]
async fn a_logged_out_device_hears_no_more_and_stays_out() {
    let world = World::new().await;
    let mut phone = world.login("alice", "phone").await;
    let mut laptop = world.login("alice", "laptop").await;
    let devices = laptop.call("device.list", json!({})).await;
    let online = |devices: &Value| -> Vec<bool> {
        let list = devices["result"]["deviceList"].as_array().unwrap();
        list.iter()
            .map(|device| device["isOnline"].as_bool().unwrap())
            .collect()
    };
    assert_eq!(online(&devices), [true, true]);
    let params = json!({ "deviceID": "phone" });
    assert_eq!(laptop.code("device.logout", params).await, 0);
    assert_eq!(phone.closed().await, 4501);
    assert_eq!(phone.pushes[0]["params"]["type"], "REST_API_Kick");
    let devices = laptop.call("device.list", json!({})).await;
    assert_eq!(online(&devices).iter().filter(|is| **is).count(), 1);

    let mut again = world.connect();
    let params = login("alice", "phone", &sig("alice", 86_400));
    assert_eq!(again.code("login", params).await, 70001);
    assert_eq!(again.closed().await, 4501);
}

#[tokio::test]
async fn a_logout_is_answered_and_closed() {
    let world = World::new().await;
    let mut client = world.login("alice", "phone").await;
    assert_eq!(client.call("logout", json!({})).await["result"], json!({}));
    assert_eq!(client.closed().await, 1000);
    client.task.await.unwrap();
    assert_eq!(world.context.hub.figures().connections, 0);
}

#[tokio::test]
async fn a_binary_frame_is_not_understood() {
    let world = World::new().await;
    let mut client = world.connect();
    client.say(Message::binary(vec![1])).await;
    assert_eq!(client.closed().await, 1003);
}

#[tokio::test]
async fn a_broken_frame_is_answered_with_its_code() {
    use tokio_tungstenite::tungstenite::error::CapacityError;
    let world = World::new().await;
    let too_long = CapacityError::MessageTooLong {
        size: 2,
        max_size: 1,
    };
    for (error, code) in [
        (Error::Capacity(too_long), 1009),
        (Error::Utf8("bad".into()), 1007),
        (Error::Protocol(ProtocolError::NonZeroReservedBits), 1002),
    ] {
        let mut client = world.connect();
        client.to_server.send(Err(error)).await.unwrap();
        assert_eq!(client.closed().await, code);
    }
}

#[tokio::test]
async fn a_silent_client_is_pinged_and_then_closed() {
    let world = World::new().await;
    let mut client = world.login("alice", "phone").await;
    tokio::time::pause();
    let (began, mut pings) = (Instant::now(), 0);
    let code = loop {
        match client.from_server.recv().await.unwrap() {
            Message::Ping(_) => pings += 1,
            Message::Close(frame) => break u16::from(frame.unwrap().code),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((code, pings), (4409, 2));
    // It logged in a moment before the clock stood still.
    assert!((74..=75).contains(&began.elapsed().as_secs()));
}

#[tokio::test]
async fn a_client_that_answers_pings_stays() {
    let world = World::new().await;
    let mut client = world.login("alice", "phone").await;
    tokio::time::pause();
    for _ in 0..20 {
        match client.from_server.recv().await.unwrap() {
            Message::Ping(payload) => client.say(Message::Pong(payload)).await,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_credential_that_runs_out_ends_the_connection() {
    let world = World::new().await;
    let mut client = world.connect();
    let answer = client
        .call("login", login("alice", "phone", &sig("alice", 20)))
        .await;
    assert!(answer["result"].is_object(), "{answer}");
    tokio::time::pause();
    let began = Instant::now();
    assert_eq!(client.closed().await, 4401);
    assert_eq!(client.pushes[0]["params"]["type"], "userSigExpired");
    assert!((18..=20).contains(&began.elapsed().as_secs()));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_given_up() {
    let world = World::new().await;
    let mut client = world.connect_with_room(4);
    client.log_in("alice", "phone").await;
    tokio::time::pause();
    for version in 1..=1_000 {
        world.push(version);
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    (&mut client.task).await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 10);
    assert_eq!(world.closes(4410), 1);
    assert_eq!(world.context.hub.figures().collapses, 1);
}

#[tokio::test]
async fn a_collapsed_queue_is_hinted_before_the_pong() {
    let world = World::with(|settings| settings.limits.queue_frames = 3).await;
    let mut client = world.login("alice", "phone").await;
    let cursor = |pong: &Value| pong["result"]["cursor"].as_str().unwrap().to_owned();
    let before = cursor(&client.call("ping", json!({})).await);
    // Without a turn for the connection's task, so that it finds the queue as it is after all of them.
    for version in 1..=9 {
        world.push(version);
    }
    let pong = client.call("ping", json!({})).await;
    assert_eq!(pong["result"]["head"], 9);
    assert_eq!(client.pushes.len(), 1);
    assert_eq!(client.pushes[0]["method"], "sync.hint");
    assert_eq!(client.pushes[0]["params"]["head"], 9);
    assert_eq!(
        cursor(&pong),
        before,
        "a pong must not claim what was dropped"
    );

    // Heads of this test are not in the store, so that the sync resets; it makes the claim good all the same.
    let synced = client
        .call("conversation.sync", json!({ "cursor": before }))
        .await;
    assert_eq!(synced["result"]["isCompleted"], true);
    assert_ne!(cursor(&client.call("ping", json!({})).await), before);
}

#[tokio::test]
async fn everything_reached_is_written_before_the_pong() {
    let world = World::new().await;
    let mut client = world.login("alice", "phone").await;
    for version in 1..=100 {
        world.push(version);
    }
    let pong = client.call("ping", json!({})).await;
    assert_eq!(pong["result"]["head"], 100);
    let versions: Vec<_> = client
        .pushes
        .iter()
        .map(|push| push["params"]["version"].as_u64().unwrap())
        .collect();
    assert_eq!(versions, (1..=100).collect::<Vec<_>>());
}

/// Answers and pushes carry versions of one sequence. Written as they happened to be ready, an answer overtook the
/// push of the version before it, and the client waited for a gap to close that was none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_and_pushes_come_in_the_order_of_their_versions() {
    const EACH: usize = 100;
    let world = World::with(|settings| settings.limits.request_burst = 10_000).await;
    let mut phone = world.login("alice", "phone").await;
    let mut laptop = world.login("alice", "laptop").await;
    let message = json!({
        "conversationID": "C2Cbob", "type": "TIMTextElem", "payload": { "text": "hi" },
    });
    assert_eq!(phone.code("message.send", message).await, 0);
    for turn in 0..EACH {
        let params = json!({ "conversationID": "C2Cbob", "isPinned": turn % 2 == 0 });
        phone.ask("conversation.pin", params.clone()).await;
        laptop.ask("conversation.pin", params).await;
    }
    let version = |frame: &Value| {
        frame["result"]["version"]
            .as_u64()
            .or(frame["params"]["version"].as_u64())
    };
    for client in [&mut phone, &mut laptop] {
        let (mut versions, mut answers) = (Vec::new(), 0);
        while answers < EACH {
            let frame = client.hear().await.unwrap();
            assert!(frame.get("error").is_none(), "{frame}");
            answers += usize::from(frame.get("id").is_some());
            versions.extend(version(&frame));
        }
        assert!(versions.len() >= EACH);
        for pair in versions.windows(2) {
            assert_eq!(pair[0] + 1, pair[1], "{versions:?}");
        }
    }
}

#[tokio::test]
async fn a_deletion_reaches_the_other_devices_and_not_the_actor() {
    let world = World::new().await;
    let mut phone = world.login("alice", "phone").await;
    let mut laptop = world.login("alice", "laptop").await;
    let message = json!({
        "conversationID": "C2Cbob", "type": "TIMTextElem", "payload": { "text": "hi" },
    });
    assert_eq!(phone.code("message.send", message).await, 0);
    let params = json!({ "conversationIDList": ["C2Cbob"] });
    let deleted = phone.call("conversation.delete", params).await;
    let version = &deleted["result"]["version"];
    assert!(version.is_u64(), "{deleted}");
    loop {
        let push = laptop.hear().await.unwrap();
        if push["method"] == "conversation.deleted" {
            assert_eq!(push["params"]["version"], *version);
            break;
        }
    }
    assert_eq!(phone.code("ping", json!({})).await, 0);
    assert!(
        phone
            .pushes
            .iter()
            .all(|push| push["method"] != "conversation.deleted")
    );
    assert_eq!(
        world
            .context
            .metrics
            .deletions
            .get_or_create(&crate::transport::metrics::Outcome::OK)
            .get(),
        1
    );
}

#[tokio::test]
async fn who_asks_too_often_is_refused_and_then_closed() {
    let world = World::with(|settings| {
        settings.limits.request_burst = 5;
        settings.limits.requests_per_second = 1;
    })
    .await;
    let mut client = world.login("alice", "phone").await;
    let mut refusal = Value::Null;
    while refusal["error"].is_null() {
        refusal = client.call("ping", json!({})).await;
    }
    assert_eq!(refusal["error"]["code"], 2996);
    assert!(refusal["error"]["data"]["retryAfter"].as_u64().unwrap() > 0);
    for _ in 0..100 {
        client.say(Message::Ping(Vec::new().into())).await;
    }
    assert_eq!(client.closed().await, 1008);
}

#[tokio::test]
async fn a_drain_sends_everybody_away() {
    let world = World::with(|settings| settings.server.drain_ms = 100).await;
    let mut phone = world.login("alice", "phone").await;
    let mut anonymous = world.connect();
    // Its request is in hand when the drain begins.
    let message = json!({
        "conversationID": "C2Cbob", "type": "TIMTextElem", "payload": { "text": "hi" },
    });
    phone.ask("message.send", message).await;
    tokio::task::yield_now().await;
    crate::transport::drain::drain(&world.context).await;
    assert_eq!(phone.closed().await, 1012);
    let draining = |frame: &Value| frame["method"] == "server.draining";
    assert!(phone.pushes.iter().any(draining), "{:?}", phone.pushes);
    assert!(
        phone
            .pushes
            .iter()
            .any(|frame| frame["result"]["message"].is_object())
    );
    assert_eq!(anonymous.closed().await, 1012);
    assert_eq!(world.context.hub.figures().connections, 0);
}

#[tokio::test]
async fn a_long_answer_goes_out_in_fragments() {
    let world = World::new().await;
    let mut client = world.login("alice", "phone").await;
    let text = "x".repeat(7_000);
    for _ in 0..10 {
        let message = json!({
            "conversationID": "C2Cbob", "type": "TIMTextElem", "payload": { "text": text },
        });
        assert_eq!(client.code("message.send", message).await, 0);
    }
    client
        .ask("message.list", json!({ "conversationID": "C2Cbob" }))
        .await;
    let first = client.from_server.recv().await.unwrap();
    let Message::Frame(first) = first else {
        panic!("{first:?}");
    };
    assert!(!first.header().is_final && first.payload().len() == wire::FRAGMENT);
    let mut whole = first.into_payload().to_vec();
    loop {
        match client.from_server.recv().await.unwrap() {
            Message::Frame(frame) => {
                whole.extend_from_slice(frame.payload());
                if frame.header().is_final {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    let answer: Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(
        answer["result"]["messageList"].as_array().unwrap().len(),
        10
    );
}
