//! A stream that people or programs read: written by a thread of its own, so a reader that stands still holds up
//! nothing but, if the user wants it so, those that write.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::up::Waker;

/// What may wait for the reader.
const MAX_WAITING: usize = 4 << 20;

/// What happens to lines when their reader is too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlowReader {
    /// The processes wait: nothing is lost.
    Block,
    /// Lines are dropped, and counted.
    Drop,
}

#[derive(Debug, Default)]
struct Queue {
    chunks: VecDeque<Vec<u8>>,
    bytes: usize,
    is_closed: bool,
    failure: Option<io::Error>,
    has_failed: bool,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A writer that panicked left a queue that is whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream.
#[derive(Debug)]
pub(crate) struct Outlet {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// Lines of this round.
    pending: Vec<u8>,
    policy: SlowReader,
    dropped: u64,
    is_full: bool,
}

impl Outlet {
    /// Writes to `target`; the waker is used when there is room again, or an error.
    pub(crate) fn new(
        target: impl Write + Send + 'static,
        policy: SlowReader,
        waker: Waker,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread =
            std::thread::Builder::new().name("outlet".to_owned()).stack_size(64 << 10).spawn({
                let shared = Arc::clone(&shared);
                move || write_all(target, &shared, &waker)
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
            pending: Vec::new(),
            policy,
            dropped: 0,
            is_full: false,
        })
    }

    /// Adds a line by `append`, unless lines are being dropped.
    pub(crate) fn line(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        if self.is_full && self.policy == SlowReader::Drop {
            self.dropped += 1;
        } else {
            append(&mut self.pending);
        }
    }

    /// Lines that were dropped since the last call, when there is room to say so.
    pub(crate) fn take_dropped(&mut self) -> Option<u64> {
        let is_told = self.dropped > 0 && !self.is_full;
        is_told.then(|| std::mem::take(&mut self.dropped))
    }

    /// Hands over the lines of this round.
    pub(crate) fn flush(&mut self) {
        let mut queue = self.shared.lock();
        if queue.has_failed {
            self.pending.clear();
        } else if !self.pending.is_empty() {
            queue.bytes += self.pending.len();
            queue.chunks.push_back(std::mem::take(&mut self.pending));
            self.shared.changed.notify_one();
        }
        self.is_full = queue.bytes > MAX_WAITING && !queue.has_failed;
    }

    /// Whether those that write must wait.
    pub(crate) fn blocks(&self) -> bool {
        self.is_full && self.policy == SlowReader::Block
    }

    /// Whether all was written.
    pub(crate) fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.shared.lock().bytes == 0
    }

    /// The error that ended the writing, once.
    pub(crate) fn take_failure(&self) -> Option<io::Error> {
        self.shared.lock().failure.take()
    }

    /// Ends the thread when all was written.
    pub(crate) fn close(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // It only panics if the target does.
            let _ended = thread.join();
        }
    }
}

fn write_all(mut target: impl Write, shared: &Shared, waker: &Waker) {
    loop {
        let chunk = {
            let mut queue = shared.lock();
            loop {
                if let Some(chunk) = queue.chunks.pop_front() {
                    break chunk;
                }
                if queue.is_closed {
                    return;
                }
                queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let result = target.write_all(&chunk).and_then(|()| target.flush());
        let mut queue = shared.lock();
        let was_full = queue.bytes > MAX_WAITING;
        queue.bytes -= chunk.len();
        if let Err(error) = result {
            queue.failure = Some(error);
            queue.has_failed = true;
            queue.chunks.clear();
            queue.bytes = 0;
        }
        if queue.has_failed
            || was_full && queue.bytes <= MAX_WAITING
            || queue.bytes == 0 && queue.is_closed
        {
            waker.wake();
        }
    }
}
