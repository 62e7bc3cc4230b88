//! The baseline: findings that are tolerated, so that the rest can be refused from the first day.
//!
//! A finding is known by its file, its rule and its text, not by its line: moving it changes nothing. A second
//! one of the same text is a new one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::finding::Finding;
use crate::input::{self, ReadError};
use crate::policy::Policy;

/// The size above which a baseline is not read.
const MAX_BYTES: u64 = 16 << 20;

const HEAD: &str = "\
# Findings that guard tolerates until someone ends them; new ones are refused.
# Written by `guard baseline --write`: run it again when it gets shorter.
";

/// Findings, and how many of each are tolerated.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Baseline(BTreeMap<Entry, u64>);

/// What a finding is known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    file: String,
    rule: String,
    text: String,
}

/// A baseline that cannot be had, or not be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BaselineError {
    #[error("failed to read the baseline")]
    Read(#[source] ReadError),
    #[error("`{}` is no baseline: {message}", path.display())]
    Parse { path: PathBuf, message: String },
    #[error("failed to write the baseline `{}`", path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    tolerated: Vec<Tolerated>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tolerated {
    file: String,
    rule: String,
    text: String,
    #[serde(default = "one")]
    count: u64,
}

fn one() -> u64 {
    1
}

impl Entry {
    fn of(finding: &Finding, policy: &Policy) -> Option<Self> {
        let file = policy.relative(finding.file.as_deref()?).to_string_lossy().into_owned();
        let rule = finding.rule_of(policy)?.id.clone();
        Some(Self { file, rule, text: finding.text.clone() })
    }
}

impl Baseline {
    /// Makes a baseline of everything that was found.
    pub(crate) fn of(findings: &[Finding], policy: &Policy) -> Self {
        let mut counts = BTreeMap::new();
        for entry in findings.iter().filter_map(|finding| Entry::of(finding, policy)) {
            *counts.entry(entry).or_default() += 1;
        }
        Self(counts)
    }

    /// Reads a baseline; one that is not there tolerates nothing.
    pub(crate) fn read(path: &Path) -> Result<Self, BaselineError> {
        let text = match input::read(path, MAX_BYTES) {
            Ok(text) => text,
            Err(ReadError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(BaselineError::Read(error)),
        };
        Self::parse(&text)
            .map_err(|message| BaselineError::Parse { path: path.to_owned(), message })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| {
            let (line, column) =
                input::line_and_column(text, error.span().map_or(0, |span| span.start));
            format!("{line}:{column}: {}", error.message())
        })?;
        let entries = file.tolerated.into_iter().map(|entry| {
            (Entry { file: entry.file, rule: entry.rule, text: entry.text }, entry.count)
        });
        Ok(Self(entries.collect()))
    }

    /// Leaves only the findings that are not tolerated; answers how many are tolerated that are not there.
    pub(crate) fn keep_new(&self, findings: &mut Vec<Finding>, policy: &Policy) -> u64 {
        let mut left = self.0.clone();
        findings.retain(|finding| {
            let count = Entry::of(finding, policy).and_then(|entry| left.get_mut(&entry));
            match count {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    false
                }
                _ => true,
            }
        });
        left.values().sum()
    }

    /// The file that keeps it.
    pub(crate) fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for (entry, count) in &self.0 {
            let Entry { file, rule, text: what } = entry;
            let quoted = |value: &str| toml::Value::String(value.to_owned()).to_string();
            let (file, what) = (quoted(file), quoted(what));
            let _ =
                write!(text, "\n[[tolerated]]\nfile = {file}\nrule = \"{rule}\"\ntext = {what}\n");
            if *count > 1 {
                let _ = writeln!(text, "count = {count}");
            }
        }
        text
    }

    /// How many findings are tolerated.
    pub(crate) fn len(&self) -> u64 {
        self.0.values().sum()
    }

    /// Writes it beside its place, then moves it there.
    pub(crate) fn write(&self, path: &Path) -> Result<(), BaselineError> {
        let failed = |source| BaselineError::Write { path: path.to_owned(), source };
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        // It is a file to commit, so it is as readable as the umask lets others be.
        let everyone = std::fs::Permissions::from_mode(0o666);
        let mut file =
            tempfile::Builder::new().permissions(everyone).tempfile_in(folder).map_err(failed)?;
        file.write_all(self.text().as_bytes()).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}
