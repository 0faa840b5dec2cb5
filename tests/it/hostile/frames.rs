//! Bytes that are no frames, or frames that break the rules (RFC 6455, sections 5 and 7).

use super::case::{Answer, Case, ping_frame};
use super::ground::Ground;
use super::raw::{CLOSE, FIN, HANDSHAKE, Heard, PING, Raw, TEXT, frame, header};
use crate::harness::Host as _;

#[tokio::test]
async fn a_bad_frame_has_a_defined_answer() {
    Ground::new().await.face(cases()).await;
}

const CONTINUATION: u8 = 0x0;
const BINARY: u8 = 0x2;
const PONG: u8 = 0xa;
const RSV: [u8; 3] = [0x40, 0x20, 0x10];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = rules();
    cases.extend(utf8());
    cases.extend(closes());
    cases.extend(parts());
    cases
}

fn closed(name: impl AsRef<str>, bytes: impl Into<Vec<u8>>, code: u16) -> Case {
    Case::frames(format!("frames: {}", name.as_ref()), bytes).gets(Answer::Close(code))
}

fn rules() -> Vec<Case> {
    let mut cases = vec![
        closed("binary", frame(FIN | BINARY, b"hi"), 1003),
        closed("binary and empty", frame(FIN | BINARY, b""), 1003),
        closed(
            "binary JSON",
            frame(FIN | BINARY, super::case::request("ping", "{}").as_bytes()),
            1003,
        ),
        closed(
            "binary in parts",
            [frame(BINARY, b"a"), frame(FIN | CONTINUATION, b"b")].concat(),
            1003,
        ),
        closed(
            "unmasked",
            [header(FIN | TEXT, 2, false), b"{}".to_vec()].concat(),
            1002,
        ),
        closed("unmasked ping", header(FIN | PING, 0, false), 1002),
        closed("plain text", "{\"jsonrpc\":\"2.0\"}", 1002),
        closed("HTTP", "GET / HTTP/1.1\r\n\r\n", 1002),
        closed("a ping in parts", frame(PING, b""), 1002),
        closed("a pong in parts", frame(PONG, b""), 1002),
        closed("a close in parts", frame(CLOSE, b""), 1002),
        closed("a ping of 126 bytes", frame(FIN | PING, &[b'x'; 126]), 1002),
        closed(
            "a pong of 1,000 bytes",
            frame(FIN | PONG, &[b'x'; 1000]),
            1002,
        ),
        closed(
            "a close of 126 bytes",
            frame(FIN | CLOSE, &[b'x'; 126]),
            1002,
        ),
        closed(
            "compressed, as was not agreed",
            frame(FIN | RSV[0] | TEXT, &[0xab, 0x56, 0x02, 0x00]),
            1002,
        ),
        closed(
            "all reserved bits",
            frame(FIN | RSV[0] | RSV[1] | RSV[2] | TEXT, b"{}"),
            1002,
        ),
        Case::frames(
            "frames: a ping of 125 bytes",
            [frame(FIN | PING, &[b'x'; 125]), ping_frame()].concat(),
        ),
        Case::frames(
            "frames: a pong that nobody asked for",
            [frame(FIN | PONG, b"x"), ping_frame()].concat(),
        ),
        Case::frames("frames: a length not in its shortest form", long_form()),
        Case::frames("frames: an empty text", frame(FIN | TEXT, b"")).gets(Answer::Error(
            serde_json::Value::Null,
            -32700,
            None,
        )),
    ];
    for (at, bit) in RSV.into_iter().enumerate() {
        cases.push(closed(
            format!("reserved bit {} of a text", at + 1),
            frame(FIN | bit | TEXT, b"{}"),
            1002,
        ));
        cases.push(closed(
            format!("reserved bit {} of a ping", at + 1),
            frame(FIN | bit | PING, b""),
            1002,
        ));
    }
    for opcode in (3..8).chain(0xb..=0xf) {
        cases.push(closed(
            format!("opcode {opcode}"),
            frame(FIN | opcode, b"x"),
            1002,
        ));
    }
    cases
}

/// A ping request whose length takes eight bytes where one would do. Allowed by every server there is.
fn long_form() -> Vec<u8> {
    let short = ping_frame();
    let length = u64::from(short[1] & 0x7f);
    let mut long = vec![short[0], 0xff];
    long.extend(length.to_be_bytes());
    long.extend(&short[2..]);
    long
}

