//! What one key alone cannot tell: dependencies, circles, and keys that do not go together.

use super::model::{Check, Condition, Process};
use super::problem::{Level, Problem};
use super::schema::nearest;

/// Looks at the processes together. Their dependencies still name groups.
pub(crate) fn validate(processes: &[Process], problems: &mut Vec<Problem>) {
    for process in processes.iter().filter(|process| process.replica == 0) {
        dependencies(process, processes, problems);
        keys(process, problems);
    }
    circles(processes, problems);
}

fn find<'a>(processes: &'a [Process], name: &str) -> Option<&'a Process> {
    let named = processes.iter().find(|other| other.name == name);
    named.or_else(|| processes.iter().find(|other| other.group == name))
}

fn dependencies(process: &Process, processes: &[Process], problems: &mut Vec<Problem>) {
    for dependency in &process.depends_on {
        let (own, name) = (&process.group, &dependency.name);
        let mut add = |level, id, what: String| {
            problems.push(Problem::new(level, id, dependency.span, what));
        };
        let Some(other) = find(processes, name) else {
            let known: Vec<&str> = processes.iter().map(|other| other.group.as_str()).collect();
            add(
                Level::Error,
                "unknown-dependency",
                format!("`{own}` depends on `{name}`, which is no process of this project"),
            );
            if let (Some(near), Some(last)) = (nearest(name, &known), problems.last_mut()) {
                last.hint = Some(format!("did you mean `{near}`?"));
            }
            continue;
        };
        if other.is_disabled && !process.is_disabled {
            add(
                Level::Strict,
                "disabled-dependency",
                format!("`{own}` depends on `{name}`, which is disabled"),
            );
        }
        match dependency.condition {
            Condition::LogReady if !has_log_line(other) => {
                add(
                    Level::Error,
                    "no-log-line",
                    format!("`{own}` waits for a line of `{name}`, which has no `ready_log_line`"),
                );
            }
            Condition::Healthy if !is_probed(other) => {
                add(
                    Level::Strict,
                    "no-probe",
                    format!("`{own}` waits until `{name}` is healthy, which no probe of it tells"),
                );
                if let Some(last) = problems.last_mut() {
                    last.hint = Some(if other.ready_log.is_some() {
                        "write `condition: process_log_ready`".to_owned()
                    } else {
                        format!("give `{name}` a `readiness_probe`")
                    });
                }
            }
            _ => {}
        }
    }
}

fn has_log_line(process: &Process) -> bool {
    let is_log = |probe: &super::model::Probe| matches!(probe.check, Check::Log(_));
    process.ready_log.is_some() || process.readiness_probe.as_ref().is_some_and(is_log)
}

fn is_probed(process: &Process) -> bool {
    process.readiness_probe.is_some() || process.liveness_probe.is_some()
}

fn keys(process: &Process, problems: &mut Vec<Problem>) {
    let name = &process.group;
    let mut add =
        |level, id, what: String| problems.push(Problem::new(level, id, process.span, what));
    if process.ready_log.is_some() && process.readiness_probe.is_some() {
        add(
            Level::Error,
            "two-readiness",
            format!("`{name}` has both `readiness_probe` and `ready_log_line`"),
        );
    }
    if process.shutdown.send_keys.is_some() && !process.is_tty && !process.is_interactive {
        add(
            Level::Strict,
            "send-keys",
            format!("`{name}` has `send_keys` and no terminal that could send them"),
        );
    }
    if process.schedule.is_some() && process.replicas > 1 {
        add(Level::Strict, "schedule", format!("`{name}` has both `schedule` and `replicas`"));
    }
    if let Some(watch) = &process.watch {
        if process.schedule.is_some() || process.replicas > 1 || process.is_foreground {
            add(
                Level::Strict,
                "watch",
                format!(
                    "`{name}` has `watch`, which does not go with `schedule`, `replicas` or `is_foreground`"
                ),
            );
        }
        if watch.paths.is_empty() {
            add(Level::Strict, "watch", format!("`{name}` has `watch` without `paths`"));
        }
        if watch.paths.iter().any(|watched| watched.path.to_string_lossy().contains("{{")) {
            add(
                Level::Error,
                "watch",
                format!("a watched path of `{name}` is a template, which it cannot be"),
            );
        }
    }
    if let Some(mcp) = &process.mcp {
        if mcp.kind.is_empty() {
            add(
                Level::Strict,
                "mcp",
                format!("`mcp` of `{name}` has no `type`: write `tool` or `resource`"),
            );
        }
        if mcp.kind == "resource" && !mcp.arguments.is_empty() {
            add(
                Level::Strict,
                "mcp",
                format!("`mcp` of `{name}` is a resource, which has no arguments"),
            );
        }
        if mcp.arguments.iter().any(|argument| argument.name.is_empty()) {
            add(Level::Strict, "mcp", format!("an argument of `mcp` of `{name}` has no name"));
        }
    }
}

/// Every circle of dependencies, once, as the whole way round.
fn circles(processes: &[Process], problems: &mut Vec<Problem>) {
    let groups: Vec<&Process> = processes.iter().filter(|process| process.replica == 0).collect();
    let index = |name: &str| {
        let group = find(processes, name).map(|other| other.group.as_str())?;
        groups.iter().position(|process| process.group == group)
    };
    let edges: Vec<Vec<(usize, composefile::Span)>> = groups
        .iter()
        .map(|process| {
            let edge = |dependency: &super::model::Dependency| {
                Some((index(&dependency.name)?, dependency.span))
            };
            process.depends_on.iter().filter_map(edge).collect()
        })
        .collect();
    // 0 not seen, 1 on the way, 2 done. A loop, as a project may be deeper than a stack.
    let mut state = vec![0_u8; groups.len()];
    for start in 0..groups.len() {
        if state[start] != 0 {
            continue;
        }
        let mut way: Vec<(usize, usize)> = vec![(start, 0)];
        state[start] = 1;
        while let Some((at, next)) = way.last_mut() {
            let Some(&(to, span)) = edges[*at].get(*next) else {
                state[*at] = 2;
                way.pop();
                continue;
            };
            *next += 1;
            if state[to] == 0 {
                state[to] = 1;
                way.push((to, 0));
            } else if state[to] == 1 {
                let from = way.iter().position(|(node, _)| *node == to).unwrap_or(0);
                let mut names: Vec<&str> =
                    way[from..].iter().map(|(node, _)| groups[*node].group.as_str()).collect();
                names.push(&groups[to].group);
                let what = format!("the dependencies go round in a circle: {}", names.join(" -> "));
                problems.push(Problem::new(Level::Error, "circle", span, what));
            }
        }
    }
}
