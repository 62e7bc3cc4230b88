//! `pc check`: every mistake, with its place.

mod finding;
mod hazards;

use cli::{Exit, Io};

use crate::args::CheckArgs;
use crate::config::problem::Problem;
use crate::config::{Request, load, with_pc_env};
use crate::error::PcError;

use finding::Finding;

pub(crate) fn run(args: &CheckArgs, io: &mut Io) -> Result<Exit, PcError> {
    with_pc_env(io).map_err(PcError::Unreadable)?;
    let request = Request { is_strict: true, ..Request::of(&args.project, &io.env) };
    let mut loaded = load(&request, io).map_err(PcError::Unreadable)?;
    let hazards = hazards::find(&loaded);
    loaded.problems.extend(hazards);
    loaded
        .problems
        .sort_by_key(|problem| problem.span.map(|span| (span.file, span.line, span.column)));
    let is_wanted = |problem: &&Problem| !args.allow.iter().any(|id| id == problem.id);
    let findings: Vec<Finding> = loaded
        .problems
        .iter()
        .filter(is_wanted)
        .map(|problem| Finding::of(problem, &loaded.project))
        .collect();
    if args.json {
        cli::outln!(io, "{}", serde_json::to_string_pretty(&findings).map_err(PcError::Json)?)?;
    } else {
        for finding in &findings {
            cli::outln!(io, "{finding}")?;
        }
    }
    Ok(if findings.is_empty() { Exit::Done } else { Exit::No })
}
