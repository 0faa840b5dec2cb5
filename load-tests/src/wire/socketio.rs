//! Socket.IO 5 over Engine.IO 4, WebSocket transport only (<https://socket.io/docs/v4/socket-io-protocol/>): an
//! Engine.IO packet is a text frame that begins with its type, and a message's (4) goes on with Socket.IO's own.

use super::{Call, Event, Opening, Who, Wire, event};
use crate::client::handshake;

/// Packets: of Engine.IO, and of Socket.IO within its messages.
const OPEN: &[u8] = b"0{";
const PING: &[u8] = b"2";
const PONG: &str = "3";
const CONNECTED: &[u8] = b"40{";
const REFUSED: &[u8] = b"44";
/// An event by the name of `e`, with a text.
const EVENT: &str = r#"42["e",""#;
const EVENT_END: &str = r#""]"#;

#[derive(Debug)]
pub(crate) struct SocketIo {
    pub(crate) host: String,
}

impl Wire for SocketIo {
    fn handshake(&self, _: Who) -> Vec<u8> {
        handshake::request(&self.host, "/socket.io/?EIO=4&transport=websocket", None)
    }

    fn open(&self, _: u64, _: Who, _: Option<&str>) -> Opening {
        Opening::Listen
    }

    fn call(&self, _: u64, who: Who, call: Call, _: Option<&str>) -> Option<String> {
        match call {
            Call::Publish { number } => {
                let text = event::text(who, number);
                Some(format!("{EVENT}{text}{EVENT_END}"))
            }
            _ => None,
        }
    }

    fn read(&self, who: Who, message: &[u8], each: &mut dyn FnMut(Event<'_>)) {
        let text = message
            .strip_prefix(EVENT.as_bytes())
            .and_then(|rest| rest.strip_suffix(EVENT_END.as_bytes()));
        each(if let Some(text) = text {
            event::read(text).map_or(Event::Garbled, Event::Told)
        } else if message == PING {
            Event::Reply(PONG.into())
        } else if message.starts_with(OPEN) {
            Event::Reply(format!(r#"40{{"user":"u{}"}}"#, who.account))
        } else if message.starts_with(CONNECTED) {
            Event::Ready
        } else if message.starts_with(REFUSED) {
            Event::TurnedDown("the namespace can't be connected to")
        } else {
            Event::Garbled
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::tests::{WHO, told};
    use super::super::heard;
    use super::*;

    fn wire() -> SocketIo {
        SocketIo {
            host: "localhost".into(),
        }
    }

    #[test]
    fn a_login_is_the_servers_opening_and_the_namespace() {
        let handshake = String::from_utf8(wire().handshake(WHO)).unwrap();
        assert!(handshake.starts_with("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"));
        assert_eq!(wire().open(1, WHO, None), Opening::Listen);
        let opening = br#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
        let connect = Event::Reply(r#"40{"user":"u7"}"#.into());
        assert_eq!(heard(&wire(), opening), [format!("{connect:?}")]);
        assert_eq!(heard(&wire(), br#"40{"sid":"b"}"#), ["Ready"]);
        let refused = heard(&wire(), br#"44{"message":"no"}"#);
        assert!(refused[0].starts_with("TurnedDown"), "{refused:?}");
    }

    #[test]
    fn an_event_reads_back() {
        let message = wire().call(1, WHO, Call::Publish { number: 42 }, None);
        let message = message.unwrap();
        assert!(message.starts_with(r#"42["e","u7 d2 n42 .."#), "{message}");
        let told = format!("{:?}", Event::Told(told()));
        assert_eq!(heard(&wire(), message.as_bytes()), [told]);
        assert_eq!(heard(&wire(), br#"42["e","u7 d2"]"#), ["Garbled"]);
        assert_eq!(heard(&wire(), br#"42["f",1]"#), ["Garbled"]);
    }

    #[test]
    fn a_ping_is_answered() {
        assert_eq!(
            heard(&wire(), b"2"),
            [format!("{:?}", Event::Reply("3".into()))]
        );
    }
}
