//! The demo: a page with several devices on it.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Redirect;
use axum::routing::get;

use super::Context;
use super::pages::{DemoPages, Sdk, page};

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route("/demo", get(|| async { Redirect::permanent("/demo/") }))
        .route(
            "/demo/",
            get(|headers: HeaderMap| async move { page::<DemoPages>("", &headers) }),
        )
        .route(
            "/demo/{*path}",
            get(|Path(path): Path<String>, headers: HeaderMap| async move {
                match path.strip_prefix("sdk/") {
                    Some(module) => page::<Sdk>(module, &headers),
                    None => page::<DemoPages>(&path, &headers),
                }
            }),
        )
}
