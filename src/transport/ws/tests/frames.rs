//! A client's bytes against another implementation of RFC 6455, and cut in all places.

use std::io::{self, Cursor, Read, Write};

use proptest::collection::vec;
use proptest::prelude::*;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket, WebSocketConfig};

use super::*;
use crate::transport::ws::frame::{Fault, unmask};
use crate::transport::ws::reader::{Incoming, Input, Reader};

/// Bytes that a message may have.
const MOST: usize = 300;

/// What was made of a client's bytes.
#[derive(Debug, Clone, PartialEq)]
enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Vec<u8>),
    Fault(Fault),
}

/// What the server's own reader makes of bytes that come in these pieces.
fn ours(pieces: &[&[u8]]) -> Vec<Seen> {
    let (mut reader, mut seen) = (Reader::default(), Vec::new());
    for piece in pieces {
        let kept = reader.kept();
        let mut buffer = [vec![0; kept], piece.to_vec()].concat();
        reader.restore(&mut buffer);
        let mut input = Input::new(&mut buffer);
        loop {
            match reader.next(&mut input, MOST) {
                Ok(None) => break,
                Ok(Some(Incoming::Text(text))) => seen.push(Seen::Text(text.into_owned())),
                Ok(Some(Incoming::Binary(bytes))) => seen.push(Seen::Binary(bytes.into_owned())),
                Ok(Some(Incoming::Ping(body))) => seen.push(Seen::Ping(body.to_vec())),
                Ok(Some(Incoming::Pong)) => seen.push(Seen::Pong),
                Ok(Some(Incoming::Close(body))) => {
                    seen.push(Seen::Close(body.to_vec()));
                    return seen;
                }
                Err(fault) => {
                    seen.push(Seen::Fault(fault));
                    return seen;
                }
            }
        }
        reader.keep(input.rest(), true);
    }
    seen
}

/// Bytes to read, and then nothing for now.
struct Tape(Cursor<Vec<u8>>);

impl Read for Tape {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match Read::read(&mut self.0, buffer)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the other implementation makes of them.
fn theirs(bytes: &[u8]) -> Vec<Seen> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MOST))
        .max_frame_size(Some(MOST));
    let tape = Tape(Cursor::new(bytes.to_vec()));
    let mut socket = WebSocket::from_raw_socket(tape, Role::Server, Some(config));
    let mut seen = Vec::new();
    loop {
        seen.push(match socket.read() {
            Ok(Message::Text(text)) => Seen::Text(text.to_string()),
            Ok(Message::Binary(bytes)) => Seen::Binary(bytes.to_vec()),
            Ok(Message::Ping(body)) => Seen::Ping(body.to_vec()),
            Ok(Message::Pong(_)) => Seen::Pong,
            // What it makes of a code that may not be sent.
            Ok(Message::Close(Some(frame))) if frame.reason == "Protocol violation" => {
                Seen::Fault(Fault::Protocol)
            }
            Ok(Message::Close(frame)) => {
                let body = frame.map_or_else(Vec::new, |frame| {
                    end::close_body(frame.code.into(), &frame.reason)
                });
                seen.push(Seen::Close(body));
                return seen;
            }
            Ok(Message::Frame(_)) => unreachable!("only written"),
            Err(Error::Io(_)) => return seen,
            Err(Error::Capacity(_)) => Seen::Fault(Fault::TooBig),
            Err(Error::Utf8(_)) => Seen::Fault(Fault::NotUtf8),
            Err(_) => Seen::Fault(Fault::Protocol),
        });
        if matches!(seen.last(), Some(Seen::Fault(_))) {
            return seen;
        }
    }
}

/// A frame as a client may send it, by the rules or not.
#[derive(Debug, Clone)]
struct Sent {
    first: u8,
    body: Vec<u8>,
    mask: [u8; 4],
    is_masked: bool,
    /// Written in eight bytes whatever it is.
    has_long_length: bool,
}

impl Sent {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.first];
        let masked = if self.is_masked { 0x80 } else { 0 };
        match self.body.len() {
            length if self.has_long_length => {
                bytes.push(masked + 127);
                bytes.extend((length as u64).to_be_bytes());
            }
            length @ 0..126 => bytes.push(masked | u8::try_from(length).unwrap()),
            length => {
                bytes.push(masked + 126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
        }
        let mut body = self.body.clone();
        if self.is_masked {
            bytes.extend(self.mask);
            unmask(&mut body, self.mask);
        }
        bytes.extend(body);
        bytes
    }
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "\\PC{0,20}".prop_map(String::into_bytes),
        1 => "\\PC{40,100}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..8),
        // The codes of closes.
        2 => (995_u16..1020, "[a-z]{0,5}").prop_map(|(code, why)| end::close_body(code, &why)),
        1 => (2990_u16..5010).prop_map(|code| end::close_body(code, "")),
    ]
}

