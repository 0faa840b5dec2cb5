//! Figures of one server, in a registry of its own.

use std::fmt::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::admission::Admission;
use super::latency::Latency;
use crate::hub::Hub;

/// How something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Outcome {
    /// `ok`, `refused` (by a rule), `failed` (for the server's own reasons).
    pub result: &'static str,
}

impl Outcome {
    pub const OK: Self = Self { result: "ok" };
    pub const REFUSED: Self = Self { result: "refused" };
    pub const FAILED: Self = Self { result: "failed" };
}

/// A request and what it was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Answered {
    /// A method's name, or `unknown`.
    pub method: &'static str,
    /// 0: a result.
    pub code: i32,
}

/// A connection's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Closed {
    /// The close code the server sent; 1005: the client went by itself.
    pub code: u32,
}

/// Connections that were not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TurnedAway {
    /// `server`, `address` or `account`.
    pub full: &'static str,
}

/// What the server counts and times. Durations are in seconds.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub logins: Family<Outcome, Counter>,
    pub deletions: Family<Outcome, Counter>,
    pub requests: Family<Answered, Counter>,
    pub closes: Family<Closed, Counter>,
    pub turned_away: Family<TurnedAway, Counter>,
    /// From a call that changes something reaching the engine to its answer.
    pub commit: Histogram,
    /// From a commit to its push being handed to the socket.
    pub write: Latency,
    /// Requests that were answered with an error.
    pub errors: AtomicU64,
    /// Logins and syncs that resumed from a cursor.
    pub catch_ups: Counter,
    /// Logins and syncs that had a cursor and got a snapshot.
    pub resets: Counter,
    /// Drains begun.
    pub drains: Counter,
}

impl Metrics {
    /// A registry that shows `hub`, `admission`, and how long the store's commits took, as they are at each scrape.
    pub fn new(hub: Arc<Hub>, admission: Arc<Admission>, store_commits: Histogram) -> Self {
        // 0.1 ms to 13 s.
        let latency = || Histogram::new(exponential_buckets(0.0001, 2.0, 18));
        let write = latency();
        let mut metrics = Self {
            registry: Registry::with_prefix("chatsync"),
            logins: Family::default(),
            deletions: Family::default(),
            requests: Family::default(),
            closes: Family::default(),
            turned_away: Family::default(),
            commit: latency(),
            write: Latency::new(write.clone()),
            errors: AtomicU64::new(0),
            catch_ups: Counter::default(),
            resets: Counter::default(),
            drains: Counter::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("logins", "Logins", metrics.logins.clone());
        registry.register(
            "deletions",
            "Calls that delete conversations",
            metrics.deletions.clone(),
        );
        registry.register(
            "requests",
            "Requests over WebSockets",
            metrics.requests.clone(),
        );
        registry.register(
            "closes",
            "WebSocket connections closed, by code",
            metrics.closes.clone(),
        );
        registry.register(
            "turned_away",
            "Connections not let in, by what was full",
            metrics.turned_away.clone(),
        );
        registry.register(
            "commit_seconds",
            "From a changing call to its durable answer",
            metrics.commit.clone(),
        );
        registry.register(
            "store_commit_seconds",
            "A commit of the store: written and synced, of as many calls as came together",
            store_commits,
        );
        registry.register(
            "write_seconds",
            "From a commit to its push being handed to the socket",
            write,
        );
        registry.register(
            "catch_ups",
            "Logins and syncs that resumed from a cursor",
            metrics.catch_ups.clone(),
        );
        registry.register(
            "resets",
            "Logins and syncs with a cursor that got a snapshot",
            metrics.resets.clone(),
        );
        registry.register("drains", "Drains begun", metrics.drains.clone());
        registry.register_collector(Box::new(Present { hub, admission }));
        metrics
    }

    /// Counts a request by what it was answered; 0: a result.
    pub fn answered(&self, method: &'static str, code: i32) {
        let answered = Answered { method, code };
        self.requests.get_or_create(&answered).inc();
        if code != 0 {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a login or a sync by how it resumed.
    pub fn synced(&self, has_cursor: bool, is_reset: bool) {
        match (has_cursor, is_reset) {
            (true, true) => _ = self.resets.inc(),
            (true, false) => _ = self.catch_ups.inc(),
            (false, _) => {}
        }
    }

    /// All figures in the `OpenMetrics` text form.
    pub fn scrape(&self) -> Result<String, Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// What is read at each scrape, rather than counted as it happens.
#[derive(Debug)]
struct Present {
    hub: Arc<Hub>,
    admission: Arc<Admission>,
}

impl Collector for Present {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let figures = self.hub.figures();
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let lag = |lag: u64| i64::try_from(lag).unwrap_or(i64::MAX);
        for (name, help, value) in [
            (
                "sockets",
                "Connections of all kinds",
                number(self.admission.open()),
            ),
            (
                "connections",
                "Devices connected",
                number(figures.connections),
            ),
            (
                "accounts",
                "Accounts with a device connected",
                number(figures.accounts),
            ),
            (
                "lag_max",
                "Largest distance of a device's ack from its account's head",
                lag(figures.lag_max),
            ),
            (
                "lag_sum",
                "Distances of the devices' acks from their accounts' heads",
                lag(figures.lag_sum),
            ),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let collapses = ConstCounter::new(figures.collapses);
        collapses.encode(encoder.encode_descriptor(
            "collapses",
            "Send queues that collapsed into a sync.hint",
            None,
            collapses.metric_type(),
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Bounds;

    #[test]
    fn a_scrape_shows_what_is_counted_and_what_is_there() {
        let hub = Arc::new(
            Hub::new(Bounds {
                frames: 1,
                bytes: 1,
            })
            .unwrap(),
        );
        let admission = Arc::new(Admission::new(9, 9));
        let metrics = Metrics::new(hub, Arc::clone(&admission), Histogram::new([]));
        let _admitted = admission.admit([127, 0, 0, 1].into()).unwrap();
        metrics.logins.get_or_create(&Outcome::OK).inc();
        metrics.synced(true, false);
        let text = metrics.scrape().unwrap();
        for line in [
            "chatsync_logins_total{result=\"ok\"} 1",
            "chatsync_catch_ups_total 1",
            "chatsync_resets_total 0",
            "chatsync_sockets 1",
            "chatsync_connections 0",
            "chatsync_collapses_total 0",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is missing from:\n{text}");
        }
    }
}
