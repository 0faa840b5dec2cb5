//! What goes on, second by second: for those who watch now, and for those who come to watch.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{Semaphore, broadcast};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Context;
use super::metrics::Outcome;
use crate::domain::{App, Millis, SdkAppId};

/// Between two samples.
const PERIOD: Duration = Duration::from_secs(1);
/// Samples that are kept: five minutes.
const KEPT: usize = 300;
/// Between two looks for apps that another process changed.
const LOOK: Duration = Duration::from_millis(250);
/// Who watches and has not taken so many pieces of news misses the oldest.
const UNREAD: usize = 64;
/// Most who watch at once.
const WATCHERS: usize = 64;

/// One second.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    pub time: Millis,
    pub connections: usize,
    pub accounts: usize,
    pub deletions_per_second: f64,
    /// From a commit to its push being handed to the socket, in milliseconds; none: nothing was pushed.
    pub notify_p50: Option<f64>,
    pub notify_p99: Option<f64>,
    /// Requests that were answered with an error.
    pub errors_per_second: f64,
    pub lag_max: u64,
    /// Since the start.
    pub collapses: u64,
}

/// Something that has just happened.
#[derive(Debug, Clone, Copy)]
pub enum News {
    Sample(Sample),
    /// An app is new or was changed, by whomever.
    App(SdkAppId),
}

/// The last minutes, and a way to hear of what comes.
#[derive(Debug)]
pub struct Live {
    samples: Mutex<VecDeque<Sample>>,
    news: broadcast::Sender<News>,
    /// A place for each who watches.
    pub places: Arc<Semaphore>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            samples: Mutex::default(),
            news: broadcast::Sender::new(UNREAD),
            places: Arc::new(Semaphore::new(WATCHERS)),
        }
    }
}

impl Live {
    /// What was, and what will be: without a gap, and nothing twice.
    pub fn watch(&self) -> (Vec<Sample>, broadcast::Receiver<News>) {
        let samples = self.samples();
        (samples.iter().copied().collect(), self.news.subscribe())
    }

    fn add(&self, sample: Sample) {
        let mut samples = self.samples();
        if samples.len() == KEPT {
            samples.pop_front();
        }
        samples.push_back(sample);
        self.tell(News::Sample(sample));
    }

    fn tell(&self, news: News) {
        // An error says that nobody watches.
        drop(self.news.send(news));
    }

    fn samples(&self) -> MutexGuard<'_, VecDeque<Sample>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a sample each second, whether anybody watches or not.
pub async fn keep_sampling(context: Arc<Context>) {
    let metrics = &context.metrics;
    let counted = || {
        let deletions = metrics.deletions.get_or_create(&Outcome::OK).get();
        [deletions, metrics.errors.load(Ordering::Relaxed)]
    };
    let mut before = (Instant::now(), counted());
    let mut period = interval(PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    period.tick().await;
    loop {
        period.tick().await;
        let now = (Instant::now(), counted());
        let seconds = (now.0 - before.0).as_secs_f64();
        let rate = |place: usize| {
            let count = now.1[place].saturating_sub(before.1[place]);
            f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds
        };
        let figures = context.hub.figures();
        let notified = metrics.write.take();
        context.live.add(Sample {
            time: context.engine.now(),
            connections: figures.connections,
            accounts: figures.accounts,
            deletions_per_second: rate(0),
            notify_p50: notified.map(|quantiles| quantiles.p50),
            notify_p99: notified.map(|quantiles| quantiles.p99),
            errors_per_second: rate(1),
            lag_max: figures.lag_max,
            collapses: figures.collapses,
        });
        before = now;
    }
}

/// Looks for apps that were changed, by this process or another: those who watch are told, and the hub, which may
/// have connections that the change ends.
pub async fn keep_looking_at_apps(context: Arc<Context>) {
    let mut seen = (None, Vec::new());
    let mut period = interval(LOOK);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        match look(&context, &mut seen).await {
            Ok(changed) => {
                for app in changed {
                    context.live.tell(News::App(app));
                }
            }
            Err(error) => tracing::warn!(%error, "could not look for changes of apps"),
        }
    }
}

/// The apps that differ from those `seen`.
async fn look(
    context: &Context,
    seen: &mut (Option<u64>, Vec<App>),
) -> Result<Vec<SdkAppId>, crate::engine::EngineError> {
    let changes = Some(context.engine.app_changes().await?);
    if changes == seen.0 {
        return Ok(Vec::new());
    }
    let apps = context.engine.tell_standings(seen.1.clone()).await?;
    let differ = apps.iter().filter(|app| !seen.1.contains(app));
    let differ = differ.map(|app| app.id).collect();
    // The count is from before the apps: a change in between is looked at again.
    *seen = (changes, apps);
    Ok(differ)
}
