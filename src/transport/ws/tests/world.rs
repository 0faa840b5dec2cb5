//! A server's insides, with a pipe for each socket.

use std::io::{self, IoSlice};
use std::net::Ipv4Addr;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard};
use std::task::ready;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio_util::task::TaskTracker;

use super::*;
use crate::bus::{Audience, Bus, Committed, Notice, Subscriber as _};
use crate::domain::app::{App, Features};
use crate::engine::{Engine, Limits, SystemClock};
use crate::hub::{Bounds, Hub};
use crate::protocol::push::Push;
use crate::settings::Settings;
use crate::store::Store as _;
use crate::store::sqlite::{Options, SqliteStore};
use crate::transport::metrics::Closed;

/// The server's end of a pipe that plays the socket.
#[derive(Debug)]
pub(super) struct Pipe(Mutex<DuplexStream>);

impl Pipe {
    fn stream(&self) -> MutexGuard<'_, DuplexStream> {
        self.0.lock().unwrap()
    }
}

impl Socket for Pipe {
    fn poll_read(
        &self,
        context: &mut TaskContext<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(pin!(&mut *self.stream()).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(
        &self,
        context: &mut TaskContext<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut written = 0;
        for part in parts.iter().filter(|part| !part.is_empty()) {
            match pin!(&mut *self.stream()).poll_write(context, part) {
                Poll::Ready(Ok(count)) => {
                    written += count;
                    if count < part.len() {
                        break;
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if written == 0 => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(Ok(written))
    }

    fn try_write(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.poll_write(&mut TaskContext::from_waker(Waker::noop()), parts) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn shut(&self) -> io::Result<()> {
        let mut context = TaskContext::from_waker(Waker::noop());
        _ = pin!(&mut *self.stream()).poll_shutdown(&mut context);
        Ok(())
    }
}

/// Brings commits to the hub, unless it is told to keep them: they are in the store then, and nobody was told.
#[derive(Debug)]
pub(super) struct KeepingBus {
    hub: Arc<Hub>,
    pub(super) keeps: AtomicBool,
}

impl Bus for KeepingBus {
    fn publish(&self, committed: Committed) {
        if !self.keeps.load(Ordering::Acquire) {
            self.hub.deliver(&committed);
        }
    }
}

/// A server's insides, without a socket.
pub(super) struct World {
    pub(super) context: Arc<Context>,
    pub(super) bus: Arc<KeepingBus>,
    _folder: tempfile::TempDir,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&Options {
            folder: folder.path().to_owned(),
            durable: false,
            queue: 1024,
            group: 64,
            readers: 2,
            serving: true,
        })
        .unwrap();
        let hub = Arc::new(
            Hub::new(Bounds {
                frames: settings.limits.queue_frames,
                bytes: settings.limits.queue_bytes,
            })
            .unwrap(),
        );
        let bus = Arc::new(KeepingBus {
            hub: Arc::clone(&hub),
            keeps: AtomicBool::new(false),
        });
        let commits = store.commits();
        let limits = Limits {
            page: settings.limits.page,
            group_members: 100,
            request_memory: 1_000_000,
        };
        let engine = Engine::new(
            Arc::new(store),
            Arc::<KeepingBus>::clone(&bus),
            Arc::new(SystemClock),
            limits,
        )
        .await
        .unwrap();
        let app = App {
            id: APP,
            keys: vec![SecretKey::new(KEY)],
            admins: Vec::new(),
            features: Features {
                sync_conversation_deletion: true,
                ..Features::default()
            },
            disabled: false,
            created_at: engine.now(),
        };
        engine.create_app(app, "test").await.unwrap();
        let context = Context::new(
            Arc::new(engine),
            hub,
            settings.server,
            settings.limits,
            &settings.demo,
            commits,
        );
        let context = Arc::new(context);
        let timing = Arc::clone(&context);
        // Not the server's own: a drain waits for that one's tasks.
        TaskTracker::new()
            .spawn(async move { timing.timers.run(&timing.draining, &timing.halt).await });
        Self {
            context,
            bus,
            _folder: folder,
        }
    }

    /// A client whose pipe holds so many bytes that it has not read.
    pub(super) fn connect_with_room(&self, room: usize) -> Client {
        let (pipe, ours) = tokio::io::duplex(room);
        let address = Ipv4Addr::LOCALHOST.into();
        let peer = Arc::new(Peer {
            admitted: self.context.admission.admit(address).unwrap(),
        });
        let connection = serve(Pipe(Mutex::new(ours)), b"", &self.context, peer);
        Client {
            pipe,
            unread: Vec::new(),
            pushes: Vec::new(),
            next_id: 1,
            task: self.context.tracker.spawn(connection),
        }
    }

    pub(super) fn connect(&self) -> Client {
        self.connect_with_room(4_000_000)
    }

    pub(super) async fn login(&self, user: &str, device: &str) -> Client {
        let mut client = self.connect();
        client.log_in(user, device).await;
        client
    }

    pub(super) fn closes(&self, code: u16) -> u64 {
        let closed = Closed { code: code.into() };
        self.context.metrics.closes.get_or_create(&closed).get()
    }

    /// Tells all devices of who logged in first.
    pub(super) fn push(&self, version: u64) {
        self.push_to(AccountKey(1), version);
    }

    pub(super) fn push_to(&self, account: AccountKey, version: u64) {
        use crate::protocol::push::ConversationUpdated;
        let push = Push::ConversationUpdated(ConversationUpdated {
            version: Version(version),
            conversation_list: Vec::new(),
            origin: None,
            time: 0,
        });
        self.context.hub.deliver(&Committed {
            notices: vec![Notice::Push {
                to: Audience::Account(account),
                except: None,
                push,
            }],
            position: None,
            at: std::time::Instant::now(),
        });
    }
}
