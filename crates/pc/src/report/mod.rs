//! What took how long: when each process was started and ready, what it waited for, and the chain that decided.

mod junit;

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::config::model::{Condition, Project};
use crate::engine::{Health, Outcome, Phase, Process};
use crate::events::seconds;

pub(crate) use junit::junit;

/// The first times of one process.
#[derive(Debug, Clone, Default)]
struct Times {
    started: Option<Duration>,
    line: Option<Duration>,
    ready: Option<Duration>,
    ended: Option<Duration>,
    stopping: Option<Instant>,
    checks: u32,
    latency: Duration,
    asked: Option<Instant>,
    shown: Option<(&'static str, Health, u32)>,
}

/// The times of all processes.
#[derive(Debug)]
pub(crate) struct Timeline {
    times: Vec<Times>,
}

impl Timeline {
    /// Of that many processes.
    pub(crate) fn new(count: usize) -> Self {
        Self { times: vec![Times::default(); count] }
    }

    /// Notes what can be seen of a process. Says whether that is new.
    pub(crate) fn show(&mut self, index: usize, process: &Process, now: Duration) -> bool {
        let times = &mut self.times[index];
        if process.has_run {
            times.started.get_or_insert(now);
        }
        if process.line_came {
            times.line.get_or_insert(now);
        }
        if process.health == Health::Ready {
            times.ready.get_or_insert(now);
        }
        match process.phase {
            Phase::Ended(outcome) if outcome != Outcome::Withdrawn => {
                times.ended.get_or_insert(now);
            }
            Phase::Stopping => {
                times.stopping.get_or_insert_with(Instant::now);
            }
            _ => {}
        }
        let shown = (process.status(), process.health, process.generation);
        times.shown.replace(shown) != Some(shown)
    }

    /// Since when a process is being stopped.
    pub(crate) fn stopping_since(&self, index: usize) -> Option<Instant> {
        self.times[index].stopping
    }

    /// A check was begun on a thread.
    pub(crate) fn asked(&mut self, index: usize) {
        self.times[index].asked = Some(Instant::now());
    }

    /// A check ended; how long it took.
    pub(crate) fn probed(&mut self, index: usize, began: Option<Instant>) -> Duration {
        let times = &mut self.times[index];
        let began = began.or_else(|| times.asked.take());
        let lasted = began.map(|began| began.elapsed()).unwrap_or_default();
        times.checks += 1;
        times.latency += lasted;
        lasted
    }

    /// The report of a start.
    pub(crate) fn report(&self, project: &Project) -> Report {
        let mut processes = Vec::new();
        for (index, process) in project.processes.iter().enumerate() {
            let times = &self.times[index];
            let Some(started) = times.started else { continue };
            let cause = self.cause(project, index);
            let average = times.latency.checked_div(times.checks).unwrap_or_default();
            processes.push(ProcessReport {
                name: process.name.clone(),
                started: seconds(started),
                ready: times.ready.or(times.line).map(seconds),
                ended: times.ended.map(seconds),
                waited_for: cause.map(|(other, _)| project.processes[other].name.clone()),
                checks: times.checks,
                seconds_per_check: seconds(average),
            });
        }
        let (critical_path, total) = self.critical_path(project);
        Report { seconds: seconds(total), critical_path, processes }
    }

    /// The dependency that came last, and when.
    fn cause(&self, project: &Project, index: usize) -> Option<(usize, Duration)> {
        let dependencies = project.processes[index].depends_on.iter().filter_map(|dependency| {
            let other = project.processes.iter().position(|other| other.name == dependency.name)?;
            let times = &self.times[other];
            let came = match dependency.condition {
                Condition::Started => times.started,
                Condition::Healthy => times.ready,
                Condition::LogReady => times.line,
                Condition::Completed | Condition::CompletedSuccessfully => times.ended,
            }?;
            Some((other, came))
        });
        dependencies.max_by_key(|(_, came)| *came)
    }

    /// The chain of those that the last one to be up had to wait for, and the time it was up.
    fn critical_path(&self, project: &Project) -> (Vec<String>, Duration) {
        let up = |times: &Times| times.ready.or(times.line).or(times.started);
        let all = self.times.iter().enumerate();
        let last =
            all.filter_map(|(index, times)| Some((index, up(times)?))).max_by_key(|(_, at)| *at);
        let Some((mut index, total)) = last else { return (Vec::new(), Duration::ZERO) };
        let mut path = vec![project.processes[index].name.clone()];
        while let Some((other, _)) = self.cause(project, index) {
            // Dependencies have no cycles, but a path is never longer than the project.
            if path.len() > project.processes.len() {
                break;
            }
            index = other;
            path.push(project.processes[index].name.clone());
        }
        path.reverse();
        (path, total)
    }
}

/// What took how long.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Until the last process was up.
    seconds: f64,
    critical_path: Vec<String>,
    processes: Vec<ProcessReport>,
}

#[derive(Debug, Serialize)]
struct ProcessReport {
    name: String,
    started: f64,
    ready: Option<f64>,
    ended: Option<f64>,
    waited_for: Option<String>,
    checks: u32,
    seconds_per_check: f64,
}

impl Report {
    /// For people.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.critical_path.is_empty() {
            let path = self.critical_path.join(" \u{2192} ");
            lines.push(format!("up after {:.3} s: {path}", self.seconds));
        }
        for process in &self.processes {
            let mut parts = vec![format!("  {}: started {:.3} s", process.name, process.started)];
            parts.extend(process.ready.map(|ready| format!("ready {ready:.3} s")));
            parts.extend(process.ended.map(|ended| format!("ended {ended:.3} s")));
            parts.extend(process.waited_for.as_ref().map(|other| format!("waited for {other}")));
            if process.checks > 0 {
                let millis = process.seconds_per_check * 1e3;
                parts.push(format!("{} checks of {millis:.1} ms", process.checks));
            }
            lines.push(parts.join(", "));
        }
        lines
    }
}
