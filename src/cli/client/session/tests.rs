//! The client against a server that follows a script, over real sockets.

use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::super::row::tests::{conversation, message};
use super::super::{Client, Credential, Failure};
use super::*;
use crate::cli::args::{self, Command};

struct Script {
    listener: TcpListener,
    typed: DuplexStream,
}

type Peer = WebSocketStream<TcpStream>;

impl Script {
    #[expect(
        clippy::result_large_err,
        clippy::unnecessary_wraps,
        reason = "tungstenite's callback asks for it"
    )]
    fn select(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
        let offered = request.headers()[SEC_WEBSOCKET_PROTOCOL].clone();
        assert_eq!(offered, SUBPROTOCOL);
        response
            .headers_mut()
            .insert(SEC_WEBSOCKET_PROTOCOL, offered);
        Ok(response)
    }

    /// The next connection, logged in with what the script answers.
    async fn accept(&self, version: u64, reset: bool, list: Value) -> (Peer, Value) {
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut peer = accept_hdr_async(stream, Self::select).await.unwrap();
        let login = request(&mut peer, "login").await;
        let result = json!({
            "instanceID": "i", "serverTime": 0, "version": version, "cursor": format!("c{version}"), "reset": reset,
            "conversationList": list, "isCompleted": true, "features": { "syncConversationDeletion": true },
        });
        answer(&mut peer, &login, &result).await;
        (peer, login["params"].clone())
    }
}

async fn request(peer: &mut Peer, method: &str) -> Value {
    loop {
        let Message::Text(text) = peer.next().await.unwrap().unwrap() else {
            continue;
        };
        let request: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(request["method"], method);
        return request;
    }
}

async fn answer(peer: &mut Peer, request: &Value, result: &Value) {
    let frame = json!({ "jsonrpc": "2.0", "id": request["id"], "result": result });
    peer.send(Message::text(frame.to_string())).await.unwrap();
}

async fn push(peer: &mut Peer, method: &str, params: Value) {
    let frame = json!({ "jsonrpc": "2.0", "method": method, "params": params });
    peer.send(Message::text(frame.to_string())).await.unwrap();
}

async fn close(mut peer: Peer, code: u16) {
    let frame = CloseFrame {
        code: CloseCode::from(code),
        reason: "because".into(),
    };
    peer.close(Some(frame)).await.unwrap();
    while let Some(Ok(_)) = peer.next().await {}
}

/// Runs the client beside a script; what it printed, and how it ended.
async fn play<F: Future<Output = ()>>(
    script: impl FnOnce(Script) -> F,
) -> (String, Result<(), Failure>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let line = format!(
        "chatsync client --url {url} --app 7 --user alice --device a-phone --platform iPhone --usersig sig"
    );
    let Some(Command::Client(arguments)) = args::parse(line.split(' ')).unwrap().command else {
        panic!("a client");
    };
    let (typed, input) = duplex(4096);
    let mut out = Vec::new();
    let mut client = Client::new(
        arguments,
        Credential::Given("sig".into()),
        Box::new(input),
        false,
        &mut out,
    );
    let (outcome, ()) = tokio::join!(client.run(), script(Script { listener, typed }));
    drop(client);
    (String::from_utf8(out).unwrap(), outcome)
}

#[tokio::test]
async fn a_session_from_login_to_the_end_of_input() {
    let (out, outcome) = play(async |mut script| {
        let list = json!([conversation("C2Cbob", 5, 1)]);
        let (mut peer, login) = script.accept(10, true, list).await;
        assert_eq!(
            login,
            json!({ "sdkAppID": 7, "userID": "alice", "userSig": "sig", "deviceID": "a-phone", "platform": "iPhone",
                    "cursor": null })
        );
        script.typed.write_all(b"delete C2Cbob\nlist\n").await.unwrap();
        let delete = request(&mut peer, "conversation.delete").await;
        assert_eq!(delete["params"]["upTo"], json!({ "C2Cbob": 5 }));
        let result = json!({ "version": 11, "synced": true, "results": [
            { "conversationID": "C2Cbob", "code": 0, "upTo": 5 },
        ]});
        answer(&mut peer, &delete, &result).await;
        push(&mut peer, "message.received", json!({ "message": message("C2Ccarol", 1, "carol") })).await;
        script.typed.write_all(b"devices\n").await.unwrap();
        let devices = request(&mut peer, "device.list").await;
        answer(&mut peer, &devices, &json!({ "deviceList": [] })).await;
        // The end of input.
        drop(script.typed);
        while let Some(Ok(_)) = peer.next().await {}
    })
    .await;
    assert_eq!(outcome, Ok(()));
    for line in [
        "logged in as alice on a-phone",
        "C2Cbob deleted",
        "no conversations",
        "carol: text 1",
        "no devices",
    ] {
        assert!(out.contains(line), "{line:?} in {out}");
    }
}

