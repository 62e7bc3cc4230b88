//! What the engine has to know of a project: names, dependencies, policies, probes. Nothing of commands or files.

use std::time::Duration;

/// Time since the start of the run. The engine has no clock: whoever drives it says what time it is.
pub(crate) type Time = Duration;

/// A process's place in [`Spec::processes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(pub(crate) usize);

/// Counts the starts of a process, so that a result of an earlier start is known as such and dropped.
pub(crate) type Generation = u32;

/// How long the ladder waits after a signal when the project does not say.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// A project, as the engine sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spec {
    /// In the order of the file.
    pub(crate) processes: Vec<ProcessSpec>,
    /// A process is stopped only after those that depend on it.
    pub(crate) ordered_shutdown: bool,
    /// The project goes on when nothing runs any more.
    pub(crate) keep: bool,
}

/// One process, or one replica.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProcessSpec {
    /// The name it is shown by.
    pub(crate) name: String,
    /// What it waits for.
    pub(crate) dependencies: Vec<(Id, Condition)>,
    /// Whether it is started at all, by the project or by hand.
    pub(crate) admission: Admission,
    /// What happens when it ends.
    pub(crate) restart: Restart,
    /// The pause before a restart.
    pub(crate) backoff: Duration,
    /// How many restarts there may be; none is no limit.
    pub(crate) max_restarts: Option<u32>,
    /// Its end stops the project.
    pub(crate) exit_on_end: bool,
    /// Being skipped stops the project.
    pub(crate) exit_on_skipped: bool,
    /// Exit codes that count as 0.
    pub(crate) success_codes: Vec<i32>,
    /// A launcher: its exit with success means that the daemon runs.
    pub(crate) daemon: bool,
    /// A log line tells that it is ready.
    pub(crate) has_ready_line: bool,
    /// Tells when it has come up; the other probes wait for it.
    pub(crate) startup: Option<ProbeSpec>,
    /// Tells whether it can serve.
    pub(crate) readiness: Option<ProbeSpec>,
    /// Tells whether it lives.
    pub(crate) liveness: Option<ProbeSpec>,
    /// How it is stopped.
    pub(crate) shutdown: Shutdown,
    /// It runs when its time comes; the shell knows the time.
    pub(crate) scheduled: bool,
    /// A scheduled process that also runs at the start.
    pub(crate) run_on_start: bool,
    /// It is restarted when files change.
    pub(crate) watch: Option<Watch>,
}

/// Whether a process takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Admission {
    /// It is started with the project.
    #[default]
    Started,
    /// It is listed, and started by hand only.
    Disabled,
    /// It is started by hand only, on the real terminal.
    Foreground,
}

/// What a dependency must have reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It was started.
    Started,
    /// Its probe says so.
    Healthy,
    /// Its log line came.
    LogReady,
    /// It ended for good.
    Completed,
    /// It ended for good, with success.
    CompletedSuccessfully,
}

/// What follows the end of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Restart {
    /// Nothing.
    #[default]
    No,
    /// A restart, always.
    Always,
    /// A restart after a failure.
    OnFailure,
    /// The end of the project after a failure.
    ExitOnFailure,
}

/// When a probe is run and what counts. How it is run is the shell's concern.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProbeSpec {
    /// Before the first check.
    pub(crate) initial_delay: Duration,
    /// Between checks.
    pub(crate) period: Duration,
    /// Successes in a row that make it pass.
    pub(crate) success_threshold: u32,
    /// Failures in a row that make it fail.
    pub(crate) failure_threshold: u32,
    /// How close checks may come before the first success.
    pub(crate) pace: Pace,
}

/// How often a probe is run before its first success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Once a period.
    Steady,
    /// Soon, then less and less often, as each check starts a program.
    Eager,
    /// A hundred times a second at first, as a check costs next to nothing.
    Rapid,
    /// Never: the process tells by itself.
    Passive,
}

/// How a process is stopped.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shutdown {
    /// A command asks it, instead of a signal.
    pub(crate) command: bool,
    /// How long it is waited for before SIGKILL; [`GRACE`] when not said.
    pub(crate) grace: Option<Duration>,
}

/// How changed files restart a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch {
    /// Changes within this time make one restart.
    pub(crate) debounce: Duration,
    /// Those that depend on it are restarted too.
    pub(crate) cascade: bool,
}
