//! What the engine remembers of one process.

use std::collections::VecDeque;

use super::health::Probes;
use super::spec::{Admission, Generation, ProcessSpec, Time};

/// Where a process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not part of the run, until somebody starts it.
    Idle,
    /// Waits for its dependencies.
    Pending,
    /// Waits for its next start.
    Backoff { until: Time },
    /// Is being started.
    Starting,
    /// A launcher that runs.
    Launching,
    /// A launcher has ended well: the daemon runs.
    Launched,
    /// Runs.
    Running,
    /// Is being stopped.
    Stopping,
    /// Has ended.
    Ended(Outcome),
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It ran; its code says how.
    Completed,
    /// It never ran, because of what it depends on.
    Skipped,
    /// It could not be started.
    Error,
    /// The project stopped before it ran.
    Withdrawn,
}

/// Whether a process is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Health {
    /// Nothing tells.
    #[default]
    Unknown,
    /// It is.
    Ready,
    /// It is not.
    NotReady,
}

/// The operating system's side of one start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Session {
    /// Nothing is there.
    #[default]
    None,
    /// The leader lives.
    Led,
    /// The leader is gone; what it started may be left.
    Orphaned,
}

/// How far a stop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ladder {
    pub(crate) step: Step,
    /// When the next step is taken.
    pub(crate) until: Time,
}

/// A step of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The stop command runs.
    Commanded,
    /// It was asked to end.
    Asked,
    /// It was killed.
    Killed,
}

/// Why a process is being stopped, which is what follows its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Intent {
    /// Its own policy.
    #[default]
    Policy,
    /// Nothing: somebody stopped it.
    Stay,
    /// A new start, at once.
    Again,
    /// Its policy, as after a failure: a probe gave it up.
    Unhealthy,
}

/// One process.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) spec: ProcessSpec,
    pub(crate) phase: Phase,
    pub(crate) generation: Generation,
    pub(crate) session: Session,
    pub(crate) ladder: Option<Ladder>,
    pub(crate) intent: Intent,
    pub(crate) health: Health,
    pub(crate) probes: Probes,
    /// Its ready line came in this start.
    pub(crate) line_came: bool,
    /// It ran at least once.
    pub(crate) has_run: bool,
    /// It takes part in this run: dependents wait for it.
    pub(crate) is_wanted: bool,
    /// A probe gave it up, which is a failure whatever its code.
    pub(crate) was_unhealthy: bool,
    /// A start was ordered and not reported yet.
    pub(crate) awaits_start: bool,
    pub(crate) restarts: u32,
    pub(crate) code: i32,
    /// A schedule or a watch may start it again.
    pub(crate) is_armed: bool,
    /// When the debounce of changes is over.
    pub(crate) changed: Option<Time>,
    /// The restarts by changes of the last minute.
    pub(crate) flaps: VecDeque<Time>,
    /// Something of it could not be killed.
    pub(crate) has_survivors: bool,
}

impl Process {
    pub(crate) fn new(spec: ProcessSpec) -> Self {
        let is_started = spec.admission == Admission::Started;
        Self {
            phase: Phase::Idle,
            generation: 0,
            session: Session::None,
            ladder: None,
            intent: Intent::Policy,
            health: Health::Unknown,
            probes: Probes::default(),
            line_came: false,
            was_unhealthy: false,
            awaits_start: false,
            has_run: false,
            is_wanted: is_started,
            restarts: 0,
            code: 0,
            is_armed: is_started && (spec.scheduled || spec.watch.is_some()),
            changed: None,
            flaps: VecDeque::new(),
            has_survivors: false,
            spec,
        }
    }

    /// Whether its last code counts as success.
    pub(crate) fn succeeded(&self) -> bool {
        !self.was_unhealthy && (self.code == 0 || self.spec.success_codes.contains(&self.code))
    }

    /// Whether it is on its way to an end, or runs.
    pub(crate) fn is_active(&self) -> bool {
        !matches!(self.phase, Phase::Idle | Phase::Ended(_))
    }

    /// Whether its leader, or the daemon it launched, is at work.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Launching | Phase::Launched | Phase::Running)
    }

    /// Whether anything can tell that it is ready.
    pub(crate) fn tells_health(&self) -> bool {
        self.spec.readiness.is_some() || self.spec.liveness.is_some() || self.spec.has_ready_line
    }

    /// The state's name, as upstream's API has it.
    pub(crate) fn status(&self) -> &'static str {
        match self.phase {
            Phase::Idle if self.spec.admission == Admission::Foreground => "Foreground",
            Phase::Idle if self.is_armed && self.spec.scheduled => "Scheduled",
            Phase::Idle if self.is_wanted => "Pending",
            Phase::Idle => "Disabled",
            Phase::Pending | Phase::Starting => "Pending",
            Phase::Backoff { .. } => "Restarting",
            Phase::Launching => "Launching",
            Phase::Launched => "Launched",
            Phase::Running => "Running",
            Phase::Stopping | Phase::Ended(Outcome::Withdrawn) => "Terminating",
            Phase::Ended(_) if self.is_armed && self.spec.scheduled => "Scheduled",
            Phase::Ended(_) if self.is_armed => "Watching",
            Phase::Ended(Outcome::Completed) => "Completed",
            Phase::Ended(Outcome::Skipped) => "Skipped",
            Phase::Ended(Outcome::Error) => "Error",
        }
    }

    /// The state as people see it: a completed process with a bad code has failed.
    pub(crate) fn display(&self) -> &'static str {
        match self.status() {
            "Completed" if !self.succeeded() => "Failed",
            status => status,
        }
    }
}
