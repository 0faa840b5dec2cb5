//! Tells jobs what became of them, in the order of their commits.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use crate::store::{Abort, Job};

/// Groups committed and not yet answered, before the writer waits.
const UNANSWERED_GROUPS: usize = 64;

/// Jobs with what became of each.
pub(super) type Group = Vec<(Box<dyn Job>, Result<(), Abort>)>;

/// The writer's way to a thread that answers, so that fan-out and the next commit overlap. Dropping it ends the thread
/// once all is answered.
///
/// Where commits are few they have nothing to overlap with, and to wake another thread costs more than an answer. So a
/// job that was committed alone is answered by the writer itself, unless others before it are still being answered.
#[derive(Debug)]
pub(super) struct Answers {
    groups: SyncSender<Group>,
    unanswered: Arc<AtomicUsize>,
}

impl Answers {
    pub(super) fn start() -> io::Result<(Self, JoinHandle<()>)> {
        let (groups, committed) = sync_channel::<Group>(UNANSWERED_GROUPS);
        let unanswered = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&unanswered);
        let thread = Builder::new()
            .name("chatsync-answer".into())
            .spawn(move || {
                for group in committed {
                    answer(group);
                    left.fetch_sub(1, Ordering::Release);
                }
            })?;
        Ok((Self { groups, unanswered }, thread))
    }

    /// False if the thread has gone: nobody can be answered any more.
    pub(super) fn give(&self, group: Group) -> bool {
        // Only this thread adds to them: none now is none until it does.
        if group.len() == 1 && self.unanswered.load(Ordering::Acquire) == 0 {
            answer(group);
            return true;
        }
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        self.groups.send(group).is_ok()
    }
}

fn answer(group: Group) {
    for (job, outcome) in group {
        if catch_unwind(AssertUnwindSafe(|| job.done(outcome))).is_err() {
            tracing::error!("answering a job panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    use super::*;
    use crate::store::WriteTx;

    /// Says its number and who answers it; waits before, if it was told to.
    struct Told {
        number: usize,
        waits: Option<Receiver<()>>,
        heard: Sender<(usize, thread::ThreadId)>,
    }

    impl Job for Told {
        fn run(&mut self, _: &mut dyn WriteTx) -> Result<(), Abort> {
            unreachable!("it is only answered")
        }

        fn done(self: Box<Self>, _: Result<(), Abort>) {
            if let Some(waits) = &self.waits {
                waits.recv().unwrap();
            }
            self.heard
                .send((self.number, thread::current().id()))
                .unwrap();
        }
    }

    #[test]
    fn a_lone_job_is_answered_at_once_but_never_before_one_of_an_earlier_commit() {
        let (answers, thread) = Answers::start().unwrap();
        let (heard, told) = channel();
        let (go, wait) = channel();
        let job = |number, waits| -> (Box<dyn Job>, Result<(), Abort>) {
            let heard = heard.clone();
            let job = Told {
                number,
                waits,
                heard,
            };
            (Box::new(job), Ok(()))
        };
        let me = thread::current().id();

        assert!(answers.give(vec![job(1, None)]));
        assert_eq!(
            told.try_recv().unwrap(),
            (1, me),
            "at once, by whoever committed it"
        );

        // Two at once are the other thread's, and so is whoever comes while these are being answered.
        assert!(answers.give(vec![job(2, Some(wait)), job(3, None)]));
        assert!(answers.give(vec![job(4, None)]));
        assert!(told.try_recv().is_err(), "nobody overtakes");
        go.send(()).unwrap();
        let order: Vec<_> = (0..3).map(|_| told.recv().unwrap()).collect();
        assert_eq!(
            order.iter().map(|(number, _)| *number).collect::<Vec<_>>(),
            [2, 3, 4]
        );
        assert!(order.iter().all(|(_, by)| *by == thread.thread().id()));

        drop(answers);
        thread.join().unwrap();
    }
}
