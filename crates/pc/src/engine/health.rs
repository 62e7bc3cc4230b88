//! When probes are run, and what their results mean.

use std::time::Duration;

use super::event::ProbeKind;
use super::spec::{Pace, ProbeSpec, ProcessSpec, Time};

/// Between cheap checks, until the first success.
const CHEAP_STEP: Duration = Duration::from_millis(10);
/// How long cheap checks stay that close.
const CHEAP_TIME: Duration = Duration::from_secs(3);
/// The first pause between checks that start a program; it grows to the period.
const FIRST_STEP: Duration = Duration::from_millis(50);

/// What a result means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing new.
    Same,
    /// It passes now.
    Passed,
    /// This check failed, the probe has not.
    NotPassing,
    /// As many checks failed as may.
    Failed,
}

/// One probe of one start of a process.
///
/// Until the first success checks come fast, so that what waits is not held up by a period of seconds; of these only
/// one in a period counts as a failure, so the threshold means the same time as with plain periods.
#[derive(Debug, Clone)]
pub(crate) struct Probe {
    pub(crate) kind: ProbeKind,
    spec: ProbeSpec,
    /// When the next check is due; none while one runs or after the probe is over.
    next: Option<Time>,
    first: Time,
    started: Time,
    step: Duration,
    successes: u32,
    failures: u32,
    counted: Option<Time>,
    passed: bool,
}

impl Probe {
    fn new(kind: ProbeKind, spec: ProbeSpec, now: Time) -> Self {
        let first = now + spec.initial_delay;
        let step = match spec.pace {
            Pace::Rapid => CHEAP_STEP,
            Pace::Eager => FIRST_STEP,
            Pace::Steady | Pace::Passive => spec.period,
        };
        Self {
            kind,
            spec,
            next: (spec.pace != Pace::Passive).then_some(first),
            first,
            started: first,
            step: step.min(spec.period),
            successes: 0,
            failures: 0,
            counted: None,
            passed: false,
        }
    }

    /// When it wants to be looked at.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.next
    }

    /// Whether a check is due; if so it counts as running.
    pub(crate) fn begin(&mut self, now: Time) -> bool {
        let is_due = self.next.is_some_and(|next| next <= now);
        if is_due {
            self.next = None;
            self.started = now;
        }
        is_due
    }

    /// Takes the result of the check that runs.
    pub(crate) fn take(&mut self, ok: bool, now: Time) -> Verdict {
        if self.next.is_some() {
            return Verdict::Same;
        }
        let verdict = if ok { self.succeeded() } else { self.failed() };
        self.next = match verdict {
            Verdict::Failed => None,
            // A startup probe is over when it passed.
            Verdict::Passed if self.kind == ProbeKind::Startup => None,
            _ if self.spec.pace == Pace::Passive => None,
            _ => Some(self.next_check(now)),
        };
        verdict
    }

    fn succeeded(&mut self) -> Verdict {
        self.failures = 0;
        self.counted = None;
        self.successes = self.successes.saturating_add(1);
        if self.successes < self.spec.success_threshold.max(1) {
            return Verdict::Same;
        }
        let is_new = self.successes == self.spec.success_threshold.max(1);
        self.passed = true;
        if is_new { Verdict::Passed } else { Verdict::Same }
    }

    fn failed(&mut self) -> Verdict {
        self.successes = 0;
        let counts = self.counted.is_none_or(|last| self.started >= last + self.spec.period);
        if counts {
            self.counted = Some(self.started);
            self.failures += 1;
        }
        if self.failures >= self.spec.failure_threshold.max(1) {
            Verdict::Failed
        } else {
            Verdict::NotPassing
        }
    }

    fn next_check(&mut self, now: Time) -> Time {
        if self.passed || self.spec.pace == Pace::Steady {
            return now.max(self.started + self.spec.period);
        }
        let after = now + self.step;
        if self.spec.pace == Pace::Eager || now >= self.first + CHEAP_TIME {
            self.step = (self.step * 3 / 2).min(self.spec.period);
        }
        // The check that counts is not put off by the fast ones.
        match self.counted.map(|last| last + self.spec.period) {
            Some(due) if due > now && due < after => due,
            _ => after,
        }
    }
}

/// The probes of one start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Probes {
    active: Vec<Probe>,
}

impl Probes {
    /// Those that begin with the process.
    pub(crate) fn begin(spec: &ProcessSpec, now: Time) -> Self {
        let mut probes = Self::default();
        match spec.startup {
            Some(startup) => probes.active.push(Probe::new(ProbeKind::Startup, startup, now)),
            None => probes.begin_running(spec, now),
        }
        probes
    }

    /// Those that wait for the startup probe.
    pub(crate) fn begin_running(&mut self, spec: &ProcessSpec, now: Time) {
        let kinds = [(ProbeKind::Readiness, spec.readiness), (ProbeKind::Liveness, spec.liveness)];
        for (kind, probe) in kinds {
            self.active.extend(probe.map(|probe| Probe::new(kind, probe, now)));
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.active.iter().filter_map(Probe::deadline).min()
    }

    /// The checks that are due now.
    pub(crate) fn due(&mut self, now: Time) -> Vec<ProbeKind> {
        self.active.iter_mut().filter_map(|probe| probe.begin(now).then_some(probe.kind)).collect()
    }

    pub(crate) fn take(&mut self, kind: ProbeKind, ok: bool, now: Time) -> Verdict {
        let probe = self.active.iter_mut().find(|probe| probe.kind == kind);
        probe.map_or(Verdict::Same, |probe| probe.take(ok, now))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }
}
