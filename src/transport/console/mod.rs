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
use axum::routing::get;

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
}

fn api() -> Router<Arc<Context>> {
    Router::new()
        .merge(session::routes())
        .merge(operators::routes())
        .merge(apps::routes())
        .merge(settings::routes())
        .merge(users::routes())
        .merge(deletions::routes())
        .merge(audit::routes())
        .fallback(async || ConsoleError::not_found("call"))
        .method_not_allowed_fallback(async || ConsoleError::NotAllowed)
        .layer(middleware::from_fn(guard))
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
