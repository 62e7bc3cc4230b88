//! `extends` of processes: the keys of another one, and over them the own ones.

use composefile::{Kind, Node, Span, Spanned};

use super::files::take_entry;
use super::problem::{Level, Problem};
use super::schema::{self, Type};
use super::tree::View;

type Entry = (Spanned<String>, Node);

/// Puts into every process what it extends.
pub(crate) fn inherit(
    processes: &mut Vec<Entry>,
    problems: &mut Vec<Problem>,
    lost: &mut Vec<(Span, Span)>,
) {
    for at in 0..processes.len() {
        let mut chain = vec![at];
        if let Err(problem) = chain_of(processes, &mut chain) {
            problems.extend(problem);
            continue;
        }
        let Some(&root) = chain.last().filter(|_| chain.len() > 1) else { continue };
        let mut merged = without_extends(&processes[root].1);
        for &next in chain[..chain.len() - 1].iter().rev() {
            let own = without_extends(&processes[next].1);
            schema::merge(&mut merged, own, &Type::Object(&schema::PROCESS), lost);
        }
        merged.span = processes[at].1.span;
        // Others extend what is written, so the key stays until all are done.
        let (key, value) = extends(&processes[at].1).cloned().unwrap_or_default();
        if let Kind::Mapping(entries) = &mut merged.kind {
            entries.push((key, value));
        }
        processes[at].1 = merged;
    }
    for (_, process) in processes {
        take_entry(process, "extends");
    }
}

fn extends(node: &Node) -> Option<&Entry> {
    View(Some(node)).entries().iter().find(|(key, _)| key.value == "extends")
}

fn without_extends(node: &Node) -> Node {
    let mut node = node.clone();
    take_entry(&mut node, "extends");
    node
}

/// Follows `extends` from the last of the chain to a process that has none.
///
/// A circle is told by the first of its members alone.
fn chain_of(processes: &[Entry], chain: &mut Vec<usize>) -> Result<(), Option<Problem>> {
    while let Some(&at) = chain.last() {
        let Some((_, value)) = extends(&processes[at].1) else { return Ok(()) };
        let Some(name) = View(Some(value)).text() else { return Ok(()) };
        let own = &processes[at].0.value;
        let Some(next) = processes.iter().position(|(key, _)| key.value == name) else {
            let known: Vec<&str> = processes.iter().map(|(key, _)| key.value.as_str()).collect();
            let what = format!("`{own}` extends `{name}`, which is no process of this project");
            let problem = Problem::new(Level::Error, "extends", value.span, what);
            return Err(Some(match schema::nearest(name, &known) {
                Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
                None => problem,
            }));
        };
        if let Some(from) = chain.iter().position(|&open| open == next) {
            let names: Vec<&str> = chain[from..]
                .iter()
                .chain([&next])
                .map(|&at| processes[at].0.value.as_str())
                .collect();
            let what = format!("a process extends itself: {}", names.join(" -> "));
            let is_first = chain[from..].iter().min() == chain.first();
            let problem = Problem::new(Level::Error, "extends", value.span, what);
            return Err(is_first.then_some(problem));
        }
        chain.push(next);
    }
    Ok(())
}
