//! From an HTTP request to a WebSocket.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::protocol::SUBPROTOCOL;
use crate::transport::{Context, Peer};

/// `GET /ws`.
///
/// The handshake is done here rather than by axum: axum's own runs the session in a task that nobody can wait
/// for, and hands out a socket with buffers that cost each connection more than all else.
pub(in crate::transport) async fn upgrade(
    State(context): State<Arc<Context>>,
    Extension(peer): Extension<Arc<Peer>>,
    mut request: Request,
) -> Response {
    let answer = match shake(request.method(), request.headers(), &context) {
        Ok(answer) => answer,
        Err(refused) => return refused.into_response(),
    };
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return Refused::BadRequest("the connection can't be upgraded").into_response();
    };
    let tracker = context.tracker.clone();
    tracker.spawn(async move {
        match upgrade.await {
            Ok(upgraded) => begin(upgraded, &context, peer),
            Err(error) => tracing::debug!(%error, "a connection was lost in the upgrade"),
        }
    });
    answer
}

/// Why there is no upgrade.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    BadRequest(&'static str),
    NotAllowed,
    OtherVersion,
    ForeignOrigin,
    Draining,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::BadRequest(why) => (StatusCode::BAD_REQUEST, why).into_response(),
            Self::NotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                [(header::ALLOW, "GET")],
                "GET only",
            )
                .into_response(),
            Self::OtherVersion => (
                StatusCode::UPGRADE_REQUIRED,
                [
                    (header::UPGRADE, "websocket"),
                    (header::SEC_WEBSOCKET_VERSION, "13"),
                ],
                "this is a WebSocket, version 13",
            )
                .into_response(),
            Self::ForeignOrigin => {
                (StatusCode::FORBIDDEN, "this origin is not allowed").into_response()
            }
            Self::Draining => (
                StatusCode::SERVICE_UNAVAILABLE,
                [(header::RETRY_AFTER, "5")],
                "restarting",
            )
                .into_response(),
        }
    }
}

/// RFC 6455, section 4.2.
fn shake(method: &Method, headers: &HeaderMap, context: &Context) -> Result<Response, Refused> {
    if method != Method::GET {
        return Err(Refused::NotAllowed);
    }
    if !names(headers, &header::UPGRADE, "websocket")
        || !names(headers, &header::CONNECTION, "upgrade")
        || !names(headers, &header::SEC_WEBSOCKET_VERSION, "13")
    {
        return Err(Refused::OtherVersion);
    }
    if only(headers, &header::HOST).is_none() {
        return Err(Refused::BadRequest("there must be one Host"));
    }
    let key = only(headers, &header::SEC_WEBSOCKET_KEY)
        .filter(|key| is_key(key))
        .ok_or(Refused::BadRequest(
            "there must be one Sec-WebSocket-Key, of 16 bytes in base64",
        ))?;
    if has_body(headers) {
        return Err(Refused::BadRequest("a handshake has no body"));
    }
    if !is_allowed(headers.get(header::ORIGIN), &context.server.allowed_origins) {
        return Err(Refused::ForeignOrigin);
    }
    let is_offered = names(headers, &header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
    if !is_offered && headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
        return Err(Refused::BadRequest("the subprotocol is chatsync.v1"));
    }
    if context.draining.is_cancelled() {
        return Err(Refused::Draining);
    }

    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let out = answer.headers_mut();
    out.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    out.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let accept = derive_accept_key(key.as_bytes());
    out.insert(
        header::SEC_WEBSOCKET_ACCEPT,
        HeaderValue::try_from(accept).map_err(|_| Refused::BadRequest("Sec-WebSocket-Key"))?,
    );
    if is_offered {
        out.insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
    }
    Ok(answer)
}

/// A header's value, if it is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

fn is_key(key: &HeaderValue) -> bool {
    let key = STANDARD.decode(key.as_bytes());
    key.is_ok_and(|bytes| bytes.len() == 16)
}

/// What follows the head would be a body by HTTP and frames by WebSocket: two readers would not agree.
fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers
            .get(header::CONTENT_LENGTH)
            .is_some_and(|length| length != "0")
}

/// Whether a header's comma-separated list has `token` in it.
fn names(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim().eq_ignore_ascii_case(token))
}

