//! Findings as people, programs and GitHub read them.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::alternative::{Alternative, Alternatives};
use crate::finding::{Finding, shown};
use crate::policy::{Level, Policy, Rule};

/// A finding with everything that is said about it.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    rule: &'a Rule,
    finding: &'a Finding,
    file: Option<String>,
    alternative: Alternative,
}

/// How many findings of each level there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) refused: usize,
    pub(crate) warnings: usize,
}

#[derive(Serialize)]
struct Report<'a> {
    findings: Vec<Entry<'a>>,
    refused: usize,
    warnings: usize,
}

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    rule: &'a str,
    level: &'a str,
    what: &'a str,
    text: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instead: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    processes: Vec<&'a str>,
}

/// Everything about each finding; paths are shown from `folder`.
pub(crate) fn lines<'a>(
    policy: &'a Policy,
    folder: &Path,
    findings: &'a [Finding],
) -> Vec<Line<'a>> {
    let mut alternatives = Alternatives::new(policy, folder);
    let lines = findings.iter().filter_map(|finding| {
        let file = finding.file.as_deref().map(|file| display(policy, folder, file));
        let alternative = alternatives.of(finding);
        Some(Line { rule: finding.rule_of(policy)?, finding, file, alternative })
    });
    lines.collect()
}

pub(crate) fn counts(lines: &[Line<'_>]) -> Counts {
    let refused = lines.iter().filter(|line| line.rule.level == Level::Deny).count();
    Counts { refused, warnings: lines.len() - refused }
}

/// A path as it is shown: from the working folder, else from the policy's, when it is below one of them.
pub(crate) fn display(policy: &Policy, folder: &Path, file: &Path) -> String {
    let short = file.strip_prefix(folder).unwrap_or_else(|_| policy.relative(file));
    shown(&short.to_string_lossy())
}

impl Line<'_> {
    /// `file:3:1: deny docker-build: …`
    pub(crate) fn human(&self) -> String {
        let Self { rule, finding, file, .. } = self;
        let mut line = file.clone().unwrap_or_default();
        if let Some(place) = finding.place {
            let separator = if line.is_empty() { "" } else { ":" };
            let _ = write!(line, "{separator}{}:{}", place.line, place.column);
        }
        let _ = write!(line, ": {} {}: {}", rule.level.name(), rule.id, self.sentence());
        line
    }

    /// What is refused, why, and what to do instead.
    pub(crate) fn sentence(&self) -> String {
        let what = shown(&self.finding.what);
        let mut sentence = format!("`{what}`: {}", self.rule.message);
        if let Some(instead) = self.instead() {
            let _ = write!(sentence, "; instead: {instead}");
        }
        sentence
    }

    /// What is refused and why, for an agent.
    pub(crate) fn refusal(&self) -> String {
        let what = shown(&self.finding.what);
        let verb = if self.is_refusal() { "is refused" } else { "is advised against" };
        format!("`{what}` {verb} by the rule `{}`: {}", self.rule.id, self.rule.message)
    }

    /// What an agent should do instead.
    pub(crate) fn instead(&self) -> Option<String> {
        let instead = self.alternative.instead.as_ref()?;
        let what = shown(&self.finding.what);
        let processes = self.named_processes().map(|named| format!("`{what}` is {named}: "));
        Some(format!("{}{instead}", processes.unwrap_or_default()))
    }

    fn named_processes(&self) -> Option<String> {
        let names: Vec<String> =
            self.alternative.processes.iter().map(|name| format!("`{}`", shown(name))).collect();
        (!names.is_empty()).then(|| format!("process {}", names.join(" or ")))
    }

    /// A workflow command: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.
    pub(crate) fn github(&self) -> String {
        let command = if self.rule.level == Level::Deny { "error" } else { "warning" };
        let mut properties = Vec::new();
        // Without a file there is no line to show it at.
        if let Some(file) = &self.file {
            properties.push(format!("file={}", property(file)));
        }
        if let Some(place) = self.finding.place.filter(|_| self.file.is_some()) {
            properties.push(format!("line={},col={}", place.line, place.column));
        }
        properties.push(format!("title={}", property(&format!("guard: {}", self.rule.id))));
        format!("::{command} {}::{}", properties.join(","), data(&self.sentence()))
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            file: self.file.as_deref(),
            line: self.finding.place.map(|place| place.line),
            column: self.finding.place.map(|place| place.column),
            rule: &self.rule.id,
            level: self.rule.level.name(),
            what: &self.finding.what,
            text: &self.finding.text,
            message: &self.rule.message,
            instead: self.alternative.instead.as_deref(),
            processes: self.alternative.processes.iter().map(String::as_str).collect(),
        }
    }

    /// Whether it refuses, and does not only warn.
    pub(crate) fn is_refusal(&self) -> bool {
        self.rule.level == Level::Deny
    }
}

/// All findings as one JSON value.
pub(crate) fn json(lines: &[Line<'_>]) -> Result<String, serde_json::Error> {
    let Counts { refused, warnings } = counts(lines);
    serde_json::to_string(&Report {
        findings: lines.iter().map(Line::entry).collect(),
        refused,
        warnings,
    })
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
