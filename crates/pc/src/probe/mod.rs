//! Checks that ask over the network, on a few threads of their own: the loop of `pc` never waits for them.

mod ask;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::engine::{Generation, Id, ProbeKind};
use crate::up::Waker;

pub(crate) use ask::Question;

/// More than this many questions are never asked at a time.
const MAX_THREADS: usize = 8;

/// Which check of which start of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) id: Id,
    pub(crate) generation: Generation,
    pub(crate) kind: ProbeKind,
}

struct Job {
    key: Key,
    question: Arc<Question>,
    timeout: Duration,
}

/// The threads.
pub(crate) struct Pool {
    jobs: Sender<Job>,
    queue: Arc<Mutex<Receiver<Job>>>,
    answer: Sender<(Key, bool)>,
    answers: Receiver<(Key, bool)>,
    waker: Waker,
    threads: usize,
    busy: Arc<AtomicUsize>,
}

impl Pool {
    /// No thread yet.
    pub(crate) fn new(waker: Waker) -> Self {
        let (jobs, queue) = channel();
        let (answer, answers) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let busy = Arc::new(AtomicUsize::new(0));
        Self { jobs, queue, answer, answers, waker, threads: 0, busy }
    }

    /// Asks; the answer comes by [`Pool::answer`] after the waker was used.
    pub(crate) fn ask(
        &mut self,
        key: Key,
        question: &Arc<Question>,
        timeout: Duration,
    ) -> io::Result<()> {
        if self.busy.fetch_add(1, Ordering::Relaxed) >= self.threads && self.threads < MAX_THREADS {
            self.begin_thread()?;
            self.threads += 1;
        }
        // The receiver is ours, so it is there.
        let _sent = self.jobs.send(Job { key, question: Arc::clone(question), timeout });
        Ok(())
    }

    /// An answer that came.
    pub(crate) fn answer(&self) -> Option<(Key, bool)> {
        self.answers.try_recv().ok()
    }

    fn begin_thread(&self) -> io::Result<()> {
        let queue = Arc::clone(&self.queue);
        let (answer, waker, busy) =
            (self.answer.clone(), self.waker.clone(), Arc::clone(&self.busy));
        let builder = thread::Builder::new().name("probe".to_owned()).stack_size(512 << 10);
        builder.spawn(move || {
            loop {
                let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(job) = job else { return };
                let ok = job.question.ask(job.timeout);
                busy.fetch_sub(1, Ordering::Relaxed);
                if answer.send((job.key, ok)).is_err() {
                    return;
                }
                waker.wake();
            }
        })?;
        Ok(())
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads).finish_non_exhaustive()
    }
}
