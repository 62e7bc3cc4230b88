//! P001: two ports with one number.
//!
//! An alias is no duplicate: `usual = [ ssh http ]` holds the numbers that `ssh` and `http` wrote. Two parts are one
//! port under two names if the same literal, or the same computation, wrote them.

use std::collections::HashSet;
use std::path::Path;

use portreg::{Entry, Part, Policy, Protocol, Written};

use crate::finding::{Finding, Level, Other};

/// One number or range of an entry.
#[derive(Debug, Clone, Copy)]
struct Item<'a> {
    /// Its entry's place in the order of the text.
    order: usize,
    entry: &'a Entry,
    part: &'a Part,
}

/// What makes two parts the same for everything that follows.
type Key<'a> = (u16, u16, Source<'a>, Source<'a>);
type Source<'a> = (&'a Path, u32, u32, u32);

/// The duplicates among entries, each told once, at the one that comes later in the text. `entries` are in the order of
/// the text.
pub(super) fn find(entries: &[&Entry], policy: &Policy) -> Vec<Finding> {
    let mut items: Vec<Item<'_>> = Vec::new();
    for (order, entry) in entries.iter().enumerate() {
        if policy.checks("P001", &entry.path) {
            items.extend(entry.parts.iter().map(|part| Item { order, entry, part }));
        }
    }
    items.sort_by_key(|item| (item.part.from, item.order));
    let mut told = HashSet::new();
    let mut findings = Vec::new();
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        let of_it = items.iter().filter(|item| uses(item.entry, protocol));
        for (first, second) in meetings(of_it) {
            if told.insert((first.order, second.order)) {
                findings.push(finding(first, second));
            }
        }
    }
    findings
}

/// Whether an entry may be meant for a protocol.
pub(crate) fn uses(entry: &Entry, protocol: Protocol) -> bool {
    match entry.protocol {
        None | Some(Protocol::Both) => true,
        Some(own) => own == protocol,
    }
}

/// Each item with one that it meets and that is not the same port. Items come in the order of their first numbers. An
/// alias of one that came before says nothing new.
fn meetings<'a>(items: impl Iterator<Item = &'a Item<'a>>) -> Vec<(Item<'a>, Item<'a>)> {
    let mut met = Vec::new();
    // What may still meet others.
    let mut open: Vec<Item<'_>> = Vec::new();
    let mut seen: HashSet<Key<'_>> = HashSet::new();
    for &item in items {
        if key(item.part).is_some_and(|key| !seen.insert(key)) {
            continue;
        }
        let mut index = 0;
        while let Some(other) = open.get(index).copied() {
            if other.part.to < item.part.from {
                open.swap_remove(index);
                continue;
            }
            if !other.part.is_alias(item.part) {
                met.push(if other.order <= item.order { (other, item) } else { (item, other) });
                break;
            }
            index += 1;
        }
        open.push(item);
    }
    met
}

fn key(part: &Part) -> Option<Key<'_>> {
    let [from, to] = part.written.as_ref()?;
    Some((part.from, part.to, source(from), source(to)))
}

fn source(written: &Written) -> Source<'_> {
    let instance = if written.literal { 0 } else { written.instance };
    (&written.place.file, written.span.start, written.span.end, instance)
}

fn finding(first: Item<'_>, second: Item<'_>) -> Finding {
    let (a, b) = (first.entry, second.entry);
    let place = a.place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
    let message = if first.order == second.order {
        format!("`{}` holds {} more than once", b.path, shown(first.part))
    } else {
        let how = match (first.part.from == first.part.to, second.part.from == second.part.to) {
            (true, true) => "as is",
            (true, false) => "which holds",
            (false, true) => "which is in",
            (false, false) => "which overlaps",
        };
        let range = if first.part.from == first.part.to && second.part.from == second.part.to {
            String::new()
        } else {
            format!(", {}", shown(first.part))
        };
        format!("`{}` is {}, {how} `{}`{range}{place}", b.path, shown(second.part), a.path)
    };
    Finding {
        rule: "P001",
        level: Level::Error,
        path: b.path.clone(),
        place: b.place.clone(),
        message,
        other: Some(Other { path: Some(a.path.clone()), place: a.place.clone() }),
    }
}

fn shown(part: &Part) -> String {
    if part.from == part.to { part.from.to_string() } else { format!("{}-{}", part.from, part.to) }
}
