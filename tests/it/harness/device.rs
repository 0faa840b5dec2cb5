//! One device: its connection, what it knows, and what it was told.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::replica::Replica;
use super::server::{APP, Host, user_sig};
use super::types::{Message, Push, RpcError, SyncAnswer, read};
use super::wire::{Incoming, PATIENCE, Wire};

/// Who logs in, from what.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) app: u32,
    pub(crate) user: String,
    pub(crate) device: String,
    pub(crate) platform: &'static str,
}

impl Who {
    /// The device's name tells its platform.
    pub(crate) fn new(user: &str, device: &str) -> Self {
        let platform = match device {
            "phone" => "iPhone",
            "tablet" => "iPad",
            "laptop" => "Mac",
            "desktop" => "Windows",
            "browser" => "Web",
            _ => "Linux",
        };
        Self {
            app: APP,
            user: user.into(),
            device: format!("{user}-{device}"),
            platform,
        }
    }

    pub(crate) fn of_app(self, app: u32) -> Self {
        Self { app, ..self }
    }

    /// The params of its login.
    pub(crate) fn login(&self, user_sig: &str, cursor: Option<&str>) -> Value {
        json!({
            "sdkAppID": self.app, "userID": self.user, "userSig": user_sig,
            "deviceID": self.device, "platform": self.platform, "cursor": cursor,
        })
    }
}

/// One thing that came in.
#[derive(Debug)]
pub(crate) enum Event {
    Answer(i64, Result<Value, RpcError>),
    /// Applied and kept.
    Push,
    /// The connection is gone.
    End,
}

/// A device that is logged in, or was.
#[derive(Debug)]
pub(crate) struct TestDevice {
    pub(crate) who: Who,
    pub(crate) user_sig: String,
    pub(crate) replica: Replica,
    wire: Option<Wire>,
    last_id: i64,
    /// What came and no test has looked at yet.
    told: VecDeque<Push>,
}

impl TestDevice {
    /// Logs in with nothing.
    pub(crate) async fn fresh(host: &impl Host, who: Who) -> Self {
        let mut device = Self::offline(host, who);
        device.resume(host).await;
        device
    }

    /// Has a credential, and no connection yet.
    pub(crate) fn offline(host: &impl Host, who: Who) -> Self {
        Self {
            user_sig: user_sig(host, who.app, &who.user),
            replica: Replica::new(&who.user),
            who,
            wire: None,
            last_id: 0,
            told: VecDeque::new(),
        }
    }

    /// Logs in with the cursor it kept, and catches up; the first page of the answer.
    pub(crate) async fn resume(&mut self, host: &impl Host) -> SyncAnswer {
        self.wire = Some(Wire::connect(host.address()).await);
        let answer = self.log_in().await.expect("logged in");
        self.catch_up_from(answer).await
    }

    /// As [`resume`](Self::resume), over a connection that takes in little.
    pub(crate) async fn resume_narrow(&mut self, host: &impl Host) -> SyncAnswer {
        self.wire = Some(Wire::connect_narrow(host.address()).await);
        let answer = self.log_in().await.expect("logged in");
        self.catch_up_from(answer).await
    }

    /// Tries to log in over a new connection; the raw answer.
    pub(crate) async fn try_login(&mut self, host: &impl Host) -> Result<Value, RpcError> {
        self.wire = Some(Wire::connect(host.address()).await);
        self.log_in().await
    }

    /// As [`resume`](Self::resume); `None` if the server goes before it answers.
    pub(crate) async fn attempt_resume(
        &mut self,
        host: &impl Host,
    ) -> Option<Result<(), RpcError>> {
        self.wire = Some(Wire::try_connect(host.address()).await?);
        let params = self.login_params();
        match self.attempt("login", &params).await? {
            Ok(answer) => self.catch_up_from(answer).await,
            Err(error) => return Some(Err(error)),
        };
        Some(Ok(()))
    }

    async fn log_in(&mut self) -> Result<Value, RpcError> {
        let params = self.login_params();
        self.call("login", params).await
    }

    fn login_params(&mut self) -> Value {
        self.replica.disconnected();
        self.replica.asked();
        self.who.login(&self.user_sig, self.replica.cursor())
    }

