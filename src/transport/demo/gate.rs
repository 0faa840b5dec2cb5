//! Who gets to see the demo. For everybody else its addresses do not exist.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Context, DemoServed};
use crate::transport::Peer;
use crate::transport::pages::protect;
use crate::transport::ws::upgrade::is_loopback;

/// What proxies add. Through one, a loopback address says nothing about who asks.
const FORWARDED: [&str; 5] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "via",
];

pub(super) async fn gate(
    State(context): State<Arc<Context>>,
    Extension(peer): Extension<Arc<Peer>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let is_served = match context.demo.serve {
        DemoServed::Never => false,
        DemoServed::Always => true,
        DemoServed::Loopback => is_local(peer.address(), headers),
    };
    if is_served && is_own(request.method(), headers, &context.server.allowed_origins) {
        next.run(request).await
    } else {
        let mut answer = (StatusCode::NOT_FOUND, "there is no such page").into_response();
        protect(answer.headers_mut());
        answer
    }
}

/// Whether this machine asks. The name is looked at too: a page from elsewhere whose name was made to lead to
/// 127.0.0.1 (DNS rebinding) has the address, but not the name.
fn is_local(address: IpAddr, headers: &HeaderMap) -> bool {
    let has_local_name = host(headers).is_some_and(|host| is_loopback(&format!("http://{host}")));
    address.is_loopback()
        && has_local_name
        && FORWARDED.iter().all(|name| !headers.contains_key(*name))
}

/// Whether what is asked for by a page is asked for by the demo's own. A browser tells the origin of every page
/// that does more than read; what only reads is not shown to a foreign page anyhow.
fn is_own(method: &Method, headers: &HeaderMap, allowed: &[String]) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => method == Method::GET || method == Method::HEAD,
        (Some(origin), None) => origin.to_str().is_ok_and(|origin| {
            let authority = origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"));
            (authority.is_some() && authority == host(headers))
                || allowed.iter().any(|one| one == origin)
        }),
        (Some(_), Some(_)) => false,
    }
}

/// The name by which the server is asked, if there is one and only one.
fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then_some(host)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |&(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        let mut headers = HeaderMap::new();
        for (name, value) in lines.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    fn local(address: &str, lines: &[(&'static str, &'static str)]) -> bool {
        is_local(address.parse().unwrap(), &headers(lines))
    }

    #[test]
    fn this_machine_is_an_address_and_a_name_without_a_proxy_between() {
        for (address, name) in [
            ("127.0.0.1", "127.0.0.1:8080"),
            ("127.0.0.1", "localhost"),
            ("::1", "[::1]:8080"),
        ] {
            assert!(local(address, &[("host", name)]), "{address} {name}");
        }
        for (address, name) in [
            ("10.0.0.1", "127.0.0.1:8080"),
            ("127.0.0.1", "chat.example.com"),
            ("127.0.0.1", "localhost.example.com"),
            ("127.0.0.1", "127.0.0.1.example.com:8080"),
            ("127.0.0.1", "localhost@example.com"),
            ("127.0.0.1", ""),
        ] {
            assert!(!local(address, &[("host", name)]), "{address} {name}");
        }
        assert!(!local("127.0.0.1", &[]));
        assert!(!local(
            "127.0.0.1",
            &[("host", "localhost"), ("host", "example.com")]
        ));
        for name in FORWARDED {
            assert!(
                !local("127.0.0.1", &[("host", "localhost"), (name, "1.2.3.4")]),
                "{name}"
            );
        }
    }

    fn own(method: &Method, lines: &[(&'static str, &'static str)]) -> bool {
        is_own(
            method,
            &headers(lines),
            &["https://chat.example.com".into()],
        )
    }

    #[test]
    fn only_the_demos_own_page_may_change_something() {
        let host = ("host", "localhost:8080");
        let ours = ("origin", "http://localhost:8080");
        assert!(own(&Method::GET, &[host]));
        assert!(!own(&Method::POST, &[host]));
        for method in [Method::GET, Method::POST, Method::PUT] {
            assert!(own(&method, &[host, ours]));
            assert!(own(
                &method,
                &[host, ("origin", "https://chat.example.com")]
            ));
            for foreign in [
                "http://localhost:3000",
                "http://example.com",
                "null",
                "localhost:8080",
                "",
            ] {
                assert!(
                    !own(&method, &[host, ("origin", foreign)]),
                    "{method} {foreign}"
                );
            }
            assert!(!own(
                &method,
                &[host, ours, ("origin", "http://example.com")]
            ));
            assert!(!own(&method, &[ours]));
        }
    }
}
