//! Variables: for shells, service managers, just.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use portreg::{PortPath, Ports, Template};

use super::{Item, Names};
use crate::error::PortsError;

/// How a variable is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Env,
    Dotenv,
    Shell,
    Fish,
    Just,
}

/// One line for each variable, in the order of the paths.
pub(super) fn write(items: &[Item], names: &Names<'_>, style: Style) -> Result<String, PortsError> {
    let lines = values(items, names)?;
    Ok(lines.iter().map(|(name, value)| line(style, name, value) + "\n").collect())
}

/// The variables and their values, in the order of the paths.
pub(super) fn values(
    items: &[Item],
    names: &Names<'_>,
) -> Result<Vec<(String, String)>, PortsError> {
    let usual = Template::default();
    let template = names.template.unwrap_or(&usual);
    let prefix = names.prefix.unwrap_or("");
    let mut known: BTreeMap<String, PortPath> = BTreeMap::new();
    let mut values = Vec::new();
    for (path, value) in items.iter().flat_map(values_of) {
        let name = template.name(prefix, &path);
        if let Some(first) = known.insert(name.clone(), path.clone()) {
            return Err(PortsError::OneName { name, first, second: path });
        }
        values.push((name, value));
    }
    Ok(values)
}

/// The values of an entry: a range has one for each end, as a program wants a number.
fn values_of(item: &Item) -> Vec<(PortPath, String)> {
    match (&item.ports, &item.entry.ends) {
        (Ports::Range(from, to), Some([first, last])) => {
            vec![(first.clone(), from.to_string()), (last.clone(), to.to_string())]
        }
        (ports, _) => vec![(item.entry.path.clone(), ports.to_string())],
    }
}

/// A value is digits, dashes and blanks, so quotes are all it ever needs.
fn line(style: Style, name: &str, value: &str) -> String {
    let one_word = !value.contains(' ');
    match style {
        Style::Env => format!("{name}={value}"),
        Style::Dotenv if one_word => format!("{name}={value}"),
        Style::Dotenv => format!("{name}=\"{value}\""),
        Style::Shell if one_word => format!("export {name}={value}"),
        Style::Shell => format!("export {name}='{value}'"),
        // A list of fish is what several words make.
        Style::Fish => format!("set -gx {name} {value}"),
        Style::Just => format!("export {name} := \"{value}\""),
    }
}

/// What only direnv gets: the offset for what it starts, and the files to look at again.
pub(super) fn direnv(file: &Path, offset: i32) -> String {
    let mut text = String::new();
    if offset != 0 {
        writeln!(text, "export PORTS_OFFSET={offset}").unwrap_or_default();
    }
    let policy = file.with_file_name("ports.toml");
    for watched in [file, &policy] {
        writeln!(text, "watch_file {}", quoted(&watched.to_string_lossy())).unwrap_or_default();
    }
    text
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell() {
        assert_eq!(quoted("lib/ports.nix"), "lib/ports.nix");
        assert_eq!(quoted("a b'c"), "'a b'\\''c'");
        assert_eq!(quoted("$(x)"), "'$(x)'");
    }
}
