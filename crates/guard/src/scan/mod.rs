//! Files that hold commands: which kinds there are, and what each holds.

mod justfile;
mod makefile;
mod package_json;
mod process_compose;
mod script;
mod workflow;

use std::path::Path;

use crate::finding::Finding;
use crate::judge::Judge;
use crate::shell::{Place, Text, TooDeep, Word};

/// A kind of file that holds commands. Prose, Markdown above all, is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Shell,
    /// A file without an ending: a shell script if its first line says so.
    Script,
    Justfile,
    Makefile,
    PackageJson,
    ProcessCompose,
    Workflow,
}

/// Something in a file that the rules are held against.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Shell text.
    Text(Text),
    /// An argument vector.
    Words(Vec<Word>),
    /// An action of a workflow.
    Uses(String, Place),
}

/// A file that is not what its name says.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScanError {
    #[error("{line}:{column}: {message}")]
    Parse { line: u32, column: u32, message: String },
    #[error(transparent)]
    TooDeep(#[from] TooDeep),
}

impl Kind {
    /// The kind that a path says.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let lower = name.to_ascii_lowercase();
        let ending = lower.rsplit_once('.').map(|(_, ending)| ending);
        match lower.as_str() {
            ".envrc" => return Some(Self::Shell),
            "justfile" | ".justfile" => return Some(Self::Justfile),
            "makefile" | "gnumakefile" => return Some(Self::Makefile),
            "package.json" => return Some(Self::PackageJson),
            "action.yml" | "action.yaml" => return Some(Self::Workflow),
            _ => {}
        }
        if composefile::is_named_for_process_compose(name) {
            return Some(Self::ProcessCompose);
        }
        match ending {
            Some("sh" | "bash" | "zsh" | "ksh") => Some(Self::Shell),
            Some("just") => Some(Self::Justfile),
            Some("mk") => Some(Self::Makefile),
            Some("yml" | "yaml") if is_in_workflows(path) => Some(Self::Workflow),
            Some(_) => None,
            None => Some(Self::Script),
        }
    }

    /// What a file of this kind holds.
    pub(crate) fn pieces(self, text: &str) -> Result<Vec<Piece>, ScanError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match self {
            Self::Shell => Ok(script::pieces(text, true)),
            Self::Script => Ok(script::pieces(text, false)),
            Self::Justfile => Ok(justfile::pieces(text)),
            Self::Makefile => Ok(makefile::pieces(text)),
            Self::PackageJson => package_json::pieces(text),
            Self::ProcessCompose => process_compose::pieces(text),
            Self::Workflow => workflow::pieces(text),
        }
    }

    /// What is against the rules in a file of this kind, in the order of the file.
    pub(crate) fn judge(
        self,
        judge: &Judge<'_>,
        path: &Path,
        text: &str,
    ) -> Result<Vec<Finding>, ScanError> {
        let mut findings = Vec::new();
        for piece in self.pieces(text)? {
            findings.extend(match piece {
                Piece::Text(text) => judge.text(&text, Some(path))?,
                Piece::Words(words) => judge.words(&words, Some(path))?,
                Piece::Uses(action, place) => judge.uses(&action, place, path),
            });
        }
        findings.sort_by(|a, b| (a.place, a.rule, &a.text).cmp(&(b.place, b.rule, &b.text)));
        // A value behind several aliases is one value.
        findings.dedup();
        Ok(findings)
    }
}

/// Whether a file is a workflow of GitHub or of what is modelled on it.
fn is_in_workflows(path: &Path) -> bool {
    let mut above = path.components().rev().skip(1).map(std::path::Component::as_os_str);
    let is_workflows = above.next().is_some_and(|name| name == "workflows");
    let host = above.next().and_then(|name| name.to_str());
    is_workflows && matches!(host, Some(".github" | ".gitea" | ".forgejo"))
}

/// A line and a column, from numbers that fit every file that is read.
fn place(line: usize, column: usize) -> Place {
    let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
    Place::at(number(line), number(column))
}

/// Where a YAML value begins; each later line of a block stands as deep as the first.
fn yaml_place(line: u32, column: u32, written: &str, value: &str) -> Place {
    let is_block = value.contains('\n') && !written.starts_with(['"', '\'']);
    Place { line, column, indent: if is_block { column.saturating_sub(1) } else { 0 } }
}

#[cfg(test)]
mod tests;
