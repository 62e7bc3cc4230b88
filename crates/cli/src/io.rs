//! What a run may touch: stdout, stderr, stdin and the environment.

use std::fmt;
use std::io::{self, IsTerminal as _, Read, Write};

use crate::args::CommonArgs;
use crate::console::{Console, Mark};
use crate::out::Out;
use crate::progress::{Progress, Shown};
use crate::terminal::{ColorChoice, is_dumb};
use crate::{Env, Failure};

/// The streams and the environment of a run. Tests make one from buffers by [`Io::for_tests`].
pub struct Io {
    /// Stdout, for data.
    pub out: Out,
    /// The environment.
    pub env: Env,
    /// How much is said on stderr: -1 with `-q`, 0, then one more for each `-v`.
    pub verbosity: i8,
    name: &'static str,
    stdin: Option<Box<dyn Read + Send>>,
    console: Console,
    terminals: Terminals,
    out_color: bool,
}

/// Which of the streams are terminals.
#[derive(Debug, Clone, Copy, Default)]
struct Terminals {
    stdin: bool,
    stdout: bool,
    stderr: bool,
}

/// Stdin is a terminal and the user did not ask for it: waiting there would look like a hang.
#[derive(Debug, thiserror::Error)]
#[error("stdin is a terminal: there is nothing to read")]
pub struct StdinIsTerminal;

impl Failure for StdinIsTerminal {
    fn hint(&self) -> Option<String> {
        Some("pipe the input in, or name a file".to_owned())
    }
}

impl Io {
    /// The streams of this process.
    pub(crate) fn from_process(name: &'static str) -> Self {
        let terminals = Terminals {
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
        };
        let env = Env::from_process();
        let color = ColorChoice::Auto;
        Self {
            out: Out::new(raw_stdout(), terminals.stdout),
            verbosity: 0,
            name,
            stdin: Some(Box::new(io::stdin())),
            console: Console::new(Box::new(io::stderr()), color.resolve(&env, terminals.stderr)),
            terminals,
            out_color: color.resolve(&env, terminals.stdout),
            env,
        }
    }

    /// Streams made of buffers: what `stdin` holds is read, `out` and `err` receive.
    pub fn for_tests(
        name: &'static str,
        env: Env,
        stdin: impl Read + Send + 'static,
        out: impl Write + Send + 'static,
        err: impl Write + Send + 'static,
    ) -> Self {
        Self {
            out: Out::new(Box::new(out), false),
            env,
            verbosity: 0,
            name,
            stdin: Some(Box::new(stdin)),
            console: Console::new(Box::new(err), false),
            terminals: Terminals::default(),
            out_color: false,
        }
    }

    /// Takes over what the common flags say.
    pub(crate) fn configure(&mut self, common: &CommonArgs) {
        self.verbosity = common.verbosity();
        self.console.color = common.color.resolve(&self.env, self.terminals.stderr);
        self.out_color = common.color.resolve(&self.env, self.terminals.stdout);
    }

    /// The name of the tool.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether data on stdout may be coloured.
    pub fn out_is_colored(&self) -> bool {
        self.out_color
    }

    /// Whether stdout is a terminal: binary data must not go there.
    pub fn out_is_terminal(&self) -> bool {
        self.terminals.stdout
    }

    /// Whether stdin is a terminal.
    pub fn stdin_is_terminal(&self) -> bool {
        self.terminals.stdin
    }

    /// Hands stdout over to a thread that writes to it; what is written to [`Io::out`] from now on goes there, too,
    /// so nothing is until the thread is done.
    pub fn detach_out(&self) -> Box<dyn Write + Send> {
        raw_stdout()
    }

    /// Takes stdin, once; a second call reads nothing.
    ///
    /// # Errors
    /// [`StdinIsTerminal`], as nobody asked for typing there.
    pub fn stdin(&mut self) -> Result<Box<dyn Read + Send>, StdinIsTerminal> {
        if self.terminals.stdin {
            return Err(StdinIsTerminal);
        }
        Ok(self.stdin.take().unwrap_or_else(|| Box::new(io::empty())))
    }

    /// Says what is being done, unless `-q`.
    pub fn status(&self, message: impl fmt::Display) {
        if self.verbosity >= 0 {
            self.console.line(&message.to_string());
        }
    }

    /// Says what helps only with `-v`.
    pub fn detail(&self, message: impl fmt::Display) {
        if self.verbosity >= 1 {
            self.console.line(&message.to_string());
        }
    }

    /// Says something that the user should know and need not act on, unless `-q`.
    pub fn note(&self, message: impl fmt::Display) {
        if self.verbosity >= 0 {
            self.console.marked(self.name, Mark::Note, &message.to_string());
        }
    }

    /// Says what is probably wrong; `-q` does not silence it.
    pub fn warn(&self, message: impl fmt::Display) {
        self.console.marked(self.name, Mark::Warning, &message.to_string());
    }

    /// Reports an error without ending the run: for the first of many inputs that fail.
    pub fn error(&self, error: &dyn Failure) {
        self.console.marked(self.name, Mark::Error, &chain(error));
        if let Some(hint) = error.hint() {
            self.hint(hint);
        }
    }

    /// Says what to do next.
    pub fn hint(&self, message: impl fmt::Display) {
        self.console.marked(self.name, Mark::Hint, &message.to_string());
    }

    /// Starts a progress display: a line on a terminal, finished steps elsewhere, nothing with `-q`.
    pub fn progress(&self, label: &str, total_bytes: Option<u64>) -> Progress {
        let shown = if self.verbosity < 0 {
            Shown::Nowhere
        } else if self.terminals.stderr && !is_dumb(&self.env) {
            Shown::AsLine
        } else {
            Shown::AsSteps
        };
        Progress::new(self.console.clone(), shown, label, total_bytes)
    }

    pub(crate) fn console(&self) -> &Console {
        &self.console
    }
}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io")
            .field("name", &self.name)
            .field("env", &self.env)
            .field("verbosity", &self.verbosity)
            .field("terminals", &self.terminals)
            .finish_non_exhaustive()
    }
}

/// `message: cause: cause`. A cause that its parent already printed is left out.
fn chain(error: &dyn Failure) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    text
}

/// Stdout without std's line buffer: [`Out`] buffers, and an archive holds line feeds that mean nothing.
fn raw_stdout() -> Box<dyn Write + Send> {
    use std::os::fd::AsFd as _;
    match io::stdout().as_fd().try_clone_to_owned() {
        Ok(fd) => Box::new(std::fs::File::from(fd)),
        // Out of descriptors: std's own handle needs none.
        Err(_) => Box::new(io::stdout()),
    }
}
