//! Where the attacks take place: a server, the attacker, and someone who has nothing to do with it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::case::{Answer, Case, Input};
use super::raw::{Heard, Raw};
use crate::harness::{APP, Host as _, TestDevice, TestServer, Who, unused_number, user_sig};

/// Nobody but the bystander and her friend may ever see this.
pub(super) const SECRET: &str = "sequestered";
/// Their group.
pub(super) const CLUB: &str = "club";
pub(super) const BYSTANDER: &str = "wanda";
pub(super) const ATTACKER: &str = "mallory";

/// What an error may weigh: what was sent is repeated in parts only.
const MAX_ERROR: usize = 4096;
/// How long a round trip of the bystander's may take while others misbehave.
const BOUND: Duration = Duration::from_secs(1);
/// Between two of them: she stays below the limits that floods run into.
const LEISURE: Duration = Duration::from_millis(25);

pub(super) struct Ground {
    pub(super) server: TestServer,
    pub(super) bystander: Bystander,
}

impl Ground {
    pub(super) async fn new() -> Self {
        Self::on(TestServer::synced().await).await
    }

    pub(super) async fn on(server: TestServer) -> Self {
        let mut device = server.device(BYSTANDER, "phone").await;
        let mut friend = server.device("wilma", "phone").await;
        let params = json!({
            "groupID": CLUB, "name": SECRET, "type": "Private", "memberList": [{ "userID": "wilma" }],
        });
        device.ok("group.create", params).await;
        friend.say(&format!("C2C{BYSTANDER}"), SECRET).await;
        friend.say(&format!("GROUP{CLUB}"), SECRET).await;
        Self {
            server,
            bystander: Bystander { device, friend },
        }
    }

    /// A device of the attacker's, logged in.
    pub(super) async fn attacker(&self) -> Raw {
        let mut raw = Raw::upgraded(self.server.address()).await;
        let answer = raw.ask("login", "login", &self.login()).await;
        assert!(answer.get("result").is_some(), "{answer}");
        raw
    }

    /// The params of a login of the attacker's.
    pub(super) fn login(&self) -> Value {
        let who = Who::new(ATTACKER, &format!("laptop-{}", unused_number()));
        who.login(&user_sig(&self.server, APP, ATTACKER), None)
    }

    /// Sends each and checks its answer; in the end nobody is the worse for it.
    pub(super) async fn face(mut self, cases: Vec<Case>) {
        let mut attacker = self.attacker().await;
        let mut wrong = Vec::new();
        for case in cases {
            let heard = match &case.input {
                Input::Text(text) => {
                    attacker.send_text(text).await;
                    listen(&mut attacker, &case.answer).await
                }
                Input::FirstText(text) => {
                    let mut raw = Raw::upgraded(self.server.address()).await;
                    raw.send_text(text).await;
                    listen(&mut raw, &case.answer).await
                }
                Input::Frames(bytes) => {
                    let mut raw = self.attacker().await;
                    raw.send(bytes).await;
                    listen(&mut raw, &case.answer).await
                }
                Input::Http(bytes) => {
                    let mut raw = Raw::connect(self.server.address()).await;
                    raw.send(bytes).await;
                    match raw.head().await {
                        Some(head) => Answer::Status(status(&head)),
                        None => Answer::Ended,
                    }
                }
            };
            if heard != case.answer {
                wrong.push(format!(
                    "{}: {heard:?} instead of {:?}",
                    case.name, case.answer
                ));
            }
            if let Input::Text(_) = case.input {
                match heard {
                    // The connection is as good as before.
                    Answer::Result(_) | Answer::Error(..) => {
                        let alive = attacker.ask("alive", "ping", &json!({})).await;
                        assert!(alive.get("result").is_some(), "{}: {alive}", case.name);
                    }
                    _ => attacker = self.attacker().await,
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        self.bystander.round_trip().await;
    }
}

/// What the server answers, as far as `expected` goes: what must be the end is waited for.
async fn listen(raw: &mut Raw, expected: &Answer) -> Answer {
    let answer = loop {
        match raw.hear().await {
            Heard::Text(push) if push.get("method").is_some() => {}
            Heard::Text(answer) => break answer,
            Heard::Closed(code) => return Answer::Close(code),
            Heard::Ended => return Answer::Ended,
            Heard::Garbled(text) => return Answer::Garbled(text),
            Heard::Silence => return Answer::Silence,
        }
    };
    let Some(error) = answer.get("error") else {
        return Answer::Result(answer["id"].clone());
    };
    discreet(&answer);
    let code = i32::try_from(error["code"].as_i64().expect("a code")).expect("a code");
    if let Answer::LastError(..) = expected
        && let Heard::Closed(close) = raw.hear().await
    {
        return Answer::LastError(code, close);
    }
    let field = error["data"]["field"].as_str().map(Into::into);
    Answer::Error(answer["id"].clone(), code, field)
}

/// An error says what is wrong, and nothing of anybody else.
pub(super) fn discreet(answer: &Value) {
    let text = answer.to_string();
    assert!(!text.contains(SECRET), "{text}");
    assert!(
        text.len() <= MAX_ERROR,
        "{} bytes: {text:.200}…",
        text.len()
    );
    let message = answer["error"]["message"].as_str();
    assert!(message.is_some_and(|message| !message.is_empty()), "{text}");
}

pub(super) fn status(head: &str) -> u16 {
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    code.unwrap_or_else(|| panic!("not an HTTP answer: {head}"))
}

/// Has been there from the beginning, and has a friend who writes to her.
pub(super) struct Bystander {
    device: TestDevice,
    friend: TestDevice,
}

impl Bystander {
    /// Her ping is answered and her friend's message comes, soon.
    pub(super) async fn round_trip(&mut self) {
        let began = Instant::now();
        self.device.head().await;
        let text = format!("hello {}", unused_number());
        self.friend.say(&format!("C2C{BYSTANDER}"), &text).await;
        self.device.sees_message(&text).await;
        let took = began.elapsed();
        assert!(took < BOUND, "a round trip took {took:?}");
    }

    /// Goes on as ever while an attack runs.
    pub(super) async fn unharmed_by<T>(&mut self, attack: impl Future<Output = T>) -> T {
        let is_over = Cell::new(false);
        let attack = async {
            let outcome = attack.await;
            is_over.set(true);
            outcome
        };
        let life = async {
            while !is_over.get() {
                self.round_trip().await;
                sleep(LEISURE).await;
            }
            self.round_trip().await;
        };
        tokio::join!(attack, life).0
    }
}