/// A browser tells the page's origin, and lets any page connect anywhere: so the server has to ask. A client that
/// is no browser sends none.
fn is_allowed(origin: Option<&HeaderValue>, allowed: &[String]) -> bool {
    let Some(origin) = origin else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if allowed.is_empty() {
        is_loopback(origin)
    } else {
        allowed.iter().any(|one| one == origin)
    }
}

/// Whether a browser that sends this origin shows a page of its own machine.
pub(in crate::transport) fn is_loopback(origin: &str) -> bool {
    let Some(authority) = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"))
    else {
        return false;
    };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| {
        authority.strip_prefix(host).is_some_and(|port| {
            port.is_empty()
                || port
                    .strip_prefix(':')
                    .is_some_and(|port| port.parse::<u16>().is_ok())
        })
    })
}

/// Hands the socket over to a task of its own, without the layers that HTTP needed around it: they would cost every
/// read and every idle connection.
fn begin(upgraded: Upgraded, context: &Arc<Context>, peer: Arc<Peer>) {
    let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else {
        tracing::error!("an upgraded connection is not the one that was accepted");
        return;
    };
    let socket = parts.io.into_inner();
    let connection = super::serve(socket, &parts.read_buf, context, peer);
    context.tracker.spawn(connection);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origin: &str, list: &[&str]) -> bool {
        let list: Vec<String> = list.iter().map(ToString::to_string).collect();
        is_allowed(Some(&origin.parse().unwrap()), &list)
    }

    #[test]
    fn a_client_without_an_origin_is_no_browser() {
        assert!(is_allowed(None, &["https://chat.example".into()]));
    }

    #[test]
    fn without_a_list_pages_of_this_machine_are_let_in() {
        for origin in [
            "http://localhost",
            "https://localhost:5173",
            "http://127.0.0.1:80",
            "http://[::1]:3000",
        ] {
            assert!(allowed(origin, &[]), "{origin}");
        }
        for origin in [
            "null",
            "http://localhost.evil.example",
            "http://localhost:80.evil.example",
            "http://localhost:",
            "http://127.0.0.1.evil.example",
            "http://evil.example/http://localhost",
            "http://localhost@evil.example",
            "file://localhost",
            "https://chat.example",
        ] {
            assert!(!allowed(origin, &[]), "{origin}");
        }
    }

    #[test]
    fn a_list_is_taken_exactly() {
        let list = ["https://chat.example"];
        assert!(allowed("https://chat.example", &list));
        for origin in [
            "http://chat.example",
            "https://chat.example:444",
            "https://CHAT.example",
            "http://localhost",
        ] {
            assert!(!allowed(origin, &list), "{origin}");
        }
    }

    #[test]
    fn a_header_may_name_several_things() {
        let mut headers = HeaderMap::new();
        headers.append(header::CONNECTION, "keep-alive, Upgrade".parse().unwrap());
        headers.append(
            header::SEC_WEBSOCKET_PROTOCOL,
            "chat, chatsync.v1".parse().unwrap(),
        );
        assert!(names(&headers, &header::CONNECTION, "upgrade"));
        assert!(names(
            &headers,
            &header::SEC_WEBSOCKET_PROTOCOL,
            SUBPROTOCOL
        ));
        assert!(!names(&headers, &header::UPGRADE, "websocket"));
    }

    #[test]
    fn a_key_is_sixteen_bytes_and_there_once() {
        let key = HeaderValue::from_static;
        assert!(is_key(&key("dGhlIHNhbXBsZSBub25jZQ==")));
        for bad in [
            "",
            "AAAA",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZ!==",
        ] {
            assert!(!is_key(&key(bad)), "{bad}");
        }
        let mut headers = HeaderMap::new();
        assert_eq!(only(&headers, &header::HOST), None);
        headers.append(header::HOST, key("a"));
        assert_eq!(only(&headers, &header::HOST), Some(&key("a")));
        headers.append(header::HOST, key("a"));
        assert_eq!(only(&headers, &header::HOST), None);
    }

    #[test]
    fn a_handshake_with_a_body_is_seen() {
        let mut headers = HeaderMap::new();
        assert!(!has_body(&headers));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        assert!(!has_body(&headers));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("5"));
        assert!(has_body(&headers));
    }
}
