//! The console: pages for operators, and what they call.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Redirect;
use axum::routing::get;

use super::Context;
use super::pages::{ConsolePages, page};

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
}
