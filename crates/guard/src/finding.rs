//! What was found: a rule, a place, and what stands there.

use std::path::PathBuf;

use crate::policy::{Policy, Rule};
use crate::shell::Place;

/// How much of a command is kept.
const MAX_TEXT: usize = 200;

/// One thing that a rule is against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The rule, by its number in the policy.
    pub(crate) rule: usize,
    /// The file it stands in, or is; none for a command that was given.
    pub(crate) file: Option<PathBuf>,
    /// Where in the file; none for the file itself.
    pub(crate) place: Option<Place>,
    /// What the rule is against, in its normal form: `docker build`, `Dockerfile`.
    pub(crate) what: String,
    /// The whole command, or the path: with the rule and the file, what the baseline knows it by.
    pub(crate) text: String,
    /// The file that a command writes, where that is what the rule is against.
    pub(crate) target: Option<PathBuf>,
}

impl Finding {
    /// For a file that a command writes: that this file may not be there.
    pub(crate) fn of_target(&self, policy: &Policy) -> Option<Self> {
        let target = self.target.clone()?;
        let text = policy.relative(&target).to_string_lossy().into_owned();
        Some(Self { file: Some(target), place: None, text, target: None, ..self.clone() })
    }

    /// The rule in its policy.
    pub(crate) fn rule_of<'a>(&self, policy: &'a Policy) -> Option<&'a Rule> {
        policy.rules.get(self.rule)
    }
}

/// A text short enough to be shown on a line, on one line, with `…` for what only a running shell knows.
pub(crate) fn shown(text: &str) -> String {
    let one_line = text.replace(crate::shell::HOLE, "…").replace(['\n', '\r', '\t'], " ");
    match one_line.char_indices().nth(MAX_TEXT) {
        Some((at, _)) => format!("{}…", one_line.get(..at).unwrap_or_default()),
        None => one_line,
    }
}
