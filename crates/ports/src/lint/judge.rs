//! What was found in files, held against the registry.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portreg::{
    Entry, Listing, Policy, PortPath, Ports, Registry, RegistryError, Template, did_you_mean,
};

use super::allow::{Excuse, excuse};
use super::annotation::Annotation;
use super::page::Page;
use super::scan::{Form, Literal};
use super::sheet::Sheet;

/// The rules.
pub(crate) const WRITTEN_OUT: &str = "L001";
const NO_SUCH_PORT: &str = "L002";
pub(crate) const OTHER_NUMBER: &str = "L003";
const NOT_BELOW: &str = "L004";

/// One thing that is wrong.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) rule: &'static str,
    pub(crate) file: PathBuf,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) port: u16,
    /// What the registry calls the number, or what an annotation names.
    pub(crate) paths: Vec<PortPath>,
    pub(crate) message: String,
    /// The variable that it is the default of.
    pub(crate) default_of: Option<String>,
}

/// The registry, as files are held against it.
#[derive(Debug)]
pub(crate) struct Known {
    /// As it was named.
    file: PathBuf,
    entries: Vec<Entry>,
    variables: BTreeMap<String, usize>,
    policy: Policy,
    top: PathBuf,
    /// The files that the registry is made of.
    sources: Vec<PathBuf>,
    /// Ports of other machines count too.
    remote: bool,
}

/// What an annotation is, beside the registry.
#[derive(Debug)]
pub(crate) enum Named {
    /// The number that its path has.
    Port(u16),
    /// Why there is none.
    Nothing(String),
}

/// What is wrong in one file.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) findings: Vec<Finding>,
    /// Lines, from 1, with an excuse that gives no reason.
    pub(crate) unreasoned: Vec<usize>,
}

impl Known {
    pub(crate) fn new(
        registry: &Registry<'_>,
        listing: &Listing,
        policy: Policy,
        top: &Path,
        remote: bool,
    ) -> Self {
        let template = Template::default();
        let entries = listing.entries.clone();
        let name = |(index, entry): (usize, &Entry)| (template.name("", &entry.path), index);
        let variables = entries.iter().enumerate().map(name).collect();
        let places = entries.iter().filter_map(|entry| entry.place.as_ref());
        let mut sources: Vec<PathBuf> = places.map(|place| place.file.clone()).collect();
        sources.push(registry.file().to_owned());
        sources.sort();
        sources.dedup();
        let sources = sources.iter().filter_map(|file| fs_err::canonicalize(file).ok()).collect();
        let (file, top) = (registry.file().to_owned(), top.to_owned());
        Self { file, entries, variables, policy, top, sources, remote }
    }

    /// Whether ports may stand in a file.
    pub(crate) fn allows(&self, file: &Path) -> bool {
        let below = file.strip_prefix(&self.top).unwrap_or(file);
        self.policy.allows_file(below)
            || fs_err::canonicalize(file).is_ok_and(|file| self.sources.contains(&file))
    }

    /// What is wrong in a file; `asked` is the registry once more, for single paths.
    pub(crate) fn judge(&self, sheet: &Sheet, asked: &mut Registry<'_>) -> Judged {
        let mut judged = Judged::default();
        if self.allows(&sheet.path) {
            return judged;
        }
        let page = sheet.page();
        let mut answers = Answers::default();
        let mut covered = vec![false; sheet.literals.len()];
        for annotation in &sheet.annotations {
            let named = answers.named(annotation, asked);
            if let Some(finding) = mismatch(sheet, &page, annotation, named) {
                judged.add(&page, annotation.line, finding);
            }
            for index in annotation.is_about(&page, &sheet.literals) {
                let port = sheet.literals[index].port;
                let is_its = port == annotation.port
                    || matches!(named, Named::Port(number) if *number == port);
                covered[index] |= is_its;
            }
        }
        for (literal, is_covered) in sheet.literals.iter().zip(covered) {
            if !is_covered && let Some(finding) = self.literal(sheet, &page, literal) {
                judged.add(&page, page.line_of(literal.at.start), finding);
            }
        }
        judged.findings.sort_by_key(|finding| (finding.line, finding.column));
        judged.unreasoned.sort_unstable();
        judged.unreasoned.dedup();
        judged
    }

