//! The state machine of a project, without clock, process or file: an [`Event`] goes in, [`Action`]s come out.
//!
//! Each start of a process has a generation; an event of an earlier one is dropped. Time is what the caller says it
//! is, so a simulation runs thousands of schedules a second.

mod dependencies;
mod event;
mod health;
mod process;
#[cfg(test)]
mod simulation;
mod spec;
mod stop;

pub(crate) use event::{Action, Event, ProbeKind};
pub(crate) use process::{Health, Outcome, Phase, Process};
pub(crate) use spec::{
    Admission, Condition, Generation, Id, Pace, ProbeSpec, ProcessSpec, Restart, Shutdown, Spec,
    Time, Watch,
};

use dependencies::verdict;
use process::{Intent, Session};
use stop::Urgency;

/// Restarts by changes within [`FLAP_TIME`] that switch a watch off.
const FLAPS: usize = 10;
/// See [`FLAPS`].
const FLAP_TIME: Time = Time::from_secs(60);

/// A project that runs.
#[derive(Debug)]
pub(crate) struct Engine {
    processes: Vec<Process>,
    /// For each process, those that depend on it.
    dependents: Vec<Vec<Id>>,
    is_ordered: bool,
    keep: bool,
    /// None while the project runs.
    stopping: Option<Urgency>,
    /// The first reason to stop decides.
    code: Option<i32>,
    has_ended: bool,
    actions: Vec<Action>,
}

impl Engine {
    /// An engine that has not begun.
    pub(crate) fn new(spec: Spec) -> Self {
        let mut dependents = vec![Vec::new(); spec.processes.len()];
        for (index, process) in spec.processes.iter().enumerate() {
            for (dependency, _) in &process.dependencies {
                dependents[dependency.0].push(Id(index));
            }
        }
        Self {
            processes: spec.processes.into_iter().map(Process::new).collect(),
            dependents,
            is_ordered: spec.ordered_shutdown,
            keep: spec.keep,
            stopping: None,
            code: None,
            has_ended: false,
            actions: Vec::new(),
        }
    }

    /// The processes, by [`Id`].
    pub(crate) fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// One process.
    pub(crate) fn process(&self, id: Id) -> &Process {
        &self.processes[id.0]
    }

