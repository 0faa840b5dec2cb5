//! The console: pages for operators, and what they call.
//!
//! A handler says in its arguments who may call it: [`Operator`](access::Operator) is anybody who has signed in,
//! [`Administrator`](access::Administrator) an operator who may change things. Both also check that a change comes
//! from a page of the console's own.

mod access;
mod apps;
mod audit;
mod csv;
mod deletions;
mod error;
mod extract;
mod live;
mod operators;
mod parameters;
mod session;
mod settings;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};

use super::Context;
use super::pages::{ConsolePages, page, protect};
use error::ConsoleError;

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route(
            "/console",
            get(|| async { Redirect::permanent("/console/") }),
        )
        .route(
            "/console/",
            get(|headers: HeaderMap| async move { page::<ConsolePages>("", &headers) }),
        )
        .route(
            "/console/{*path}",
            get(|Path(path): Path<String>, headers: HeaderMap| async move {
                page::<ConsolePages>(&path, &headers)
            }),
        )
        .nest("/console/api", api())
        .route(
            "/console/api/",
            any(missing).layer(middleware::from_fn(guard)),
        )
}

fn api() -> Router<Arc<Context>> {
    Router::new()
        .merge(session::routes())
        .merge(operators::routes())
        .merge(apps::routes())
        .merge(settings::routes())
        .merge(live::routes())
        .merge(users::routes())
        .merge(deletions::routes())
        .merge(audit::routes())
        // Not as a fallback: the pages' own wildcard would come before it.
        .route("/", any(missing))
        .route("/{*call}", any(missing))
        .method_not_allowed_fallback(async || ConsoleError::NotAllowed)
        .layer(middleware::from_fn(guard))
}

async fn missing() -> ConsoleError {
    ConsoleError::not_found("call")
}

/// What holds for every call: it comes from a page of this server's own, and what it answers is kept by nobody.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = match access::check_origin(&request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    protect(headers);
    response
}
