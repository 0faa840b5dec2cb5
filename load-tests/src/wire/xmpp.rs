//! XMPP over WebSocket (RFC 7395): SASL PLAIN, a resource for each device, initial presence.
//!
//! What the account's first device tells goes to the account's bare address, with the type `headline`: RFC 6121
//! (8.5.2.1.1) has it delivered to every resource of non-negative priority. The first device has a negative one, and so
//! hears nothing of what it sends itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem::find;

use super::{Call, Event, Opening, Who, Wire, event};
use crate::client::handshake;

/// The host that the server serves, and the password of every account.
pub(crate) const DOMAIN: &str = "localhost";
pub(crate) const PASSWORD: &str = "of-no-use";

const OPEN: &str =
    r#"<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="localhost" version="1.0"/>"#;

/// The local part of an account's address.
pub(crate) fn user(account: u32) -> String {
    format!("u{account}")
}

#[derive(Debug)]
pub(crate) struct Xmpp {
    pub(crate) host: String,
}

impl Wire for Xmpp {
    fn handshake(&self, _: Who) -> Vec<u8> {
        handshake::request(&self.host, "/ws", Some("xmpp"))
    }

    fn open(&self, _: u64, _: Who, _: Option<&str>) -> Opening {
        Opening::Say(OPEN.into())
    }

    fn call(&self, _: u64, who: Who, call: Call, _: Option<&str>) -> Option<String> {
        match call {
            Call::Publish { number } => Some(format!(
                r#"<message xmlns="jabber:client" type="headline" to="{}@{DOMAIN}"><body>{}</body></message>"#,
                user(who.account),
                event::text(who, number)
            )),
            _ => None,
        }
    }

    fn read(&self, who: Who, stanza: &[u8], each: &mut dyn FnMut(Event<'_>)) {
        let has = |text: &str| find(stanza, text.as_bytes()).is_some();
        let event = if stanza.starts_with(b"<message") {
            match body(stanza).and_then(event::read) {
                Some(told) if !has("type='error'") => Event::Told(told),
                _ => Event::Garbled,
            }
        } else if stanza.starts_with(b"<presence") || stanza.starts_with(b"<open") {
            Event::Other
        } else if stanza.starts_with(b"<stream:features") {
            if has("<mechanism>PLAIN<") {
                Event::Reply(auth(who))
            } else if has("urn:ietf:params:xml:ns:xmpp-bind") {
                Event::Reply(bind(who))
            } else {
                Event::TurnedDown("neither SASL PLAIN nor binding is offered")
            }
        } else if stanza.starts_with(b"<success") {
            Event::Reply(OPEN.into())
        } else if stanza.starts_with(b"<failure") {
            Event::TurnedDown("SASL failure")
        } else if stanza.starts_with(b"<iq") && has("id='bind'") {
            if has("type='result'") {
                each(Event::Reply(presence(who)));
                Event::Ready
            } else {
                Event::TurnedDown("no resource was bound")
            }
        } else {
            Event::Garbled
        };
        each(event);
    }
}

fn body(stanza: &[u8]) -> Option<&[u8]> {
    let begin = find(stanza, b"<body>")? + b"<body>".len();
    let end = find(stanza, b"</body>")?;
    stanza.get(begin..end)
}

fn auth(who: Who) -> String {
    let secret = STANDARD.encode(format!("\0{}\0{PASSWORD}", user(who.account)));
    format!(r#"<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">{secret}</auth>"#)
}

fn bind(who: Who) -> String {
    format!(
        r#"<iq xmlns="jabber:client" type="set" id="bind"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><resource>d{}</resource></bind></iq>"#,
        who.device
    )
}

fn presence(who: Who) -> String {
    let priority = if who.device == 0 { -1 } else { 0 };
    format!(r#"<presence xmlns="jabber:client"><priority>{priority}</priority></presence>"#)
}

#[cfg(test)]
mod tests {
    use super::super::event::tests::{WHO, told};
    use super::super::heard;
    use super::*;

    fn wire() -> Xmpp {
        Xmpp {
            host: "localhost".into(),
        }
    }

    fn reply(stanza: &str) -> Vec<String> {
        heard(&wire(), stanza.as_bytes())
    }

    #[test]
    fn a_login_is_sasl_a_resource_and_presence() {
        let handshake = String::from_utf8(wire().handshake(WHO)).unwrap();
        assert!(handshake.contains("\r\nSec-WebSocket-Protocol: xmpp\r\n"));
        assert_eq!(wire().open(1, WHO, None), Opening::Say(OPEN.into()));
        assert_eq!(
            reply("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"),
            ["Other"]
        );
        let offer = "<stream:features><mechanisms><mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism>\
                     </mechanisms></stream:features>";
        // \0u7\0of-no-use
        assert!(reply(offer)[0].contains("AHU3AG9mLW5vLXVzZQ=="), "{offer}");
        assert!(reply("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")[0].contains("<open"));
        let offer =
            "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>";
        assert!(reply(offer)[0].contains("<resource>d2</resource>"));
        let bound =
            reply("<iq type='result' id='bind'><bind><jid>u7@localhost/d2</jid></bind></iq>");
        assert!(bound[0].contains("<priority>0</priority>"), "{bound:?}");
        assert_eq!(bound[1..], ["Ready"]);
    }

    #[test]
    fn the_device_that_sends_wants_nothing_of_its_own() {
        let first = Who { device: 0, ..WHO };
        assert!(presence(first).contains("<priority>-1</priority>"));
    }

    #[test]
    fn a_login_that_is_turned_down_is_told() {
        for stanza in [
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>",
            "<stream:features><mechanisms><mechanism>X-OAUTH2</mechanism></mechanisms></stream:features>",
            "<iq type='error' id='bind'/>",
        ] {
            assert!(reply(stanza)[0].starts_with("TurnedDown"), "{stanza}");
        }
    }

    #[test]
    fn a_message_reads_back_and_an_error_is_none() {
        let sent = wire().call(1, WHO, Call::Publish { number: 42 }, None);
        let sent = sent.unwrap();
        assert!(sent.contains(r#"to="u7@localhost""#), "{sent}");
        let got = format!(
            "<message xml:lang='en' to='u7@localhost/d1' from='u7@localhost/d2' type='headline'>{}",
            &sent[sent.find("<body>").unwrap()..]
        );
        assert_eq!(reply(&got), [format!("{:?}", Event::Told(told()))]);
        assert_eq!(reply(&got.replace("headline", "error")), ["Garbled"]);
        assert_eq!(reply("<message><body>u7</body></message>"), ["Garbled"]);
        assert_eq!(reply("<stream:error/>"), ["Garbled"]);
    }
}
