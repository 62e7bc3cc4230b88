//! What is wrong with a project, and where.

use std::fmt;
use std::path::Path;

use cli::{Exit, Failure};
use composefile::{Source, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Nothing can run.
    Error,
    /// An error in strict projects and for `pc check`, a warning otherwise.
    Strict,
    /// A warning, and no mistake in the files.
    Warning,
    /// Only `pc check` tells.
    Hint,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where; none for the project as a whole.
    pub(crate) span: Option<Span>,
    /// How bad it is.
    pub(crate) level: Level,
    /// Its kind, as `--allow` names it.
    pub(crate) id: &'static str,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(
        level: Level,
        id: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> Self {
        Self { span: Some(span), level, id, message: message.into(), hint: None }
    }

    pub(crate) fn of_project(level: Level, id: &'static str, message: impl Into<String>) -> Self {
        Self { span: None, level, id, message: message.into(), hint: None }
    }

    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The problem with its place in words.
    pub(crate) fn placed(&self, sources: &[Source], folder: &Path) -> Placed {
        let place = self.span.and_then(|span| place(span, sources, folder));
        Placed { place, message: self.message.clone(), hint: self.hint.clone() }
    }
}

/// `file:line:column` of a span.
pub(crate) fn place(span: Span, sources: &[Source], folder: &Path) -> Option<String> {
    let source = sources.get(span.file.0)?;
    let path = source.path.strip_prefix(folder).unwrap_or(&source.path);
    Some(format!("{}:{}:{}", path.display(), span.line, span.column))
}

/// A problem that knows its place in words.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) place: Option<String>,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl fmt::Display for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Placed {}

impl Failure for Placed {
    fn exit(&self) -> Exit {
        Exit::No
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}
