//! How far a push is: on a terminal a line, elsewhere a line now and then, or JSON.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cli::{Io, Progress, human_bytes};
use serde_json::{Value, json};

use crate::args::ProgressStyle;

/// A push that is done before this needs no lines on the way.
const QUIET_AT_FIRST: Duration = Duration::from_secs(5);
/// Lines come at most so often, and less and less often.
const EVERY: Duration = Duration::from_secs(1);
/// With lines of JSON it is programs that wait.
const JSON_EVERY: Duration = Duration::from_millis(500);

/// Counts what is sent, and says so.
#[derive(Debug)]
pub(crate) struct Meter {
    progress: Progress,
    style: Style,
    total: AtomicU64,
    done: AtomicU64,
    started: Instant,
    next: Mutex<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// The line is drawn elsewhere.
    Drawn,
    Lines,
    Json,
    Nothing,
}

impl Meter {
    pub(crate) fn new(io: &Io, style: Option<ProgressStyle>, total: Option<u64>) -> Self {
        let style = match style.unwrap_or(ProgressStyle::Auto) {
            ProgressStyle::Json => Style::Json,
            ProgressStyle::None => Style::Nothing,
            ProgressStyle::Auto if std::io::stderr().is_terminal() => Style::Drawn,
            ProgressStyle::Auto => Style::Lines,
        };
        let started = Instant::now();
        let first = if style == Style::Json { JSON_EVERY } else { QUIET_AT_FIRST };
        Self {
            progress: io.progress("push", total),
            style,
            total: AtomicU64::new(total.unwrap_or(0)),
            done: AtomicU64::new(0),
            started,
            next: Mutex::new(started + first),
        }
    }

    /// More to send has become known.
    pub(crate) fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that are done.
    pub(crate) fn add(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        match self.style {
            Style::Drawn => self.progress.add(bytes),
            Style::Lines | Style::Json => self.tick(done),
            Style::Nothing => {}
        }
    }

    /// Says something for people.
    pub(crate) fn step(&self, line: &str) {
        match self.style {
            Style::Json => self.event(&json!({"type": "note", "text": line})),
            Style::Nothing => {}
            Style::Drawn | Style::Lines => self.progress.step(line),
        }
    }

    /// Says something for people in these words, and for programs in those.
    pub(crate) fn tell(&self, line: &str, event: &Value) {
        if self.style == Style::Json { self.event(event) } else { self.step(line) }
    }

    fn event(&self, event: &Value) {
        self.progress.step(&event.to_string());
    }

    fn tick(&self, done: u64) {
        let now = Instant::now();
        // Whoever finds the lock taken leaves the line to its holder.
        let Ok(mut next) = self.next.try_lock() else { return };
        if now < *next {
            return;
        }
        let elapsed = now - self.started;
        *next = now + if self.style == Style::Json { JSON_EVERY } else { EVERY.max(elapsed / 10) };
        drop(next);
        let total = self.total.load(Ordering::Relaxed).max(done);
        let millis = elapsed.as_millis().max(1);
        let rate = u64::try_from(u128::from(done) * 1000 / millis).unwrap_or(u64::MAX);
        let eta = (total - done).checked_div(rate);
        if self.style == Style::Json {
            let event = json!({
                "type": "progress", "done": done, "total": total, "bytesPerSecond": rate, "etaSeconds": eta
            });
            return self.event(&event);
        }
        let eta = eta.map_or_else(String::new, |eta| format!(", {eta} s to go"));
        let (done, total, rate) = (human_bytes(done), human_bytes(total), human_bytes(rate));
        self.progress.step(&format!("{done} of {total}, {rate}/s{eta}"));
    }
}
