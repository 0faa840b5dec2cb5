//! A client at the other end of the pipe.

use std::io::Cursor;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame as RawFrame, FrameHeader};

use super::*;

pub(super) struct Client {
    pub(super) pipe: DuplexStream,
    pub(super) unread: Vec<u8>,
    /// Read while an answer was waited for.
    pub(super) pushes: Vec<Value>,
    pub(super) next_id: u64,
    pub(super) task: JoinHandle<()>,
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

pub(super) fn sig(user: &str, lifetime: i64) -> String {
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

pub(super) fn login(user: &str, device: &str, sig: &str) -> Value {
    json!({ "sdkAppID": APP, "userID": user, "userSig": sig, "deviceID": device, "platform": "Web" })
}

impl Client {
    pub(super) async fn say(&mut self, message: Message) {
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

    pub(super) async fn say_bytes(&mut self, bytes: &[u8]) {
        self.pipe.write_all(bytes).await.unwrap();
    }

    /// The next frame; none if the server has ended its side.
    pub(super) async fn recv(&mut self) -> Option<Message> {
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

    pub(super) async fn ask(&mut self, method: &str, params: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let text = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.say(Message::text(text.to_string())).await;
        id
    }

    /// The next text; or the code with which the server closed.
    pub(super) async fn hear(&mut self) -> Result<Value, u16> {
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
    pub(super) async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params).await;
        loop {
            let frame = self.hear().await.unwrap();
            if frame["id"] == id {
                return frame;
            }
            self.pushes.push(frame);
        }
    }

    pub(super) async fn code(&mut self, method: &str, params: Value) -> i64 {
        self.call(method, params).await["error"]["code"]
            .as_i64()
            .unwrap_or_default()
    }

    pub(super) async fn log_in(&mut self, user: &str, device: &str) -> Value {
        let answer = self
            .call("login", login(user, device, &sig(user, 86_400)))
            .await;
        assert!(answer["result"]["cursor"].is_string(), "{answer}");
        answer["result"].clone()
    }

    /// The code with which the server closes, sooner or later.
    pub(super) async fn closed(&mut self) -> u16 {
        loop {
            match self.hear().await {
                Ok(frame) => self.pushes.push(frame),
                Err(code) => return code,
            }
        }
    }
}