fn utf8() -> Vec<Case> {
    [
        ("a byte that never occurs", &b"\xff"[..]),
        ("a continuation alone", b"\x80"),
        ("cut short", b"\xe6\x9d"),
        ("overlong", b"\xc0\xaf"),
        ("an overlong NUL", b"\xc0\x80"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("beyond Unicode", b"\xf4\x90\x80\x80"),
        ("Latin-1", b"caf\xe9"),
        ("UTF-16", b"\xff\xfe{\0}\0"),
    ]
    .into_iter()
    .flat_map(|(name, bytes)| {
        let (front, back) = bytes.split_at(bytes.len() / 2);
        [
            closed(format!("not UTF-8: {name}"), frame(FIN | TEXT, bytes), 1007),
            closed(
                format!("not UTF-8, in parts: {name}"),
                [frame(TEXT, front), frame(FIN | CONTINUATION, back)].concat(),
                1007,
            ),
        ]
    })
    .collect()
}

fn closes() -> Vec<Case> {
    let close =
        |code: u16, reason: &[u8]| frame(FIN | CLOSE, &[&code.to_be_bytes()[..], reason].concat());
    let mut cases: Vec<_> = [
        0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535,
    ]
    .map(|code| closed(format!("a close with code {code}"), close(code, b""), 1002))
    .into();
    cases.extend([
        closed("a close of one byte", frame(FIN | CLOSE, b"\x03"), 1002),
        closed(
            "a close whose reason is not UTF-8",
            close(1000, b"\xff"),
            1007,
        ),
        closed("a close", close(1000, b"bye"), 1000),
        closed("a close with a code of its own", close(4999, b""), 4999),
        closed(
            "a close, and then more",
            [close(1001, b""), ping_frame()].concat(),
            1001,
        ),
    ]);
    cases
}

fn parts() -> Vec<Case> {
    let ping = super::case::request("ping", "{}");
    let (front, back) = ping.split_at(20);
    let (front, back) = (
        frame(TEXT, front.as_bytes()),
        frame(FIN | CONTINUATION, back.as_bytes()),
    );
    let many = |part: &[u8]| {
        let mut bytes = frame(TEXT, b"");
        for _ in 0..100_000 {
            bytes.extend(part);
        }
        bytes
    };
    vec![
        closed(
            "a continuation of nothing",
            frame(FIN | CONTINUATION, b"x"),
            1002,
        ),
        closed("a continuation of a whole text", [ping_frame(), frame(CONTINUATION, b"")].concat(), 1002)
            // The text before it was good.
            .gets(Answer::Result(serde_json::json!(1))),
        closed(
            "a text within a text",
            [front.clone(), ping_frame()].concat(),
            1002,
        ),
        closed(
            "binary within a text",
            [front.clone(), frame(FIN | BINARY, b"")].concat(),
            1002,
        ),
        Case::frames(
            "frames: a ping within a text",
            [front.clone(), frame(FIN | PING, b""), back].concat(),
        ),
        Case::frames(
            "frames: a close within a text",
            [front, frame(FIN | CLOSE, b"\x03\xe8")].concat(),
        )
        .gets(Answer::Close(1000)),
        closed(
            "100,000 parts of a byte",
            many(&frame(CONTINUATION, b"x")),
            1009,
        ),
        closed(
            "100,000 empty parts",
            [many(&frame(CONTINUATION, b"")), frame(FIN | BINARY, b"")].concat(),
            1002,
        ),
    ]
}

#[tokio::test]
async fn compression_is_not_agreed_to() {
    let ground = Ground::new().await;
    for offer in [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits; server_no_context_takeover",
        "x-webkit-deflate-frame, permessage-deflate",
    ] {
        let mut raw = Raw::connect(ground.server.address()).await;
        let offer = format!("Host: chat.example\r\nSec-WebSocket-Extensions: {offer}");
        raw.send(HANDSHAKE.replace("Host: chat.example", &offer).as_bytes())
            .await;
        let head = raw.head().await.expect("an answer").to_lowercase();
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        assert!(!head.contains("sec-websocket-extensions"), "{head}");
    }
}

#[tokio::test]
async fn frames_that_come_with_the_handshake_are_not_lost() {
    let ground = Ground::new().await;
    let mut raw = Raw::connect(ground.server.address()).await;
    raw.send(&[HANDSHAKE.as_bytes(), &ping_frame()].concat())
        .await;
    assert!(raw.head().await.is_some());
    let Heard::Text(answer) = raw.hear().await else {
        panic!("no answer");
    };
    assert_eq!(answer["error"]["code"], 2024);
}

#[tokio::test]
async fn a_hundred_thousand_parts_trouble_nobody_else() {
    let mut ground = Ground::new().await;
    let raw = ground.attacker().await;
    let mut bytes = frame(TEXT, b"");
    for _ in 0..100_000 {
        bytes.extend(frame(CONTINUATION, b""));
    }
    bytes.extend(frame(FIN | BINARY, b""));
    let (_, end) = ground
        .bystander
        .unharmed_by(raw.send_until_closed(&bytes))
        .await;
    assert_eq!(end, Heard::Closed(1002));
}
