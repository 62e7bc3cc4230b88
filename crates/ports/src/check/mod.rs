//! `ports check`.

mod duplicates;
mod live;
mod rules;
mod system;

use std::collections::HashSet;

use cli::{Exit, Io};
use portreg::{Entry, Listing, Policy, PortPath};
use serde::Serialize;

use self::live::Live;
use self::system::System;
use crate::args::{CheckArgs, ReportForm};
use crate::error::PortsError;
use crate::finding::{self, Finding, FindingRecord, Level};
use crate::plan::{Plan, note_asked};

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Report {
    findings: Vec<FindingRecord>,
    errors: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<Vec<live::State>>,
}

pub(crate) fn run(plan: &Plan, args: &CheckArgs, io: &mut Io) -> Result<Exit, PortsError> {
    let mut registry = plan.open(io)?;
    let policy = plan.policy()?;
    let system = System::read(&args.system)?;
    let mut listing = registry.list()?;
    note_asked(&registry, io);
    let mut findings = findings(&mut listing, &policy, &system);
    let mut states = None;
    if args.live {
        let offset = plan.offset(None, &mut registry, io)?;
        let checked = listing.entries.iter().filter(|entry| policy.checks("live", &entry.path));
        let live = Live::look(checked.map(|entry| (entry, offset.apply(entry))).collect())?;
        findings.extend(live.findings(args.expect));
        states = Some(live.states());
    }
    sort(&mut findings);
    let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
    if args.format == ReportForm::Json {
        let findings = findings.iter().map(Finding::record).collect();
        let report = Report { findings, errors, live: states };
        let text = serde_json::to_string_pretty(&report).map_err(PortsError::Json)?;
        cli::outln!(io, "{text}")?;
    } else {
        finding::print(&findings, args.format, registry.file(), io)?;
    }
    // What has no value may be a duplicate: the answer is not whole.
    let whole = listing.problems.is_empty();
    for problem in listing.problems {
        io.error(&PortsError::from(problem));
    }
    Ok(match (whole, errors) {
        (false, _) => Exit::Trouble,
        (true, 0) => Exit::Done,
        (true, _) => Exit::No,
    })
}

/// What is wrong with the registry itself. Problems that are one are taken out of the listing.
fn findings(listing: &mut Listing, policy: &Policy, system: &System) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        listing.problems.iter().chain(&listing.others).filter_map(rules::no_port).collect();
    listing.problems.retain(|problem| rules::no_port(problem).is_none());
    let mut entries: Vec<&Entry> = listing.entries.iter().collect();
    entries.sort_by(|a, b| a.place.cmp(&b.place).then_with(|| a.path.cmp(&b.path)));
    findings.extend(duplicates::find(&entries, policy));
    findings.extend(rules::bands(&entries, policy));
    findings.extend(rules::system(&entries, system));
    findings.extend(rules::services(&entries, system));
    findings.retain(|finding| policy.checks(finding.rule, &finding.path));
    findings
}

/// What is wrong with the entry that has `path`, new or with a new number. `known` are the entries before, some of which
/// only Nix can evaluate.
pub(crate) fn conflicts(
    after: Vec<Entry>,
    known: Vec<Entry>,
    path: &PortPath,
    policy: &Policy,
) -> Vec<Finding> {
    let has_path = |entry: &Entry| {
        path.is_in(&entry.path) || entry.ends.as_ref().is_some_and(|ends| ends.contains(path))
    };
    let (new, mut all): (Vec<Entry>, Vec<Entry>) = after.into_iter().partition(has_path);
    let paths: HashSet<PortPath> = all.iter().map(|entry| entry.path.clone()).collect();
    all.extend(known.into_iter().filter(|e| !paths.contains(&e.path) && !has_path(e)));
    // It comes last, so that it is what a finding is about.
    let entries: Vec<&Entry> = all.iter().chain(&new).collect();
    let mut findings = duplicates::find(&entries, policy);
    findings.extend(rules::bands(&entries, policy));
    findings.retain(|finding| {
        new.iter().any(|entry| entry.path == finding.path)
            && policy.checks(finding.rule, &finding.path)
    });
    findings
}

/// The order of the text.
fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let key = |finding: &Finding| (finding.place.is_none(), finding.place.clone());
        (key(a), a.rule, &a.path, &a.message).cmp(&(key(b), b.rule, &b.path, &b.message))
    });
}
