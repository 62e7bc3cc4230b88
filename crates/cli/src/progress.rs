//! Progress: a line that redraws on a terminal, one line per finished step elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::console::Console;

/// Work shorter than this shows nothing: a line that flashes by helps nobody.
const QUIET_AT_FIRST: Duration = Duration::from_millis(250);
const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// A handle that any thread may report to; clones report to the same line.
#[derive(Debug, Clone)]
pub struct Progress {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    console: Console,
    shown: Shown,
    label: String,
    total: Option<u64>,
    done: AtomicU64,
    started: Instant,
    next_draw: Mutex<Instant>,
}

/// Where progress goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Nowhere,
    AsSteps,
    AsLine,
}

impl Progress {
    pub(crate) fn new(console: Console, shown: Shown, label: &str, total: Option<u64>) -> Self {
        let started = Instant::now();
        let shared = Shared {
            console,
            shown,
            label: label.to_owned(),
            total,
            done: AtomicU64::new(0),
            started,
            next_draw: Mutex::new(started + QUIET_AT_FIRST),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Counts bytes that are done.
    pub fn add(&self, bytes: u64) {
        let done = self.shared.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.shared.shown == Shown::AsLine {
            self.shared.draw(done);
        }
    }

    /// Says that one step is finished: a line of its own, on a terminal above the progress line.
    pub fn step(&self, line: &str) {
        if self.shared.shown != Shown::Nowhere {
            self.shared.console.line(line);
        }
    }
}

impl Shared {
    fn draw(&self, done: u64) {
        let now = Instant::now();
        // Whoever finds the lock taken leaves the drawing to its holder.
        let Ok(mut next) = self.next_draw.try_lock() else { return };
        if now < *next {
            return;
        }
        *next = now + REDRAW_EVERY;
        let rate = per_second(done, now - self.started);
        let line = match self.total {
            Some(total) => {
                let percent = done.saturating_mul(100).checked_div(total).unwrap_or(100).min(100);
                let (done, total) = (human_bytes(done), human_bytes(total));
                format!("{} {percent}% {done} of {total}, {}/s", self.label, human_bytes(rate))
            }
            None => format!("{} {}, {}/s", self.label, human_bytes(done), human_bytes(rate)),
        };
        self.console.draw(&line);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.shown == Shown::AsLine {
            drop(self.next_draw.lock().unwrap_or_else(PoisonError::into_inner));
            self.console.wipe();
        }
    }
}

fn per_second(bytes: u64, elapsed: Duration) -> u64 {
    let millis = elapsed.as_millis().max(1);
    u64::try_from(u128::from(bytes) * 1000 / millis).unwrap_or(u64::MAX)
}

/// A size for people, in SI units with one decimal: `3.1 MB`.
///
/// ```
/// assert_eq!(cli::human_bytes(999), "999 B");
/// assert_eq!(cli::human_bytes(3_140_000), "3.1 MB");
/// assert_eq!(cli::human_bytes(999_999), "1.0 MB");
/// ```
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut tenths = (u128::from(bytes) * 10 + 500) / 1000;
    for unit in UNITS {
        if tenths < 10_000 {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        tenths = (tenths + 500) / 1000;
    }
    format!("{bytes} B")
}
