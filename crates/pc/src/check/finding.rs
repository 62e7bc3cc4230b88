//! One mistake, as it is told.

use std::fmt;

use serde::Serialize;

use crate::config::Project;
use crate::config::problem::Problem;

/// One mistake with its place in words.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// The file; none for the project as a whole.
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    /// Its kind, as `--allow` names it.
    id: &'static str,
    message: String,
    hint: Option<String>,
}

impl Finding {
    pub(super) fn of(problem: &Problem, project: &Project) -> Self {
        let source = problem.span.and_then(|span| project.sources.get(span.file.0));
        let file = source.map(|source| {
            let path = source.path.strip_prefix(&project.folder).unwrap_or(&source.path);
            path.display().to_string()
        });
        Self {
            file,
            line: problem.span.map(|span| span.line),
            column: problem.span.map(|span| span.column),
            id: problem.id,
            message: problem.message.clone(),
            hint: problem.hint.clone(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(file), Some(line), Some(column)) = (&self.file, self.line, self.column) {
            write!(f, "{}:{line}:{column}: ", cli::escape(file))?;
        }
        write!(f, "{}: {}", self.id, cli::escape(&self.message).replace('\n', "\\n"))?;
        match &self.hint {
            Some(hint) => write!(f, "; {}", cli::escape(hint).replace('\n', "\\n")),
            None => Ok(()),
        }
    }
}
