use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::*;
use crate::engine::{SystemClock, usersig};

const APP: u32 = 1_400_000_001;
const KEY: &str = "a key for tests";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A server on a port of its own.
struct Running {
    address: SocketAddr,
    shutdown: Option<oneshot::Sender<()>>,
    ended: JoinHandle<Result<(), RunError>>,
    _folder: tempfile::TempDir,
}

impl Running {
    async fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        settings.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        settings.server.drain_ms = 100;
        settings.store.path = folder.path().to_owned();
        settings.bootstrap.apps.push(BootstrapApp {
            sdk_app_id: APP,
            secret_key: KEY.into(),
            admins: Vec::new(),
            sync_conversation_deletion: true,
        });
        change(&mut settings);
        let server = Server::build(&settings, Arc::new(SystemClock))
            .await
            .unwrap();
        let listener = bind(&settings).unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, asked) = oneshot::channel::<()>();
        let ended = TaskTracker::new().spawn(server.run(listener, async move {
            _ = asked.await;
        }));
        Self {
            address,
            shutdown: Some(shutdown),
            ended,
            _folder: folder,
        }
    }

    async fn stop(mut self) -> Result<(), RunError> {
        _ = self.shutdown.take().map(|shutdown| shutdown.send(()));
        self.ended.await.unwrap()
    }

    async fn upgrade(&self, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
        let mut request = format!("ws://{}/ws", self.address)
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, answer)) => {
                let selected = answer.headers().get("sec-websocket-protocol");
                let offered = headers.iter().any(|(name, _)| name.contains("protocol"));
                assert_eq!(
                    selected.map(|value| value.to_str().unwrap()),
                    offered.then_some("chatsync.v1")
                );
                Ok(socket)
            }
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

async fn login(socket: &mut Socket) -> Value {
    let user = "alice".parse().unwrap();
    let now = SystemClock.now() / 1000;
    let sig = usersig::sign(SdkAppId(APP), &SecretKey::new(KEY), &user, now, 3600);
    let request = json!({
        "jsonrpc": "2.0", "id": 1, "method": "login",
        "params": { "sdkAppID": APP, "userID": "alice", "userSig": sig, "deviceID": "phone", "platform": "iPhone" },
    });
    socket
        .send(Message::text(request.to_string()))
        .await
        .unwrap();
    hear(socket).await.unwrap()
}

/// The next text, or the code with which the server closed.
async fn hear(socket: &mut Socket) -> Result<Value, u16> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(frame))) => return Err(frame.unwrap().code.into()),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_client_logs_in_and_is_sent_away_by_a_drain() {
    let server = Running::start(|_| {}).await;
    let mut socket = server
        .upgrade(&[("sec-websocket-protocol", "chatsync.v1")])
        .await
        .unwrap();
    let answer = login(&mut socket).await;
    assert_eq!(
        answer["result"]["features"]["syncConversationDeletion"],
        true
    );
    let (stopped, heard) = tokio::join!(server.stop(), async {
        (hear(&mut socket).await, hear(&mut socket).await)
    });
    stopped.unwrap();
    let (draining, closed) = heard;
    assert_eq!(draining.unwrap()["method"], "server.draining");
    assert_eq!(closed, Err(1012));
}

#[tokio::test]
async fn the_handshake_looks_at_origin_and_subprotocol() {
    let server = Running::start(|_| {}).await;
    let protocol = ("sec-websocket-protocol", "chatsync.v1");
    let other = ("sec-websocket-protocol", "mqtt");
    let local = ("origin", "http://localhost:5173");
    let foreign = ("origin", "https://evil.example");
    assert!(server.upgrade(&[]).await.is_ok());
    assert!(server.upgrade(&[protocol, local]).await.is_ok());
    assert_eq!(server.upgrade(&[other]).await.unwrap_err(), 400);
    assert_eq!(server.upgrade(&[protocol, foreign]).await.unwrap_err(), 403);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_operations_pages_answer() {
    let server = Running::start(|_| {}).await;
    for (path, text) in [
        ("/", "/ws"),
        ("/livez", r#"{"live":true}"#),
        ("/readyz", r#"{"ready":true}"#),
        ("/metrics", "chatsync_connections 0"),
    ] {
        let answer = server.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        assert!(answer.contains(text), "{path}: {answer}");
    }
    assert!(server.get("/ws").await.starts_with("HTTP/1.1 426"));
    assert!(server.get("/nowhere").await.starts_with("HTTP/1.1 404"));
    server.stop().await.unwrap();
}

/// The server closed with the rest of the message unread, and the reset that followed took the close frame with it.
#[tokio::test]
async fn a_message_too_big_is_told_so() {
    let server = Running::start(|settings| settings.limits.message_bytes = 1_000).await;
    let mut socket = server.upgrade(&[]).await.unwrap();
    // The server stops reading early, so sending may fail; what it said is there all the same.
    _ = socket.send(Message::text("x".repeat(300_000))).await;
    assert_eq!(hear(&mut socket).await, Err(1009));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let server = Running::start(|settings| settings.server.header_timeout_ms = 50).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_full_server_turns_away_and_recovers() {
    let server = Running::start(|settings| settings.limits.connections = 1).await;
    let mut socket = server.upgrade(&[]).await.unwrap();
    assert!(server.get("/livez").await.starts_with("HTTP/1.1 503"));
    socket.close(None).await.unwrap();
    drop(socket);
    let recovered = async {
        while !server.get("/livez").await.starts_with("HTTP/1.1 200") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), recovered)
        .await
        .unwrap();
    server.stop().await.unwrap();
}
