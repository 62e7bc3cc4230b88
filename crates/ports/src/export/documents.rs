//! Documents: nested sets of numbers.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use portreg::{Ports, is_identifier};
use serde::Serialize;

use super::Item;
use crate::error::PortsError;

/// The ports by their names, as the registry nests them.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Tree {
    Port(u16),
    List(Vec<Self>),
    Set(BTreeMap<String, Self>),
}

impl Tree {
    fn of(items: &[Item]) -> BTreeMap<String, Self> {
        let mut root = BTreeMap::new();
        for item in items {
            match (&item.ports, &item.entry.ends) {
                // The ends have the names that they have in the registry.
                (Ports::Range(from, to), Some([first, last])) => {
                    insert(&mut root, first.names(), Self::Port(*from));
                    insert(&mut root, last.names(), Self::Port(*to));
                }
                (ports, _) => insert(&mut root, item.entry.path.names(), Self::leaf(ports)),
            }
        }
        root
    }

    fn leaf(ports: &Ports) -> Self {
        match ports {
            Ports::One(port) => Self::Port(*port),
            Ports::Range(from, to) => {
                let ends = [("from", from), ("to", to)];
                Self::Set(ends.map(|(name, port)| (name.to_owned(), Self::Port(*port))).into())
            }
            Ports::Many(all) => Self::List(all.iter().map(Self::leaf).collect()),
        }
    }
}

fn insert(set: &mut BTreeMap<String, Tree>, names: &[String], leaf: Tree) {
    match names {
        [] => {}
        [name] => {
            set.insert(name.clone(), leaf);
        }
        [name, rest @ ..] => {
            let inner = set.entry(name.clone()).or_insert_with(|| Tree::Set(BTreeMap::new()));
            if let Tree::Set(inner) = inner {
                insert(inner, rest, leaf);
            }
        }
    }
}

pub(super) fn json(items: &[Item]) -> Result<String, PortsError> {
    let text = serde_json::to_string_pretty(&Tree::of(items)).map_err(PortsError::Json)?;
    Ok(text + "\n")
}

pub(super) fn toml(items: &[Item]) -> String {
    let mut text = String::new();
    table(&Tree::of(items), &[], &mut text);
    text
}

/// A table: its own values first, as a header below ends it.
fn table(set: &BTreeMap<String, Tree>, path: &[&str], text: &mut String) {
    let is_table = |tree: &Tree| matches!(tree, Tree::Set(_));
    let has_values = set.values().any(|tree| !is_table(tree));
    if has_values && !path.is_empty() {
        let blank = if text.is_empty() { "" } else { "\n" };
        let names: Vec<String> = path.iter().map(|name| toml_key(name)).collect();
        writeln!(text, "{blank}[{}]", names.join(".")).unwrap_or_default();
    }
    for (name, tree) in set.iter().filter(|(_, tree)| !is_table(tree)) {
        writeln!(text, "{} = {}", toml_key(name), toml_value(tree)).unwrap_or_default();
    }
    for (name, tree) in set {
        if let Tree::Set(inner) = tree {
            table(inner, &[path, &[name]].concat(), text);
        }
    }
}

fn toml_key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quoted(name) }
}

fn toml_value(tree: &Tree) -> String {
    match tree {
        Tree::Port(port) => port.to_string(),
        Tree::List(items) => {
            let items: Vec<String> = items.iter().map(toml_value).collect();
            format!("[{}]", items.join(", "))
        }
        Tree::Set(set) => {
            let pairs: Vec<String> = set
                .iter()
                .map(|(name, tree)| format!("{} = {}", toml_key(name), toml_value(tree)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
    }
}

/// A string that JSON and TOML read in the same way.
fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => write!(out, "\\u{:04X}", u32::from(c)).unwrap_or_default(),
            c => out.push(c),
        }
    }
    out + "\""
}

pub(super) fn nix(items: &[Item]) -> String {
    let mut text = "{\n".to_owned();
    nix_set(&Tree::of(items), 1, &mut text);
    text.push_str("}\n");
    text
}

fn nix_set(set: &BTreeMap<String, Tree>, level: usize, text: &mut String) {
    let indent = "  ".repeat(level);
    for (name, tree) in set {
        let key = nix_key(name);
        if let Tree::Set(inner) = tree {
            writeln!(text, "{indent}{key} = {{").unwrap_or_default();
            nix_set(inner, level + 1, text);
            writeln!(text, "{indent}}};").unwrap_or_default();
        } else {
            writeln!(text, "{indent}{key} = {};", nix_value(tree)).unwrap_or_default();
        }
    }
}

fn nix_value(tree: &Tree) -> String {
    match tree {
        Tree::Port(port) => port.to_string(),
        Tree::List(items) => {
            let items: Vec<String> = items.iter().map(nix_value).collect();
            format!("[ {} ]", items.join(" "))
        }
        Tree::Set(set) => {
            let pairs: Vec<String> = set
                .iter()
                .map(|(name, tree)| format!("{} = {};", nix_key(name), nix_value(tree)))
                .collect();
            format!("{{ {} }}", pairs.join(" "))
        }
    }
}

fn nix_key(name: &str) -> String {
    if is_identifier(name) {
        return name.to_owned();
    }
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${");
    format!("\"{escaped}\"")
}