    async fn catch_up_from(&mut self, first: Value) -> SyncAnswer {
        let first = SyncAnswer::read(&first);
        self.replica.synced(&first);
        let mut page = first.clone();
        while !page.is_completed {
            page = self.ask_sync().await;
        }
        first
    }

    /// Asks for what changed since its cursor, every page; the first one.
    pub(crate) async fn sync(&mut self) -> SyncAnswer {
        let first = self.ask_sync().await;
        let mut page = first.clone();
        while !page.is_completed {
            page = self.ask_sync().await;
        }
        first
    }

    async fn ask_sync(&mut self) -> SyncAnswer {
        self.replica.asked();
        let params = json!({ "cursor": self.replica.cursor() });
        let answer = SyncAnswer::read(&self.ok("conversation.sync", params).await);
        self.replica.synced(&answer);
        answer
    }

    /// Goes away as a client does that is done.
    pub(crate) async fn leave(&mut self) {
        if let Some(wire) = self.wire.take() {
            wire.close().await;
        }
        self.replica.disconnected();
        self.told.clear();
    }

    /// Goes away as a client does that lost its network: what was on its way is lost.
    pub(crate) fn vanish(&mut self) {
        self.wire = None;
        self.replica.disconnected();
        self.told.clear();
    }

    /// Calls a method and waits for its answer. What is pushed meanwhile is kept for [`next_push`](Self::next_push).
    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Result<Value, RpcError> {
        let id = self.ask(method, &params).await;
        let answer = self.answer(id).await;
        if let Ok(result) = &answer {
            self.learn(method, &params, result);
        }
        answer
    }

