//! Stderr, the channel for people: shared by messages and the progress line.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::terminal::escape;

/// Stderr behind a lock; a message first wipes the progress line that may stand there.
#[derive(Clone)]
pub(crate) struct Console {
    inner: Arc<Mutex<Inner>>,
    pub(crate) color: bool,
}

struct Inner {
    err: Box<dyn Write + Send>,
    line_is_dirty: bool,
}

/// How a message is marked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mark {
    Error,
    Warning,
    Note,
    Hint,
}

impl Console {
    pub(crate) fn new(err: Box<dyn Write + Send>, color: bool) -> Self {
        Self { inner: Arc::new(Mutex::new(Inner { err, line_is_dirty: false })), color }
    }

    /// Prints one message of its own line. Nobody can be told when stderr is gone, so failures are dropped.
    pub(crate) fn line(&self, text: &str) {
        let mut inner = self.lock();
        inner.wipe();
        drop(writeln!(inner.err, "{}", escape(text)));
    }

    /// Prints text that is known to be clean, such as clap's own help with its colours.
    pub(crate) fn raw(&self, text: &str) {
        let mut inner = self.lock();
        inner.wipe();
        drop(inner.err.write_all(text.as_bytes()));
    }

    /// Prints `who: message`, the first part in the colour of its mark.
    pub(crate) fn marked(&self, who: &str, mark: Mark, message: &str) {
        let (label, style) = match mark {
            Mark::Error => (format!("{who}:"), "1;31"),
            Mark::Warning => (format!("{who}: warning:"), "1;33"),
            Mark::Note => (format!("{who}: note:"), "1"),
            Mark::Hint => ("hint:".to_owned(), "1;36"),
        };
        let message = escape(message);
        let mut inner = self.lock();
        inner.wipe();
        let written = if self.color {
            writeln!(inner.err, "\x1b[{style}m{label}\x1b[0m {message}")
        } else {
            writeln!(inner.err, "{label} {message}")
        };
        drop(written);
    }

    /// Draws the progress line over the one before.
    pub(crate) fn draw(&self, text: &str) {
        let mut inner = self.lock();
        drop(write!(inner.err, "\r\x1b[K{}", escape(text)).and_then(|()| inner.err.flush()));
        inner.line_is_dirty = true;
    }

    /// Takes the progress line away.
    pub(crate) fn wipe(&self) {
        self.lock().wipe();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A thread that panicked while printing left at worst half a line.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn wipe(&mut self) {
        if self.line_is_dirty {
            drop(self.err.write_all(b"\r\x1b[K"));
            self.line_is_dirty = false;
        }
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("color", &self.color).finish_non_exhaustive()
    }
}
