//! Nothing crosses between accounts, nor between apps: every method, tried on somebody else's IDs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use chatsync::protocol::method::Call;

use crate::harness::{
    APP, DAY, OTHER_APP, RpcError, TestDevice, TestServer, Who, text_message, user_sig,
};

/// In every text, name and payload that only Alice and Bob may see.
const SECRET: &str = "canary-5f1c";
/// Under which Alice's own calls were made.
const REQUEST: &str = "alices-request";

/// Alice and Bob have a conversation, a private group and each other's friendship.
struct Victims {
    alice: TestDevice,
    bob: TestDevice,
    message: String,
    group_message: String,
    cursor: String,
}

async fn victims(server: &TestServer) -> Victims {
    let mut alice = server.device("alice", "phone").await;
    let mut bob = server.device("bob", "phone").await;
    let group = json!({
        "groupID": "team", "name": SECRET, "type": "Private", "memberList": [{ "userID": "alice" }],
    });
    bob.ok("group.create", group).await;
    alice.ok("friend.add", json!({ "to": "bob" })).await;
    let message = bob.say("C2Calice", SECRET).await.id;
    let mut own = text_message("GROUPteam", SECRET);
    own["requestID"] = json!(REQUEST);
    let group_message = alice.ok("message.send", own).await["message"]["ID"].clone();
    alice.settle().await;
    bob.settle().await;
    Victims {
        message,
        group_message: group_message.as_str().expect("an ID").into(),
        cursor: alice.replica.cursor().expect("a cursor").into(),
        alice,
        bob,
    }
}

impl Victims {
    /// All that either of them can see, and that neither was told anything.
    async fn state(&mut self) -> Value {
        let alice = state(&mut self.alice, "C2Cbob").await;
        json!([alice, state(&mut self.bob, "C2Calice").await])
    }

    /// Every method with the IDs of the two; those that matter with several.
    fn attacks(&self) -> Vec<(&'static str, Value)> {
        let all =
            json!({ "conversationIDList": ["C2Cbob", "C2Calice", "GROUPteam", "@TIM#SYSTEM"] });
        let conversations = ["C2Cbob", "C2Calice", "GROUPteam", "@TIM#SYSTEM"];
        let team = json!({ "groupID": "team" });
        let mut attacks = vec![
            ("ping", json!({ "ack": 1_000_000 })),
            ("conversation.list", json!({})),
            ("conversation.delete", all.clone()),
            ("conversation.restore", all),
            ("conversation.sync", json!({ "cursor": self.cursor })),
            ("message.send", text_message("GROUPteam", "let me in")),
            ("group.join", team.clone()),
            ("group.quit", team.clone()),
            ("group.dismiss", team.clone()),
            (
                "group.addMember",
                json!({ "groupID": "team", "userIDList": ["mallory"] }),
            ),
            (
                "group.deleteMember",
                json!({ "groupID": "team", "userIDList": ["alice", "bob"] }),
            ),
            ("group.list", json!({})),
            ("group.memberList", team),
            (
                "group.create",
                json!({ "groupID": "team", "name": "mine now" }),
            ),
            ("friend.add", json!({ "to": "nobody-at-all" })),
            ("friend.delete", json!({ "userIDList": ["alice", "bob"] })),
            ("friend.list", json!({})),
            ("device.list", json!({})),
            ("device.logout", json!({ "deviceID": "alice-phone" })),
        ];
        for id in conversations {
            let one = json!({ "conversationID": id });
            attacks.extend([
                ("conversation.get", one.clone()),
                ("conversation.clearHistory", one.clone()),
                ("conversation.read", one.clone()),
                (
                    "conversation.pin",
                    json!({ "conversationID": id, "isPinned": true }),
                ),
                ("message.list", one),
            ]);
            for message in [&self.message, &self.group_message] {
                attacks.extend([
                    (
                        "message.list",
                        json!({ "conversationID": id, "nextReqMessageID": message }),
                    ),
                    (
                        "message.revoke",
                        json!({ "conversationID": id, "ID": message }),
                    ),
                ]);
            }
        }
        attacks
    }
}

async fn state(device: &mut TestDevice, peer: &str) -> Value {
    let mut list = device.ok("conversation.list", json!({})).await;
    // The place of the newest entry of any log is in it: others' doings move that.
    list["cursor"].take();
    let mut state = json!({ "list": list, "head": device.head().await });
    for (method, params) in [
        ("group.list", json!({})),
        ("group.memberList", json!({ "groupID": "team" })),
        ("friend.list", json!({})),
        ("device.list", json!({})),
    ] {
        state[method] = device.ok(method, params).await;
    }
    for id in [peer, "GROUPteam"] {
        state[id] = device
            .ok("message.list", json!({ "conversationID": id }))
            .await;
    }
    device.sees_nothing_more().await;
    state
}

