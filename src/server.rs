//! The only place where the layers are joined: built once, run once, by the program and by every test alike.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::{LocalBus, Subscriber};
use crate::domain::app::{App, Features, SecretKey};
use crate::domain::{Millis, SdkAppId};
use crate::engine::{Clock, Engine, EngineError, Limits};
use crate::hub::{Bounds, Hub};
use crate::settings::{BootstrapApp, LimitSettings, Settings, StoreSettings, SyncMode};
use crate::store::sqlite::{OpenError, Options, SqliteStore};
use crate::store::{Store, StoreError};
use crate::transport::{self, Context, accept, drain, live};

/// Between two writings of what devices acknowledged, and when they logged in.
const NOTE_PERIOD: Duration = Duration::from_secs(5);
/// Between two sweeps.
const SWEEP_PERIOD: Duration = Duration::from_mins(1);
const HOUR: Millis = 60 * 60 * 1000;

/// Why a server can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the store can't be opened: {0}")]
    Store(#[from] OpenError),
    #[error("the store can't be used: {0}")]
    Engine(#[from] EngineError),
    #[error("the app {app} can't be created: {cause}")]
    Bootstrap { app: u32, cause: EngineError },
    #[error("the system gives no thread: {0}")]
    Thread(#[from] io::Error),
    #[error("opening the store was cut short: {0}")]
    Cancelled(#[from] tokio::task::JoinError),
}

/// Why a server stopped that was not asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// After a failed sync nobody knows what is on the disk. What was acknowledged is there, and a new process
    /// reads it back; this one must not go on from what it remembers.
    #[error("the store failed: {0}")]
    StoreFailed(StoreError),
}

/// A server ready to run.
#[derive(Debug)]
pub struct Server {
    store: Arc<dyn Store>,
    context: Arc<Context>,
    router: Router,
}

/// Listens as the settings say.
pub fn bind(settings: &Settings) -> io::Result<TcpListener> {
    accept::bind(&settings.server)
}

impl Server {
    /// Opens the store and joins the layers; creates the settings' apps where they are missing.
    pub async fn build(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let options = store_options(&settings.store);
        let store: Arc<dyn Store> =
            Arc::new(tokio::task::spawn_blocking(move || SqliteStore::open(&options)).await??);
        let limits = &settings.limits;
        let hub = Arc::new(Hub::new(Bounds {
            frames: limits.queue_frames,
            bytes: limits.queue_bytes,
        })?);
        let subscriber: Arc<dyn Subscriber> = Arc::<Hub>::clone(&hub);
        let engine = Engine::new(
            Arc::clone(&store),
            Arc::new(LocalBus::new(subscriber)),
            clock,
            engine_limits(limits),
        )
        .await?;
        hub.start_at(engine.position().await?);
        for app in &settings.bootstrap.apps {
            bootstrap(&engine, app).await?;
        }
        let context = Arc::new(Context::new(
            Arc::new(engine),
            hub,
            settings.server.clone(),
            limits.clone(),
            &settings.demo,
            store.commits(),
        ));
        Ok(Self {
            store,
            router: transport::routes(&context),
            context,
        })
    }

    /// The use cases, for whoever acts beside the server's own clients.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.context.engine
    }

    /// Serves until `shutdown` resolves, then sends everybody away in good order.
    ///
    /// Returns at once, and with an error, when the store has failed: then the process must end.
    pub async fn run(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), RunError> {
        let Self {
            store,
            context,
            router,
        } = self;
        let background = Background::start(&context);
        // On this thread, which has nothing else to do: behind the work of thousands of logins on the others the backlog
        // would overflow.
        let accepting = accept::accept(listener, router, Arc::clone(&context));
        let draining = async {
            shutdown.await;
            drain::drain(&context).await;
        };
        let served = async {
            tokio::join!(accepting, draining);
        };
        let result = tokio::select! {
            biased;
            error = store.failed() => {
                tracing::error!(%error, "the store failed; stopping");
                context.draining.cancel();
                context.halt.cancel();
                Err(RunError::StoreFailed(error))
            }
            () = served => Ok(()),
        };
        background.stop.cancel();
        if result.is_ok() {
            background.tracker.close();
            background.tracker.wait().await;
            // The last connections' acks came after the last turn.
            if let Err(error) = store_notes(&context).await {
                tracing::error!(%error, "the store failed at the end");
                return Err(RunError::StoreFailed(error));
            }
        }
        result
    }
}

/// The embedded store as the settings want it served.
pub(crate) fn store_options(settings: &StoreSettings) -> Options {
    Options {
        folder: settings.path.clone(),
        durable: settings.sync == SyncMode::Full,
        queue: settings.queue,
        group: settings.group,
        readers: settings.readers,
        serving: true,
    }
}

/// The engine's bounds as the settings have them.
pub(crate) fn engine_limits(settings: &LimitSettings) -> Limits {
    Limits {
        page: settings.page,
        group_members: settings.group_members,
        request_memory: Millis::from(settings.request_memory_hours) * HOUR,
    }
}

async fn bootstrap(engine: &Engine, settings: &BootstrapApp) -> Result<(), StartError> {
    let app = App {
        id: SdkAppId(settings.sdk_app_id),
        keys: vec![SecretKey::new(settings.secret_key.clone())],
        admins: settings.admins.clone(),
        features: Features {
            sync_conversation_deletion: settings.sync_conversation_deletion,
            ..Features::default()
        },
        disabled: false,
        created_at: engine.now(),
    };
    let created =
        engine
            .create_app(app, "bootstrap")
            .await
            .map_err(|cause| StartError::Bootstrap {
                app: settings.sdk_app_id,
                cause,
            })?;
    if created {
        tracing::info!(app = settings.sdk_app_id, "created an app");
    }
    Ok(())
}

/// What a server does beside serving.
#[derive(Debug)]
struct Background {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Background {
    fn start(context: &Arc<Context>) -> Self {
        let background = Self {
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        let beating = Arc::clone(context);
        background.spawn(async move { beating.heartbeat.tick().await });
        let timing = Arc::clone(context);
        background.spawn(async move { timing.timers.run(&timing.draining, &timing.halt).await });
        background.spawn(live::keep_sampling(Arc::clone(context)));
        background.spawn(live::keep_looking_at_apps(Arc::clone(context)));
        // Not cut short: what it has taken to store would be lost.
        let stop = background.stop.clone();
        background
            .tracker
            .spawn(keep_notes(Arc::clone(context), stop));
        background.spawn(keep_sweeping(Arc::clone(context)));
        background
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tracker
            .spawn(async move { stop.run_until_cancelled_owned(task).await });
    }
}

async fn keep_notes(context: Arc<Context>, stop: CancellationToken) {
    let mut period = interval(NOTE_PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(period.tick()).await.is_some() {
        // What the store fails with for good it says itself, and that stops the server.
        _ = store_notes(&context).await;
    }
}

/// Stores what devices acknowledged and when they logged in since the last time. No promise hangs on either: what
/// is not stored of the one comes again with the next pings, of the other with the next login.
///
/// Fails only if the store does, for good.
async fn store_notes(context: &Context) -> Result<(), StoreError> {
    let fatal = |error| match error {
        EngineError::Store(error @ StoreError::Unknown(_)) => Err(error),
        _ => Ok(()),
    };
    let acks = context.hub.take_acks();
    let count = acks.len();
    if let Err(error) = context.engine.acknowledge(acks.clone()).await {
        tracing::warn!(%error, count, "acks could not be stored");
        context.hub.return_acks(acks);
        fatal(error)?;
    }
    if let Err(error) = context.engine.store_logins().await {
        tracing::warn!(%error, "logins could not be stored");
        fatal(error)?;
    }
    Ok(())
}

async fn keep_sweeping(context: Arc<Context>) {
    let mut period = interval(SWEEP_PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        loop {
            match context.engine.sweep().await {
                // Each turn is bounded, and clients' operations go between two of them.
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "a sweep failed");
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
