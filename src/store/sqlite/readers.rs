//! The readers: threads that each hold a read-only connection, and one queue for all of them.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::Tx;
use crate::store::{Query, Result, StoreError};

type Done = oneshot::Sender<Result<()>>;

/// The queue needs no bound of its own: a connection asks one thing at a time.
#[derive(Debug)]
pub(super) struct Readers {
    queue: Option<Sender<(Query, Done)>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(super) fn start(connections: Vec<Connection>) -> io::Result<Self> {
        let (queue, queued) = channel();
        let queued = Arc::new(Mutex::new(queued));
        let threads = connections
            .into_iter()
            .map(|connection| {
                let queued = Arc::clone(&queued);
                Builder::new()
                    .name("chatsync-read".into())
                    .spawn(move || serve(&connection, &queued))
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            queue: Some(queue),
            threads,
        })
    }

    pub(super) fn submit(&self, query: Query, done: Done) {
        if let Some(queue) = &self.queue {
            // Without a reader left, `done` is dropped, and that is what the asker sees.
            drop(queue.send((query, done)));
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

fn serve(connection: &Connection, queued: &Mutex<Receiver<(Query, Done)>>) {
    let tx = Tx::on(connection);
    loop {
        let next = queued.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((query, done)) = next else { return };
        // The asker may have gone meanwhile; then nobody misses the answer.
        drop(done.send(read(&tx, query)));
    }
}

fn read(tx: &Tx<'_>, query: Query) -> Result<()> {
    tx.run("BEGIN")?;
    let outcome = catch_unwind(AssertUnwindSafe(|| query(tx)))
        .map_err(|_| StoreError::Unexpected("a query panicked".into()));
    // There is nothing to commit.
    tx.run("ROLLBACK")?;
    outcome
}
