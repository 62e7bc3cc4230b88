//! Running one command of Nix.

use std::ffi::{OsStr, OsString};
use std::io::{self, PipeReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::NixError;
use crate::command::Command;
use crate::redact::redact;

/// What a query may take: evaluation can be slow, but no query runs for ten minutes.
const QUERY_LIMIT: Duration = Duration::from_secs(600);
/// The longest reply that is read: a closure of a million paths.
const REPLY_LIMIT: usize = 1 << 29;
/// How much of stderr is kept; a build's log can be longer.
const STDERR_LIMIT: usize = 1 << 20;

/// Hears of each command before it runs.
pub trait Observer {
    /// Takes one command, as a line without the `$`.
    fn command(&mut self, line: &str);
}

impl<F: FnMut(&str)> Observer for F {
    fn command(&mut self, line: &str) {
        self(line);
    }
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn command(&mut self, _line: &str) {}
}

/// The Nix that PATH leads to.
///
/// Nothing is looked for before it is needed: a machine without Nix is told apart by
/// [`NixError::NotFound`] when the first request is made.
#[derive(Debug, Clone)]
pub struct Nix {
    path: Option<OsString>,
    cwd: PathBuf,
    options: Vec<OsString>,
    limit: Duration,
}

impl Nix {
    /// Takes the value of PATH and the directory that relative paths start from.
    pub fn on_path(path: Option<&OsStr>, cwd: &Path) -> Self {
        Self {
            path: path.map(OsStr::to_owned),
            cwd: cwd.to_owned(),
            options: Vec::new(),
            limit: QUERY_LIMIT,
        }
    }

    /// Adds options of Nix's own to every command: `--store`, `--builders`, `--option`.
    #[must_use]
    pub fn with_options<S: AsRef<OsStr>>(mut self, options: impl IntoIterator<Item = S>) -> Self {
        self.options.extend(options.into_iter().map(|option| option.as_ref().to_owned()));
        self
    }

    /// Sets the time after which a query is killed.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Gives the directory that relative paths start from.
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// Finds a program of Nix.
    ///
    /// # Errors
    /// When PATH does not lead to it.
    pub fn find(&self, program: &'static str) -> Result<PathBuf, NixError> {
        self.path
            .as_ref()
            .and_then(|path| which::which_in(program, Some(path), &self.cwd).ok())
            .ok_or(NixError::NotFound { program })
    }

    /// Runs a query to its end and gives what it wrote to stdout.
    pub(crate) fn query(
        &self,
        command: &Command,
        observer: &mut dyn Observer,
    ) -> Result<Vec<u8>, NixError> {
        let program = self.find(command.program)?;
        let command = command.clone().args(&self.options);
        let shown = command.to_string();
        observer.command(&shown);
        let running = Running::start(&program, &command.args, &self.cwd)
            .map_err(|source| NixError::Spawn { command: shown.clone(), source })?;
        running.finish(&shown, self.limit)
    }
}

/// What a pipe of the child brought: `None` when it is closed.
type Piece = (Stream, io::Result<Option<Vec<u8>>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Stdout,
    Stderr,
}

struct Running {
    handle: duct::Handle,
    pieces: mpsc::Receiver<Piece>,
}

impl Running {
    fn start(program: &Path, args: &[OsString], cwd: &Path) -> io::Result<Self> {
        let (stdout, child_stdout) = io::pipe()?;
        let (stderr, child_stderr) = io::pipe()?;
        let handle = duct::cmd(program, args)
            .dir(cwd)
            .stdin_null()
            .stdout_file(child_stdout)
            .stderr_file(child_stderr)
            .unchecked()
            .start()?;
        let (sender, pieces) = mpsc::channel();
        forward(Stream::Stdout, stdout, sender.clone());
        forward(Stream::Stderr, stderr, sender);
        Ok(Self { handle, pieces })
    }

    fn finish(self, command: &str, limit: Duration) -> Result<Vec<u8>, NixError> {
        let deadline = Instant::now() + limit;
        let spawn_error = |source| NixError::Spawn { command: command.to_owned(), source };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut open = 2;
        while open > 0 {
            let rest = deadline.saturating_duration_since(Instant::now());
            match self.pieces.recv_timeout(rest) {
                Ok((_, Ok(None))) => open -= 1,
                Ok((Stream::Stdout, Ok(Some(piece)))) => stdout.extend(piece),
                Ok((Stream::Stderr, Ok(Some(piece)))) => keep_last(&mut stderr, &piece),
                Ok((_, Err(source))) => {
                    self.kill();
                    return Err(spawn_error(source));
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.kill();
                    let stderr = shown_stderr(&stderr);
                    return Err(NixError::Timeout { command: command.to_owned(), limit, stderr });
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if stdout.len() > REPLY_LIMIT {
                self.kill();
                return Err(NixError::TooLong { command: command.to_owned(), limit: REPLY_LIMIT });
            }
        }
        let status = self.handle.wait().map_err(spawn_error)?.status;
        if status.success() {
            return Ok(stdout);
        }
        Err(NixError::Failed {
            command: command.to_owned(),
            ending: ending(status),
            stderr: shown_stderr(&stderr),
        })
    }

    /// Kills the child. Its own children may still hold the pipes, so nothing waits for these.
    fn kill(&self) {
        // It may have ended by itself in the meantime, which is as good.
        drop(self.handle.kill());
    }
}

fn forward(stream: Stream, mut pipe: PipeReader, pieces: Sender<Piece>) {
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let piece = match pipe.read(&mut buffer) {
                Ok(0) => Ok(None),
                Ok(length) => Ok(Some(buffer[..length].to_vec())),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let last = !matches!(piece, Ok(Some(_)));
            if pieces.send((stream, piece)).is_err() || last {
                return;
            }
        }
    });
}

/// Appends, and drops the oldest bytes beyond the limit.
fn keep_last(kept: &mut Vec<u8>, piece: &[u8]) {
    kept.extend_from_slice(piece);
    if kept.len() > 2 * STDERR_LIMIT {
        kept.drain(..kept.len() - STDERR_LIMIT);
    }
}

fn shown_stderr(stderr: &[u8]) -> String {
    redact(&String::from_utf8_lossy(stderr)).into_owned()
}

fn ending(status: std::process::ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("failed with exit code {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "failed".to_owned(),
    }
}
