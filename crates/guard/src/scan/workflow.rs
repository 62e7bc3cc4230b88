//! The steps of a workflow, or of a composite action.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::script::is_shell;
use super::{Piece, ScanError, yaml_place};
use crate::shell::Text;

type Spanned<T> = serde_saphyr::Spanned<T>;

#[derive(Deserialize)]
struct Workflow {
    defaults: Option<Defaults>,
    jobs: Option<BTreeMap<String, Option<Job>>>,
    runs: Option<Job>,
}

#[derive(Deserialize)]
struct Job {
    defaults: Option<Defaults>,
    steps: Option<Vec<Step>>,
    uses: Option<Spanned<String>>,
}

#[derive(Deserialize)]
struct Step {
    run: Option<Spanned<String>>,
    uses: Option<Spanned<String>>,
    shell: Option<String>,
}

#[derive(Deserialize)]
struct Defaults {
    run: Option<RunDefaults>,
}

#[derive(Deserialize)]
struct RunDefaults {
    shell: Option<String>,
}

impl Defaults {
    fn shell(defaults: Option<&Self>) -> Option<&str> {
        defaults?.run.as_ref()?.shell.as_deref()
    }
}

pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, ScanError> {
    // Other programs have files called action.yml; theirs are no business of this reader.
    let is_meant = text.lines().any(|line| line.starts_with("jobs:") || line.starts_with("runs:"));
    if !is_meant {
        return Ok(Vec::new());
    }
    let workflow: Option<Workflow> =
        serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
            let at = error.location();
            let message = error.without_snippet().to_string();
            let message = message.split_once(" at line ").map_or(&*message, |(message, _)| message);
            ScanError::Parse {
                line: number(at.map_or(0, |at| at.line())),
                column: number(at.map_or(0, |at| at.column())),
                message: message.to_owned(),
            }
        })?;
    let Some(workflow) = workflow else { return Ok(Vec::new()) };
    let shell = Defaults::shell(workflow.defaults.as_ref());
    let jobs = workflow.jobs.as_ref().into_iter().flat_map(BTreeMap::values).flatten();
    let mut pieces = Vec::new();
    for job in jobs.chain(&workflow.runs) {
        pieces.extend(job.uses.as_ref().map(|uses| action(uses, text)));
        let shell = Defaults::shell(job.defaults.as_ref()).or(shell);
        for step in job.steps.iter().flatten() {
            pieces.extend(step.uses.as_ref().map(|uses| action(uses, text)));
            let shell = step.shell.as_deref().or(shell);
            let program = shell.and_then(|shell| shell.split_whitespace().next());
            if let Some(run) = step.run.as_ref().filter(|_| program.is_none_or(is_shell)) {
                let place = place(run, text);
                pieces.push(Piece::Text(Text { text: run.value.clone(), place }));
            }
        }
    }
    Ok(pieces)
}

fn action(uses: &Spanned<String>, text: &str) -> Piece {
    Piece::Uses(uses.value.clone(), place(uses, text))
}

fn place(value: &Spanned<String>, text: &str) -> crate::shell::Place {
    let at = value.defined;
    let start = at.span().byte_offset().and_then(|start| usize::try_from(start).ok());
    let written = start.and_then(|start| text.get(start..)).unwrap_or_default();
    yaml_place(number(at.line()), number(at.column()), written, &value.value)
}

fn number(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: 200_000,
            max_events: 600_000,
            max_depth: 64,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 200_000,
        },
    }
}
