//! Which ports a process uses, as far as its keys show.
//!
//! A registered port is one by `${ports.web}`, by `{{ .ports.web }}`, by the name of its variable in a command line,
//! or by `x-ports`. A literal is one in the places where programs take the port that they listen on, and in the
//! probes. What stands in a URL is somebody else's port: it does not move either, but it may well be taken.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use composefile::{FileId, Kind, Node, Source, Span};
use regex::Regex;

use super::expand::Expanded;
use super::files::Lines;
use super::model::{Check, PortUse, Probe, Process, Project};
use super::registry::PortTable;
use super::tree::View;

/// Flags and settings that name a port to listen on.
static LISTENS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let flag = r"(?:--?(?:[a-z-]+-)?port|-p|\bPORT|\bport)[ =]\s*(\d{2,5})\b";
    let address = r"(?:0\.0\.0\.0|\[::\]|\*):(\d{2,5})\b";
    let bare = r#"(?:^|[\s"'=]):(\d{2,5})\b"#;
    let listen = r"--?(?:listen|bind|addr|address|http|host|web\.listen-address)[ =](?:localhost|127\.0\.0\.1|\[::1\]):(\d{2,5})\b";
    Regex::new(&format!("{flag}|{address}|{bare}|{listen}")).ok()
});

/// Addresses on this machine that somebody else listens on.
static CONNECTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:localhost|127\.0\.0\.1|\[::1\]|@[A-Za-z0-9.-]+):(\d{2,5})\b").ok()
});

/// Everything that the keys of one process show.
pub(crate) fn of(
    node: &Node,
    replicas: &[Process],
    pieces: &[(FileId, Expanded)],
    templates: &[(String, Span)],
    ports: &PortTable,
    sources: &[Source],
) -> Vec<PortUse> {
    let mut all = Uses { ports, sources, found: Vec::new() };
    let mut scalars = Vec::new();
    collect(node, &mut scalars);
    for (path, span) in templates {
        all.registered(path, format!("{{{{ .ports.{path} }}}}"), *span, true);
    }
    for (text, span) in &scalars {
        for (path, at, serves) in expanded(*span, pieces, sources) {
            all.registered(&path, format!("${{ports.{path}}}"), at, serves);
        }
        for (path, variable) in &ports.variables {
            if names(text, variable) {
                all.registered(path, format!("${variable}"), *span, true);
            }
        }
    }
    annotations(View(Some(node)).get("x-ports"), &mut all);
    for process in replicas {
        all.literals(process, node);
    }
    all.found
}

/// The first literal that keeps the ports of the processes that run from moving.
pub(crate) fn literal(project: &Project) -> Option<(&str, &PortUse)> {
    let running = project.processes.iter().filter(|process| !process.is_disabled);
    running
        .flat_map(|process| process.ports.iter().map(|port| (process.name.as_str(), port)))
        .find(|(_, port)| port.registered.is_none())
}

struct Uses<'a> {
    ports: &'a PortTable,
    sources: &'a [Source],
    found: Vec<PortUse>,
}

