//! Sockets and HTTP: the accept loop, WebSocket sessions, the operations pages, the drain.
//!
//! Nothing in here decides anything about conversations: it understands a call, hands it to the engine, and
//! writes what comes back.

pub mod accept;
pub mod admission;
mod console;
pub mod demo;
pub mod drain;
pub mod error;
pub mod latency;
pub mod live;
pub mod metrics;
pub mod ops;
mod pages;
pub mod ws;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use prometheus_client::metrics::histogram::Histogram;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::engine::Engine;
use crate::hub::Hub;
use crate::settings::{DemoSettings, LimitSettings, ServerSettings};
use admission::{Admission, Admitted};
use demo::Demo;
use live::Live;
use metrics::Metrics;
use ops::Heartbeat;
use ws::Timers;

/// What every connection and every page needs; one for each server.
#[derive(Debug)]
pub struct Context {
    pub engine: Arc<Engine>,
    pub hub: Arc<Hub>,
    pub metrics: Metrics,
    pub server: ServerSettings,
    pub limits: LimitSettings,
    pub admission: Arc<Admission>,
    pub heartbeat: Heartbeat,
    /// Tells connections the time.
    pub timers: Timers,
    /// For those who watch.
    pub live: Live,
    pub demo: Demo,
    /// Every task of the server's, so that its end can be waited for.
    pub tracker: TaskTracker,
    /// No new connections, no readiness; those that are here are being sent away.
    pub draining: CancellationToken,
    /// Whoever is still here is cut off.
    pub halt: CancellationToken,
    /// Tells this process from others in logs and in `instanceID`.
    pub instance: String,
}

impl Context {
    /// A context for a server that is about to start.
    pub fn new(
        engine: Arc<Engine>,
        hub: Arc<Hub>,
        server: ServerSettings,
        limits: LimitSettings,
        demo: &DemoSettings,
        store_commits: Histogram,
    ) -> Self {
        let admission = Arc::new(Admission::new(
            limits.connections,
            limits.anonymous_per_address,
        ));
        Self {
            metrics: Metrics::new(Arc::clone(&hub), Arc::clone(&admission), store_commits),
            engine,
            hub,
            server,
            limits,
            admission,
            heartbeat: Heartbeat::default(),
            timers: Timers::default(),
            live: Live::default(),
            demo: Demo::new(demo),
            tracker: TaskTracker::new(),
            draining: CancellationToken::new(),
            halt: CancellationToken::new(),
            // Without entropy two processes may share a name in the logs, and that is all.
            instance: format!("{:08x}", getrandom::u32().unwrap_or_default()),
        }
    }
}

/// The other end of an accepted connection; requests carry it as an extension.
#[derive(Debug)]
pub struct Peer {
    pub admitted: Admitted,
}

impl Peer {
    /// Where it connects from.
    pub fn address(&self) -> IpAddr {
        self.admitted.address()
    }
}

/// The routes of this layer.
pub fn routes(context: &Arc<Context>) -> Router {
    Router::new()
        .route("/ws", axum::routing::any(ws::upgrade::upgrade))
        .merge(ops::routes())
        .merge(console::routes())
        .merge(demo::routes(context))
        .with_state(Arc::clone(context))
}
