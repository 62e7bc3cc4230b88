//! Evaluation to JSON, without a store.

use std::path::PathBuf;

use serde_json::Value;

use crate::command::Command;
use crate::{Nix, NixError, Observer};

/// An evaluation: a file or an expression, and the attribute to take.
#[derive(Debug, Clone)]
pub struct Eval {
    source: Source,
    attr: Option<String>,
}

#[derive(Debug, Clone)]
enum Source {
    File(PathBuf),
    Expression(String),
}

impl Eval {
    /// Evaluates a file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { source: Source::File(path.into()), attr: None }
    }

    /// Evaluates an expression.
    pub fn expression(text: impl Into<String>) -> Self {
        Self { source: Source::Expression(text.into()), attr: None }
    }

    /// Takes one attribute of the value, `a.b.c`.
    #[must_use]
    pub fn attr(mut self, path: impl Into<String>) -> Self {
        self.attr = Some(path.into());
        self
    }

    fn command(&self, nix: &Nix) -> Command {
        // `nix-instantiate` needs no experimental feature, and the dummy store neither a daemon nor
        // a writable disk; both hold for 2.8 and everything later.
        let mut command = Command::new("nix-instantiate")
            .args(["--eval", "--strict", "--json", "--store", "dummy://"]);
        if let Some(attr) = &self.attr {
            command = command.args(["-A", attr.as_str()]);
        }
        match &self.source {
            // An absolute path is never taken for an option.
            Source::File(path) => command.args([nix.cwd().join(path)]),
            Source::Expression(text) => command.args(["-E", text.as_str()]),
        }
    }
}

impl Nix {
    /// Evaluates to JSON, strictly and without a store.
    ///
    /// # Errors
    /// When nix is missing, refuses the expression (its stderr is in the error) or does not end.
    pub fn eval(&self, eval: &Eval, observer: &mut dyn Observer) -> Result<Value, NixError> {
        let command = eval.command(self);
        let reply = self.query(&command, observer)?;
        serde_json::from_slice(&reply)
            .map_err(|source| NixError::Json { command: command.to_string(), source })
    }
}