    fn literal(&self, sheet: &Sheet, page: &Page<'_>, literal: &Literal) -> Option<Finding> {
        let port = literal.port;
        if self.policy.allows_number(port) || (literal.form == Form::Remote && !self.remote) {
            return None;
        }
        let paths: Vec<PortPath> = self
            .entries
            .iter()
            .filter(|entry| entry.ports.contains(port))
            .map(|entry| entry.path.clone())
            .collect();
        if literal.form == Form::IfRegistered && paths.is_empty() {
            return None;
        }
        let message = self.message(sheet, literal, &paths);
        let found = finding(sheet, page, literal.at.start, WRITTEN_OUT, port, paths, message);
        let default_of = match &literal.form {
            Form::DefaultOf(variable) => Some(variable.clone()),
            _ => None,
        };
        Some(Finding { default_of, ..found })
    }

    fn message(&self, sheet: &Sheet, literal: &Literal, paths: &[PortPath]) -> String {
        let port = literal.port;
        let registry = self.file.display();
        if let Form::DefaultOf(variable) = &literal.form
            && let Some(entry) =
                self.variables.get(variable).and_then(|index| self.entries.get(*index))
            && !entry.ports.contains(port)
        {
            let (path, number) = (&entry.path, &entry.ports);
            return format!(
                "{port} is what `{variable}` is by default, but `{path}` is {number}: use `ports get {path}`"
            );
        }
        let Some(first) = paths.first() else {
            return format!(
                "{port} is not in `{registry}`: put it there, and use `ports get PATH`"
            );
        };
        let names: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
        let way = match &literal.form {
            Form::DefaultOf(variable) => {
                format!("`${{{variable}}}` without a default, set by `ports env` or `ports export`")
            }
            _ if sheet.is_nix() => {
                format!("`ports.{first}` of `{registry}`, or `ports get {first}`")
            }
            _ => format!("`ports get {first}`"),
        };
        format!("{port} is {}: use {way}", names.join(" and "))
    }
}

/// What the registry said of the paths of annotations: each is asked for once.
#[derive(Debug, Default)]
pub(crate) struct Answers(BTreeMap<PortPath, Named>);

impl Answers {
    pub(crate) fn named(&mut self, annotation: &Annotation, registry: &mut Registry<'_>) -> &Named {
        let path = annotation.path.clone();
        self.0.entry(path).or_insert_with(|| named(annotation, registry))
    }
}

fn named(annotation: &Annotation, registry: &mut Registry<'_>) -> Named {
    let path = &annotation.path;
    match registry.get(path) {
        Ok(Entry { ports: Ports::One(number), .. }) => Named::Port(number),
        Ok(Entry { ports, .. }) => {
            Named::Nothing(format!("`{path}` is {ports}, and an annotation is of one number"))
        }
        Err(RegistryError::Unknown { file, near, .. }) => {
            let meant = did_you_mean(&near).map_or(String::new(), |meant| format!("; {meant}"));
            Named::Nothing(format!("no port `{path}` in `{}`{meant}", file.display()))
        }
        Err(error) => Named::Nothing(error.to_string()),
    }
}

/// What is wrong with an annotation.
fn mismatch(
    sheet: &Sheet,
    page: &Page<'_>,
    annotation: &Annotation,
    named: &Named,
) -> Option<Finding> {
    let Annotation { path, port, .. } = annotation;
    let (rule, message) = match named {
        Named::Nothing(why) => (NO_SUCH_PORT, why.clone()),
        Named::Port(number) if number != port => (
            OTHER_NUMBER,
            format!(
                "`{path}` is {number}, not {port}: `ports lint --fix-annotations` writes it here and below"
            ),
        ),
        Named::Port(_) if annotation.lacks(page, *port) => {
            (NOT_BELOW, format!("{port}, which is `{path}`, is not in the lines below"))
        }
        Named::Port(_) => return None,
    };
    let paths = vec![path.clone()];
    Some(finding(sheet, page, annotation.at.start, rule, *port, paths, message))
}

impl Judged {
    /// Takes a finding, unless it is excused where it stands.
    fn add(&mut self, page: &Page<'_>, line: usize, finding: Finding) {
        match excuse(page, line) {
            Excuse::Given => return,
            Excuse::WithoutReason(line) => self.unreasoned.push(line + 1),
            Excuse::None => {}
        }
        self.findings.push(finding);
    }
}

fn finding(
    sheet: &Sheet,
    page: &Page<'_>,
    at: usize,
    rule: &'static str,
    port: u16,
    paths: Vec<PortPath>,
    message: String,
) -> Finding {
    let (line, column) = page.place(at);
    let file = sheet.path.clone();
    Finding { rule, file, line, column, port, paths, message, default_of: None }
}
