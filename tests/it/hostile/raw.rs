//! A client that keeps no rules: bytes out, and what comes back taken apart by hand.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::PATIENCE;

pub(super) const TEXT: u8 = 0x1;
pub(super) const CLOSE: u8 = 0x8;
pub(super) const PING: u8 = 0x9;
/// The bit of a frame's first byte that says it is the last of its message.
pub(super) const FIN: u8 = 0x80;

/// A handshake as it should be; the bad ones are made from it.
pub(super) const HANDSHAKE: &str = "GET /ws HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Protocol: chatsync.v1\r\n\r\n";

const MASK: [u8; 4] = [0x12, 0x9a, 0xf0, 0x05];

/// A frame of a client; `first` is its first byte: FIN, reserved bits and opcode.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first, payload.len() as u64, true);
    bytes.extend(MASK);
    bytes.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    bytes
}

/// What comes before the mask, in the shortest of the three ways to write a length.
pub(super) fn header(first: u8, length: u64, is_masked: bool) -> Vec<u8> {
    let mask = if is_masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    if let Ok(short) = u8::try_from(length)
        && short < 126
    {
        bytes.push(mask | short);
    } else if let Ok(medium) = u16::try_from(length) {
        bytes.push(mask | 0x7e);
        bytes.extend(medium.to_be_bytes());
    } else {
        bytes.push(mask | 0x7f);
        bytes.extend(length.to_be_bytes());
    }
    bytes
}

pub(super) fn text_frame(text: &str) -> Vec<u8> {
    frame(FIN | TEXT, text.as_bytes())
}

/// What the server said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    Text(Value),
    /// A close frame, with its code.
    Closed(u16),
    /// The connection ended without one.
    Ended,
    /// A text that is not JSON as everybody reads it.
    Garbled(String),
    /// Not a word, and no end.
    Silence,
}

#[derive(Debug)]
pub(super) struct Raw {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Raw {
    /// A connection on which nothing has been said.
    pub(super) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address)
            .await
            .expect("the server accepts");
        stream.set_nodelay(true).expect("no delay");
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    pub(super) async fn upgraded(address: SocketAddr) -> Self {
        let mut raw = Self::connect(address).await;
        raw.send(HANDSHAKE.as_bytes()).await;
        let head = raw.head().await.expect("an answer");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        raw
    }

    /// The server may close before it has heard all; it shows in what is read.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        let sending = timeout(PATIENCE, self.stream.write_all(bytes));
        drop(sending.await.expect("the server reads or closes"));
    }

    pub(super) async fn send_text(&mut self, text: &str) {
        self.send(&text_frame(text)).await;
    }

    /// Sends while listening, as a flood has to: the server may stop reading until it is read.
    /// All texts that came, and how it ended, which it must.
    pub(super) async fn send_until_closed(self, bytes: &[u8]) -> (Vec<Value>, Heard) {
        let (reader, mut writer) = self.stream.into_split();
        let mut listener = Listener {
            reader,
            unread: self.unread,
        };
        let mut texts = Vec::new();
        let listening = async {
            loop {
                match listener.hear().await {
                    Heard::Text(text) => texts.push(text),
                    end => return end,
                }
            }
        };
        let sending = async {
            drop(writer.write_all(bytes).await);
            writer
        };
        let (end, _writer) = timeout(PATIENCE * 2, async { tokio::join!(listening, sending) })
            .await
            .expect("the server closes");
        (texts, end)
    }

    /// The head of an HTTP answer; none if the connection ended before there was one.
    pub(super) async fn head(&mut self) -> Option<String> {
        let ended = loop {
            if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            let has_more = fill(&mut self.stream, &mut self.unread).await;
            if !has_more.expect("the server answers or closes") {
                return None;
            }
        };
        let head = self.unread.drain(..ended).collect();
        Some(String::from_utf8(head).expect("a head is text"))
    }

    /// The next text, or the end.
    pub(super) async fn hear(&mut self) -> Heard {
        hear(&mut self.stream, &mut self.unread).await
    }

    /// Asks, and skips what is pushed before the answer.
    pub(super) async fn ask(&mut self, id: &str, method: &str, params: &Value) -> Value {
        let request =
            serde_json::json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.send_text(&request.to_string()).await;
        loop {
            match self.hear().await {
                Heard::Text(answer) if answer["id"] == id => return answer,
                Heard::Text(push) if push.get("method").is_some() => {}
                other => panic!("no answer to {request}: {other:?}"),
            }
        }
    }
}

struct Listener<R> {
    reader: R,
    unread: Vec<u8>,
}

impl<R: tokio::io::AsyncRead + Unpin> Listener<R> {
    async fn hear(&mut self) -> Heard {
        hear(&mut self.reader, &mut self.unread).await
    }
}

/// Reads some more; none if nothing comes, false at the end.
async fn fill(
    stream: &mut (impl tokio::io::AsyncRead + Unpin),
    unread: &mut Vec<u8>,
) -> Option<bool> {
    let reading = timeout(PATIENCE, stream.read_buf(unread));
    let read = reading.await.ok()?;
    Some(matches!(read, Ok(count) if count > 0))
}

async fn hear(stream: &mut (impl tokio::io::AsyncRead + Unpin), unread: &mut Vec<u8>) -> Heard {
    let mut text = Vec::new();
    loop {
        let Some((first, payload)) = take_frame(unread) else {
            match fill(stream, unread).await {
                Some(true) => continue,
                Some(false) => return Heard::Ended,
                None => return Heard::Silence,
            }
        };
        match first & 0xf {
            CLOSE => {
                let code = payload.first_chunk().expect("a close frame has a code");
                return Heard::Closed(u16::from_be_bytes(*code));
            }
            // A ping or a pong.
            control if control & CLOSE != 0 => {}
            _ => {
                text.extend(payload);
                if first & FIN != 0 {
                    return match serde_json::from_slice(&text) {
                        Ok(value) => Heard::Text(value),
                        Err(_) => Heard::Garbled(String::from_utf8_lossy(&text).into()),
                    };
                }
            }
        }
    }
}

/// Takes one whole frame of the server's, if it has come: its first byte and its payload.
fn take_frame(unread: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let [first, second, rest @ ..] = unread.as_slice() else {
        return None;
    };
    let (head, length) = match *second {
        126 => (4, usize::from(u16::from_be_bytes(*rest.first_chunk()?))),
        127 => (
            10,
            usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?,
        ),
        short => (2, usize::from(short)),
    };
    let first = *first;
    if unread.len() < head + length {
        return None;
    }
    let payload = unread[head..head + length].to_vec();
    unread.drain(..head + length);
    Some((first, payload))
}
