//! The live demo: a page with several devices on it, and what the page calls.

mod api;
mod gate;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::HeaderMap;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::{get, post};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::Context;
use super::pages::{DemoPages, Sdk, page};
use crate::settings::{DemoServed, DemoSettings};

/// Bytes of a call's body: eight names take some 600.
const MAX_BODY: usize = 4 * 1024;
/// UserSigs made in an hour, and so accounts; a page takes six.
const USER_SIGS: NonZeroU32 = NonZeroU32::new(3_000).unwrap();
/// Times that the switch is set in an hour; each is an entry of the audit log.
const SETTINGS: NonZeroU32 = NonZeroU32::new(600).unwrap();

/// To whom the demo is served, and how much of it.
#[derive(Debug)]
pub struct Demo {
    serve: DemoServed,
    user_sigs: DefaultDirectRateLimiter,
    settings: DefaultDirectRateLimiter,
}

impl Demo {
    pub fn new(settings: &DemoSettings) -> Self {
        let hourly = |most| RateLimiter::direct(Quota::per_hour(most));
        Self {
            serve: settings.serve,
            user_sigs: hourly(USER_SIGS),
            settings: hourly(SETTINGS),
        }
    }

    /// Counts UserSigs about to be made; if that is too many, says how long to wait.
    fn take_user_sigs(&self, count: NonZeroU32) -> Result<(), Duration> {
        match self.user_sigs.check_n(count) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(not_until.wait_time_from(DefaultClock::default().now())),
            // More than an hour's at once; the engine allows 8.
            Err(_) => Err(Duration::from_hours(1)),
        }
    }

    fn take_setting(&self) -> Result<(), Duration> {
        self.settings
            .check()
            .map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }
}

pub(super) fn routes(context: &Arc<Context>) -> Router<Arc<Context>> {
    Router::new()
        .route("/demo", get(|| async { Redirect::permanent("/demo/") }))
        .route(
            "/demo/",
            get(|headers: HeaderMap| async move { page::<DemoPages>("", &headers) }),
        )
        .route("/demo/api/users", post(api::users))
        .route("/demo/api/switch", get(api::switch).put(api::set_switch))
        .route(
            "/demo/{*path}",
            get(|Path(path): Path<String>, headers: HeaderMap| async move {
                match path.strip_prefix("sdk/") {
                    Some(module) => page::<Sdk>(module, &headers),
                    None => page::<DemoPages>(&path, &headers),
                }
            }),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(Arc::clone(context), gate::gate))
}
