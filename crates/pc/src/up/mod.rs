//! `pc up`, and what `pc run` and `pc ci` share with it: a project is run by a [`Machine`], below a guardian.

mod body;
mod clock;
mod ending;
mod error;
mod helper;
mod listen;
mod machine;
mod output;
mod ready;
mod spec;
mod start;
mod stop;
mod sweep;
mod telling;
mod waker;
mod watcher;

use std::ffi::OsString;
use std::io::Write;
use std::time::Instant;

use cli::{Exit, Io};

pub(crate) use error::RunError;
pub(crate) use machine::{Ended, Machine, Manner, Watchman};
pub(crate) use output::words;
pub(crate) use spec::Wishes;
pub(crate) use waker::Waker;

use crate::asked::{ReportForm, Running, UpAsked};
use crate::config::Project;
use crate::engine::{Admission, Id};
use crate::events::Events;
use crate::logs::{Outlet, SlowReader};
use crate::os::{Guarded, Lease, Signals, become_subreaper, clean_up, guard};
use machine::Parts;
use output::Output;

/// Runs a project until it has ended.
pub(crate) fn run(
    asked: &UpAsked,
    project: &Project,
    launch: &Launch<'_>,
    io: &mut Io,
) -> Result<Exit, RunError> {
    let wishes =
        Wishes { keep: asked.ui.keep_project, no_watch: asked.ui.no_watch, foreground: None };
    let setting = Setting { wishes, loud: Loud::All };
    let (ended, report) = launch.project(project, setting, &asked.running, io, &mut Nobody)?;
    tell_report(&report, &asked.running, io)?;
    Ok(exit(ended.code))
}

/// The exit of that code.
pub(crate) fn exit(code: i32) -> Exit {
    match u8::try_from(code) {
        Ok(0) => Exit::Done,
        Ok(code) => Exit::Own(code),
        Err(_) => Exit::No,
    }
}

/// Prints the report, if it is asked for.
pub(crate) fn tell_report(
    report: &crate::report::Report,
    running: &Running,
    io: &mut Io,
) -> Result<(), RunError> {
    let Some(form) = running.report else { return Ok(()) };
    if form == ReportForm::Json {
        let text = serde_json::to_string(report).map_err(RunError::Report)?;
        cli::outln!(io, "{text}")?;
    } else {
        for line in report.lines() {
            io.status(line);
        }
    }
    Ok(())
}

/// Whose lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loud {
    /// All.
    All,
    /// Nobody's.
    Nobody,
}

/// How a project is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) wishes: Wishes,
    pub(crate) loud: Loud,
}

/// Nobody looks at the project between rounds.
#[derive(Debug)]
pub(crate) struct Nobody;

impl Watchman for Nobody {
    fn look(&mut self, _machine: &mut Machine<'_>) {}

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn command_ended(&mut self, _machine: &mut Machine<'_>, _code: i32) {}
}

/// How this process was started: below a guardian, or to become one.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    pub(crate) guarded: &'a Guarded,
    /// Our own command line, for the `pc` that works.
    pub(crate) argv: &'a [OsString],
}

impl Launch<'_> {
    /// Becomes the guardian, unless there is one: then the answer is none, and it is our turn.
    pub(crate) fn guardian(&self) -> Result<Option<Exit>, RunError> {
        if self.guarded.is_worker() {
            return Ok(None);
        }
        let code = guard(self.argv).map_err(RunError::Guardian)?;
        Ok(Some(exit(code.into())))
    }

    /// Runs a project.
    pub(crate) fn project(
        &self,
        project: &Project,
        setting: Setting,
        running: &Running,
        io: &mut Io,
        watchman: &mut dyn Watchman,
    ) -> Result<(Ended, crate::report::Report), RunError> {
        // Before the first thread, which would get the signals otherwise.
        let signals = Signals::new().map_err(RunError::Signals)?;
        become_subreaper().map_err(RunError::Signals)?;
        let lease = take_lease(io);
        let spec = spec::spec(project, setting.wishes);
        let is_empty = spec.processes.iter().all(|process| process.admission != Admission::Started);
        if is_empty && !setting.wishes.keep {
            io.note("there is nothing to run: every process is disabled, or there is none");
        }
        let (waker, woken) = Waker::new().map_err(RunError::Signals)?;
        let (screen, events) = outlets(setting, running, io, &waker)?;
        let foreground = setting.wishes.foreground;
        let is_loud = |index| setting.loud == Loud::All && foreground != Some(Id(index));
        let output = Output::new(project, is_loud, screen, events, io);
        let manner = Manner { keep_detached: running.keep_detached, foreground };
        let parts = Parts {
            project,
            spec,
            manner,
            output,
            signals,
            waker,
            woken,
            lease,
            guarded: self.guarded,
            io,
        };
        let mut machine = Machine::new(parts)?;
        let ended = machine.run(watchman)?;
        let report = machine.timeline().report(project);
        drop(machine);
        if !ended.survivors.is_empty() {
            io.warn(format!("still there: {}", ended.survivors.join(", ")));
        }
        Ok((ended, report))
    }
}

/// Cleans up after dead runs and takes the lease of this one. Without a lease the run goes on.
fn take_lease(io: &Io) -> Option<Lease> {
    match clean_up(&io.env) {
        Ok(ended) if ended.is_empty() => {}
        Ok(ended) => {
            io.status(format!("ended what a killed run left behind: {}", ended.join(", ")));
        }
        Err(error) => io.warn(words(&error)),
    }
    match Lease::take(&io.env) {
        Ok(lease) => Some(lease),
        Err(error) => {
            io.warn(format!("{}: what a killed pc leaves behind will not be found", words(&error)));
            None
        }
    }
}

/// Stdout for the lines, or for the events.
fn outlets(
    setting: Setting,
    running: &Running,
    io: &Io,
    waker: &Waker,
) -> Result<(Option<Outlet>, Option<Events>), RunError> {
    let policy = if running.drops_lines { SlowReader::Drop } else { SlowReader::Block };
    let mut is_taken = false;
    let events = match &running.events {
        Some(path) => {
            let target: Box<dyn Write + Send> = if path.as_os_str() == "-" {
                is_taken = true;
                io.detach_out()
            } else {
                Box::new(fs_err::File::create(path).map_err(RunError::Events)?)
            };
            Some(Events::new(target, policy, waker.clone()).map_err(RunError::Events)?)
        }
        None => None,
    };
    let screen = if setting.loud == Loud::All && !is_taken {
        Some(Outlet::new(io.detach_out(), policy, waker.clone()).map_err(RunError::Events)?)
    } else {
        None
    };
    Ok((screen, events))
}
