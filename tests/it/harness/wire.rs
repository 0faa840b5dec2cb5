//! One WebSocket: frames in, frames out, every wait bounded.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use chatsync::protocol::SUBPROTOCOL;

/// How long anything expected may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Wire {
    socket: WebSocketStream<TcpStream>,
}

/// What came in.
#[derive(Debug)]
pub(crate) enum Incoming {
    Frame(Value),
    /// The server closed; without a code, the connection just ended.
    Closed(Option<u16>),
}

impl Wire {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let wire = Self::try_connect(address).await;
        wire.expect("the server accepts")
    }

    /// `None` if the server is gone.
    pub(crate) async fn try_connect(address: SocketAddr) -> Option<Self> {
        let socket = TcpSocket::new_v4().expect("a socket");
        Self::upgrade(socket, address).await
    }

    /// A connection whose kernel takes in little, so that a client that stops reading is soon felt by the server.
    pub(crate) async fn connect_narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        let wire = Self::upgrade(socket, address).await;
        wire.expect("the server accepts")
    }

    async fn upgrade(socket: TcpSocket, address: SocketAddr) -> Option<Self> {
        let mut request = format!("ws://{address}/ws")
            .into_client_request()
            .expect("an address");
        request.headers_mut().insert(
            "Sec-WebSocket-Protocol",
            HeaderValue::from_static(SUBPROTOCOL),
        );
        let connecting = async {
            let stream = socket.connect(address).await.ok()?;
            stream.set_nodelay(true).expect("no delay");
            let upgraded = tokio_tungstenite::client_async(request, stream).await;
            upgraded.ok()
        };
        let (socket, _) = timeout(PATIENCE, connecting)
            .await
            .expect("connected in time")?;
        Some(Self { socket })
    }

    pub(crate) async fn send(&mut self, text: impl Into<Utf8Bytes>) {
        // A connection that the server has closed shows at the next read, with its code.
        drop(self.socket.send(Message::Text(text.into())).await);
    }

    /// The next text frame or the end; `None` if neither comes in time.
    pub(crate) async fn next(&mut self, patience: Duration) -> Option<Incoming> {
        timeout(patience, self.read()).await.ok()
    }

    async fn read(&mut self) -> Incoming {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(&text).expect("the server sends JSON");
                    return Incoming::Frame(frame);
                }
                Some(Ok(Message::Close(frame))) => {
                    // Reading on sends the answering close frame.
                    drop(self.socket.next().await);
                    return Incoming::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Incoming::Closed(None),
            }
        }
    }

    /// Closes as a client does that is done.
    pub(crate) async fn close(mut self) {
        drop(self.socket.close(None).await);
        while let Some(Incoming::Frame(_)) = self.next(PATIENCE).await {}
    }
}
