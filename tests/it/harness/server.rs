//! The server in this process.

use std::net::SocketAddr;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use chatsync::domain::app::SecretKey;
use chatsync::domain::{App, Millis, SdkAppId, UserId};
use chatsync::engine::{Clock, Engine, usersig};
use chatsync::server::{RunError, Server};
use chatsync::settings::{BootstrapApp, Settings, SyncMode};
use chatsync::store::sqlite::SqliteStore;

use super::clock::{DAY, TestClock};
use super::device::{TestDevice, Who};
use super::wire::PATIENCE;

pub(crate) const APP: u32 = 1_400_000_001;
/// Another tenant of the same server.
pub(crate) const OTHER_APP: u32 = 1_400_000_002;

/// Where devices connect to.
pub(crate) trait Host {
    fn address(&self) -> SocketAddr;
    /// By the clock that the server goes by.
    fn now(&self) -> Millis;
}

/// Runs until dropped or stopped; its folder lives as long as it does.
#[derive(Debug)]
pub(crate) struct TestServer {
    pub(crate) clock: Arc<TestClock>,
    settings: Settings,
    folder: TempDir,
    running: Running,
}

#[derive(Debug)]
struct Running {
    address: SocketAddr,
    engine: Arc<Engine>,
    stop: oneshot::Sender<()>,
    task: JoinSet<Result<(), RunError>>,
}

impl TestServer {
    /// As it ships: deletions are not synced.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With *Sync Conversation Deletion Across Clients* switched on.
    pub(crate) async fn synced() -> Self {
        Self::synced_with(|_| {}).await
    }

    pub(crate) async fn synced_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with(|settings| {
            for app in &mut settings.bootstrap.apps {
                app.sync_conversation_deletion = true;
            }
            change(settings);
        })
        .await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = TempDir::new().expect("a folder");
        Self::open(folder, Arc::new(TestClock::new()), change).await
    }

    async fn open(
        folder: TempDir,
        clock: Arc<TestClock>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = settings(&folder);
        change(&mut settings);
        let running = run(&settings, &clock).await;
        Self {
            clock,
            settings,
            folder,
            running,
        }
    }

    /// A device that logs in for the first time.
    pub(crate) async fn device(&self, user: &str, name: &str) -> TestDevice {
        TestDevice::fresh(self, Who::new(user, name)).await
    }

    /// What a device that has nothing yet is shown.
    pub(crate) async fn fresh_device(&self, user: &str) -> TestDevice {
        self.device(user, &format!("new-{}", unused_number())).await
    }

    /// The file that holds everything.
    pub(crate) fn store_file(&self) -> std::path::PathBuf {
        data(&self.folder).join("chatsync.db")
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.running.engine
    }

    /// Changes the app's settings as the console does.
    pub(crate) async fn change_app(&self, change: impl FnOnce(&mut App) + Send + 'static) {
        self.engine()
            .change_app(SdkAppId(APP), "test", change)
            .await
            .expect("the app is changed");
    }

    pub(crate) async fn set_switch(&self, on: bool) {
        self.change_app(move |app| app.features.sync_conversation_deletion = on)
            .await;
    }

    /// Forgets and erases all that is due.
    pub(crate) async fn sweep(&self) {
        while self.engine().sweep().await.expect("swept") {}
    }

    /// Stops and starts again on the same store.
    pub(crate) async fn restart(self) -> Self {
        let Self {
            clock,
            settings,
            folder,
            running,
        } = self;
        running.stop().await;
        let running = run(&settings, &clock).await;
        Self {
            clock,
            settings,
            folder,
            running,
        }
    }

    /// Another server, on a copy of this one's store as it is now.
    pub(crate) async fn backed_up(&self) -> Self {
        let folder = TempDir::new().expect("a folder");
        let to = data(&folder);
        std::fs::create_dir_all(&to).expect("a folder");
        SqliteStore::backup(&data(&self.folder), &to.join("chatsync.db")).expect("backed up");
        Self::open(folder, Arc::clone(&self.clock), |_| {}).await
    }
}

impl Host for TestServer {
    fn address(&self) -> SocketAddr {
        self.running.address
    }

    fn now(&self) -> Millis {
        self.clock.now()
    }
}

impl Running {
    async fn stop(mut self) {
        // The store is free again only when nothing holds the engine.
        drop(self.engine);
        _ = self.stop.send(());
        timeout(PATIENCE, self.task.join_next())
            .await
            .expect("stopped in time")
            .expect("was running")
            .expect("did not panic")
            .expect("stopped cleanly");
    }
}

async fn run(settings: &Settings, clock: &Arc<TestClock>) -> Running {
    let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(clock);
    let server = Server::build(settings, clock).await.expect("builds");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let engine = Arc::clone(server.engine());
    let (stop, stopped) = oneshot::channel();
    let mut task = JoinSet::new();
    task.spawn(server.run(listener, async {
        _ = stopped.await;
    }));
    Running {
        address,
        engine,
        stop,
        task,
    }
}

fn data(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("data")
}

fn settings(folder: &TempDir) -> Settings {
    let mut settings = Settings::default();
    settings.store.path = data(folder);
    // The process outlives every one of these servers; those that are killed run in a process of their own.
    settings.store.sync = SyncMode::Off;
    settings.server.drain_ms = 100;
    // Tests are quicker than people.
    settings.limits.requests_per_second = 100_000;
    settings.limits.request_burst = 100_000;
    settings.bootstrap.apps = [APP, OTHER_APP]
        .map(|sdk_app_id| BootstrapApp {
            sdk_app_id,
            secret_key: key_of(sdk_app_id),
            admins: vec!["administrator".into()],
            sync_conversation_deletion: false,
        })
        .to_vec();
    settings
}

pub(crate) fn key_of(app: u32) -> String {
    format!("{app}-5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e")
}

/// A UserSig made now, for long.
pub(crate) fn user_sig(host: &impl Host, app: u32, user: &str) -> String {
    let user = UserId::new(user).expect("a userID");
    let key = SecretKey::new(key_of(app));
    usersig::sign(
        SdkAppId(app),
        &key,
        &user,
        host.now() / 1000,
        365 * DAY / 1000,
    )
}

/// Unlike any other in this process.
pub(crate) fn unused_number() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
