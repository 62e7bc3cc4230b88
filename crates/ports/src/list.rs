//! `ports list`.

use std::collections::BTreeSet;

use cli::{Exit, Io};
use portreg::{Entry, Listing, PortPath, Ports, Protocol, Registry, nearest};

use crate::args::{ListArgs, Sort};
use crate::error::PortsError;
use crate::plan::{Plan, note_asked};
use crate::record::{Record, json};
use crate::table::table;

pub(crate) fn run(plan: &Plan, args: &ListArgs, io: &mut Io) -> Result<Exit, PortsError> {
    let mut registry = plan.open(io)?;
    let Listing { mut entries, problems, others: _ } = registry.list()?;
    note_asked(&registry, io);
    if let Some(group) = &args.group {
        entries = in_group(entries, group, &registry)?;
    }
    match args.sort {
        Sort::Port => entries.sort_by_key(|entry| entry.ports.lowest()),
        Sort::Name => {}
        Sort::File => entries.sort_by(|a, b| a.place.cmp(&b.place)),
    }
    if args.json {
        let extensions = registry.extensions();
        let record = |entry| Record::of(entry, &entry.ports, 0, extensions);
        let records: Vec<Record> = entries.iter().map(record).collect();
        cli::outln!(io, "{}", json(&records)?)?;
    } else if args.tree {
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        tree(&entries, io)?;
    } else {
        let rows = entries.iter().map(row).collect();
        for line in table(rows) {
            cli::outln!(io, "{line}")?;
        }
    }
    let whole = problems.is_empty();
    for problem in problems {
        io.error(&PortsError::from(problem));
    }
    Ok(if whole { Exit::Done } else { Exit::Trouble })
}

fn in_group(
    entries: Vec<Entry>,
    group: &PortPath,
    registry: &Registry<'_>,
) -> Result<Vec<Entry>, PortsError> {
    let groups: BTreeSet<PortPath> = entries.iter().map(|entry| entry.path.parent()).collect();
    let inside: Vec<Entry> =
        entries.into_iter().filter(|entry| entry.path.parent().is_in(group)).collect();
    if !inside.is_empty() {
        return Ok(inside);
    }
    let groups: Vec<PortPath> =
        groups.into_iter().filter(|group| !group.names().is_empty()).collect();
    Err(PortsError::UnknownGroup {
        group: group.clone(),
        file: registry.file().display().to_string(),
        near: nearest(group, &groups),
    })
}

/// The numbers as one word.
fn numbers(ports: &Ports) -> String {
    ports.to_string().replace(' ', ",")
}

fn row(entry: &Entry) -> Vec<String> {
    let place = entry.place.as_ref();
    vec![
        numbers(&entry.ports),
        entry.path.to_string(),
        entry.protocol.map_or("-", Protocol::name).to_owned(),
        place.map_or("-".to_owned(), |place| format!("{}:{}", place.file.display(), place.line)),
        entry.description.clone().unwrap_or_default(),
    ]
}

/// Entries that are in the order of their paths, below the names of their groups.
fn tree(entries: &[Entry], io: &mut Io) -> Result<(), PortsError> {
    let mut rows = Vec::with_capacity(entries.len());
    let mut shown: &[String] = &[];
    for entry in entries {
        let names = entry.path.names();
        let Some((_, groups)) = names.split_last() else { continue };
        let common = groups.iter().zip(shown).take_while(|(a, b)| a == b).count();
        for (level, group) in groups.iter().enumerate().skip(common) {
            rows.push(vec![indented(level, group)]);
        }
        shown = groups;
        let mut row = vec![indented(groups.len(), entry.path.leaf()), numbers(&entry.ports)];
        row.push(entry.protocol.map_or("", Protocol::name).to_owned());
        row.push(entry.description.clone().unwrap_or_default());
        rows.push(row);
    }
    for line in table(rows) {
        cli::outln!(io, "{line}")?;
    }
    Ok(())
}

fn indented(level: usize, name: &str) -> String {
    let name: PortPath = [name.to_owned()].into_iter().collect();
    format!("{}{name}", "  ".repeat(level))
}
