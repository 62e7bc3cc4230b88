//! `pc run NAME`: one process on this terminal, what it depends on silently behind it.

use cli::{Exit, Io};

use crate::asked::RunAsked;
use crate::config::Project;
use crate::config::model::Restart;
use crate::engine::Id;
use crate::up::{Launch, Loud, Nobody, RunError, Setting, Wishes, exit, tell_report};

/// Runs it, and answers its code.
pub(crate) fn run(
    asked: &RunAsked,
    mut project: Project,
    launch: &Launch<'_>,
    io: &mut Io,
) -> Result<Exit, RunError> {
    let place = project.processes.iter().position(|process| process.name == asked.name);
    let index = place.ok_or_else(|| RunError::NoProcess(asked.name.clone()))?;
    let process = &mut project.processes[index];
    // What stands behind the name is the user's, byte for byte; a command line is text.
    process.argv.extend(asked.args.iter().map(|arg| arg.to_string_lossy().into_owned()));
    process.availability.restart = Restart::No;
    process.is_disabled = false;
    let wishes = Wishes { keep: false, no_watch: true, foreground: Some(Id(index)) };
    let setting = Setting { wishes, loud: Loud::Nobody };
    let (ended, report) = launch.project(&project, setting, &asked.running, io, &mut Nobody)?;
    tell_report(&report, &asked.running, io)?;
    Ok(exit(ended.code))
}
