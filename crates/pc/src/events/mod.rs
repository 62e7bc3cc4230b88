//! What happens, as JSON: an object a line, each with its `type` first and the seconds since the start.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use crate::logs::{Line, Outlet, SlowReader, Stream, append_json_text};
use crate::up::Waker;

/// One event. `t` is the time since the start of the run, in seconds; it never goes back.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Happening<'a> {
    /// The run began.
    Begin { t: f64, project: &'a str, pid: i32 },
    /// A process is in another state.
    State {
        t: f64,
        process: &'a str,
        status: &'a str,
        health: &'a str,
        pid: Option<i32>,
        restarts: u32,
        exit_code: i32,
    },
    /// A check ended.
    Probe { t: f64, process: &'a str, probe: &'a str, ok: bool, seconds: f64 },
    /// A signal was sent.
    Signal { t: f64, process: &'a str, signal: i32, pid: i32, escalation: bool },
    /// A process in a session of its own was left behind, and is ended, or kept.
    Detached { t: f64, process: Option<&'a str>, name: &'a str, pid: i32, kept: bool },
    /// Something could not be ended.
    Survivor { t: f64, process: Option<&'a str>, name: &'a str, pid: i32 },
    /// The run ended.
    End { t: f64, exit_code: i32 },
}

/// Where events go.
#[derive(Debug)]
pub(crate) struct Events {
    outlet: Outlet,
}

/// Seconds with their fraction, to the microsecond.
pub(crate) fn seconds(time: Duration) -> f64 {
    // Microseconds of centuries fit the 52 bits of a float.
    #[expect(clippy::cast_precision_loss, reason = "no run lasts that long")]
    let micros = time.as_micros() as f64;
    micros / 1e6
}

impl Events {
    pub(crate) fn new(
        target: impl Write + Send + 'static,
        policy: SlowReader,
        waker: Waker,
    ) -> io::Result<Self> {
        Ok(Self { outlet: Outlet::new(target, policy, waker)? })
    }

    /// Tells it.
    pub(crate) fn tell(&mut self, happening: &Happening<'_>) {
        self.outlet.line(|out| {
            // Numbers and text alone: this cannot fail.
            if serde_json::to_writer(&mut *out, happening).is_ok() {
                out.push(b'\n');
            }
        });
    }

    /// Tells of a line of output.
    pub(crate) fn line(
        &mut self,
        time: Duration,
        process: &str,
        stream: Stream,
        sequence: u64,
        line: Line<'_>,
    ) {
        self.outlet.line(|out| {
            let mut head = String::with_capacity(96);
            // Writing to a string cannot fail.
            let _written =
                write!(head, "{{\"type\":\"line\",\"t\":{:.6},\"process\":\"", seconds(time));
            out.extend_from_slice(head.as_bytes());
            append_json_text(out, process.as_bytes());
            head.clear();
            let name = stream.name();
            let _written = write!(head, "\",\"stream\":\"{name}\",\"seq\":{sequence},\"line\":");
            out.extend_from_slice(head.as_bytes());
            if std::str::from_utf8(line.text).is_ok() {
                out.push(b'"');
                append_json_text(out, line.text);
                out.push(b'"');
            } else {
                use base64::Engine as _;
                let encoded = base64::engine::general_purpose::STANDARD.encode(line.text);
                out.extend_from_slice(format!("{{\"bytes\":\"{encoded}\"}}").as_bytes());
            }
            out.extend_from_slice(if line.goes_on { b",\"goes_on\":true}\n" } else { b"}\n" });
        });
    }

    /// The stream, to look at.
    pub(crate) fn outlet_ref(&self) -> &Outlet {
        &self.outlet
    }

    /// The stream itself.
    pub(crate) fn outlet(&mut self) -> &mut Outlet {
        &mut self.outlet
    }
}
