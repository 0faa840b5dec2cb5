//! Pages for operators and their machines.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::Context;

/// How long the store has for the commit that shows readiness.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// Between two ticks of the event loop's.
const TICK: Duration = Duration::from_secs(1);
/// Without a tick, after which the event loop counts as stuck.
const STUCK_AFTER: Duration = Duration::from_secs(10);

const ABOUT: &str = "chatsync: a multi-client chat sync server\n\n\
    /ws       WebSocket: JSON-RPC 2.0, subprotocol chatsync.v1\n\
    /livez    is the process alive\n\
    /readyz   does it serve\n\
    /metrics  figures, for Prometheus\n";

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route("/", get(|| async { ABOUT }))
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// Shows that the event loop gets round to its tasks.
#[derive(Debug)]
pub struct Heartbeat {
    began: Instant,
    /// Milliseconds after `began`.
    last: AtomicU64,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            last: AtomicU64::new(0),
        }
    }
}

impl Heartbeat {
    /// Ticks for as long as it is polled.
    pub async fn tick(&self) {
        let mut interval = tokio::time::interval(TICK);
        loop {
            interval.tick().await;
            let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.last.store(millis, Ordering::Relaxed);
        }
    }

    fn is_stuck(&self) -> bool {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(last) > STUCK_AFTER
    }
}

/// Never asks the store: a process whose store is slow is not helped by being killed.
async fn live(State(context): State<Arc<Context>>) -> Response {
    if context.heartbeat.is_stuck() {
        no("live", "the event loop is stuck")
    } else {
        Json(json!({ "live": true })).into_response()
    }
}

async fn ready(State(context): State<Arc<Context>>) -> Response {
    if context.draining.is_cancelled() {
        return no("ready", "draining");
    }
    match timeout(PROBE_TIMEOUT, context.engine.probe()).await {
        Ok(Ok(())) => Json(json!({ "ready": true })).into_response(),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            no("ready", "the store does not commit")
        }
        Err(_) => {
            tracing::warn!("not ready: the store took too long");
            no("ready", "the store did not commit within 1 s")
        }
    }
}

fn no(what: &str, reason: &str) -> Response {
    let body = Json(json!({ what: false, "reason": reason }));
    (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
}

async fn metrics(State(context): State<Arc<Context>>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match context.metrics.scrape() {
        Ok(text) => ([(header::CONTENT_TYPE, content_type)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "figures could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_does_not_tick_is_stuck() {
        let heartbeat = Heartbeat::default();
        assert!(!heartbeat.is_stuck());
        _ = timeout(Duration::from_secs(60), heartbeat.tick()).await;
        assert!(!heartbeat.is_stuck());
        tokio::time::advance(STUCK_AFTER + TICK).await;
        assert!(heartbeat.is_stuck());
    }
}
