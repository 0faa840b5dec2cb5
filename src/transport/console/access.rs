//! Who may call: the session's cookie, the role, and proof that a page of the console's own is asking.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use subtle::ConstantTimeEq as _;

use super::error::ConsoleError;
use crate::domain::Role;
use crate::engine::Session;
use crate::transport::Context;

const COOKIE: &str = "chatsync_console";
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Anybody who has signed in.
#[derive(Debug)]
pub(super) struct Operator(pub(super) Session);

/// An operator who may change things.
#[derive(Debug)]
pub(super) struct Administrator(pub(super) Session);

impl FromRequestParts<Arc<Context>> for Operator {
    type Rejection = ConsoleError;

    async fn from_request_parts(
        parts: &mut Parts,
        context: &Arc<Context>,
    ) -> Result<Self, ConsoleError> {
        let token = token(&parts.headers).ok_or(ConsoleError::SignedOut)?;
        let session = context.engine.session(token, true).await?;
        if is_change(&parts.method) {
            check_csrf(&parts.headers, &session)?;
        }
        Ok(Self(session))
    }
}

impl FromRequestParts<Arc<Context>> for Administrator {
    type Rejection = ConsoleError;

    async fn from_request_parts(
        parts: &mut Parts,
        context: &Arc<Context>,
    ) -> Result<Self, ConsoleError> {
        let Operator(session) = Operator::from_request_parts(parts, context).await?;
        match session.role {
            Role::Administrator => Ok(Self(session)),
            Role::Viewer => Err(ConsoleError::Forbidden),
        }
    }
}

/// Who watches, without that counting as use: a page that is left open must not keep its session for ever.
#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) token: String,
}

impl FromRequestParts<Arc<Context>> for Watcher {
    type Rejection = ConsoleError;

    async fn from_request_parts(
        parts: &mut Parts,
        context: &Arc<Context>,
    ) -> Result<Self, ConsoleError> {
        let token = token(&parts.headers).ok_or(ConsoleError::SignedOut)?;
        context.engine.session(token, false).await?;
        Ok(Self {
            token: token.to_owned(),
        })
    }
}

/// The token of the session's cookie.
fn token(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(name, token)| (name == COOKIE).then_some(token))
}

/// The cookie that gives the browser `token`; an empty one is taken back.
///
/// `Secure`, so that it never crosses a network in the clear; but for a browser on this machine, which has no TLS.
pub(super) fn cookie(token: &str, headers: &HeaderMap) -> Result<HeaderValue, ConsoleError> {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let secure = if host.is_some_and(is_loopback) {
        ""
    } else {
        "; Secure"
    };
    let age = if token.is_empty() { "; Max-Age=0" } else { "" };
    let cookie = format!("{COOKIE}={token}; Path=/console; HttpOnly; SameSite=Strict{secure}{age}");
    HeaderValue::try_from(cookie).map_err(|_| ConsoleError::Internal)
}

/// Whether a Host header names this machine.
fn is_loopback(host: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|loopback| {
        host.strip_prefix(loopback)
            .is_some_and(|port| port.is_empty() || port.starts_with(':'))
    })
}

/// A browser says which page asks; another page than the console's own is refused. What sends neither `Origin` nor
/// `Sec-Fetch-Site` is no browser, and no browser's cookie can be with it.
pub(super) fn check_origin(request: &Request) -> Result<(), ConsoleError> {
    let headers = request.headers();
    let is_change = is_change(request.method());
    let text = |name| {
        let mut values = headers.get_all(name).iter();
        let first = values.next().map(HeaderValue::to_str);
        // What is there twice was put together by somebody.
        if values.next().is_some() {
            return Err(ConsoleError::BadOrigin);
        }
        first.transpose().map_err(|_| ConsoleError::BadOrigin)
    };
    let site = text(FETCH_SITE)?;
    let origin = text(header::ORIGIN)?;
    // Behind a TLS proxy the scheme is not known here; host and port are.
    let is_own = |origin: &str| {
        let authority = ["http://", "https://"]
            .iter()
            .find_map(|scheme| origin.strip_prefix(scheme));
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        authority.is_some() && authority == host
    };
    let is_right = match (site, origin) {
        (None, None) => true,
        (Some(site), None) => site == "same-origin" || (site == "none" && !is_change),
        (site, Some(origin)) => is_own(origin) && site.is_none_or(|site| site == "same-origin"),
    };
    // A page that only reads sends no Origin; then its site alone speaks.
    let is_right = is_right && !(is_change && site.is_some() && origin.is_none());
    is_right.then_some(()).ok_or(ConsoleError::BadOrigin)
}

fn is_change(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

fn check_csrf(headers: &HeaderMap, session: &Session) -> Result<(), ConsoleError> {
    let given = headers.get(CSRF).map_or(&[][..], HeaderValue::as_bytes);
    let is_it = session.csrf_token.as_bytes().ct_eq(given);
    bool::from(is_it).then_some(()).ok_or(ConsoleError::BadCsrf)
}
