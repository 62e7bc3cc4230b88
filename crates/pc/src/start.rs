//! `pc up`, `pc run` and `pc ci`: what was asked is settled and the project is loaded; then it runs.

use cli::{Exit, Io};

use crate::args::{CiArgs, RunArgs, UpArgs};
use crate::asked::{CiAsked, RunAsked, UpAsked};
use crate::config::{Project, with_pc_env};
use crate::error::PcError;
use crate::os::clean_up;
use crate::up::{self, Launch};
use crate::{ci, ports_plan, project, run as foreground};

pub(crate) fn up(args: &UpArgs, launch: &Launch<'_>, io: &mut Io) -> Result<Exit, PcError> {
    if args.dry_run != Some(true)
        && let Some(exit) = launch.guardian()?
    {
        return Ok(exit);
    }
    with_pc_env(io)?;
    let asked = UpAsked::of(args, &io.env);
    let mut project = project::open(&asked.request, io)?;
    project.ordered_shutdown |= asked.server.ordered_shutdown;
    if asked.dry_run {
        return dry_run(&project, io);
    }
    ports(&project, asked.running.ignores_ports, io)?;
    Ok(up::run(&asked, &project, launch, io)?)
}

pub(crate) fn run(args: &RunArgs, launch: &Launch<'_>, io: &mut Io) -> Result<Exit, PcError> {
    if let Some(exit) = launch.guardian()? {
        return Ok(exit);
    }
    with_pc_env(io)?;
    let asked = RunAsked::of(args, &io.env);
    let project = project::open(&asked.request, io)?;
    ports(&project, asked.running.ignores_ports, io)?;
    Ok(foreground::run(&asked, project, launch, io)?)
}

pub(crate) fn ci(args: &CiArgs, launch: &Launch<'_>, io: &mut Io) -> Result<Exit, PcError> {
    if let Some(exit) = launch.guardian()? {
        return Ok(exit);
    }
    with_pc_env(io)?;
    let asked = CiAsked::of(args, &io.env);
    let project = project::open(&asked.request, io)?;
    ports(&project, asked.running.ignores_ports, io)?;
    Ok(ci::run(&asked, &project, launch, io)?)
}

/// Whether the ports that are wanted are free. What a killed run left behind does not keep them.
fn ports(project: &Project, is_ignored: bool, io: &Io) -> Result<(), PcError> {
    if is_ignored || ports_plan::check(project).is_ok() {
        return Ok(());
    }
    if let Ok(ended) = clean_up(&io.env)
        && !ended.is_empty()
    {
        io.status(format!("ended what a killed run left behind: {}", ended.join(", ")));
    }
    Ok(ports_plan::check(project)?)
}

/// `--dry-run`: process-compose's line, which scripts look for.
fn dry_run(project: &Project, io: &mut Io) -> Result<Exit, PcError> {
    let processes = project.processes.len();
    // It was seen to count every file twice, when it is read and when it is merged.
    let files = project.sources.len() * 2;
    cli::outln!(io, "Validated {processes} configured processes from {files} files.")?;
    Ok(Exit::Done)
}