    /// Calls and does not wait.
    pub(crate) async fn ask(&mut self, method: &str, params: &Value) -> i64 {
        self.last_id += 1;
        let frame =
            json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params });
        self.wire().send(frame.to_string()).await;
        self.last_id
    }

    /// The answer to a call made with [`ask`](Self::ask).
    pub(crate) async fn answer(&mut self, id: i64) -> Result<Value, RpcError> {
        let answer = self.answer_or_end(id).await;
        answer.unwrap_or_else(|| panic!("{}: no answer to {id}", self.who.device))
    }

    /// As [`call`](Self::call); `None` if the connection ends first.
    pub(crate) async fn attempt(
        &mut self,
        method: &str,
        params: &Value,
    ) -> Option<Result<Value, RpcError>> {
        let id = self.ask(method, params).await;
        let answer = self.answer_or_end(id).await?;
        if let Ok(result) = &answer {
            self.learn(method, params, result);
        }
        Some(answer)
    }

    /// The next answer, to whatever call; `None` if the connection ends first.
    pub(crate) async fn next_answer(&mut self) -> Option<Result<Value, RpcError>> {
        loop {
            match self.next_event().await {
                Event::Answer(_, answer) => return Some(answer),
                Event::Push => {}
                Event::End => return None,
            }
        }
    }

    async fn answer_or_end(&mut self, id: i64) -> Option<Result<Value, RpcError>> {
        loop {
            match self.next_event().await {
                Event::Answer(of, answer) if of == id => return Some(answer),
                Event::Answer(..) | Event::Push => {}
                Event::End => return None,
            }
        }
    }

    /// The next thing to come in; who looks at answers itself has to [`learn`](Self::learn) from them.
    pub(crate) async fn next_event(&mut self) -> Event {
        match self.next_incoming(PATIENCE).await {
            Some(Incoming::Frame(frame)) => match (frame["id"].as_i64(), self.told.back()) {
                (Some(id), _) => Event::Answer(
                    id,
                    match frame.get("error") {
                        Some(error) => Err(read(error)),
                        None => Ok(frame["result"].clone()),
                    },
                ),
                (None, Some(_)) => Event::Push,
                (None, None) => panic!("{}: neither answer nor push: {frame}", self.who.device),
            },
            Some(Incoming::Closed(_)) => {
                self.wire = None;
                self.replica.disconnected();
                Event::End
            }
            None => panic!("{}: nothing came", self.who.device),
        }
    }

    /// Calls what must succeed.
    pub(crate) async fn ok(&mut self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).await;
        answer.unwrap_or_else(|error| panic!("{}: {method}: {error:?}", self.who.device))
    }

    /// Calls what must be refused.
    pub(crate) async fn refused(&mut self, method: &str, params: Value) -> RpcError {
        match self.call(method, params.clone()).await {
            Err(error) => error,
            Ok(result) => panic!("{method} {params} was not refused: {result}"),
        }
    }

    /// What this device's own call did to what it shows.
    pub(crate) fn learn(&mut self, method: &str, params: &Value, result: &Value) {
        match method {
            "conversation.delete" => {
                let history_cleared = params["clearHistoryMessage"] != false;
                self.replica.deleted(&read(result), history_cleared);
            }
            "message.send" => self.replica.received(&read(&result["message"])),
            "message.revoke" => {
                let id: String = read(&result["conversationID"]);
                self.replica
                    .revoked(&id, read(&result["seq"]), read(&result["revokedSeq"]));
            }
            "ping" => {
                let cursor: String = read(&result["cursor"]);
                self.replica.ponged(read(&result["head"]), &cursor);
            }
            "login" | "conversation.sync" | "conversation.list" => {}
            _ => self.replica.changed(result),
        }
    }

    /// Reads one frame; a push is applied and kept.
    async fn next_incoming(&mut self, patience: Duration) -> Option<Incoming> {
        let incoming = self.wire().next(patience).await?;
        if let Incoming::Frame(frame) = &incoming
            && let Some(method) = frame["method"].as_str()
        {
            let push = Push {
                method: method.into(),
                params: frame["params"].clone(),
            };
            self.replica.pushed(&push);
            self.told.push_back(push);
        }
        Some(incoming)
    }

    /// Takes the first push that `wanted` says yes to, waiting for it if need be.
    pub(crate) async fn next_push(&mut self, what: &str, wanted: impl Fn(&Push) -> bool) -> Push {
        loop {
            if let Some(at) = self.told.iter().position(&wanted)
                && let Some(push) = self.told.remove(at)
            {
                return push;
            }
            match self.next_incoming(PATIENCE).await {
                Some(Incoming::Frame(_)) => {}
                other => panic!(
                    "{} did not see {what}: {other:?}; it saw {:?}",
                    self.who.device, self.told
                ),
            }
        }
    }

    /// Reads until the server closes the connection; the code it gave.
    pub(crate) async fn closed_with(&mut self) -> Option<u16> {
        loop {
            match self.next_incoming(PATIENCE).await {
                Some(Incoming::Frame(_)) => {}
                Some(Incoming::Closed(code)) => {
                    self.wire = None;
                    self.replica.disconnected();
                    return code;
                }
                None => panic!("{} is still connected", self.who.device),
            }
        }
    }

    /// The newest version there is; every push that was sent before has then come.
    pub(crate) async fn head(&mut self) -> u64 {
        let ack = self.replica.version();
        read(&self.ok("ping", json!({ "ack": ack })).await["head"])
    }

    /// Brings the device up to date as an SDK does after each pong, and forgets what it was told on the way.
    pub(crate) async fn settle(&mut self) {
        self.head().await;
        while self.replica.is_behind() {
            self.sync().await;
            self.head().await;
        }
        self.told.clear();
    }

    /// Everything that came and was not looked at, now that nothing is on its way any more.
    pub(crate) async fn untold(&mut self) -> Vec<Push> {
        self.head().await;
        self.told.drain(..).collect()
    }

    /// What came and was not looked at, whatever is still on its way.
    pub(crate) fn take_told(&mut self) -> Vec<Push> {
        self.told.drain(..).collect()
    }

    /// Every readable message of a conversation, oldest first.
    pub(crate) async fn history(&mut self, id: &str) -> Vec<Message> {
        let mut messages: Vec<Message> = Vec::new();
        let mut before = Value::Null;
        loop {
            let params = json!({ "conversationID": id, "nextReqMessageID": before });
            let page = self.ok("message.list", params).await;
            let older: Vec<Message> = read(&page["messageList"]);
            messages.splice(0..0, older);
            if page["isCompleted"] == true {
                return messages;
            }
            before = page["nextReqMessageID"].clone();
        }
    }

    fn wire(&mut self) -> &mut Wire {
        let device = &self.who.device;
        self.wire
            .as_mut()
            .unwrap_or_else(|| panic!("{device} is not connected"))
    }
}
