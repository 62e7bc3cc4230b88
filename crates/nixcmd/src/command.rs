//! One command: its words, and how people see them.

use std::ffi::{OsStr, OsString};
use std::fmt;

use crate::redact::redact;

/// A program of Nix and its arguments.
///
/// Displayed as one line that a shell reads back, apart from blanked credentials.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) program: &'static str,
    pub(crate) args: Vec<OsString>,
}

impl Command {
    pub(crate) fn new(program: &'static str) -> Self {
        Self { program, args: Vec::new() }
    }

    /// Starts a command of the newer command line, which is switched off by default.
    pub(crate) fn nix(verb: &str) -> Self {
        Self::new("nix").args(["--extra-experimental-features", "nix-command", verb])
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program)?;
        for arg in &self.args {
            write!(f, " {}", quoted(&redact(&arg.to_string_lossy())))?;
        }
        Ok(())
    }
}

/// Quotes a word for a POSIX shell where it needs quotes.
fn quoted(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,^".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        word.to_owned()
    } else {
        // A control byte would move the cursor of whoever reads it.
        let shown: String = word
            .chars()
            .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
            .collect();
        format!("'{}'", shown.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_a_shell_line() {
        let command =
            Command::nix("eval").args(["", "a b", "it's", "x#y", "/nix/store", "a\u{1b}[1m"]);
        assert_eq!(
            command.to_string(),
            r"nix --extra-experimental-features nix-command eval '' 'a b' 'it'\''s' 'x#y' /nix/store 'a\u{1b}[1m'"
        );
        let command = Command::new("nix-store").args(["--store", "https://me:pw@host/x"]);
        assert_eq!(command.to_string(), "nix-store --store 'https://***@host/x'");
    }
}