    /// Whether the project is being stopped.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// When [`Event::Tick`] is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let of = |process: &Process| {
            let backoff = match process.phase {
                Phase::Backoff { until } if process.session == Session::None => Some(until),
                _ => None,
            };
            let ladder = process.ladder.map(|ladder| ladder.until);
            [backoff, ladder, process.changed, process.probes.deadline()]
                .into_iter()
                .flatten()
                .min()
        };
        self.processes.iter().filter_map(of).min()
    }

    /// Takes what happened, and says what is to be done about it.
    pub(crate) fn handle(&mut self, event: Event, now: Time) -> Vec<Action> {
        if self.has_ended {
            return Vec::new();
        }
        self.take(event, now);
        self.tick(now);
        if self.is_ordered && self.stopping.is_some() {
            self.stop_ranks(now);
        }
        self.start_what_can(now);
        self.end_if_over(now);
        std::mem::take(&mut self.actions)
    }

    fn take(&mut self, event: Event, now: Time) {
        match event {
            Event::Begin => self.begin(),
            Event::Tick => {}
            Event::Spawned { id, generation } => {
                if self.is_current(id, generation) {
                    self.spawned(id, now);
                }
            }
            Event::SpawnFailed { id, generation, code } => {
                if self.is_current(id, generation) && self.process(id).awaits_start {
                    let process = &mut self.processes[id.0];
                    process.awaits_start = false;
                    process.ladder = None;
                    self.ended(id, code, Outcome::Error, now);
                }
            }
            Event::Exited { id, generation, code } => {
                if self.is_current(id, generation) && self.process(id).session == Session::Led {
                    self.processes[id.0].session = Session::Orphaned;
                    self.exited(id, code, now);
                }
            }
            Event::Gone { id, generation } => {
                if self.is_current(id, generation) {
                    self.gone(id, now);
                }
            }
            Event::LineCame { id, generation } => {
                if self.is_current(id, generation) && !self.process(id).line_came {
                    let process = &mut self.processes[id.0];
                    process.line_came = true;
                    if process.spec.readiness.is_none() && process.is_up() {
                        process.health = Health::Ready;
                    }
                    self.show(id);
                }
            }
            Event::Probed { id, generation, kind, ok } => {
                if self.is_current(id, generation) && self.process(id).is_up() {
                    self.probed(id, kind, ok, now);
                }
            }
            Event::StopCommandEnded { id, generation, ok } => {
                if self.is_current(id, generation) {
                    self.stop_command_ended(id, ok, now);
                }
            }
            Event::Changed(id) => {
                let process = &mut self.processes[id.0];
                if let (Some(watch), true) = (process.spec.watch, process.is_armed) {
                    process.changed = Some(now + watch.debounce);
                }
            }
            Event::Due(id) => {
                let process = &self.processes[id.0];
                if process.is_armed && !process.is_active() && self.stopping.is_none() {
                    self.want(id);
                }
            }
            Event::Interrupt => self.interrupt(now),
            Event::StopProject { code } => self.stop_project(code, now),
            Event::Start(id) => {
                if !self.process(id).is_active() && self.stopping.is_none() {
                    self.processes[id.0].is_armed = self.can_be_armed(id);
                    self.want(id);
                }
            }
            Event::Stop(id) => self.stop_one(id, Intent::Stay, now),
            Event::Restart(id) => self.restart(id, now),
        }
    }

    fn begin(&mut self) {
        for index in 0..self.processes.len() {
            let process = &mut self.processes[index];
            let waits_for_its_time = process.spec.scheduled && !process.spec.run_on_start;
            if process.is_wanted && !waits_for_its_time {
                process.phase = Phase::Pending;
            }
            self.show(Id(index));
        }
    }

    fn is_current(&self, id: Id, generation: Generation) -> bool {
        self.process(id).generation == generation
    }

    fn can_be_armed(&self, id: Id) -> bool {
        let spec = &self.process(id).spec;
        spec.scheduled || spec.watch.is_some()
    }

    fn show(&mut self, id: Id) {
        self.actions.push(Action::Show(id));
    }

    fn set_phase(&mut self, id: Id, phase: Phase) {
        self.processes[id.0].phase = phase;
        self.show(id);
    }

    /// Makes it wait for its dependencies, and start.
    fn want(&mut self, id: Id) {
        self.processes[id.0].is_wanted = true;
        self.set_phase(id, Phase::Pending);
    }

    fn spawned(&mut self, id: Id, now: Time) {
        let process = &mut self.processes[id.0];
        process.awaits_start = false;
        process.session = Session::Led;
        process.has_run = true;
        if process.phase != Phase::Starting {
            // A stop came between the order to start and the start; its ladder is already at work.
            return;
        }
        process.health = if process.tells_health() { Health::NotReady } else { Health::Unknown };
        process.probes = health::Probes::begin(&process.spec, now);
        let phase = if process.spec.daemon { Phase::Launching } else { Phase::Running };
        self.set_phase(id, phase);
    }

    fn exited(&mut self, id: Id, code: i32, now: Time) {
        let process = &mut self.processes[id.0];
        let is_launched = process.phase == Phase::Launching
            && (code == 0 || process.spec.success_codes.contains(&code));
        if is_launched {
            process.code = code;
            self.set_phase(id, Phase::Launched);
            return;
        }
        if process.phase == Phase::Launched {
            return;
        }
        // What is left of it is asked to go as well; how long it may take is already set.
        if process.phase == Phase::Stopping && process.ladder.is_some() {
            let generation = process.generation;
            self.actions.push(Action::TerminateRest { id, generation });
        }
        self.ended(id, code, Outcome::Completed, now);
    }

    /// The process is over: what follows is its policy's or its stopper's business.
    fn ended(&mut self, id: Id, code: i32, outcome: Outcome, now: Time) {
        let generation = self.process(id).generation;
        if !self.process(id).probes.is_empty() {
            self.actions.push(Action::CancelProbes { id, generation });
        }
        let process = &mut self.processes[id.0];
        process.probes.clear();
        // One that was ready and ended by itself is still shown so, as upstream shows it.
        let was_ready = process.health == Health::Ready
            && (process.spec.readiness.is_some() || process.spec.has_ready_line);
        if process.phase == Phase::Stopping || !was_ready {
            process.health = Health::Unknown;
        }
        let intent = std::mem::take(&mut process.intent);
        process.was_unhealthy = intent == Intent::Unhealthy;
        // However it took the signal, it was given up.
        process.code = if process.was_unhealthy { 1 } else { code };
        if self.stopping.is_some() || intent == Intent::Stay {
            self.finally(id, outcome, now);
        } else if intent == Intent::Again {
            self.clear_rest(id, now);
            self.set_phase(id, Phase::Backoff { until: now });
        } else if self.restarts_again(id) {
            let process = &mut self.processes[id.0];
            process.restarts += 1;
            let until = now + process.spec.backoff;
            self.clear_rest(id, now);
            self.set_phase(id, Phase::Backoff { until });
        } else {
            self.finally(id, outcome, now);
            self.end_project_by(id, now);
        }
    }

    fn restarts_again(&self, id: Id) -> bool {
        let process = self.process(id);
        let is_asked = match process.spec.restart {
            Restart::Always => true,
            Restart::OnFailure => !process.succeeded(),
            Restart::No | Restart::ExitOnFailure => false,
        };
        is_asked && process.spec.max_restarts.is_none_or(|most| process.restarts < most)
    }

    fn end_project_by(&mut self, id: Id, now: Time) {
        let process = self.process(id);
        let failed = !process.succeeded();
        if failed && process.spec.restart == Restart::ExitOnFailure || process.spec.exit_on_end {
            let code = if failed { process.code } else { 0 };
            self.stop_project(code, now);
        }
    }

    /// The end that dependents wait for.
    fn finally(&mut self, id: Id, outcome: Outcome, now: Time) {
        self.set_phase(id, Phase::Ended(outcome));
        self.settle_dependents(id, now);
    }

    /// Skips those that depend on it in vain; the others see it when they are looked at.
    fn settle_dependents(&mut self, id: Id, now: Time) {
        for dependent in self.dependents[id.0].clone() {
            let phase = self.process(dependent).phase;
            let waits = matches!(phase, Phase::Pending | Phase::Ended(Outcome::Withdrawn));
            if waits && verdict(&self.processes, dependent) == dependencies::Verdict::Never {
                self.skip(dependent, now);
            }
        }
    }

    fn skip(&mut self, id: Id, now: Time) {
        let process = &mut self.processes[id.0];
        process.code = 1;
        let ends_project = process.spec.exit_on_skipped && self.stopping.is_none();
        self.set_phase(id, Phase::Ended(Outcome::Skipped));
        if ends_project {
            self.stop_project(1, now);
        }
    }

    fn gone(&mut self, id: Id, now: Time) {
        let process = &mut self.processes[id.0];
        if process.session != Session::Orphaned {
            return;
        }
        process.session = Session::None;
        process.ladder = None;
        // A launched daemon of which nothing is left, and that was asked to end, has ended.
        if process.phase == Phase::Stopping {
            let code = process.code;
            self.ended(id, code, Outcome::Completed, now);
        }
    }

    fn probed(&mut self, id: Id, kind: ProbeKind, ok: bool, now: Time) {
        let process = &mut self.processes[id.0];
        let had = process.health;
        let verdict = process.probes.take(kind, ok, now);
        let shows_health = match kind {
            ProbeKind::Startup => false,
            ProbeKind::Readiness => true,
            // Alone, it tells readiness too: nothing else could release who waits for it.
            ProbeKind::Liveness => process.spec.readiness.is_none() && !process.spec.has_ready_line,
        };
        match verdict {
            health::Verdict::Passed if kind == ProbeKind::Startup => {
                let spec = process.spec.clone();
                process.probes.begin_running(&spec, now);
            }
            health::Verdict::Passed if shows_health => process.health = Health::Ready,
            health::Verdict::NotPassing | health::Verdict::Failed if shows_health => {
                process.health = Health::NotReady;
            }
            _ => {}
        }
        if process.health != had {
            self.show(id);
        }
        if verdict == health::Verdict::Failed {
            // A failed liveness probe is fatal to daemons alone, as it is upstream.
            if kind != ProbeKind::Liveness || self.process(id).spec.daemon {
                self.stop_one(id, Intent::Unhealthy, now);
            }
        }
    }

    fn restart(&mut self, id: Id, now: Time) {
        if self.stopping.is_some() {
            return;
        }
        self.processes[id.0].is_armed = self.can_be_armed(id);
        match self.process(id).phase {
            Phase::Idle | Phase::Ended(_) => self.want(id),
            Phase::Pending => {}
            Phase::Backoff { .. } => self.set_phase(id, Phase::Backoff { until: now }),
            Phase::Stopping => self.processes[id.0].intent = Intent::Again,
            Phase::Starting | Phase::Launching | Phase::Launched | Phase::Running => {
                self.stop_one(id, Intent::Again, now);
            }
        }
    }

    /// Restarts what watched files ask for, unless it does so all the time.
    fn restart_changed(&mut self, id: Id, now: Time) {
        let process = &mut self.processes[id.0];
        process.changed = None;
        while process.flaps.front().is_some_and(|first| *first + FLAP_TIME <= now) {
            process.flaps.pop_front();
        }
        if process.flaps.len() >= FLAPS {
            process.is_armed = false;
            self.actions.push(Action::Flapping(id));
            return;
        }
        process.flaps.push_back(now);
        process.restarts = 0;
        let cascades = process.spec.watch.is_some_and(|watch| watch.cascade);
        self.restart(id, now);
        if cascades {
            for dependent in self.all_dependents(id) {
                if self.process(dependent).is_wanted {
                    self.restart(dependent, now);
                }
            }
        }
    }

    /// Those that depend on it, and on those.
    fn all_dependents(&self, id: Id) -> Vec<Id> {
        let mut found: Vec<Id> = Vec::new();
        let mut open = vec![id];
        while let Some(next) = open.pop() {
            for &dependent in &self.dependents[next.0] {
                if dependent != id && !found.contains(&dependent) {
                    found.push(dependent);
                    open.push(dependent);
                }
            }
        }
        found.sort_unstable();
        found
    }

    /// Does what is due.
    fn tick(&mut self, now: Time) {
        for index in 0..self.processes.len() {
            let id = Id(index);
            if self.process(id).changed.is_some_and(|due| due <= now) {
                self.restart_changed(id, now);
            }
            if self.process(id).ladder.is_some_and(|ladder| ladder.until <= now) {
                self.climb(id, now);
            }
            let process = &mut self.processes[index];
            let generation = process.generation;
            if process.is_up() {
                let due = process.probes.due(now);
                let actions = due.into_iter().map(|kind| Action::Probe { id, generation, kind });
                self.actions.extend(actions);
            }
        }
    }

    /// Starts all that have waited long enough. One that is skipped may decide about others: again, then.
    fn start_what_can(&mut self, now: Time) {
        // Who is skipped may stop the project, so that is settled before anybody is started.
        let mut again = true;
        while std::mem::take(&mut again) {
            for id in (0..self.processes.len()).map(Id) {
                let waits = self.process(id).phase == Phase::Pending && self.stopping.is_none();
                if waits && verdict(&self.processes, id) == dependencies::Verdict::Never {
                    self.skip(id, now);
                    again = true;
                }
            }
        }
        for id in (0..self.processes.len()).map(Id) {
            let may_start = self.stopping.is_none()
                && match self.process(id).phase {
                    Phase::Pending => verdict(&self.processes, id) == dependencies::Verdict::Go,
                    Phase::Backoff { until } => until <= now,
                    _ => false,
                };
            if may_start {
                self.spawn(id, now);
            }
        }
    }

    /// Orders a start, when nothing of the one before is left.
    fn spawn(&mut self, id: Id, now: Time) {
        if self.process(id).session != Session::None {
            self.clear_rest(id, now);
            return;
        }
        let process = &mut self.processes[id.0];
        process.generation += 1;
        process.line_came = false;
        process.was_unhealthy = false;
        process.awaits_start = true;
        process.intent = Intent::Policy;
        process.has_survivors = false;
        let generation = process.generation;
        self.set_phase(id, Phase::Starting);
        self.actions.push(Action::Spawn { id, generation });
    }

    /// Ends the project when nothing runs and nothing may start again.
    fn end_if_over(&mut self, now: Time) {
        if self.processes.iter().any(Process::is_active) {
            return;
        }
        if self.stopping.is_none() {
            if self.keep || self.processes.iter().any(|process| process.is_armed) {
                return;
            }
            self.stop_project(0, now);
        }
        if self
            .processes
            .iter()
            .all(|process| process.session == Session::None && !process.awaits_start)
        {
            self.has_ended = true;
            self.actions.push(Action::End { code: self.code.unwrap_or(0) });
        }
    }
}
