//! The opening handshake, with a fixed key: a load test needs no randomness there.

/// The key of RFC 6455's own example, and what a server must answer to it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// A longer answer is not one to a handshake.
const MAX_ANSWER: usize = 16 * 1024;

/// The request for an upgrade.
pub(crate) fn request(host: &str, path: &str, subprotocol: Option<&str>) -> Vec<u8> {
    let subprotocol = subprotocol.map_or(String::new(), |name| {
        format!("Sec-WebSocket-Protocol: {name}\r\n")
    });
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{subprotocol}\r\n"
    )
    .into_bytes()
}

/// Whether a head asks for an upgrade, as [`request`] does.
pub(crate) fn is_request(head: &[u8]) -> bool {
    memchr::memmem::find(head, b"\r\nUpgrade: websocket\r\n").is_some()
}

/// What a server answers to [`request`].
pub(crate) fn answer() -> Vec<u8> {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
    )
    .into_bytes()
}

/// Reads the answer: its length once it is all there, or why there is no upgrade.
pub(crate) fn accepted(bytes: &[u8]) -> Result<Option<usize>, String> {
    let Some(end) = end(bytes) else {
        return if bytes.len() > MAX_ANSWER {
            Err("no answer to the handshake".into())
        } else {
            Ok(None)
        };
    };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let status = head.split(' ').nth(1).unwrap_or("none");
    if status != "101" {
        return Err(format!("handshake: status {status}"));
    }
    let is_ours = head.lines().any(|line| {
        line.split_once(':').is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim() == ACCEPT
        })
    });
    if is_ours {
        Ok(Some(end))
    } else {
        Err("handshake: wrong Sec-WebSocket-Accept".into())
    }
}

/// Where a head ends, if it does.
pub(crate) fn end(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_when_it_is_all_there() {
        let whole = answer();
        assert_eq!(accepted(&whole[..whole.len() - 1]), Ok(None));
        let mut more = whole.clone();
        more.extend([0x81, 0]);
        assert_eq!(accepted(&more), Ok(Some(whole.len())));
    }

    #[test]
    fn a_request_for_a_page_is_none_for_an_upgrade() {
        assert!(is_request(&request("localhost", "/ws", None)));
        assert!(!is_request(
            b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n"
        ));
    }

    #[test]
    fn a_refusal_is_named() {
        let refused = b"HTTP/1.1 503 Service Unavailable\r\n\r\n";
        assert_eq!(accepted(refused), Err("handshake: status 503".into()));
        let other = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: no\r\n\r\n";
        assert!(accepted(other).is_err());
    }
}
