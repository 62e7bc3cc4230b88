//! From text to a [`Document`]: the shape that serde reads, and the limits it reads within.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::{Document, Exec, FileId, Probe, Process, Shutdown, Span, Spanned};

/// A text that is no process-compose file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct ParseError {
    /// The line, from 1; 0 when the parser cannot tell.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong there.
    pub message: String,
}

/// Parses one file; every span will carry `file`.
///
/// # Errors
/// [`ParseError`] for what is not YAML, for a value of the wrong type, and beyond the limits.
pub fn parse(text: &str, file: FileId) -> Result<Document, ParseError> {
    // An empty file, or one of comments, is an empty project for yaml.v3.
    let raw: Option<RawDocument> =
        serde_saphyr::from_str_with_options(text, options()).map_err(|error| explain(&error))?;
    Ok(raw.map(|raw| raw.place(file)).unwrap_or_default())
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: 200_000,
            max_events: 600_000,
            max_depth: 64,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 200_000,
        },
    }
}

fn explain(error: &serde_saphyr::Error) -> ParseError {
    let at = error.location();
    let text = error.without_snippet().to_string();
    // The place is a field of ours, so the sentence that ends with it is cut.
    let message = text.split_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    ParseError {
        line: at.map_or(0, |at| number(at.line())),
        column: at.map_or(0, |at| number(at.column())),
        message: message.to_owned(),
    }
}

/// A mapping in the order of the file, with the places of its keys.
struct Entries<T>(Vec<(Raw<String>, T)>);

type Raw<T> = serde_saphyr::Spanned<T>;

#[derive(Deserialize)]
struct RawDocument {
    #[serde(default)]
    processes: Present<Entries<Option<RawProcess>>>,
    env_cmds: Option<Entries<Option<Raw<String>>>>,
}

#[derive(Deserialize)]
struct RawProcess {
    command: Option<Raw<Option<String>>>,
    entrypoint: Option<Vec<Raw<String>>>,
    working_dir: Option<Raw<Option<String>>>,
    shutdown: Option<RawShutdown>,
    readiness_probe: Option<RawProbe>,
    liveness_probe: Option<RawProbe>,
}

#[derive(Deserialize)]
struct RawShutdown {
    command: Option<Raw<Option<String>>>,
}

#[derive(Deserialize)]
struct RawProbe {
    exec: Option<RawExec>,
}

#[derive(Deserialize)]
struct RawExec {
    command: Option<Raw<Option<String>>>,
}

/// Tells a key that is there with no value from one that is not there.
struct Present<T> {
    here: bool,
    value: Option<T>,
}

impl<T> Default for Present<T> {
    fn default() -> Self {
        Self { here: false, value: None }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Present<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value| Self { here: true, value })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

impl RawDocument {
    fn place(self, file: FileId) -> Document {
        let has_processes = self.processes.here;
        let processes = self.processes.value.map_or_else(Vec::new, |entries| entries.0);
        let env_cmds = self.env_cmds.map_or_else(Vec::new, |entries| entries.0);
        Document {
            has_processes,
            processes: processes
                .into_iter()
                .map(|(name, raw)| (spanned(name, file), process(raw, file)))
                .collect(),
            env_cmds: env_cmds
                .into_iter()
                .filter_map(|(name, command)| Some((spanned(name, file), spanned(command?, file))))
                .collect(),
        }
    }
}

fn process(raw: Option<RawProcess>, file: FileId) -> Process {
    let Some(raw) = raw else { return Process::default() };
    let probe = |raw: Option<RawProbe>| {
        let command = raw.and_then(|probe| probe.exec).and_then(|exec| exec.command);
        Probe { exec: Exec { command: optional(command, file) } }
    };
    Process {
        command: optional(raw.command, file),
        entrypoint: raw
            .entrypoint
            .unwrap_or_default()
            .into_iter()
            .map(|word| spanned(word, file))
            .collect(),
        working_dir: optional(raw.working_dir, file),
        shutdown: Shutdown { command: optional(raw.shutdown.and_then(|stop| stop.command), file) },
        readiness_probe: probe(raw.readiness_probe),
        liveness_probe: probe(raw.liveness_probe),
    }
}

/// A key with the value `null` says as much as one that is not there.
fn optional(raw: Option<Raw<Option<String>>>, file: FileId) -> Option<Spanned<String>> {
    let raw = raw?;
    let span = span(&raw, file);
    raw.value.map(|value| Spanned { value, span })
}

fn spanned<T>(raw: Raw<T>, file: FileId) -> Spanned<T> {
    Spanned { span: span(&raw, file), value: raw.value }
}

fn span<T>(raw: &Raw<T>, file: FileId) -> Span {
    let at = raw.defined;
    let byte = |offset: Option<u64>| offset.and_then(|offset| usize::try_from(offset).ok());
    let start = byte(at.span().byte_offset()).unwrap_or(0);
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Span {
        file,
        start,
        end: start + byte(at.span().byte_len()).unwrap_or(0),
        line: number(at.line()),
        column: number(at.column()),
    }
}

#[cfg(test)]
mod tests;