impl Uses<'_> {
    fn add(&mut self, port: PortUse) {
        let same = |known: &PortUse| {
            known.number == port.number
                && known.span == port.span
                && known.registered == port.registered
        };
        if !self.found.iter().any(same) {
            self.found.push(port);
        }
    }

    fn registered(&mut self, path: &str, source: String, span: Span, is_served: bool) {
        if let Some(&number) = self.ports.numbers.get(path) {
            self.add(PortUse {
                number,
                registered: Some(path.to_owned()),
                source,
                span,
                is_served,
            });
        }
    }

    fn literal(&mut self, number: u16, source: &str, span: Span, is_served: bool) {
        // What came from the registry is in the text as a number, too.
        let is_known =
            self.found.iter().any(|known| known.number == number && known.registered.is_some());
        if number > 0 && !is_known {
            let span = self.exact(number, span);
            self.add(PortUse {
                number,
                registered: None,
                source: source.to_owned(),
                span,
                is_served,
            });
        }
    }

    /// The place of the digits inside a value.
    fn exact(&self, number: u16, span: Span) -> Span {
        let Some(source) = self.sources.get(span.file.0) else { return span };
        let Some(text) = source.text.get(span.start..span.end) else { return span };
        match text.find(&number.to_string()) {
            Some(at) => Lines::of(&source.text).span(span.file, span.start + at, span.end),
            None => span,
        }
    }

    fn literals(&mut self, process: &Process, node: &Node) {
        let view = View(Some(node));
        self.text(&process.command, "command", process.command_span);
        if process.command.is_empty() {
            self.text(&process.argv.join(" "), "entrypoint", process.command_span);
        }
        for item in view.get("environment").items() {
            let Kind::Scalar(scalar) = &item.kind else { continue };
            self.text(&scalar.text, "environment", item.span);
        }
        let probes = [
            ("startup_probe", &process.startup_probe),
            ("readiness_probe", &process.readiness_probe),
            ("liveness_probe", &process.liveness_probe),
        ];
        for (name, probe) in probes {
            if let Some(probe) = probe {
                self.probe(name, probe, view.get(name));
            }
        }
    }

    fn probe(&mut self, name: &str, probe: &Probe, view: View<'_>) {
        let is_here =
            |host: &str| matches!(host, "127.0.0.1" | "localhost" | "::1" | "0.0.0.0" | "[::1]");
        match &probe.check {
            Check::Http { host, port: Some(port), .. } => {
                self.literal(*port, name, view.get("http_get").get("port").span(), is_here(host));
            }
            Check::Tcp { host, port } => {
                self.literal(*port, name, view.get("tcp_socket").get("port").span(), is_here(host));
            }
            Check::Exec { command, .. } => {
                self.text(command, name, view.get("exec").get("command").span());
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str, source: &str, span: Span) {
        for (regex, serves) in [(&*LISTENS, true), (&*CONNECTS, false)] {
            for found in regex.iter().flat_map(|regex| regex.captures_iter(text)) {
                let number = found
                    .iter()
                    .skip(1)
                    .flatten()
                    .next()
                    .and_then(|digits| digits.as_str().parse().ok());
                let start = found.get(0).map_or(0, |whole| whole.start());
                let word = text[..start].rsplit(char::is_whitespace).next().unwrap_or_default();
                let is_url = word.contains("://");
                if let Some(number) = number {
                    self.literal(number, source, span, serves && !is_url);
                }
            }
        }
    }
}

/// All scalars of a tree.
fn collect<'a>(node: &'a Node, all: &mut Vec<(&'a str, Span)>) {
    match &node.kind {
        Kind::Scalar(scalar) => all.push((&scalar.text, node.span)),
        Kind::Sequence(items) => items.iter().for_each(|item| collect(item, all)),
        Kind::Mapping(entries) => entries.iter().for_each(|(_, value)| collect(value, all)),
    }
}

/// The registered ports that were put into a value, and whether each of them is one to listen on.
fn expanded(
    span: Span,
    pieces: &[(FileId, Expanded)],
    sources: &[Source],
) -> Vec<(String, Span, bool)> {
    let Some((_, expanded)) = pieces.iter().find(|(file, _)| *file == span.file) else {
        return Vec::new();
    };
    let Some(source) = sources.get(span.file.0) else { return Vec::new() };
    let mut all = Vec::new();
    let from = expanded.pieces.partition_point(|piece| piece.original.start < span.start);
    for piece in &expanded.pieces[from..] {
        if piece.original.start >= span.end.max(span.start + 1) {
            break;
        }
        if piece.ports.is_empty() {
            continue;
        }
        let before = source.text.get(..piece.original.start).unwrap_or_default();
        let word = before.rsplit(|c: char| c.is_whitespace()).next().unwrap_or_default();
        let at = Lines::of(&source.text).span(span.file, piece.original.start, piece.original.end);
        for path in &piece.ports {
            all.push((path.clone(), at, !word.contains("://")));
        }
    }
    all
}

/// Whether a text names a variable: `$X`, `${X}`.
fn names(text: &str, variable: &str) -> bool {
    text.match_indices(variable).any(|(at, _)| {
        let behind = text[at + variable.len()..].chars().next();
        let before = &text[..at];
        (before.ends_with('$') || before.ends_with("${"))
            && !behind.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// `x-ports: [databases.redis, 8080]`.
fn annotations(view: View<'_>, all: &mut Uses<'_>) {
    let mut seen = BTreeSet::new();
    for item in view.items() {
        let Kind::Scalar(scalar) = &item.kind else { continue };
        if !seen.insert(&scalar.text) {
            continue;
        }
        match scalar.text.parse() {
            Ok(number) => all.add(PortUse {
                number,
                registered: None,
                source: "x-ports".to_owned(),
                span: item.span,
                is_served: true,
            }),
            Err(_) => all.registered(&scalar.text, "x-ports".to_owned(), item.span, true),
        }
    }
}
