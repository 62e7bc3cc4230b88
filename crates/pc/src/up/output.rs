//! Where the lines of all processes go: memory, files, stdout, events; and what they are searched for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cli::Io;
use memchr::memmem::Finder;
use regex::bytes::Regex;

use crate::config::model::{Check, LogPattern, Process, Project};
use crate::engine::ProbeKind;
use crate::events::Events;
use crate::logs::{Line, LogFile, Outlet, Ring, Stream, Style};

/// What a line told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The ready line came.
    ReadyLine,
    /// A probe that waits for a line has it.
    Probe(ProbeKind),
}

#[derive(Debug)]
enum Pattern {
    Contains(Box<Finder<'static>>),
    Matches(Regex),
}

impl Pattern {
    fn of(pattern: &LogPattern) -> Option<Self> {
        match pattern {
            LogPattern::Contains(text) => {
                Some(Self::Contains(Box::new(Finder::new(text.as_bytes()).into_owned())))
            }
            // The loader compiled it once already.
            LogPattern::Matches(text) => Regex::new(text).ok().map(Self::Matches),
        }
    }

    fn is_in(&self, text: &[u8]) -> bool {
        match self {
            Self::Contains(finder) => finder.find(text).is_some(),
            Self::Matches(regex) => regex.is_match(text),
        }
    }
}

/// The lines of one process.
#[derive(Debug)]
struct Channel {
    name: String,
    prefix: Vec<u8>,
    ring: Ring,
    style: Style,
    file: Option<usize>,
    is_loud: bool,
    sequence: u64,
    patterns: Vec<(Pattern, Found)>,
    /// The patterns that were not seen in this start.
    open: Vec<usize>,
    forgets: bool,
}

/// The lines of all processes.
#[derive(Debug)]
pub(crate) struct Output {
    channels: Vec<Channel>,
    files: Vec<LogFile>,
    screen: Option<Outlet>,
    events: Option<Events>,
    color: bool,
    began: Instant,
}

impl Output {
    /// Opens the files of those that may run. A file that cannot be opened is told, and done without.
    pub(super) fn new(
        project: &Project,
        is_loud: impl Fn(usize) -> bool,
        screen: Option<Outlet>,
        events: Option<Events>,
        io: &Io,
    ) -> Self {
        let mut files = Vec::new();
        let mut known: BTreeMap<PathBuf, Option<usize>> = BTreeMap::new();
        let mut channels = Vec::new();
        for (index, process) in project.processes.iter().enumerate() {
            let own = process.log.location.as_ref();
            let location = own.or(project.log_location.as_ref());
            let configuration = if own.is_some() || process.log.configuration.is_given {
                &process.log.configuration
            } else {
                &project.log_configuration
            };
            let file = location.and_then(|path| {
                *known.entry(path.clone()).or_insert_with(|| {
                    match LogFile::open(path, configuration.rotation.clone()) {
                        Ok(file) => {
                            files.push(file);
                            Some(files.len() - 1)
                        }
                        Err(error) => {
                            io.warn(words(&error));
                            None
                        }
                    }
                })
            });
            channels.push(Channel {
                prefix: format!("[{}\t] ", process.name).into_bytes(),
                ring: Ring::new(project.log_length),
                style: Style::new(&process.name, process.replica, configuration),
                file,
                is_loud: is_loud(index),
                sequence: 0,
                patterns: patterns(process),
                open: Vec::new(),
                forgets: process.truncate_log,
                name: process.name.clone(),
            });
        }
        Self { channels, files, screen, events, color: io.out_is_colored(), began: Instant::now() }
    }

    /// A process starts: its lines are searched again.
    pub(super) fn begin(&mut self, index: usize) {
        let channel = &mut self.channels[index];
        channel.open = (0..channel.patterns.len()).collect();
        if channel.forgets {
            channel.ring.clear();
        }
    }

