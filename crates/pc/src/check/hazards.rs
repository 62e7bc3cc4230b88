//! What is allowed, and probably not meant.

use composefile::Span;

use crate::config::model::{Condition, Dependency, Process, Restart};
use crate::config::problem::{Level, Problem};
use crate::config::{Loaded, Project};

/// Servers that stay in the foreground: what is a daemon here leaves its launcher.
const SERVERS: [&str; 14] = [
    "bun",
    "caddy",
    "cargo",
    "deno",
    "etcd",
    "mariadbd",
    "mysqld",
    "node",
    "npm",
    "pnpm",
    "postgres",
    "python3",
    "redis-server",
    "yarn",
];

/// Finds hazards in a project.
pub(super) fn find(loaded: &Loaded) -> Vec<Problem> {
    let project = &loaded.project;
    let mut problems = Vec::new();
    if project.processes.is_empty() && loaded.problems.is_empty() {
        let what = "the project has no processes";
        problems.push(Problem::of_project(Level::Hint, "no-processes", what));
    }
    for process in project.processes.iter().filter(|process| process.replica == 0) {
        daemon(process, &mut problems);
        let mut seen: Vec<Span> = Vec::new();
        for dependency in &process.depends_on {
            if seen.contains(&dependency.span) {
                continue;
            }
            seen.push(dependency.span);
            if let Some(problem) = unreachable(process, dependency, project) {
                problems.push(problem);
            }
        }
        ports(process, loaded, &mut problems);
    }
    problems
}

fn hint(id: &'static str, span: Span, what: String) -> Problem {
    Problem::new(Level::Hint, id, span, what)
}

fn daemon(process: &Process, problems: &mut Vec<Problem>) {
    if !process.is_daemon {
        return;
    }
    let (name, at) = (&process.group, process.command_span);
    let words: Vec<&str> = process.command.split_whitespace().collect();
    let program = words.iter().find(|word| !word.contains('=') && **word != "exec").copied();
    let program = program.and_then(|word| word.rsplit('/').next()).unwrap_or_default();
    let leaves = words
        .iter()
        .any(|word| matches!(*word, "--daemonize" | "--daemon" | "--fork" | "&" | "start"));
    if SERVERS.contains(&program) && !leaves {
        let what = format!("`{name}` is a daemon here, but `{program}` stays in the foreground");
        problems.push(hint("foreground-daemon", at, what).with_hint("leave `is_daemon` out"));
    } else if process.shutdown.command.is_none() {
        let what = format!("`{name}` is a daemon, and nothing says how it is stopped");
        problems.push(hint("daemon", at, what).with_hint("write `shutdown: {command: …}`"));
    }
}

/// A dependency that waits for what cannot come, or not for what was meant.
fn unreachable(process: &Process, dependency: &Dependency, project: &Project) -> Option<Problem> {
    let other = project.process(&dependency.name)?;
    let (own, name) = (&process.group, &other.group);
    let waits_for_end =
        matches!(dependency.condition, Condition::Completed | Condition::CompletedSuccessfully);
    let never = |why: &str| {
        let what = format!("`{own}` waits for the end of `{name}`, which {why}");
        Some(hint("never-ends", dependency.span, what))
    };
    if other.is_foreground {
        let what = format!("`{own}` waits for `{name}`, which is only started by hand");
        return Some(hint("never-starts", dependency.span, what));
    }
    if other.schedule.as_ref().is_some_and(|schedule| !schedule.run_on_start) {
        let what = format!("`{own}` waits for `{name}`, which does not run before its time");
        return Some(hint("never-starts", dependency.span, what));
    }
    if waits_for_end {
        let is_endless = other.availability.max_restarts.is_none();
        if other.availability.restart == Restart::Always && is_endless {
            return never("is always started again");
        }
        if other.readiness_probe.is_some() && !other.is_daemon {
            return never("has a readiness probe, so it seems to serve");
        }
        if dependency.condition == Condition::CompletedSuccessfully && other.is_daemon {
            return never("is a daemon");
        }
    }
    if dependency.condition == Condition::Started {
        let better = if other.ready_log.is_some() {
            "process_log_ready"
        } else if other.readiness_probe.is_some() {
            "process_healthy"
        } else {
            return None;
        };
        let what =
            format!("`{own}` does not wait until `{name}` is ready, only until it is started");
        return Some(
            hint("not-ready", dependency.span, what)
                .with_hint(format!("write `condition: {better}`")),
        );
    }
    None
}

/// Ports that the registry does not know, and such that it does and that are written as numbers.
fn ports(process: &Process, loaded: &Loaded, problems: &mut Vec<Problem>) {
    let Some(file) = &loaded.ports.file else { return };
    let file = file.strip_prefix(&loaded.project.folder).unwrap_or(file).display();
    for port in process.ports.iter().filter(|port| port.registered.is_none()) {
        let (name, number) = (&process.group, port.number);
        let verb = if port.is_served { "listens on" } else { "connects to" };
        problems.push(match loaded.ports.registered(number) {
            Some(path) => hint(
                "literal-port",
                port.span,
                format!("`{name}` {verb} {number}, which is `{path}` in `{file}`"),
            )
            .with_hint(format!("write `${{ports.{path}}}`")),
            None => hint(
                "unknown-port",
                port.span,
                format!("`{name}` {verb} {number}, which `{file}` does not know"),
            )
            .with_hint("register it, and write `${ports.…}`"),
        });
    }
}
