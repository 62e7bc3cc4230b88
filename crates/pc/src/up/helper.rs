//! Programs that are run beside the processes: checks, stop commands, the command of `pc ci`.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::machine::{HELPER, Machine, STOP_COMMAND, Watchman, failed, probe_of, token};
use super::output::words;
use crate::config::model::{Check, Process};
use crate::engine::{Event, Generation, Id, ProbeKind};
use crate::events::{Happening, seconds};
use crate::os::{Handle, RUN_VARIABLE, SpawnError, Stdio, Target, kill_group, send};
use crate::probe::Key;

/// What a helper is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A check of a probe.
    Probe(Key),
    /// Stops a process.
    Stop { id: Id, generation: Generation },
    /// The command of `pc ci`.
    Command,
}

/// A program that runs.
#[derive(Debug)]
pub(super) struct Helper {
    pub(super) handle: Handle,
    pub(super) purpose: Purpose,
    pub(super) began: Instant,
    pub(super) until: Option<Instant>,
    /// It leads a session, so all of it can be killed at once.
    pub(super) has_session: bool,
}

impl Machine<'_> {
    /// A check ended: the engine is told, and so is who reads events.
    pub(super) fn probed(&mut self, key: Key, ok: bool, began: Option<Instant>) {
        let Key { id, generation, kind } = key;
        let lasted = self.timeline.probed(id.0, began);
        let name = &self.project.processes[id.0].name;
        if let Some((events, t)) = self.output.events() {
            let probe = match kind {
                ProbeKind::Startup => "startup",
                ProbeKind::Readiness => "readiness",
                ProbeKind::Liveness => "liveness",
            };
            let t = seconds(t);
            events.tell(&Happening::Probe {
                t,
                process: name,
                probe,
                ok,
                seconds: seconds(lasted),
            });
        }
        self.events.push_back(Event::Probed { id, generation, kind, ok });
    }

    /// Starts a check, on a thread or as a program.
    pub(super) fn check(&mut self, key: Key) {
        let process = &self.project.processes[key.id.0];
        let Some(probe) = probe_of(process, key.kind) else { return };
        if let Some(question) = self.questions.get(&(key.id.0, key.kind)) {
            self.timeline.asked(key.id.0);
            if let Err(error) = self.pool.ask(key, question, probe.timeout) {
                self.io.warn(format!("{}: cannot run its probe: {error}", process.name));
                self.events.push_back(failed(key));
            }
            return;
        }
        let Check::Exec { command, working_dir } = &probe.check else {
            self.events.push_back(failed(key));
            return;
        };
        let argv = [&self.project.shell.command, &self.project.shell.argument, command];
        let environment = self.environment(process, &[]);
        let until = Some(Instant::now() + probe.timeout);
        match self.help(&argv, &environment, working_dir, Purpose::Probe(key), until) {
            Ok(()) => {}
            Err(error) => {
                self.io.detail(format!("{}: {}", process.name, words(&error)));
                self.events.push_back(failed(key));
            }
        }
    }

    pub(super) fn run_stop_command(&mut self, id: Id, generation: Generation) {
        let process = &self.project.processes[id.0];
        let Some(command) = &process.shutdown.command else { return };
        let argv = [&self.project.shell.command, &self.project.shell.argument, command];
        let environment = self.environment(process, &[]);
        let until = Instant::now() + process.shutdown.timeout.unwrap_or(STOP_COMMAND);
        let purpose = Purpose::Stop { id, generation };
        if let Err(error) =
            self.help(&argv, &environment, &process.working_dir, purpose, Some(until))
        {
            self.io.warn(format!("{}: {}", process.name, words(&error)));
            self.events.push_back(Event::StopCommandEnded { id, generation, ok: false });
        }
    }

    /// Starts a program beside the processes.
    pub(super) fn help<S: AsRef<OsStr>>(
        &mut self,
        argv: &[S],
        environment: &[CString],
        folder: &Path,
        purpose: Purpose,
        until: Option<Instant>,
    ) -> Result<(), SpawnError> {
        let is_command = purpose == Purpose::Command;
        let stdio = if is_command { Stdio::Inherit } else { Stdio::Null };
        let argv = Target::words(argv)?;
        let target = Target {
            argv: &argv,
            environment,
            folder,
            streams: [stdio; 3],
            terminal: None,
            extra: None,
            session: !is_command,
        };
        let pid = self.spawner.spawn(&target)?;
        self.lease_add(pid);
        let failed = |source| SpawnError::Program {
            program: argv[0].to_string_lossy().into_owned(),
            source,
        };
        let handle = Handle::of(pid).map_err(failed)?;
        self.next_helper += 1;
        let number = self.next_helper;
        if let Some(fd) = handle.watched() {
            self.poller.add(fd, token(HELPER, number)).map_err(failed)?;
        }
        let began = Instant::now();
        let helper = Helper { handle, purpose, began, until, has_session: !is_command };
        self.helpers.insert(number, helper);
        Ok(())
    }

    /// Starts the command of `pc ci`, on our own streams.
    pub(crate) fn start_command(
        &mut self,
        argv: &[OsString],
        environment: &[CString],
    ) -> Result<(), SpawnError> {
        let folder = self.project.folder.clone();
        self.help(argv, environment, &folder, Purpose::Command, None)
    }

    pub(super) fn take_helper(&mut self, number: u64, watchman: &mut dyn Watchman) {
        let Some(helper) = self.helpers.get(&number) else { return };
        let Some(code) = helper.handle.peek() else { return };
        if helper.purpose == Purpose::Command {
            self.end_helper(number, code == 0);
            watchman.command_ended(self, code);
        } else {
            self.end_helper(number, code == 0);
        }
    }

    /// A helper ended, or its time is over: all of it is killed, and its purpose hears of it.
    pub(super) fn end_helper(&mut self, number: u64, ok: bool) {
        let Some(helper) = self.helpers.remove(&number) else { return };
        if let Some(fd) = helper.handle.watched() {
            self.poller.remove(fd, token(HELPER, number));
        }
        if helper.has_session {
            kill_group(helper.handle.pid, Signal::KILL);
        } else {
            // It may have ended by itself.
            let _sent = send(&helper.handle, Signal::TERM);
        }
        if helper.handle.reap().is_none() {
            // It dies as soon as the kernel comes to it; the sweep buries it.
            self.sweep_soon(Duration::from_millis(20));
        }
        match helper.purpose {
            Purpose::Probe(key) => self.probed(key, ok, Some(helper.began)),
            Purpose::Stop { id, generation } => {
                self.events.push_back(Event::StopCommandEnded { id, generation, ok });
            }
            Purpose::Command => {}
        }
    }

    /// The environment of a process as C wants it, with the mark of this run.
    pub(super) fn environment(&self, process: &Process, more: &[(&str, String)]) -> Vec<CString> {
        let mark = self.lease.as_ref().map(|lease| (RUN_VARIABLE, lease.run().to_owned()));
        let entry = |name: &[u8], value: &[u8]| CString::new([name, b"=", value].concat()).ok();
        let hidden =
            |name: &OsStr| name == RUN_VARIABLE || more.iter().any(|(other, _)| name == *other);
        let own = process.environment.iter().filter(|(name, _)| !hidden(name));
        // An entry with a NUL byte cannot be; none comes from a file or an environment.
        own.filter_map(|(name, value)| entry(name.as_bytes(), value.as_bytes()))
            .chain(
                mark.iter()
                    .chain(more)
                    .filter_map(|(name, value)| entry(name.as_bytes(), value.as_bytes())),
            )
            .collect()
    }

    pub(super) fn lease_add(&mut self, pid: Pid) {
        if let Some(lease) = &mut self.lease
            && let Err(error) = lease.add(pid)
        {
            self.io.warn(format!(
                "cannot write the lease any more: {error}; a killed pc would leave processes behind"
            ));
            self.lease = None;
        }
    }
}
