//! `ports lint`: ports that are written out where the registry should be asked.

mod allow;
mod annotation;
mod fix;
mod hint;
mod judge;
mod kind;
mod name;
mod nix;
mod page;
mod scan;
mod select;
mod sheet;

use std::path::{Component, Path, PathBuf};

use cli::{Exit, Io};
use serde::Serialize;

use self::fix::Fixed;
use self::judge::{Finding, Judged, Known, OTHER_NUMBER, WRITTEN_OUT};
use self::select::{Selected, Selection};
pub(crate) use self::{fix::FixError, select::Fault};
use crate::args::{LintArgs, ReportForm};
use crate::error::PortsError;
use crate::finding::{Level, Said};
use crate::plan::{Plan, note_asked};

/// What `--format json` prints. Fields are only ever added.
#[derive(Debug, Serialize)]
struct Report {
    findings: Vec<FindingRecord>,
    fixed: Vec<FixedRecord>,
    errors: usize,
}

#[derive(Debug, Serialize)]
struct FindingRecord {
    rule: &'static str,
    level: &'static str,
    file: String,
    line: u32,
    column: u32,
    port: u16,
    paths: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_of: Option<String>,
    message: String,
}

#[derive(Debug, Serialize)]
struct FixedRecord {
    file: String,
    line: u32,
    column: u32,
    path: String,
    from: u16,
    to: u16,
}

/// All that a run found and did.
#[derive(Debug, Default)]
struct Outcome {
    findings: Vec<Finding>,
    fixed: Vec<(PathBuf, Fixed)>,
    unreasoned: Vec<(PathBuf, usize)>,
    /// Whether everything could be looked at.
    whole: bool,
}

pub(crate) fn run(
    plan: impl Fn(&Io) -> Result<Plan, PortsError>,
    args: &LintArgs,
    io: &mut Io,
) -> Result<Exit, PortsError> {
    let selection = if args.staged {
        Selection::Staged
    } else if args.paths.is_empty() {
        Selection::All
    } else {
        Selection::Paths(args.paths.clone())
    };
    let folder = io.env.cwd().to_owned();
    let mut selected = selection.read(&folder)?;
    let mut outcome = Outcome { whole: selected.faults.is_empty(), ..Outcome::default() };
    for fault in selected.faults.drain(..) {
        io.error(&PortsError::from(fault));
    }
    // Where no port is written out, no registry is needed.
    if !selected.sheets.is_empty() {
        outcome.judge(&plan(io)?, selected, args, io)?;
    }
    outcome.print(args.format, &Shown { folder: &folder }, io)
}

impl Outcome {
    fn judge(
        &mut self,
        plan: &Plan,
        selected: Selected,
        args: &LintArgs,
        io: &Io,
    ) -> Result<(), PortsError> {
        let mut registry = plan.open(io)?;
        let listing = registry.list()?;
        let known = Known::new(&registry, &listing, plan.policy()?, &selected.top, args.remote);
        for mut sheet in selected.sheets {
            if args.fix_annotations && !known.allows(&sheet.path) {
                match fix::fix(&mut sheet, &mut registry) {
                    Ok(fixed) => {
                        self.fixed
                            .extend(fixed.into_iter().map(|fixed| (sheet.path.clone(), fixed)));
                    }
                    Err(error) => {
                        io.error(&PortsError::from(error));
                        self.whole = false;
                    }
                }
            }
            let Judged { findings, unreasoned } = known.judge(&sheet, &mut registry);
            self.findings.extend(findings);
            self.unreasoned.extend(unreasoned.into_iter().map(|line| (sheet.path.clone(), line)));
        }
        note_asked(&registry, io);
        for problem in listing.problems {
            io.error(&PortsError::from(problem));
            self.whole = false;
        }
        Ok(())
    }

    fn print(self, form: ReportForm, shown: &Shown<'_>, io: &mut Io) -> Result<Exit, PortsError> {
        if form == ReportForm::Json {
            let text =
                serde_json::to_string_pretty(&self.report(shown)).map_err(PortsError::Json)?;
            cli::outln!(io, "{text}")?;
        } else {
            for said in self.said(shown) {
                let line = if form == ReportForm::Github { said.github() } else { said.human() };
                cli::outln!(io, "{line}")?;
            }
        }
        // Where both streams go to one place, the findings come before what is said of them.
        io.out.finish()?;
        for (file, line) in &self.unreasoned {
            let file = shown.file(file);
            io.warn(format_args!(
                "{file}:{line}: `ports:allow` gives no reason, so it allows nothing"
            ));
        }
        if !self.findings.is_empty() {
            self.summary(io);
        }
        Ok(match (self.whole, self.findings.is_empty()) {
            (false, _) => Exit::Trouble,
            (true, true) => Exit::Done,
            (true, false) => Exit::No,
        })
    }

    fn said(&self, shown: &Shown<'_>) -> Vec<Said> {
        let fixed = self.fixed.iter().map(|(file, fixed)| Said {
            rule: OTHER_NUMBER,
            level: Level::Info,
            file: shown.file(file),
            at: Some((fixed.line, fixed.column)),
            message: format!("`{}` was {} and is {} now", fixed.path, fixed.from, fixed.to),
        });
        let findings = self.findings.iter().map(|finding| Said {
            rule: finding.rule,
            level: Level::Error,
            file: shown.file(&finding.file),
            at: Some((finding.line, finding.column)),
            message: finding.message.clone(),
        });
        fixed.chain(findings).collect()
    }

    fn report(&self, shown: &Shown<'_>) -> Report {
        let record = |finding: &Finding| FindingRecord {
            rule: finding.rule,
            level: Level::Error.name(),
            file: shown.file(&finding.file),
            line: finding.line,
            column: finding.column,
            port: finding.port,
            paths: finding.paths.iter().map(ToString::to_string).collect(),
            default_of: finding.default_of.clone(),
            message: finding.message.clone(),
        };
        let fixed = |(file, fixed): &(PathBuf, Fixed)| FixedRecord {
            file: shown.file(file),
            line: fixed.line,
            column: fixed.column,
            path: fixed.path.to_string(),
            from: fixed.from,
            to: fixed.to,
        };
        Report {
            findings: self.findings.iter().map(record).collect(),
            fixed: self.fixed.iter().map(fixed).collect(),
            errors: self.findings.len(),
        }
    }

    fn summary(&self, io: &Io) {
        let written = self.findings.iter().filter(|finding| finding.rule == WRITTEN_OUT).count();
        let others = self.findings.len() - written;
        let mut parts = Vec::new();
        match written {
            0 => {}
            1 => parts.push("1 port is written out".to_owned()),
            count => parts.push(format!("{count} ports are written out")),
        }
        match others {
            0 => {}
            1 => parts.push("1 annotation is wrong".to_owned()),
            count => parts.push(format!("{count} annotations are wrong")),
        }
        io.status(parts.join(", "));
    }
}

/// How files are named: from the working directory.
struct Shown<'a> {
    folder: &'a Path,
}

impl Shown<'_> {
    fn file(&self, file: &Path) -> String {
        let mut up = PathBuf::new();
        let mut folder = Some(self.folder);
        while let Some(above) = folder {
            if let Ok(below) = file.strip_prefix(above) {
                let below = below.components().filter(|part| *part != Component::CurDir);
                return up.join(below.collect::<PathBuf>()).to_string_lossy().into_owned();
            }
            up.push("..");
            folder = above.parent();
        }
        file.to_string_lossy().into_owned()
    }
}
