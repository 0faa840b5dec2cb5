//! Requests that are no handshake, or half of one, or take for ever.

use std::time::Duration;

use tokio::time::sleep;

use super::case::{Answer, Case};
use super::ground::{Ground, status};
use super::raw::{HANDSHAKE, Heard, Raw};
use crate::harness::{Host as _, TestServer};

#[tokio::test]
async fn a_bad_handshake_has_a_defined_answer() {
    Ground::new().await.face(cases()).await;
}

fn http(name: &str, request: impl Into<Vec<u8>>, status: u16) -> Case {
    Case::http(format!("handshakes: {name}"), request).gets(Answer::Status(status))
}

/// A handshake in which one text is replaced by another.
fn with(old: &str, new: &str) -> String {
    assert!(HANDSHAKE.contains(old), "{old}");
    HANDSHAKE.replacen(old, new, 1)
}

/// A handshake with one more header.
fn adding(header: &str) -> String {
    with(
        "Host: chat.example\r\n",
        &format!("Host: chat.example\r\n{header}\r\n"),
    )
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = headers();
    cases.extend(origins());
    cases.extend(requests());
    cases
}

fn headers() -> Vec<Case> {
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    let key = |name: &str, key: &str, status| http(&format!("key: {name}"), with(KEY, key), status);
    vec![
        http("as it should be", HANDSHAKE, 101),
        http(
            "in other cases",
            with("Upgrade: websocket", "uPGRADE: WebSocket"),
            101,
        ),
        http("no Upgrade", with("Upgrade: websocket\r\n", ""), 426),
        http("another Upgrade", with("websocket", "h2c"), 426),
        http("no Connection", with("Connection: Upgrade\r\n", ""), 426),
        http(
            "a Connection that closes",
            with("Connection: Upgrade", "Connection: close"),
            426,
        ),
        http(
            "a Connection that says several things",
            with("Connection: Upgrade", "Connection: keep-alive, Upgrade"),
            101,
        ),
        http("no version", with("Sec-WebSocket-Version: 13\r\n", ""), 426),
        http("version 8", with("Version: 13", "Version: 8"), 426),
        http("version 14", with("Version: 13", "Version: 14"), 426),
        http("version 130", with("Version: 13", "Version: 130"), 426),
        http(
            "version one three",
            with("Version: 13", "Version: 1 3"),
            426,
        ),
        http(
            "no key",
            with(&format!("Sec-WebSocket-Key: {KEY}\r\n"), ""),
            400,
        ),
        key("empty", "", 400),
        key("not base64", "not base64 at all!!!!!==", 400),
        key("15 bytes", "AAAAAAAAAAAAAAAAAAAA", 400),
        key("17 bytes", "AAAAAAAAAAAAAAAAAAAAAAA=", 400),
        key("without its padding", "dGhlIHNhbXBsZSBub25jZQ", 400),
        key("10,000 bytes", &"A".repeat(10_000), 400),
        http(
            "two keys",
            adding(&format!("Sec-WebSocket-Key: {KEY}")),
            400,
        ),
        http("no Host", with("Host: chat.example\r\n", ""), 400),
        http("two Hosts", adding("Host: other.example"), 400),
        http(
            "no subprotocol",
            with("Sec-WebSocket-Protocol: chatsync.v1\r\n", ""),
            101,
        ),
        http("another subprotocol only", with("chatsync.v1", "mqtt"), 400),
        http(
            "an unknown version of the subprotocol",
            with("chatsync.v1", "chatsync.v2"),
            400,
        ),
        http("an empty subprotocol", with("chatsync.v1", ""), 400),
        http(
            "one subprotocol of several",
            with("chatsync.v1", "mqtt, chatsync.v1"),
            101,
        ),
    ]
}

fn origins() -> Vec<Case> {
    [
        ("http://localhost:3000", 101),
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("http://127.0.0.1@evil.example", 403),
        ("null", 403),
        ("", 403),
        ("file://", 403),
        ("http://local\u{1f600}host", 403),
    ]
    .map(|(origin, status)| {
        let name = format!("from the origin {origin:?}");
        http(&name, adding(&format!("Origin: {origin}")), status)
    })
    .into()
}

