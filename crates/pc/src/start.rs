//! `pc up`, `pc run` and `pc ci`: what was asked is settled and the project is loaded; then it runs.

use cli::{Exit, Io};

use crate::args::{CiArgs, RunArgs, UpArgs};
use crate::asked::{CiAsked, RunAsked, UpAsked};
use crate::config::{Project, with_pc_env};
use crate::error::PcError;
use crate::project;

pub(crate) fn up(args: &UpArgs, io: &mut Io) -> Result<Exit, PcError> {
    with_pc_env(io)?;
    let asked = UpAsked::of(args, &io.env);
    let project = project::open(&asked.request, io)?;
    if asked.dry_run {
        return dry_run(&project, io);
    }
    Err(PcError::CannotRun)
}

pub(crate) fn run(args: &RunArgs, io: &mut Io) -> Result<Exit, PcError> {
    with_pc_env(io)?;
    let asked = RunAsked::of(args, &io.env);
    project::open(&asked.request, io)?;
    Err(PcError::CannotRun)
}

pub(crate) fn ci(args: &CiArgs, io: &mut Io) -> Result<Exit, PcError> {
    with_pc_env(io)?;
    let asked = CiAsked::of(args, &io.env);
    project::open(&asked.request, io)?;
    Err(PcError::CannotRun)
}

/// `--dry-run`: process-compose's line, which scripts look for.
fn dry_run(project: &Project, io: &mut Io) -> Result<Exit, PcError> {
    let processes = project.processes.len();
    // It was seen to count every file twice, when it is read and when it is merged.
    let files = project.sources.len() * 2;
    cli::outln!(io, "Validated {processes} configured processes from {files} files.")?;
    Ok(Exit::Done)
}
