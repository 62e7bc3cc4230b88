//! The project as the engine wants it.

use std::collections::BTreeMap;

use crate::config::model::{self, Check, Project};
use crate::engine::{
    Admission, Condition, Id, Pace, ProbeSpec, ProcessSpec, Restart, Shutdown, Spec, Watch,
};

/// What a run asks for beyond the project.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wishes {
    /// Go on when nothing runs any more.
    pub(crate) keep: bool,
    /// Restart nothing because a file changed.
    pub(crate) no_watch: bool,
    /// The process whose end is the project's.
    pub(crate) foreground: Option<Id>,
}

/// Makes the engine's spec of a project.
pub(crate) fn spec(project: &Project, wishes: Wishes) -> Spec {
    let ids: BTreeMap<&str, Id> = project
        .processes
        .iter()
        .enumerate()
        .map(|(index, process)| (process.name.as_str(), Id(index)))
        .collect();
    let mut processes: Vec<ProcessSpec> =
        project.processes.iter().map(|process| one(process, &ids, wishes)).collect();
    if let Some(id) = wishes.foreground {
        let process = &mut processes[id.0];
        process.admission = Admission::Started;
        process.exit_on_end = true;
        process.exit_on_skipped = true;
    }
    Spec { processes, ordered_shutdown: project.ordered_shutdown, keep: wishes.keep }
}

fn one(process: &model::Process, ids: &BTreeMap<&str, Id>, wishes: Wishes) -> ProcessSpec {
    let availability = &process.availability;
    let watch = process.watch.as_ref().filter(|_| !wishes.no_watch);
    ProcessSpec {
        name: process.name.clone(),
        dependencies: process
            .depends_on
            .iter()
            // The loader refuses names that are not there, and takes out those that a namespace excludes.
            .filter_map(|dependency| {
                let id = ids.get(dependency.name.as_str())?;
                Some((*id, condition(dependency.condition)))
            })
            .collect(),
        admission: if process.is_disabled {
            Admission::Disabled
        } else if process.is_foreground {
            Admission::Foreground
        } else {
            Admission::Started
        },
        restart: match availability.restart {
            model::Restart::No => Restart::No,
            model::Restart::Always => Restart::Always,
            model::Restart::OnFailure => Restart::OnFailure,
            model::Restart::ExitOnFailure => Restart::ExitOnFailure,
        },
        backoff: availability.backoff,
        max_restarts: availability.max_restarts,
        exit_on_end: availability.exit_on_end,
        exit_on_skipped: availability.exit_on_skipped,
        success_codes: process.success_exit_codes.iter().map(|&code| code.into()).collect(),
        daemon: process.is_daemon,
        has_ready_line: process.ready_log.is_some(),
        startup: process.startup_probe.as_ref().map(probe),
        readiness: process.readiness_probe.as_ref().map(probe),
        liveness: process.liveness_probe.as_ref().map(probe),
        shutdown: Shutdown {
            command: process.shutdown.command.is_some(),
            grace: process.shutdown.timeout,
        },
        scheduled: process.schedule.is_some(),
        run_on_start: process.schedule.as_ref().is_some_and(|schedule| schedule.run_on_start),
        watch: watch.map(|watch| Watch { debounce: watch.debounce, cascade: watch.cascade }),
    }
}

fn condition(condition: model::Condition) -> Condition {
    match condition {
        model::Condition::Completed => Condition::Completed,
        model::Condition::CompletedSuccessfully => Condition::CompletedSuccessfully,
        model::Condition::Healthy => Condition::Healthy,
        model::Condition::Started => Condition::Started,
        model::Condition::LogReady => Condition::LogReady,
    }
}

fn probe(probe: &model::Probe) -> ProbeSpec {
    let pace = match probe.check {
        Check::Log(_) | Check::NotifySocket | Check::NotifyFd(_) => Pace::Passive,
        _ if !probe.is_adaptive => Pace::Steady,
        Check::Exec { .. } => Pace::Eager,
        Check::Http { .. } | Check::Tcp { .. } => Pace::Rapid,
    };
    ProbeSpec {
        initial_delay: probe.initial_delay,
        period: probe.period,
        success_threshold: probe.success_threshold,
        failure_threshold: probe.failure_threshold,
        pace,
    }
}