fn requests() -> Vec<Case> {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: chat.example\r\n\r\n");
    vec![
        http("POST", with("GET", "POST"), 405),
        http("DELETE", with("GET", "DELETE"), 405),
        http("OPTIONS", with("GET", "OPTIONS"), 405),
        http("a method of its own", with("GET", "BREW"), 405),
        http("HTTP/1.0", with("HTTP/1.1", "HTTP/1.0"), 400),
        http("HTTP/0.9", "GET /ws\r\n\r\n", 400),
        http("HTTP/9.9", with("HTTP/1.1", "HTTP/9.9"), 400),
        Case::http("handshakes: HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").gets(Answer::Ended),
        http("no upgrade at all", get("/ws"), 426),
        http("an unknown path", get("/nothing"), 404),
        http(
            "a handshake at an unknown path",
            with("/ws", "/socket"),
            404,
        ),
        http("a path below", with("/ws", "/ws/"), 404),
        http("a path in capitals", with("/ws", "/WS"), 404),
        http("a path that climbs", get("/../../etc/passwd"), 404),
        http(
            "a path that climbs in disguise",
            get("/%2e%2e/%2e%2e/etc/passwd"),
            404,
        ),
        http("a query", with("/ws", "/ws?userSig=x"), 101),
        http(
            "a whole URI as the path",
            with("/ws", "http://chat.example/ws"),
            101,
        ),
        http(
            "a POST to a page",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
            405,
        ),
        http("not HTTP", "hello\r\n\r\n", 400),
        http(
            "TLS",
            [0x16, 3, 1, 0, 0xa5, 1, 0, 0, 0xa1, 3, 3, b'\r', b'\n'],
            400,
        ),
        http("NUL", vec![0; 64], 400),
        http("a frame", super::case::ping_frame(), 400),
        http("a header without a colon", adding("Oddity"), 400),
        http("a header with a NUL", adding("X: a\0b"), 400),
        http(
            "a header with a space before the colon",
            adding("X : a"),
            400,
        ),
        http("a folded header", adding("X: a\r\n b"), 400),
        http(
            "a header of 20,000 bytes",
            adding(&format!("X: {}", "x".repeat(20_000))),
            431,
        ),
        http("200 headers", adding(&vec!["X: y"; 200].join("\r\n")), 431),
        http(
            "a path of 10,000 bytes",
            with("/ws", &format!("/ws?{}", "x".repeat(10_000))),
            101,
        ),
        http(
            "a path of 20,000 bytes",
            with("/ws", &format!("/{}", "x".repeat(20_000))),
            431,
        ),
        http(
            "two lengths",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
        ),
        http(
            "a length and chunks",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            405,
        ),
        http(
            "a length that is no number",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
            400,
        ),
        http(
            "a handshake with a body",
            format!("{}hello", adding("Content-Length: 5")),
            400,
        ),
    ]
}

/// With little patience.
async fn hasty() -> TestServer {
    TestServer::synced_with(|settings| {
        settings.server.header_timeout_ms = 300;
        settings.server.login_timeout_ms = 300;
    })
    .await
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let mut ground = Ground::on(hasty().await).await;
    let mut raw = Raw::connect(ground.server.address()).await;
    let ended = ground.bystander.unharmed_by(raw.head()).await;
    assert!(ended.is_none_or(|head| status(&head) == 408));
}

#[tokio::test]
async fn half_a_handshake_is_closed() {
    let mut ground = Ground::on(hasty().await).await;
    let mut raw = Raw::connect(ground.server.address()).await;
    raw.send(&HANDSHAKE.as_bytes()[..HANDSHAKE.len() - 1]).await;
    let ended = ground.bystander.unharmed_by(raw.head()).await;
    assert!(ended.is_none_or(|head| status(&head) == 408));
}

/// Every byte is soon followed by another, and still the whole has to come in time.
#[tokio::test]
async fn a_handshake_byte_by_byte_is_closed() {
    let mut ground = Ground::on(hasty().await).await;
    let mut raw = Raw::connect(ground.server.address()).await;
    let attack = async {
        for byte in HANDSHAKE.as_bytes() {
            raw.send(&[*byte]).await;
            sleep(Duration::from_millis(10)).await;
        }
        raw.head().await
    };
    let ended = ground.bystander.unharmed_by(attack).await;
    assert!(ended.is_none_or(|head| status(&head) == 408));
}

#[tokio::test]
async fn whoever_does_not_log_in_is_closed() {
    let mut ground = Ground::on(hasty().await).await;
    let address = ground.server.address();
    let attack = async {
        let mut silent = Raw::upgraded(address).await;
        assert_eq!(silent.hear().await, Heard::Closed(4408));
        // Talking about other things does not help, nor does half a frame.
        let mut talker = Raw::upgraded(address).await;
        loop {
            talker.send_text("{}").await;
            match talker.hear().await {
                Heard::Text(_) => sleep(Duration::from_millis(20)).await,
                end => break assert_eq!(end, Heard::Closed(4408)),
            }
        }
        let mut half = Raw::upgraded(address).await;
        half.send(&super::case::ping_frame()[..9]).await;
        assert_eq!(half.hear().await, Heard::Closed(4408));
    };
    ground.bystander.unharmed_by(attack).await;
}
