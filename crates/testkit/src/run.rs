//! One run of a program, that cannot hang the test.

use std::ffi::OsStr;
use std::fmt;
use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::Output;

/// Longer than any honest test; a run that takes this long hangs.
const TIMEOUT: Duration = Duration::from_secs(120);

/// How long the streams of a killed run may take to close.
const GRACE: Duration = Duration::from_secs(2);

/// A run being prepared.
pub struct Run {
    command: Command,
    stdin: Vec<u8>,
    timeout: Duration,
    shown: String,
}

impl Run {
    pub(crate) fn new(program: impl AsRef<OsStr>, dir: PathBuf) -> Self {
        let mut command = Command::new(program.as_ref());
        command.env_clear().current_dir(dir).process_group(0);
        let shown = program.as_ref().to_string_lossy().into_owned();
        Self { command, stdin: Vec::new(), timeout: TIMEOUT, shown }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.shown += " ";
        self.shown += &arg.as_ref().to_string_lossy();
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Sets what is read from stdin; nothing by default.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Sets how long it may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Starts a server, whose streams go to a file that a failing test can show.
    pub(crate) fn spawn_logged(mut self, log: &Path) -> Child {
        let log = std::fs::File::create(log).unwrap();
        let logged = self.command.stdin(Stdio::null()).stdout(log.try_clone().unwrap());
        match logged.stderr(log).spawn() {
            Ok(child) => child,
            Err(error) => panic!("cannot start {}: {error}", self.shown),
        }
    }

    /// Starts it with its own streams left to the caller, for tests that signal or watch it.
    pub fn spawn(mut self) -> Child {
        let piped = self.command.stdin(Stdio::piped()).stdout(Stdio::piped());
        match piped.stderr(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(error) => panic!("cannot start {}: {error}", self.shown),
        }
    }

    /// Runs it to its end, which is when it and all that hold its streams have ended. One that outlives its time is
    /// killed with all its group, and the test ends.
    pub fn output(mut self) -> Output {
        let (stdin, timeout) = (std::mem::take(&mut self.stdin), self.timeout);
        let shown = std::mem::take(&mut self.shown);
        let mut child = self.spawn();
        let group = Pid::from_child(&child);
        let mut input = child.stdin.take().unwrap();
        // A program that does not read its stdin closes it early: that is its right.
        let writer = thread::spawn(move || drop(input.write_all(&stdin)));
        let stdout = Collector::start(child.stdout.take().unwrap());
        let stderr = Collector::start(child.stderr.take().unwrap());
        let closed = || writer.is_finished() && stdout.is_finished() && stderr.is_finished();
        let end = Instant::now() + timeout;
        let mut status = None;
        let in_time = wait_until(end, || {
            status = status.or_else(|| child.try_wait().unwrap());
            status.is_some() && closed()
        });
        if !in_time {
            // It may just have ended by itself.
            let _gone = kill_process_group(group, Signal::KILL);
            drop(child.wait());
            // One that left the group keeps the streams open; nothing waits for it.
            wait_until(Instant::now() + GRACE, closed);
        }
        let (out, err) = (stdout.bytes(), stderr.bytes());
        match status.filter(|_| in_time) {
            Some(status) => Output::new(shown, status, out, &err),
            None => panic!(
                "{shown} did not end within {timeout:?}\nstdout: {}\nstderr: {}",
                String::from_utf8_lossy(&out),
                String::from_utf8_lossy(&err)
            ),
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("command", &self.shown).finish_non_exhaustive()
    }
}

/// Reads a stream to its end; what came so far can be had at any time.
struct Collector {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: JoinHandle<()>,
}

impl Collector {
    fn start(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let thread = thread::spawn({
            let bytes = Arc::clone(&bytes);
            move || {
                let mut buffer = vec![0; 1 << 16];
                loop {
                    match stream.read(&mut buffer).unwrap() {
                        0 => return,
                        length => bytes.lock().unwrap().extend_from_slice(&buffer[..length]),
                    }
                }
            }
        });
        Self { bytes, thread }
    }

    fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }
}

/// Waits until something holds; says whether it did in time.
fn wait_until(end: Instant, mut holds: impl FnMut() -> bool) -> bool {
    // Short at first: most runs take milliseconds.
    let mut pause = Duration::from_micros(500);
    while !holds() {
        if Instant::now() > end {
            return false;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    true
}
