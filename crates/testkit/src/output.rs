//! What a run printed and answered, with assertions that show all of it when one fails.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use snapbox::IntoData as _;

/// The end of a run.
#[derive(Debug)]
pub struct Output {
    /// Stdout as text; bytes that are not UTF-8 are replaced. See [`Output::stdout_bytes`].
    pub stdout: String,
    /// Stderr as text.
    pub stderr: String,
    /// Stdout as it came.
    pub stdout_bytes: Vec<u8>,
    /// The exit code, or 128 + n for a signal n.
    pub code: i32,
    command: String,
}

impl Output {
    pub(crate) fn new(command: String, status: ExitStatus, stdout: Vec<u8>, stderr: &[u8]) -> Self {
        let signal = || status.signal().map_or(-1, |signal| 128 + signal);
        Self {
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(stderr).into_owned(),
            stdout_bytes: stdout,
            code: status.code().unwrap_or_else(signal),
            command,
        }
    }

    /// Asserts the exit code.
    #[must_use = "stdout and stderr are part of the answer"]
    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(
            self.code, expected,
            "exit code of {}\nstdout: {}\nstderr: {}",
            self.command, self.stdout, self.stderr
        );
        self
    }

    /// Asserts stdout, to the byte; `...` alone on a line stands for any lines, `[..]` for any part of one.
    #[must_use = "stderr is part of the answer"]
    #[track_caller]
    pub fn stdout(self, expected: &str) -> Self {
        self.compare("stdout", &self.stdout, expected);
        self
    }

    /// Asserts stderr, as [`Output::stdout`] does; the last assertion of the chain.
    #[track_caller]
    pub fn stderr(self, expected: &str) {
        self.compare("stderr", &self.stderr, expected);
    }

    #[track_caller]
    fn compare(&self, stream: &str, actual: &str, expected: &str) {
        let expected = expected.into_data();
        let assert = snapbox::Assert::new().normalize_paths(false);
        if let Err(difference) = assert.try_eq(Some(&stream), actual.into_data(), expected) {
            let Self { command, stdout, stderr, code, .. } = self;
            panic!("{command}\n{difference}\ncode {code}\nstdout: {stdout}\nstderr: {stderr}");
        }
    }
}