    /// Takes a line; what it tells is added to `found`.
    pub(super) fn line(
        &mut self,
        index: usize,
        stream: Stream,
        line: Line<'_>,
        found: &mut Vec<Found>,
    ) {
        let channel = &mut self.channels[index];
        if !channel.open.is_empty() {
            let (patterns, open) = (&channel.patterns, &mut channel.open);
            open.retain(|&pattern| {
                let (pattern, means) = &patterns[pattern];
                let is_in = pattern.is_in(line.text);
                if is_in {
                    found.push(*means);
                }
                !is_in
            });
        }
        channel.ring.push(line.text, stream);
        if let Some(file) = channel.file {
            channel.style.append(&mut self.files[file].pending, line, stream);
        }
        if channel.is_loud
            && let Some(screen) = &mut self.screen
        {
            let is_red = self.color && stream == Stream::Stderr;
            screen.line(|out| {
                out.extend_from_slice(&channel.prefix);
                if is_red {
                    out.extend_from_slice(b"\x1b[31m");
                }
                out.extend_from_slice(line.text);
                if line.goes_on {
                    out.extend_from_slice("\u{2026}".as_bytes());
                }
                out.extend_from_slice(if is_red { b"\x1b[0m\n" } else { b"\n" });
            });
        }
        if let Some(events) = &mut self.events {
            let time = self.began.elapsed();
            events.line(time, &channel.name, stream, channel.sequence, line);
        }
        channel.sequence += 1;
    }

    /// Hands on what came in this round.
    pub(super) fn flush(&mut self, io: &Io) {
        for file in &mut self.files {
            if let Err(error) = file.flush() {
                io.warn(words(&error));
            }
        }
        let streams = [
            (self.screen.as_mut(), "stdout"),
            (self.events.as_mut().map(Events::outlet), "the events"),
        ];
        for (outlet, name) in streams {
            let Some(outlet) = outlet else { continue };
            outlet.flush();
            if let Some(dropped) = outlet.take_dropped() {
                io.warn(format!("{dropped} lines were dropped: the reader of {name} is too slow"));
            }
            if let Some(error) = outlet.take_failure() {
                io.warn(format!("cannot write to {name} any more: {error}; the processes go on"));
            }
        }
    }

    /// Whether those that write must wait for a reader.
    pub(super) fn blocks(&self) -> bool {
        let events = self.events.as_ref().is_some_and(|events| events.outlet_ref().blocks());
        events || self.screen.as_ref().is_some_and(Outlet::blocks)
    }

    /// Whether all was written.
    pub(super) fn is_idle(&self) -> bool {
        let events = self.events.as_ref().is_none_or(|events| events.outlet_ref().is_idle());
        events && self.screen.as_ref().is_none_or(Outlet::is_idle)
    }

    /// Ends the streams, and says what the files could not take.
    pub(super) fn close(&mut self, io: &Io) {
        for file in &self.files {
            if file.lost() > 0 {
                let path = file.path().display();
                io.warn(format!("{} bytes could not be written to the log `{path}`", file.lost()));
            }
        }
        // A reader that stands still is not waited for any more.
        let streams = [self.screen.as_mut(), self.events.as_mut().map(Events::outlet)];
        for outlet in streams.into_iter().flatten().filter(|outlet| outlet.is_idle()) {
            outlet.close();
        }
    }

    /// The events, if anybody wants them.
    pub(super) fn events(&mut self) -> Option<(&mut Events, Duration)> {
        let time = self.began.elapsed();
        self.events.as_mut().map(|events| (events, time))
    }

    /// The last lines of a process, as text.
    pub(super) fn tail(&self, index: usize, count: usize) -> Vec<String> {
        let lines = self.channels[index].ring.tail(count);
        lines.map(|(text, _)| String::from_utf8_lossy(text).into_owned()).collect()
    }

    /// When the run began.
    pub(super) fn began(&self) -> Instant {
        self.began
    }
}

fn patterns(process: &Process) -> Vec<(Pattern, Found)> {
    let probes = [
        (ProbeKind::Startup, &process.startup_probe),
        (ProbeKind::Readiness, &process.readiness_probe),
        (ProbeKind::Liveness, &process.liveness_probe),
    ];
    let ready = process.ready_log.as_ref().map(|pattern| (pattern, Found::ReadyLine));
    let asked = probes.into_iter().filter_map(|(kind, probe)| {
        match probe.as_ref().map(|probe| &probe.check) {
            Some(Check::Log(pattern)) => Some((pattern, Found::Probe(kind))),
            _ => None,
        }
    });
    ready
        .into_iter()
        .chain(asked)
        .filter_map(|(pattern, means)| Some((Pattern::of(pattern)?, means)))
        .collect()
}

/// An error and its causes, in one line.
pub(crate) fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
    }
    text
}
