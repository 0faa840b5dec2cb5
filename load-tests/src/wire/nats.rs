//! The NATS client protocol over WebSocket (<https://docs.nats.io/reference/reference-protocols/nats-protocol>): lines
//! in binary frames. A subject for each user; `echo: false` keeps from a connection what it published itself.

use super::scan::number;
use super::{Call, Event, Opening, Who, Wire, event};
use crate::client::handshake;

const END: &[u8] = b"\r\n";

#[derive(Debug)]
pub(crate) struct Nats {
    pub(crate) host: String,
}

impl Wire for Nats {
    fn is_binary(&self) -> bool {
        true
    }

    fn handshake(&self, _: Who) -> Vec<u8> {
        handshake::request(&self.host, "/", None)
    }

    /// The server begins with its `INFO`.
    fn open(&self, _: u64, _: Who, _: Option<&str>) -> Opening {
        Opening::Listen
    }

    fn call(&self, _: u64, who: Who, call: Call, _: Option<&str>) -> Option<String> {
        match call {
            Call::Publish { number } => {
                let text = event::text(who, number);
                Some(format!("PUB u{} {}\r\n{text}\r\n", who.account, text.len()))
            }
            _ => None,
        }
    }

    /// A frame has whole lines: one or several.
    fn read(&self, who: Who, message: &[u8], each: &mut dyn FnMut(Event<'_>)) {
        let mut rest = message;
        while !rest.is_empty() {
            let Some((event, length)) = line(who, rest) else {
                return each(Event::Garbled);
            };
            each(event);
            rest = &rest[length..];
        }
    }
}

/// The first line of some, with the payload that follows it, and the length of both.
fn line(who: Who, bytes: &[u8]) -> Option<(Event<'_>, usize)> {
    let end = memchr::memmem::find(bytes, END)?;
    let (line, mut length) = (&bytes[..end], end + END.len());
    let verb = line.split(|byte| *byte == b' ').next()?;
    let event = match verb {
        b"MSG" => {
            let size = line.rsplit(|byte| *byte == b' ').next().and_then(number)?;
            let payload = bytes[length..].get(..usize::try_from(size).ok()?)?;
            length += payload.len();
            bytes[length..].strip_prefix(END)?;
            length += END.len();
            event::read(payload).map_or(Event::Garbled, Event::Told)
        }
        b"INFO" => Event::Reply(format!(
            "CONNECT {{\"verbose\":false,\"pedantic\":false,\"echo\":false,\"protocol\":1,\"lang\":\"rust\",\
             \"version\":\"1\"}}\r\nSUB u{} 1\r\nPING\r\n",
            who.account
        )),
        b"PONG" => Event::Ready,
        b"PING" => Event::Reply("PONG\r\n".into()),
        b"-ERR" => Event::TurnedDown(std::str::from_utf8(line).ok()?),
        b"+OK" => Event::Other,
        _ => return None,
    };
    Some((event, length))
}

#[cfg(test)]
mod tests {
    use super::super::event::tests::{WHO, told};
    use super::super::heard;
    use super::*;

    fn wire() -> Nats {
        Nats {
            host: "localhost".into(),
        }
    }

    #[test]
    fn a_login_subscribes_and_is_complete_with_the_pong() {
        assert!(wire().handshake(WHO).starts_with(b"GET / HTTP/1.1\r\n"));
        assert_eq!(wire().open(1, WHO, None), Opening::Listen);
        let Some((Event::Reply(connect), 24)) = line(WHO, b"INFO {\"max_payload\":9}\r\n") else {
            panic!("no reply");
        };
        let lines: Vec<_> = connect.split("\r\n").collect();
        assert!(lines[0].starts_with("CONNECT {") && lines[0].contains(r#""echo":false"#));
        assert_eq!(lines[1..], ["SUB u7 1", "PING", ""]);
        assert_eq!(heard(&wire(), b"PONG\r\n"), ["Ready"]);
        let refused = heard(&wire(), b"-ERR 'Authorization Violation'\r\n");
        assert!(refused[0].contains("Authorization"), "{refused:?}");
    }

    #[test]
    fn several_lines_of_a_frame_are_all_heard() {
        let published = wire().call(1, WHO, Call::Publish { number: 42 }, None);
        let published = published.unwrap();
        let (head, payload) = published.split_once("\r\n").unwrap();
        assert_eq!(head, "PUB u7 150");
        let frame = format!("MSG u7 1 150\r\n{payload}PING\r\nMSG u7 1 150\r\n{payload}");
        let told = format!("{:?}", Event::Told(told()));
        let pong = format!("{:?}", Event::Reply("PONG\r\n".into()));
        assert_eq!(heard(&wire(), frame.as_bytes()), [told.clone(), pong, told]);
    }

    #[test]
    fn half_a_message_is_garbled() {
        let payload = event::text(WHO, 42);
        for frame in [
            format!("MSG u7 1 150\r\n{payload}"),
            format!("MSG u7 1 150\r\n{}\r\n", &payload[1..]),
            "MSG u7 1 x\r\n\r\n".into(),
            "PIN".into(),
            "WHAT\r\n".into(),
        ] {
            assert_eq!(heard(&wire(), frame.as_bytes()), ["Garbled"], "{frame}");
        }
    }
}