/// Tries everything, and then that nothing was learnt and nothing has changed.
async fn tries_everything(mut attacker: TestDevice, victims: &mut Victims) {
    let before = victims.state().await;
    let mut tried = BTreeSet::new();
    for (method, mut params) in victims.attacks() {
        params["requestID"] = json!(REQUEST);
        tries(&mut attacker, victims, &before, method, params).await;
        tried.insert(method);
    }
    let stolen = Who::new("alice", "phone").login(&attacker.user_sig, None);
    tries(&mut attacker, victims, &before, "login", stolen).await;
    tries(&mut attacker, victims, &before, "logout", json!({})).await;
    tried.extend(["login", "logout"]);
    assert_eq!(
        tried,
        Call::NAMES.iter().copied().collect(),
        "every method is tried"
    );
}

async fn tries(
    attacker: &mut TestDevice,
    victims: &mut Victims,
    before: &Value,
    method: &str,
    params: Value,
) {
    let answer = attacker.call(method, params.clone()).await;
    let answer = format!("{answer:?}");
    assert!(
        !answer.contains(SECRET),
        "{method} {params} gave away {answer}"
    );
    assert_eq!(
        victims.state().await,
        *before,
        "{method} {params} changed something: {answer}"
    );
}

#[tokio::test]
async fn another_account_of_the_app_learns_and_changes_nothing() {
    let server = TestServer::synced().await;
    let mut victims = victims(&server).await;
    let mallory = server.device("mallory", "phone").await;
    tries_everything(mallory, &mut victims).await;
}

#[tokio::test]
async fn the_namesake_in_another_app_learns_and_changes_nothing() {
    let server = TestServer::synced().await;
    let mut victims = victims(&server).await;
    let namesake = Who::new("alice", "laptop").of_app(OTHER_APP);
    let namesake = TestDevice::fresh(&server, namesake).await;
    tries_everything(namesake, &mut victims).await;
}

#[tokio::test]
async fn another_app_does_not_reach_its_accounts() {
    let server = TestServer::synced().await;
    let mut victims = victims(&server).await;
    let before = victims.state().await;
    let outsider = Who::new("mallory", "phone").of_app(OTHER_APP);
    let mut outsider = TestDevice::fresh(&server, outsider).await;
    for (method, params) in [
        ("message.send", text_message("C2Calice", "hello")),
        ("friend.add", json!({ "to": "alice" })),
        (
            "group.create",
            json!({ "name": "ours", "memberList": [{ "userID": "alice" }] }),
        ),
    ] {
        tries(&mut outsider, &mut victims, &before, method, params).await;
    }
}

/// Logs in as Alice's phone with a credential that is refused.
async fn login_with(server: &TestServer, app: u32, user_sig: String) -> RpcError {
    let mut thief = TestDevice::offline(server, Who::new("alice", "phone").of_app(app));
    thief.user_sig = user_sig;
    let error = thief.try_login(server).await.expect_err("refused");
    // An expired one can be had anew; the others never will do.
    let code = if error.code == 70001 { 4401 } else { 4500 };
    assert_eq!(thief.closed_with().await, Some(code), "{error:?}");
    error
}

#[tokio::test]
async fn nobody_logs_in_with_anothers_credential() {
    let server = TestServer::synced().await;
    let mut victims = victims(&server).await;
    let before = victims.state().await;
    for (app, user_sig, code) in [
        (APP, user_sig(&server, APP, "mallory"), 70013),
        (APP, user_sig(&server, OTHER_APP, "alice"), 70014),
        (OTHER_APP, user_sig(&server, APP, "alice"), 70014),
        (APP, "nonsense".into(), 70003),
        (1, user_sig(&server, APP, "alice"), 70020),
    ] {
        let error = login_with(&server, app, user_sig).await;
        assert_eq!(error.code, code, "{error:?}");
    }
    assert_eq!(victims.state().await, before);
}

#[tokio::test]
async fn an_expired_credential_is_refused() {
    let server = TestServer::synced().await;
    let old = user_sig(&server, APP, "alice");
    server.clock.advance(2 * 365 * DAY);
    assert_eq!(login_with(&server, APP, old).await.code, 70001);
}