#[tokio::test]
async fn a_cut_connection_resumes_with_its_cursor_and_repeats_the_request() {
    let (out, outcome) = play(async |mut script| {
        let (mut peer, _) = script.accept(10, true, json!([conversation("C2Cbob", 5, 1)])).await;
        script.typed.write_all(b"send C2Cbob hi\n").await.unwrap();
        let first = request(&mut peer, "message.send").await;
        close(peer, 4410).await;

        let tombstone = json!({ "conversationID": "C2Cbob", "type": "C2C", "deleted": true, "upTo": 5, "historyCleared": true, "historyFloor": 5, "lastSeq": 5, "readUpTo": 5, "membership": "active" });
        let (mut peer, login) = script.accept(11, false, json!([tombstone])).await;
        assert_eq!(login["cursor"], "c10");
        let again = request(&mut peer, "message.send").await;
        assert_eq!(again["params"], first["params"]);
        answer(&mut peer, &again, &json!({ "message": message("C2Cbob", 6, "alice") })).await;
        script.typed.write_all(b"list\nquit\n").await.unwrap();
        while let Some(Ok(_)) = peer.next().await {}
    })
    .await;
    assert_eq!(outcome, Ok(()));
    for line in [
        "closed with 4410: because",
        "next try in",
        "C2Cbob deleted",
        "sent [m6]",
        "alice: text 6",
    ] {
        assert!(out.contains(line), "{line:?} in {out}");
    }
}

#[tokio::test]
async fn a_gap_is_waited_for_and_then_asked_for() {
    let (out, outcome) = play(async |script| {
        let (mut peer, _) = script.accept(10, true, json!([conversation("C2Cbob", 5, 0)])).await;
        let sent = Instant::now();
        push(&mut peer, "message.received", json!({ "message": message("C2Cbob", 7, "bob") })).await;
        let sync = request(&mut peer, "conversation.sync").await;
        assert!(sent.elapsed() >= PATIENCE);
        assert_eq!(sync["params"]["cursor"], "c10");
        let result = json!({
            "version": 10, "cursor": "c", "reset": false, "conversationList": [conversation("C2Cbob", 7, 2)],
            "isCompleted": true,
        });
        answer(&mut peer, &sync, &result).await;
        drop(script.typed);
        while let Some(Ok(_)) = peer.next().await {}
    })
    .await;
    assert_eq!(outcome, Ok(()));
    assert!(out.contains("caught up: 1 changed"), "{out}");
    assert!(out.contains("2 unread"), "{out}");
}

#[tokio::test]
async fn who_is_kicked_out_stays_out_and_is_told_why() {
    let (_, outcome) = play(async |script| {
        let (mut peer, _) = script.accept(0, true, json!([])).await;
        push(&mut peer, "kickedOut", json!({ "type": "multipleDevice" })).await;
        close(peer, 4509).await;
    })
    .await;
    let failure = outcome.unwrap_err();
    assert_eq!(failure.code, Failure::REFUSED);
    assert!(failure.line.contains("login policy"), "{failure}");
}

#[tokio::test]
async fn a_given_usersig_that_expired_ends_it() {
    let (_, outcome) = play(async |script| {
        let (peer, _) = script.accept(0, true, json!([])).await;
        close(peer, 4401).await;
    })
    .await;
    let failure = outcome.unwrap_err();
    assert!(failure.line.starts_with("--usersig: "), "{failure}");
}
