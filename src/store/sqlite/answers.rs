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
/// Jobs of a group that are told before the first of them is answered: whoever waits for an answer waits for these, some
/// ten microseconds for each device.
const ANSWERED_AT_ONCE: usize = 64;

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

/// First everybody else is told, then those are answered who wait: an answer wakes a task of the runtime, and to wake
/// many in one go costs less than to wake each while sockets are written for the next.
fn answer(group: Group) {
    let mut group = group.into_iter();
    loop {
        let mut part: Vec<_> = group.by_ref().take(ANSWERED_AT_ONCE).collect();
        if part.is_empty() {
            return;
        }
        for (job, outcome) in &mut part {
            if outcome.is_ok() {
                guarded(|| job.tell());
            }
        }
        for (job, outcome) in part {
            guarded(|| job.done(outcome));
        }
    }
}

/// One job's defect is not to cost the others their answers.
fn guarded(act: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(act)).is_err() {
        tracing::error!("answering a job panicked");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    use super::*;
    use crate::store::WriteTx;

    /// Says what is done with it, and by whom; waits before its answer, if it was told to.
    struct Noted {
        number: usize,
        waits: Option<Receiver<()>>,
        heard: Sender<Heard>,
    }

    type Heard = (usize, &'static str, thread::ThreadId);

    impl Noted {
        fn say(&self, what: &'static str) {
            let heard = (self.number, what, thread::current().id());
            self.heard.send(heard).unwrap();
        }
    }

    impl Job for Noted {
        fn run(&mut self, _: &mut dyn WriteTx) -> Result<(), Abort> {
            unreachable!("it is only answered")
        }

        fn tell(&mut self) {
            self.say("told");
        }

        fn done(self: Box<Self>, _: Result<(), Abort>) {
            if let Some(waits) = &self.waits {
                waits.recv().unwrap();
            }
            self.say("answered");
        }
    }

    fn job(
        number: usize,
        heard: &Sender<Heard>,
        waits: Option<Receiver<()>>,
    ) -> (Box<dyn Job>, Result<(), Abort>) {
        let heard = heard.clone();
        let job = Noted {
            number,
            waits,
            heard,
        };
        (Box::new(job), Ok(()))
    }

    #[test]
    fn a_lone_job_is_answered_at_once_but_never_before_one_of_an_earlier_commit() {
        let (answers, thread) = Answers::start().unwrap();
        let (heard, told) = channel();
        let (go, wait) = channel();
        let me = thread::current().id();

        assert!(answers.give(vec![job(1, &heard, None)]));
        let at_once: Vec<_> = told.try_iter().collect();
        assert_eq!(at_once, [(1, "told", me), (1, "answered", me)]);

        // Two at once are the other thread's, and so is whoever comes while these are being answered.
        assert!(answers.give(vec![job(2, &heard, Some(wait)), job(3, &heard, None)]));
        assert!(answers.give(vec![job(4, &heard, None)]));
        let other = thread.thread().id();
        let next = || told.recv().unwrap();
        assert_eq!([next(), next()], [(2, "told", other), (3, "told", other)]);
        assert!(told.try_recv().is_err(), "nobody overtakes");
        go.send(()).unwrap();
        let rest = [
            (2, "answered"),
            (3, "answered"),
            (4, "told"),
            (4, "answered"),
        ];
        assert_eq!(
            [next(), next(), next(), next()],
            rest.map(|(n, what)| (n, what, other))
        );

        drop(answers);
        thread.join().unwrap();
    }

    #[test]
    fn of_many_a_part_is_told_then_answered_then_the_next_and_what_failed_is_not_told() {
        let (heard, told) = channel();
        let mut group: Group = (0..=ANSWERED_AT_ONCE)
            .map(|n| job(n, &heard, None))
            .collect();
        group[0].1 = Err(Abort::Withdrawn);
        answer(group);

        let last = ANSWERED_AT_ONCE;
        let expected: Vec<_> = (1..last)
            .map(|n| (n, "told"))
            .chain((0..last).map(|n| (n, "answered")))
            .chain([(last, "told"), (last, "answered")])
            .collect();
        let heard: Vec<_> = told.try_iter().map(|(n, what, _)| (n, what)).collect();
        assert_eq!(heard, expected);
    }
}
