//! Whether what a process waits for has come, or never will.

use super::process::{Health, Outcome, Phase, Process};
use super::spec::{Condition, Id};

/// What the dependencies of a process say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All have come.
    Go,
    /// Some may still come.
    Wait,
    /// One never will.
    Never,
}

/// Looks at all dependencies of a process.
pub(crate) fn verdict(processes: &[Process], id: Id) -> Verdict {
    let dependencies = &processes[id.0].spec.dependencies;
    let mut sum = Verdict::Go;
    for &(dependency, condition) in dependencies {
        match one(&processes[dependency.0], condition) {
            Verdict::Go => {}
            Verdict::Wait => sum = Verdict::Wait,
            Verdict::Never => return Verdict::Never,
        }
    }
    sum
}

fn one(dependency: &Process, condition: Condition) -> Verdict {
    // One that takes no part is not waited for.
    if !dependency.is_wanted && !dependency.is_active() && !dependency.has_run {
        return Verdict::Go;
    }
    let is_over = matches!(dependency.phase, Phase::Ended(_)) && !dependency.is_armed;
    let ended = match dependency.phase {
        Phase::Ended(outcome) => Some(outcome),
        _ => None,
    };
    let has_come = match condition {
        Condition::Started => dependency.has_run,
        Condition::Healthy => {
            if !dependency.tells_health() {
                return Verdict::Never;
            }
            dependency.health == Health::Ready && dependency.is_up()
        }
        // A process that said it and ended since was ready once, which is all that the condition asks.
        Condition::LogReady => dependency.line_came,
        Condition::Completed => ended.is_some_and(|outcome| outcome != Outcome::Withdrawn),
        Condition::CompletedSuccessfully => {
            ended == Some(Outcome::Completed) && dependency.succeeded()
        }
    };
    if has_come {
        Verdict::Go
    } else if is_over && ended != Some(Outcome::Withdrawn) {
        Verdict::Never
    } else {
        Verdict::Wait
    }
}
