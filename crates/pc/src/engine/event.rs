//! What the engine is told, and what it answers.

use super::spec::{Generation, Id};

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "one process is started and stopped by hand in the simulation alone"
    )
)]
pub(crate) enum Event {
    /// The run begins.
    Begin,
    /// Time went on: deadlines are looked at.
    Tick,
    /// A process was started.
    Spawned { id: Id, generation: Generation },
    /// A process could not be started: 126 or 127.
    SpawnFailed { id: Id, generation: Generation, code: i32 },
    /// The leader of a process ended: its code, or 128 + n for a signal n.
    Exited { id: Id, generation: Generation, code: i32 },
    /// The leader ended, and nothing it started is left.
    Gone { id: Id, generation: Generation },
    /// Its ready line came.
    LineCame { id: Id, generation: Generation },
    /// A check of a probe ended.
    Probed { id: Id, generation: Generation, kind: ProbeKind, ok: bool },
    /// The command that stops it ended.
    StopCommandEnded { id: Id, generation: Generation, ok: bool },
    /// Files it watches changed.
    Changed(Id),
    /// Its time has come.
    Due(Id),
    /// A user or a signal asks to end: the first time to stop, the second to kill, the third to leave.
    Interrupt,
    /// The project is to stop, with this code; unlike an interrupt it does not count.
    StopProject { code: i32 },
    /// One process is to start.
    Start(Id),
    /// One process is to stop, and to stay so.
    Stop(Id),
    /// One process is to be restarted.
    Restart(Id),
}

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start it.
    Spawn { id: Id, generation: Generation },
    /// Ask it to end, by the signal or the keys that the project says.
    Terminate { id: Id, generation: Generation },
    /// Run the command that stops it.
    RunStopCommand { id: Id, generation: Generation },
    /// Its leader is gone: ask what is left to end.
    TerminateRest { id: Id, generation: Generation },
    /// Kill all of it.
    Kill { id: Id, generation: Generation },
    /// Nothing helped: what is left of it is a survivor.
    Abandon { id: Id, generation: Generation },
    /// Run a check.
    Probe { id: Id, generation: Generation, kind: ProbeKind },
    /// Kill the checks that still run.
    CancelProbes { id: Id, generation: Generation },
    /// What can be seen of it changed.
    Show(Id),
    /// It restarts too often on changes; its watch is off.
    Flapping(Id),
    /// Everything has ended.
    End { code: i32 },
}

/// Which probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ProbeKind {
    /// Has it come up?
    Startup,
    /// Can it serve?
    Readiness,
    /// Does it live?
    Liveness,
}
