//! What is wrong, and the forms in which it is said.

use std::fmt::Write as _;
use std::path::Path;

use cli::{Io, escape};
use portreg::{Place, PortPath};
use serde::Serialize;

use crate::args::ReportForm;
use crate::error::PortsError;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Error,
    Info,
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Info => "info",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) rule: &'static str,
    pub(crate) level: Level,
    pub(crate) path: PortPath,
    pub(crate) place: Option<Place>,
    pub(crate) message: String,
    /// What it disagrees with.
    pub(crate) other: Option<Other>,
}

/// The other side of a finding: another port, or a line of a file.
#[derive(Debug, Clone)]
pub(crate) struct Other {
    pub(crate) path: Option<PortPath>,
    pub(crate) place: Option<Place>,
}

/// A finding as JSON. Fields are only ever added.
#[derive(Debug, Serialize)]
pub(crate) struct FindingRecord {
    rule: &'static str,
    level: &'static str,
    path: String,
    message: String,
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<OtherRecord>,
}

#[derive(Debug, Serialize)]
struct OtherRecord {
    path: Option<String>,
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
}

fn file(place: Option<&Place>) -> Option<String> {
    place.map(|place| place.file.to_string_lossy().into_owned())
}

impl Finding {
    pub(crate) fn record(&self) -> FindingRecord {
        let place = self.place.as_ref();
        FindingRecord {
            rule: self.rule,
            level: self.level.name(),
            path: self.path.to_string(),
            message: self.message.clone(),
            file: file(place),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            other: self.other.as_ref().map(|other| {
                let place = other.place.as_ref();
                OtherRecord {
                    path: other.path.as_ref().map(PortPath::to_string),
                    file: file(place),
                    line: place.map(|place| place.line),
                    column: place.map(|place| place.column),
                }
            }),
        }
    }

    /// What is said of it, with the registry in place of a place that is not known.
    fn said(&self, registry: &Path) -> Said {
        let place = self.place.as_ref();
        Said {
            rule: self.rule,
            level: self.level,
            file: place.map_or(registry, |place| &place.file).to_string_lossy().into_owned(),
            at: place.map(|place| (place.line, place.column)),
            message: self.message.clone(),
        }
    }
}

/// One line about one place in a file.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) rule: &'static str,
    pub(crate) level: Level,
    pub(crate) file: String,
    /// Line and column, from 1.
    pub(crate) at: Option<(u32, u32)>,
    pub(crate) message: String,
}

impl Said {
    /// `lib/ports.nix:3:5: error P001: …`
    pub(crate) fn human(&self) -> String {
        // A line feed in a name would make two lines of one.
        let mut line = self.file.replace('\n', "\\n");
        if let Some((at, column)) = self.at {
            let _ = write!(line, ":{at}:{column}");
        }
        let _ = write!(line, ": {} {}: {}", self.level.name(), self.rule, self.message);
        escape(&line).to_string()
    }

    /// A workflow command: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.
    pub(crate) fn github(&self) -> String {
        let command = if self.level == Level::Error { "error" } else { "notice" };
        let mut properties = format!("file={}", property(&self.file));
        if let Some((line, column)) = self.at {
            let _ = write!(properties, ",line={line},col={column}");
        }
        let title = property(&format!("ports: {}", self.rule));
        format!("::{command} {properties},title={title}::{}", data(&self.message))
    }
}

/// Prints findings a line each; JSON is the caller's, who knows what else belongs to it.
pub(crate) fn print(
    findings: &[Finding],
    form: ReportForm,
    registry: &Path,
    io: &mut Io,
) -> Result<(), PortsError> {
    for finding in findings {
        match form {
            ReportForm::Github => cli::outln!(io, "{}", finding.said(registry).github())?,
            ReportForm::Human | ReportForm::Json => {
                cli::outln!(io, "{}", finding.said(registry).human())?;
            }
        }
    }
    Ok(())
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
