//! What a peer is given to deliver: an account, a device, a number, and as many bytes as a short notification has.
//!
//! Without quotes and angle brackets, so that it stands alike in JSON, in XML and alone.

use super::{Content, StreamKind, Told, Who};

/// Bytes of each.
const LENGTH: usize = 150;

/// The text of a device's event with the number.
pub(crate) fn text(who: Who, number: u64) -> String {
    let text = format!("u{} d{} n{number} ", who.account, who.device);
    format!("{text:.<LENGTH$}")
}

/// What such a text says; none if it is none, or not all of it.
pub(crate) fn read(text: &[u8]) -> Option<Told> {
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.split(' ');
    let account = words.next()?.strip_prefix('u')?.parse().ok()?;
    let device = words.next()?.strip_prefix('d')?.parse().ok()?;
    let number = words.next()?.strip_prefix('n')?.parse().ok()?;
    let is_whole = text.len() == LENGTH && words.next()?.bytes().all(|byte| byte == b'.');
    is_whole.then_some(Told {
        stream: StreamKind::Account,
        number,
        owner: Some(account),
        content: Content {
            device: Some(device),
            conversations: None,
        },
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const WHO: Who = Who {
        account: 7,
        device: 2,
    };

    /// What device 2 of account 7 tells with number 42.
    pub(crate) fn told() -> Told {
        Told {
            stream: StreamKind::Account,
            number: 42,
            owner: Some(7),
            content: Content {
                device: Some(2),
                conversations: None,
            },
        }
    }

    #[test]
    fn an_event_has_its_length_and_reads_back() {
        let text = text(WHO, 42);
        assert_eq!(text.len(), LENGTH);
        assert_eq!(read(text.as_bytes()), Some(told()));
    }

    #[test]
    fn half_an_event_and_a_changed_one_are_none() {
        let text = text(WHO, 42);
        assert_eq!(read(&text.as_bytes()[..LENGTH - 1]), None);
        assert_eq!(read(text.replacen('.', "x", 1).as_bytes()), None);
        assert_eq!(read(text.replace('n', "m").as_bytes()), None);
        assert_eq!(read(b""), None);
    }
}