fn sent() -> impl Strategy<Value = Sent> {
    let opcode = prop_oneof![
        6 => Just(0x1_u8), 2 => Just(0x2), 6 => Just(0x0),
        2 => Just(0x9), 1 => Just(0xa), 1 => Just(0x8), 1 => 0_u8..16,
    ];
    let reserved = prop_oneof![40 => Just(0_u8), 1 => 0_u8..8];
    let often = |chance| proptest::bool::weighted(chance);
    (
        (opcode, often(0.6), reserved),
        body(),
        any::<[u8; 4]>(),
        often(0.98),
        often(0.1),
    )
        .prop_map(
            |((opcode, is_final, reserved), body, mask, is_masked, has_long_length)| Sent {
                first: opcode | reserved << 4 | if is_final { 0x80 } else { 0 },
                body,
                mask,
                is_masked,
                has_long_length,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Of two faults in one frame either may be named, and ours is seen before the frame is whole; else both see the
    /// same.
    #[test]
    fn another_implementation_sees_the_same(frames in vec(sent(), 0..8), cut in 0_usize..4) {
        let mut bytes: Vec<u8> = frames.iter().flat_map(Sent::bytes).collect();
        bytes.truncate(bytes.len().saturating_sub(cut));
        let (mut ours, mut theirs) = (ours(&[&bytes[..]]), theirs(&bytes));
        let fault = |seen: &mut Vec<Seen>| seen.pop_if(|last| matches!(last, Seen::Fault(_)));
        let (our_fault, their_fault) = (fault(&mut ours), fault(&mut theirs));
        prop_assert_eq!(&ours, &theirs);
        match (our_fault, their_fault) {
            (Some(_), None) if cut > 0 => {}
            (ours, theirs) => prop_assert_eq!(ours.is_some(), theirs.is_some(), "{:?} {:?}", ours, theirs),
        }
    }

    #[test]
    fn where_the_bytes_are_cut_makes_no_difference(
        frames in vec(sent(), 0..6),
        cuts in vec(0_usize..2_000, 0..12),
    ) {
        let bytes: Vec<u8> = frames.iter().flat_map(Sent::bytes).collect();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
        let whole = ours(&[&bytes[..]]);
        prop_assert_eq!(&ours(&pieces), &whole);
        prop_assert_eq!(&ours(&bytes.chunks(1).collect::<Vec<_>>()), &whole);
    }

    #[test]
    fn noise_is_survived(bytes in vec(any::<u8>(), 0..2_000)) {
        ours(&[&bytes[..]]);
    }
}

fn client(first: u8, body: &[u8]) -> Vec<u8> {
    Sent {
        first,
        body: body.to_vec(),
        mask: [7, 1, 9, 4],
        is_masked: true,
        has_long_length: false,
    }
    .bytes()
}

/// Sections 6.4.3 and 6.4.4 of the Autobahn suite: nobody has to wait for the end of what is already wrong.
#[test]
fn a_bad_text_is_refused_before_its_frame_is_whole() {
    let text = client(0x81, b"\xce\xba\xe1\xbd\xb9\xf4\x90\x80\x80edited");
    let head_and_good = 6 + 5;
    assert_eq!(ours(&[&text[..head_and_good]]), []);
    // 0xf4 may begin a character, 0xf4 0x90 can't.
    assert_eq!(ours(&[&text[..=head_and_good]]), []);
    let refused = [Seen::Fault(Fault::NotUtf8)];
    assert_eq!(ours(&[&text[..head_and_good + 2]]), refused);
}

#[test]
fn a_message_as_long_as_allowed_is_taken_and_one_byte_more_is_not() {
    let whole = client(0x81, &[b'x'; MOST]);
    assert_eq!(ours(&[&whole[..]]), [Seen::Text("x".repeat(MOST))]);
    let parts = [client(0x01, &[b'x'; MOST]), client(0x80, b"")].concat();
    assert_eq!(ours(&[&parts[..]]), [Seen::Text("x".repeat(MOST))]);
    for bytes in [
        client(0x81, &[b'x'; MOST + 1]),
        [client(0x01, &[b'x'; MOST]), client(0x80, b"x")].concat(),
    ] {
        assert_eq!(ours(&[&bytes[..]]), [Seen::Fault(Fault::TooBig)]);
    }
}

/// A length is only a claim: what was announced and has not come takes no memory.
#[test]
fn an_announced_message_takes_no_memory_before_it_comes() {
    let mut reader = Reader::default();
    let mut head = [
        0x81, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, b'x',
    ];
    let mut input = Input::new(&mut head);
    assert_eq!(reader.next(&mut input, usize::MAX), Ok(None));
    assert!(reader.held() < 100, "{}", reader.held());
}

#[test]
fn a_reader_at_rest_holds_nothing() {
    let mut reader = Reader::default();
    let bytes = [client(0x01, b"a"), client(0x89, b""), client(0x80, b"b")].concat();
    let (mut front, back) = (bytes[..9].to_vec(), &bytes[9..]);
    let mut input = Input::new(&mut front);
    assert_eq!(reader.next(&mut input, MOST), Ok(None));
    reader.keep(input.rest(), true);
    assert!(reader.held() > 0);
    let mut whole = [&vec![0; reader.kept()], back].concat();
    reader.restore(&mut whole);
    let mut input = Input::new(&mut whole);
    assert_eq!(reader.next(&mut input, MOST), Ok(Some(Incoming::Ping(b""))));
    assert_eq!(
        reader.next(&mut input, MOST),
        Ok(Some(Incoming::Text("ab".into())))
    );
    assert_eq!(reader.held(), 0);
}
