//! `pc ci`: a run that has an end, and a code that means something.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::time::Instant;

use cli::{Exit, Io};

use crate::asked::CiAsked;
use crate::config::Project;
use crate::engine::{Admission, Engine, Event, Health, Id, Outcome, Phase, Process, Restart};
use crate::report::junit;
use crate::up::{
    Launch, Loud, Machine, RunError, Setting, Watchman, Wishes, exit, tell_report, words,
};

/// The last lines of a process that failed.
const TAIL: usize = 20;

/// Runs a project, or a command beside it.
pub(crate) fn run(
    asked: &CiAsked,
    project: &Project,
    launch: &Launch<'_>,
    io: &mut Io,
) -> Result<Exit, RunError> {
    let loud = if asked.command.is_empty() { Loud::All } else { Loud::Nobody };
    let setting = Setting { wishes: Wishes { no_watch: true, ..Wishes::default() }, loud };
    let mut ci = Ci {
        named: named(project, &asked.request.names),
        command: asked.command.clone(),
        until: asked.timeout.map(|timeout| Instant::now() + timeout),
        state: State::Waiting,
        failures: Vec::new(),
        code: None,
    };
    let is_empty = project.processes.iter().all(|process| process.is_disabled);
    let (ended, report) = launch.project(project, setting, &asked.running, io, &mut ci)?;
    for failure in &ci.failures {
        io.warn(format!("{}: {}", failure.name, failure.words));
        for line in &failure.tail {
            io.status(format!("  {line}"));
        }
    }
    if let Some(path) = &asked.junit {
        fs_err::write(path, ci.junit(project)).map_err(RunError::Junit)?;
    }
    tell_report(&report, &asked.running, io)?;
    Ok(match ci.code {
        Some(0) if !ended.survivors.is_empty() => Exit::No,
        Some(code) => exit(code),
        None if is_empty && asked.command.is_empty() => Exit::Trouble,
        None if ci.failures.is_empty() && ended.survivors.is_empty() => Exit::Done,
        None => Exit::No,
    })
}

/// The processes that must be ready: those that were named, or all.
fn named(project: &Project, names: &[String]) -> Vec<Id> {
    let all = project.processes.iter().enumerate();
    let is_named = |name: &str, group: &str| {
        names.is_empty() || names.iter().any(|other| other == name || other == group)
    };
    all.filter(|(_, process)| is_named(&process.name, &process.group) && !process.is_disabled)
        .map(|(index, _)| Id(index))
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Processes are not ready, or have not ended.
    Waiting,
    /// The command runs.
    Running,
    /// The project is being stopped.
    Stopping,
}

/// A process that went wrong.
#[derive(Debug)]
struct Failure {
    name: String,
    words: String,
    tail: Vec<String>,
}

/// The one who looks.
#[derive(Debug)]
struct Ci {
    named: Vec<Id>,
    command: Vec<OsString>,
    until: Option<Instant>,
    state: State,
    failures: Vec<Failure>,
    code: Option<i32>,
}

impl Watchman for Ci {
    fn look(&mut self, machine: &mut Machine<'_>) {
        if self.state == State::Stopping {
            return;
        }
        if machine.engine().is_stopping() {
            self.stopped(machine);
            return;
        }
        if self.state == State::Waiting {
            self.find_failures(machine);
            if !self.failures.is_empty() {
                self.stop(machine, 1);
                return;
            }
        }
        if self.until.is_some_and(|until| until <= Instant::now()) {
            self.time_is_over(machine);
            self.code = None;
            self.stop(machine, 1);
        } else if self.state == State::Waiting {
            self.go_on(machine);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.until.filter(|_| self.state != State::Stopping)
    }

    fn command_ended(&mut self, machine: &mut Machine<'_>, code: i32) {
        self.code = Some(code);
        self.stop(machine, code);
    }
}

impl Ci {
    fn stop(&mut self, machine: &mut Machine<'_>, code: i32) {
        self.state = State::Stopping;
        machine.tell(Event::StopProject { code });
    }

    /// The project stops by itself: a policy of a process, its natural end, or a signal.
    fn stopped(&mut self, machine: &Machine<'_>) {
        self.state = State::Stopping;
        self.find_failures(machine);
        let engine = machine.engine();
        let is_done =
            engine.processes().iter().all(|process| is_done(process) || !process.is_wanted);
        if self.failures.is_empty() && !(is_done && self.command.is_empty()) {
            let words = "stopped before it was done".to_owned();
            self.failures.push(Failure { name: "the project".to_owned(), words, tail: Vec::new() });
        }
    }

