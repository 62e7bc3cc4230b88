//! An entry as JSON.

use portreg::{Entry, Extensions, Ports, Registry};
use serde::Serialize;

use crate::error::PortsError;

/// What `--json` prints of an entry. Fields are only ever added.
#[derive(Debug, Serialize)]
pub(crate) struct Record {
    path: String,
    names: Vec<String>,
    #[serde(flatten)]
    ports: Numbers,
    #[serde(skip_serializing_if = "is_zero")]
    offset: i32,
    protocol: Option<&'static str>,
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    description: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    computed: bool,
    #[serde(skip_serializing_if = "is_false")]
    default: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extensions: Vec<&'static str>,
}

/// The numbers: one, the ends of a range, or a list of these.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Numbers {
    One { port: u16 },
    Range { from: u16, to: u16 },
    Many { ports: Vec<Self> },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn is_zero(number: &i32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Numbers {
    pub(crate) fn of(ports: &Ports) -> Self {
        match ports {
            Ports::One(port) => Self::One { port: *port },
            Ports::Range(from, to) => Self::Range { from: *from, to: *to },
            Ports::Many(all) => Self::Many { ports: all.iter().map(Self::of).collect() },
        }
    }
}

impl Record {
    /// The record of an entry with its numbers in this checkout.
    pub(crate) fn of(entry: &Entry, ports: &Ports, offset: i32, extensions: Extensions) -> Self {
        let place = entry.place.as_ref();
        Self {
            path: entry.path.to_string(),
            names: entry.path.names().to_vec(),
            ports: Numbers::of(ports),
            offset: if *ports == entry.ports { 0 } else { offset },
            protocol: entry.protocol.map(portreg::Protocol::name),
            file: place.map(|place| place.file.to_string_lossy().into_owned()),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            description: entry.description.clone(),
            computed: entry.written.as_ref().is_some_and(|written| !written.literal),
            default: false,
            extensions: names(extensions),
        }
    }

    /// The record of a path that is not in the registry.
    pub(crate) fn default(path: &portreg::PortPath, port: u16) -> Self {
        Self {
            path: path.to_string(),
            names: path.names().to_vec(),
            ports: Numbers::One { port },
            offset: 0,
            protocol: None,
            file: None,
            line: None,
            column: None,
            description: None,
            computed: false,
            default: true,
            extensions: Vec::new(),
        }
    }
}

/// What was done that Nix does not do.
fn names(extensions: Extensions) -> Vec<&'static str> {
    [
        (extensions.head, "function head applied"),
        (extensions.overridden, "override unwrapped"),
        (extensions.partial, "other attributes fail"),
    ]
    .into_iter()
    .filter_map(|(used, name)| used.then_some(name))
    .collect()
}

/// The extensions of a registry that is read whole, as `--json` says them.
pub(crate) fn all_extensions(registry: &mut Registry<'_>) -> Extensions {
    registry.check_whole();
    registry.extensions()
}

/// Records as a JSON array, indented.
pub(crate) fn json(records: &[Record]) -> Result<String, PortsError> {
    serde_json::to_string_pretty(records).map_err(PortsError::Json)
}
