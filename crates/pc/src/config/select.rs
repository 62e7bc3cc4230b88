//! Which processes there are, and which of them run.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Dependency, Process};
use super::problem::{Level, Problem};
use super::request::Request;
use super::schema::nearest;

/// Takes out what is in none of the namespaces, writes dependencies by the names of replicas, and disables what was
/// not asked for. Returns what the user should know.
pub(crate) fn select(processes: &mut Vec<Process>, request: &Request) -> Vec<Problem> {
    let mut problems = Vec::new();
    namespaces(processes, request, &mut problems);
    spread(processes);
    names(processes, request, &mut problems);
    problems
}

fn namespaces(processes: &mut Vec<Process>, request: &Request, problems: &mut Vec<Problem>) {
    let wanted = &request.namespaces;
    if wanted.is_empty() {
        return;
    }
    for name in wanted {
        if !processes.iter().any(|process| process.namespaces.contains(name)) {
            let known: BTreeSet<&str> = processes
                .iter()
                .flat_map(|process| &process.namespaces)
                .map(String::as_str)
                .collect();
            let known: Vec<&str> = known.into_iter().collect();
            let what = format!("no process is in the namespace `{name}`");
            let problem = Problem::of_project(Level::Strict, "namespace", what);
            problems.push(problem.with_hint(format!("there are {}", known.join(", "))));
        }
    }
    processes.retain(|process| process.namespaces.iter().any(|own| wanted.contains(own)));
    let names: BTreeSet<String> = processes
        .iter()
        .flat_map(|process| [process.name.clone(), process.group.clone()])
        .collect();
    for process in processes.iter_mut() {
        let (kept, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut process.depends_on)
            .into_iter()
            .partition(|dependency| names.contains(&dependency.name));
        process.depends_on = kept;
        for dependency in gone.iter().filter(|_| process.replica == 0) {
            let what = format!(
                "`{}` does not wait for `{}`, which is in none of the namespaces",
                process.group, dependency.name
            );
            problems.push(Problem::new(Level::Strict, "namespace", dependency.span, what));
        }
    }
}

/// A dependency on a process with replicas is one on each of them.
fn spread(processes: &mut [Process]) {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for process in processes.iter() {
        groups.entry(process.group.clone()).or_default().push(process.name.clone());
    }
    for process in processes.iter_mut() {
        let mut all: Vec<Dependency> = Vec::new();
        for dependency in std::mem::take(&mut process.depends_on) {
            match groups.get(&dependency.name) {
                Some(names) => all.extend(
                    names
                        .iter()
                        .map(|name| Dependency { name: name.clone(), ..dependency.clone() }),
                ),
                None => all.push(dependency),
            }
        }
        process.depends_on = all;
    }
}

fn names(processes: &mut [Process], request: &Request, problems: &mut Vec<Problem>) {
    if request.names.is_empty() {
        return;
    }
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for name in &request.names {
        let own: Vec<String> = processes
            .iter()
            .filter(|process| process.name == *name || process.group == *name)
            .map(|process| process.name.clone())
            .collect();
        if own.is_empty() {
            let known: Vec<&str> = processes.iter().map(|process| process.group.as_str()).collect();
            let problem = Problem::of_project(
                Level::Error,
                "unknown-process",
                format!("there is no process `{name}`"),
            );
            problems.push(match nearest(name, &known) {
                Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
                None => problem.with_hint("`pc list` names those that there are".to_owned()),
            });
        }
        wanted.extend(own);
    }
    let asked = wanted.clone();
    if !request.no_deps {
        let mut open: Vec<String> = wanted.iter().cloned().collect();
        while let Some(name) = open.pop() {
            let Some(process) = processes.iter().find(|process| process.name == name) else {
                continue;
            };
            for dependency in &process.depends_on {
                if wanted.insert(dependency.name.clone()) {
                    open.push(dependency.name.clone());
                }
            }
        }
    }
    for process in processes.iter_mut() {
        if !wanted.contains(&process.name) {
            process.is_disabled = true;
        } else if asked.contains(&process.name) {
            // Who names it wants it, and everything before it is theirs to see to.
            process.is_disabled = process.mcp.is_some();
            if request.no_deps {
                process.depends_on.retain(|dependency| asked.contains(&dependency.name));
            }
        }
    }
}
