//! Plain WebSocket, as the servers on `ws` and on uWebSockets in `load-tests/peers` speak it: a connection is for the
//! user that its address names, and each message goes to that user's other connections as it is.

use super::{Call, Event, Opening, Who, Wire, event};
use crate::client::handshake;

#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) host: String,
}

impl Wire for Plain {
    fn handshake(&self, who: Who) -> Vec<u8> {
        handshake::request(&self.host, &format!("/u{}", who.account), None)
    }

    fn open(&self, _: u64, _: Who, _: Option<&str>) -> Opening {
        Opening::None
    }

    fn call(&self, _: u64, who: Who, call: Call, _: Option<&str>) -> Option<String> {
        match call {
            Call::Publish { number } => Some(event::text(who, number)),
            _ => None,
        }
    }

    fn read(&self, _: Who, message: &[u8], each: &mut dyn FnMut(Event<'_>)) {
        each(event::read(message).map_or(Event::Garbled, Event::Told));
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::tests::{WHO, told};
    use super::super::heard;
    use super::*;

    #[test]
    fn an_event_goes_out_and_comes_in_as_it_is() {
        let plain = Plain {
            host: "localhost".into(),
        };
        assert!(plain.handshake(WHO).starts_with(b"GET /u7 HTTP/1.1\r\n"));
        assert_eq!(plain.open(1, WHO, None), Opening::None);
        assert_eq!(plain.call(1, WHO, Call::Ping { ack: 1 }, None), None);
        let message = plain.call(1, WHO, Call::Publish { number: 42 }, None);
        assert_eq!(
            heard(&plain, message.unwrap().as_bytes()),
            [format!("{:?}", Event::Told(told()))]
        );
        assert_eq!(heard(&plain, b"what?"), ["Garbled"]);
    }
}