    fn find_failures(&mut self, machine: &Machine<'_>) {
        for (index, process) in machine.engine().processes().iter().enumerate() {
            let Some(words) = failure(process) else { continue };
            let tail = machine.tail(Id(index), TAIL);
            self.failures.push(Failure { name: process.spec.name.clone(), words, tail });
        }
    }

    fn time_is_over(&mut self, machine: &Machine<'_>) {
        let engine = machine.engine();
        for id in &self.named {
            let process = engine.process(*id);
            if self.state == State::Waiting
                && !(is_ready(process) && (is_service(process) || is_done(process)))
            {
                let words = format!("not done when the time was over: {}", process.display());
                let tail = machine.tail(*id, TAIL);
                self.failures.push(Failure { name: process.spec.name.clone(), words, tail });
            }
        }
        if self.state == State::Running || self.failures.is_empty() {
            let words = "not done when the time was over".to_owned();
            self.failures.push(Failure { name: "the command".to_owned(), words, tail: Vec::new() });
        }
    }

    /// Starts the command when all are ready; without one, ends when all that end by themselves have.
    fn go_on(&mut self, machine: &mut Machine<'_>) {
        let engine = machine.engine();
        if !self.named.iter().all(|id| is_ready(engine.process(*id))) {
            return;
        }
        if self.command.is_empty() {
            if all_tasks_done(engine) && !self.named.is_empty() {
                self.stop(machine, 0);
            }
            return;
        }
        let environment = environment(machine.project(), &self.named);
        match machine.start_command(&self.command, &environment) {
            Ok(()) => self.state = State::Running,
            Err(error) => {
                self.code = Some(error.code());
                let name = self.command[0].to_string_lossy().into_owned();
                self.failures.push(Failure { name, words: words(&error), tail: Vec::new() });
                self.stop(machine, 1);
            }
        }
    }

    fn junit(&self, project: &Project) -> String {
        let ran = project.processes.iter().filter(|process| !process.is_disabled);
        let mut cases: Vec<_> = ran
            .map(|process| {
                let failure = self.failures.iter().find(|failure| failure.name == process.name);
                (
                    process.name.clone(),
                    failure.map(|failure| (failure.words.clone(), failure.tail.clone())),
                )
            })
            .collect();
        for failure in &self.failures {
            if !cases.iter().any(|(name, _)| *name == failure.name) {
                cases.push((
                    failure.name.clone(),
                    Some((failure.words.clone(), failure.tail.clone())),
                ));
            }
        }
        if let Some(code) = self.code {
            let failure = (code != 0).then(|| (format!("exit code {code}"), Vec::new()));
            cases.push(("the command".to_owned(), failure));
        }
        junit(&project.name, &cases)
    }
}

/// Why a process has failed, if it has.
fn failure(process: &Process) -> Option<String> {
    match process.phase {
        Phase::Ended(Outcome::Skipped) => Some("skipped: what it depends on failed".to_owned()),
        Phase::Ended(Outcome::Error) => Some("could not be started".to_owned()),
        Phase::Ended(Outcome::Completed) if !process.succeeded() => {
            Some(format!("failed with exit code {}", process.code))
        }
        _ => None,
    }
}

/// Whether a process goes on for ever by design. One without any sign of that is expected to end.
fn is_service(process: &Process) -> bool {
    let spec = &process.spec;
    process.tells_health()
        || spec.startup.is_some()
        || spec.daemon
        || spec.scheduled
        || spec.restart == Restart::Always
        || spec.admission == Admission::Foreground
}

fn is_done(process: &Process) -> bool {
    process.phase == Phase::Ended(Outcome::Completed) && process.succeeded()
}

fn is_ready(process: &Process) -> bool {
    if is_done(process) || process.phase == Phase::Idle {
        return true;
    }
    let has_sign = process.tells_health() || process.spec.startup.is_some();
    process.is_up() && (!has_sign || process.health == Health::Ready)
}

fn all_tasks_done(engine: &Engine) -> bool {
    engine
        .processes()
        .iter()
        .filter(|process| process.is_wanted && !is_service(process))
        .all(|process| matches!(process.phase, Phase::Ended(_)))
}

/// What the named processes are started with; the first of several values counts. Only what names one process is not
/// the command's.
fn environment(project: &Project, named: &[Id]) -> Vec<CString> {
    let mut all: BTreeMap<&OsStr, &OsStr> = BTreeMap::new();
    for id in named {
        for (name, value) in project.processes[id.0].environment.iter() {
            if name != "PC_PROC_NAME" && name != "PC_REPLICA_NUM" {
                all.entry(name).or_insert(value);
            }
        }
    }
    all.into_iter()
        .filter_map(|(name, value)| {
            CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
        })
        .collect()
}
