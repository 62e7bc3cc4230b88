//! One run of a program, that cannot hang the test.

use std::ffi::OsStr;
use std::fmt;
use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::Output;

/// Longer than any honest test; a run that takes this long hangs.
const TIMEOUT: Duration = Duration::from_secs(120);

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

    /// Starts it with no streams at all, for servers.
    pub(crate) fn spawn_quietly(mut self) -> Child {
        let silent = self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match silent.spawn() {
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

    /// Runs it to its end. One that outlives its time is killed with all its group, and the test ends.
    pub fn output(mut self) -> Output {
        let (stdin, timeout) = (std::mem::take(&mut self.stdin), self.timeout);
        let shown = std::mem::take(&mut self.shown);
        let mut child = self.spawn();
        let group = Pid::from_child(&child);
        let mut input = child.stdin.take().unwrap();
        // A program that does not read its stdin closes it early: that is its right.
        let writer = thread::spawn(move || drop(input.write_all(&stdin)));
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        let status = wait(&mut child, timeout);
        if status.is_none() {
            // It may just have ended by itself.
            let _gone = kill_process_group(group, Signal::KILL);
            drop(child.wait());
        }
        let streams = (stdout.join().unwrap(), stderr.join().unwrap());
        writer.join().unwrap();
        match status {
            Some(status) => Output::new(shown, status, streams.0, &streams.1),
            None => panic!(
                "{shown} did not end within {timeout:?}\nstdout: {}\nstderr: {}",
                String::from_utf8_lossy(&streams.0),
                String::from_utf8_lossy(&streams.1)
            ),
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("command", &self.shown).finish_non_exhaustive()
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

fn wait(child: &mut Child, timeout: Duration) -> Option<std::process::ExitStatus> {
    let end = Instant::now() + timeout;
    // Short at first: most runs take milliseconds.
    let mut pause = Duration::from_micros(500);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if Instant::now() > end {
            return None;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
