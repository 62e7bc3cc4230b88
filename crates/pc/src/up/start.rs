//! Starting a process: its streams, its terminal, its environment.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd, RawFd};
use std::path::Path;

use rustix::process::Pid;

use super::body::{Body, Reader};
use super::machine::{LEADER, Machine, STREAM, token};
use super::output::words;
use crate::config::model::Process;
use crate::engine::{Event, Generation, Id};
use crate::logs::Stream;
use crate::os::{Handle, SpawnError, Stdio, Target, open_pty};

/// A start that did not come about.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    #[error("cannot make its pipes")]
    Pipes(#[source] io::Error),
    #[error("cannot make its terminal")]
    Terminal(#[source] io::Error),
    #[error("cannot watch it")]
    Watch(#[source] io::Error),
}

impl StartError {
    fn code(&self) -> i32 {
        match self {
            Self::Spawn(error) => error.code(),
            Self::Pipes(_) | Self::Terminal(_) | Self::Watch(_) => 126,
        }
    }
}

/// Both ends of the streams of a process.
#[derive(Default)]
struct Streams {
    readers: Vec<Reader>,
    theirs: Vec<OwnedFd>,
    master: Option<OwnedFd>,
    terminal: Option<CString>,
}

/// A start that is prepared.
struct Start {
    argv: Vec<CString>,
    environment: Vec<CString>,
    extra: Option<(OwnedFd, RawFd)>,
    streams: Streams,
    is_foreground: bool,
}

impl Start {
    fn target<'s>(&'s self, folder: &'s Path) -> Target<'s> {
        let streams = match self.streams.theirs.as_slice() {
            [out, err] => [Stdio::Null, Stdio::Fd(out.as_fd()), Stdio::Fd(err.as_fd())],
            _ if self.is_foreground => [Stdio::Inherit; 3],
            _ => [Stdio::Null; 3],
        };
        Target {
            argv: &self.argv,
            environment: &self.environment,
            folder,
            streams,
            terminal: self.streams.terminal.as_deref(),
            extra: self.extra.as_ref().map(|(fd, number)| (fd.as_fd(), *number)),
            session: !self.is_foreground,
        }
    }
}

impl Machine<'_> {
    /// Starts processes and tells the engine what became of them.
    pub(super) fn spawn_all(&mut self, batch: &[(Id, Generation)]) {
        let project = self.project;
        let mut open = Vec::new();
        for &(id, generation) in batch {
            match self.prepare_start(id) {
                Ok(start) => open.push((id, generation, start)),
                Err(error) => self.start_failed(id, generation, &error),
            }
        }
        let folder = |id: Id| project.processes[id.0].working_dir.as_path();
        while let Some((first, _, _)) = open.first() {
            let first = *first;
            let same = open.iter().take_while(|(id, _, _)| folder(*id) == folder(first)).count();
            let rest = open.split_off(same);
            let targets: Vec<Target<'_>> =
                open.iter().map(|(id, _, start)| start.target(folder(*id))).collect();
            let pids = self.spawner.spawn_all(&targets);
            drop(targets);
            for ((id, generation, start), pid) in open.drain(..).zip(pids) {
                let started = pid
                    .map_err(StartError::from)
                    .and_then(|pid| self.started(id, generation, start.streams, pid));
                match started {
                    Ok(()) => self.events.push_back(Event::Spawned { id, generation }),
                    Err(error) => self.start_failed(id, generation, &error),
                }
            }
            open = rest;
        }
    }

    fn start_failed(&mut self, id: Id, generation: Generation, error: &StartError) {
        let process = &self.project.processes[id.0];
        let place = self.project.place(process.span);
        self.io.warn(format!("{}: {} ({place})", process.name, words(error)));
        let code = error.code();
        self.events.push_back(Event::SpawnFailed { id, generation, code });
    }

    fn prepare_start(&mut self, id: Id) -> Result<Start, StartError> {
        let project = self.project;
        let process = &project.processes[id.0];
        let is_foreground = self.manner.foreground == Some(id);
        let streams = if is_foreground { Streams::default() } else { streams(process)? };
        let ready = self.ready.open(id.0, process, self.lease.as_ref(), &mut self.poller);
        let ready = ready.map_err(StartError::Pipes)?;
        let environment = self.environment(process, &ready.variables);
        let mut argv = Target::words(&process.argv)?;
        if process.is_elevated {
            argv.splice(..0, Target::words([&project.shell.elevated_command])?);
        }
        self.output.begin(id.0);
        Ok(Start { argv, environment, extra: ready.extra, streams, is_foreground })
    }

    fn started(
        &mut self,
        id: Id,
        generation: Generation,
        streams: Streams,
        pid: Pid,
    ) -> Result<(), StartError> {
        self.lease_add(pid);
        let handle = Handle::of(pid).map_err(StartError::Watch)?;
        if let Some(fd) = handle.watched() {
            self.poller.add(fd, token(LEADER, id.0 as u64)).map_err(StartError::Watch)?;
        }
        for reader in &streams.readers {
            if !self.is_paused() {
                let stream = u64::from(reader.stream == Stream::Stderr);
                let token = token(STREAM, id.0 as u64 * 2 + stream);
                self.poller.add(&reader.fd, token).map_err(StartError::Watch)?;
            }
        }
        self.bodies[id.0] = Some(Body {
            generation,
            handle,
            readers: streams.readers,
            master: streams.master,
            code: None,
            is_reaped: false,
            has_session: self.manner.foreground != Some(id),
            is_rest_asked: false,
            is_killed: false,
            rest: Vec::new(),
        });
        Ok(())
    }
}

fn streams(process: &Process) -> Result<Streams, StartError> {
    if process.is_tty || process.is_interactive {
        let pty = open_pty().map_err(StartError::Terminal)?;
        let reader = Reader::terminal(&pty.master).map_err(StartError::Terminal)?;
        return Ok(Streams {
            readers: vec![reader],
            theirs: Vec::new(),
            master: Some(pty.master),
            terminal: Some(pty.path),
        });
    }
    let (out, their_out) = Reader::pipe(Stream::Stdout).map_err(StartError::Pipes)?;
    let (err, their_err) = Reader::pipe(Stream::Stderr).map_err(StartError::Pipes)?;
    Ok(Streams {
        readers: vec![out, err],
        theirs: vec![their_out, their_err],
        ..Streams::default()
    })
}
