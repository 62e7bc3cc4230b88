//! Stopping: who is asked when, and what follows when that does not help.
//!
//! A ladder has three rungs: asked (the signal, the keys or the command of the project), killed when the grace is
//! over, abandoned when even that left something. All that may stop at the same time stop at the same time.

use std::time::Duration;

use super::event::Action;
use super::process::{Intent, Ladder, Outcome, Phase, Session, Step};
use super::spec::{GRACE, Id, Time};
use super::{Engine, Process};

/// How long the kernel may take to bury what was killed.
const BURIAL: Duration = Duration::from_secs(5);

/// How much of a hurry the stop of the project is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// All are asked.
    Asked,
    /// All are killed.
    Killed,
}

impl Engine {
    /// Asks, kills at the second time, and leaves at the third.
    pub(super) fn interrupt(&mut self, now: Time) {
        match self.stopping {
            None => self.stop_project(0, now),
            Some(Urgency::Asked) => {
                self.stopping = Some(Urgency::Killed);
                for id in self.ids() {
                    self.kill(id, now);
                }
            }
            Some(Urgency::Killed) => {
                for id in self.ids() {
                    self.abandon(id, now);
                }
            }
        }
    }

    /// Stops all, with the code that the project then ends with. A later reason changes nothing.
    pub(super) fn stop_project(&mut self, code: i32, now: Time) {
        if self.stopping.is_some() {
            return;
        }
        self.stopping = Some(Urgency::Asked);
        self.code = Some(code);
        for id in self.ids() {
            let process = &mut self.processes[id.0];
            process.is_armed = false;
            process.changed = None;
            match process.phase {
                Phase::Pending => self.set_phase(id, Phase::Ended(Outcome::Withdrawn)),
                Phase::Backoff { .. } => self.set_phase(id, Phase::Ended(Outcome::Completed)),
                _ => {}
            }
        }
        self.stop_ranks(now);
    }

    /// Asks all whose turn it is: everything, or in an ordered shutdown what nothing depends on any more.
    pub(super) fn stop_ranks(&mut self, now: Time) {
        for id in self.ids() {
            let is_free = !self.is_ordered
                || self.dependents[id.0].iter().all(|dependent| !holds(self.process(*dependent)));
            if is_free {
                self.stop_one(id, Intent::Stay, now);
            }
        }
    }

    fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..self.processes.len()).map(Id)
    }

    /// Stops one process.
    pub(super) fn stop_one(&mut self, id: Id, intent: Intent, now: Time) {
        let process = &mut self.processes[id.0];
        if intent == Intent::Stay {
            process.is_armed = false;
            process.changed = None;
        }
        match process.phase {
            Phase::Idle => {}
            Phase::Pending => self.finally(id, Outcome::Withdrawn, now),
            Phase::Backoff { .. } => {
                if intent == Intent::Stay {
                    self.finally(id, Outcome::Completed, now);
                }
            }
            Phase::Ended(_) => self.clear_rest(id, now),
            Phase::Stopping => {
                // A stop that stays beats a restart that was under way.
                if intent == Intent::Stay {
                    process.intent = intent;
                }
            }
            Phase::Starting | Phase::Launching | Phase::Running | Phase::Launched => {
                process.intent = intent;
                self.ask(id, now);
            }
        }
    }

    fn ask(&mut self, id: Id, now: Time) {
        let process = &mut self.processes[id.0];
        let generation = process.generation;
        let grace = process.spec.shutdown.grace.unwrap_or(GRACE);
        let is_headless = process.phase == Phase::Launched && process.session != Session::Led;
        let (step, action) = if process.spec.shutdown.command {
            (Step::Commanded, Action::RunStopCommand { id, generation })
        } else if is_headless {
            (Step::Asked, Action::TerminateRest { id, generation })
        } else {
            (Step::Asked, Action::Terminate { id, generation })
        };
        if is_headless && process.session == Session::None && !process.spec.shutdown.command {
            let code = process.code;
            self.ended(id, code, Outcome::Completed, now);
            return;
        }
        process.ladder = Some(Ladder { step, until: now + grace });
        if !process.probes.is_empty() {
            process.probes.clear();
            self.actions.push(Action::CancelProbes { id, generation });
        }
        self.set_phase(id, Phase::Stopping);
        self.actions.push(action);
    }

    /// What a process left behind is ended too: before its next start, and at the end.
    pub(super) fn clear_rest(&mut self, id: Id, now: Time) {
        let process = &mut self.processes[id.0];
        if process.session == Session::Orphaned && process.ladder.is_none() {
            let grace = process.spec.shutdown.grace.unwrap_or(GRACE);
            process.ladder = Some(Ladder { step: Step::Asked, until: now + grace });
            let generation = process.generation;
            self.actions.push(Action::TerminateRest { id, generation });
        }
    }

    /// The stop command did its work, or did not.
    pub(super) fn stop_command_ended(&mut self, id: Id, ok: bool, now: Time) {
        let process = &mut self.processes[id.0];
        let Some(ladder) = process.ladder.filter(|ladder| ladder.step == Step::Commanded) else {
            return;
        };
        if process.session == Session::None {
            // A daemon that is no descendant of ours: its command is all there is.
            process.ladder = None;
            let code = process.code;
            self.ended(id, code, Outcome::Completed, now);
        } else if ok {
            let grace = process.spec.shutdown.grace.unwrap_or(GRACE);
            let until = ladder.until.max(now + grace);
            process.ladder = Some(Ladder { step: Step::Asked, until });
        } else {
            self.kill(id, now);
        }
    }

    /// Takes the next step of a ladder whose time is over.
    pub(super) fn climb(&mut self, id: Id, now: Time) {
        match self.process(id).ladder.map(|ladder| ladder.step) {
            Some(Step::Commanded | Step::Asked) => self.kill(id, now),
            Some(Step::Killed) => self.abandon(id, now),
            None => {}
        }
    }

    fn kill(&mut self, id: Id, now: Time) {
        let process = &mut self.processes[id.0];
        if process.ladder.is_some_and(|ladder| ladder.step == Step::Killed) {
            return;
        }
        if process.session == Session::None && !process.awaits_start {
            // There is nothing of ours to kill: a daemon elsewhere, or one that waits for its start.
            if process.phase == Phase::Stopping {
                process.ladder = None;
                let code = process.code;
                self.ended(id, code, Outcome::Completed, now);
            } else if process.is_active() {
                self.stop_one(id, Intent::Stay, now);
            }
            return;
        }
        let generation = process.generation;
        if !matches!(process.phase, Phase::Ended(_) | Phase::Stopping | Phase::Backoff { .. }) {
            process.intent = Intent::Stay;
            if !process.probes.is_empty() {
                process.probes.clear();
                self.actions.push(Action::CancelProbes { id, generation });
            }
            self.set_phase(id, Phase::Stopping);
        }
        self.processes[id.0].ladder = Some(Ladder { step: Step::Killed, until: now + BURIAL });
        self.actions.push(Action::Kill { id, generation });
    }

    /// Gives up on what is left of a process.
    fn abandon(&mut self, id: Id, now: Time) {
        let process = &mut self.processes[id.0];
        process.ladder = None;
        if process.session == Session::None && !process.awaits_start {
            return;
        }
        process.awaits_start = false;
        let generation = process.generation;
        let was_led = process.session == Session::Led;
        process.session = Session::None;
        process.has_survivors = true;
        self.actions.push(Action::Abandon { id, generation });
        if self.process(id).phase == Phase::Stopping {
            let code = if was_led { 128 + 9 } else { self.process(id).code };
            self.ended(id, code, Outcome::Completed, now);
        }
    }
}

/// Whether what it depends on must not be stopped yet.
fn holds(process: &Process) -> bool {
    process.session != Session::None
        || process.is_up()
        || matches!(process.phase, Phase::Starting | Phase::Stopping)
}
