//! The loop around the engine: one thread waits for everything, tells the engine, and does what it says.
//!
//! It is a plain loop over epoll. What there is to wait for are descriptors, and one thread that owns them all needs no
//! executor; a project that does nothing wakes it never.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cli::Io;

use super::body::Body;
use super::clock::Alarm;
use super::helper::{Helper, Purpose};
use super::output::{Output, words};
use super::ready::ReadySockets;
use super::waker::{Waker, Woken};
use super::watcher::Watcher;
use crate::config::model::{Check, Process, Project};
use crate::engine::{Action, Engine, Event, Generation, Id, ProbeKind, Spec};
use crate::events::Happening;
use crate::os::{Guarded, Handle, Lease, Poller, Ready, Signals, Spawner};
use crate::probe::{Key, Pool, Question};
use crate::report::Timeline;

/// Kinds of tokens, in their upper half; the lower half is a number of that kind.
pub(super) const SIGNALS: u64 = 0;
pub(super) const WOKEN: u64 = 1;
pub(super) const GUARDIAN: u64 = 2;
pub(super) const LEADER: u64 = 3;
pub(super) const STREAM: u64 = 4;
pub(super) const HELPER: u64 = 6;
pub(super) const READY: u64 = 7;

/// A token of that kind.
pub(super) const fn token(kind: u64, number: u64) -> u64 {
    kind << 32 | number
}

/// The bytes that are read at once.
const BUFFER: usize = 128 << 10;
/// A stop command may take this long, unless its process says otherwise.
pub(super) const STOP_COMMAND: Duration = Duration::from_secs(10);
/// So many processes are started at once.
const BATCH: usize = 32;
/// After this time what came is looked at, though there is more to do.
const PATIENCE: Duration = Duration::from_millis(5);
/// How often those that hold up a stop are told.
const TELL: Duration = Duration::from_secs(2);

/// What a run may be told to do beyond the project.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// Leave descendants alone that went into sessions of their own.
    pub(crate) keep_detached: bool,
    /// The process on our own terminal.
    pub(crate) foreground: Option<Id>,
}

/// Why the machine cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MachineError {
    #[error("cannot set up the loop that runs the processes")]
    SetUp(#[source] io::Error),
    #[error("cannot wait for the processes")]
    Wait(#[source] io::Error),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    /// What could not be ended, or was left.
    pub(crate) survivors: Vec<String>,
}

/// What looks at the project between two rounds of the loop, and may end it: `pc ci`.
pub(crate) trait Watchman {
    /// Looks.
    fn look(&mut self, machine: &mut Machine<'_>);
    /// When it wants to look again although nothing happened.
    fn deadline(&self) -> Option<Instant>;
    /// The command it started has ended.
    fn command_ended(&mut self, machine: &mut Machine<'_>, code: i32);
}

/// A project that runs.
pub(crate) struct Machine<'a> {
    pub(super) project: &'a Project,
    pub(super) engine: Engine,
    pub(super) manner: Manner,
    pub(super) bodies: Vec<Option<Body>>,
    pub(super) output: Output,
    pub(super) poller: Poller,
    pub(super) spawner: Spawner,
    pub(super) helpers: BTreeMap<u64, Helper>,
    pub(super) io: &'a Io,
    pub(super) timeline: Timeline,
    pub(super) lease: Option<Lease>,
    pub(super) sweep_at: Option<Instant>,
    pub(super) last_sweep: (Instant, Duration),
    /// Whose an orphan is, so that it is found out once.
    pub(super) owners: BTreeMap<(i32, u64), Option<usize>>,
    pub(super) asked: BTreeSet<(i32, u64)>,
    /// Something was given up: the user left, or nothing helped.
    pub(super) has_left: bool,
    /// How often a signal asked to end.
    pub(super) interrupts: u32,
    pub(super) survivors: Vec<String>,
    /// Left behind on purpose, told once.
    pub(super) kept: BTreeMap<i32, u64>,
    pub(super) events: VecDeque<Event>,
    pub(super) actions: VecDeque<Action>,
    pub(super) ready: ReadySockets,
    pub(super) signals: Signals,
    pub(super) woken: Woken,
    pub(super) pool: Pool,
    pub(super) questions: BTreeMap<(usize, ProbeKind), Arc<Question>>,
    pub(super) alarms: BTreeMap<usize, Alarm>,
    pub(super) watcher: Option<Watcher>,
    pub(super) next_helper: u64,
    pub(super) buffer: Vec<u8>,
    pub(super) is_paused: bool,
    pub(super) tell_at: Option<Instant>,
    pub(super) ended: Option<i32>,
    pub(super) guarded: &'a Guarded,
}

/// What a machine is made of.
pub(crate) struct Parts<'a> {
    pub(crate) project: &'a Project,
    pub(crate) spec: Spec,
    pub(crate) manner: Manner,
    pub(crate) output: Output,
    pub(crate) signals: Signals,
    pub(crate) waker: Waker,
    pub(crate) woken: Woken,
    pub(crate) lease: Option<Lease>,
    pub(crate) guarded: &'a Guarded,
    pub(crate) io: &'a Io,
}

impl<'a> Machine<'a> {
    /// A machine that has started nothing yet.
    pub(crate) fn new(parts: Parts<'a>) -> Result<Self, MachineError> {
        let Parts { project, spec, manner, output, signals, waker, woken, lease, guarded, io } =
            parts;
        let prepare = || -> io::Result<(Poller, Spawner)> {
            let mut poller = Poller::new()?;
            poller.add(&signals, token(SIGNALS, 0))?;
            poller.add(&woken, token(WOKEN, 0))?;
            if let Some(fd) = guarded.handle().and_then(Handle::watched) {
                poller.add(fd, token(GUARDIAN, 0))?;
            }
            let descriptors = 64 + 6 * project.processes.len() as u64;
            Ok((poller, Spawner::new(descriptors)?))
        };
        let (poller, spawner) = prepare().map_err(MachineError::SetUp)?;
        let count = project.processes.len();
        let is_watching = spec.processes.iter().any(|process| process.watch.is_some());
        let watcher = if is_watching {
            let watcher = Watcher::new(project, &waker);
            watcher.map_err(|error| io.warn(words(&error))).ok()
        } else {
            None
        };
        let mut machine = Self {
            project,
            engine: Engine::new(spec),
            manner,
            bodies: (0..count).map(|_| None).collect(),
            timeline: Timeline::new(count),
            output,
            poller,
            spawner,
            helpers: BTreeMap::new(),
            io,
            lease,
            sweep_at: None,
            last_sweep: (Instant::now(), Duration::ZERO),
            owners: BTreeMap::new(),
            asked: BTreeSet::new(),
            has_left: false,
            interrupts: 0,
            survivors: Vec::new(),
            kept: BTreeMap::new(),
            events: VecDeque::new(),
            actions: VecDeque::new(),
            ready: ReadySockets::default(),
            signals,
            woken,
            pool: Pool::new(waker),
            questions: BTreeMap::new(),
            alarms: BTreeMap::new(),
            watcher,
            next_helper: 0,
            buffer: vec![0; BUFFER],
            is_paused: false,
            tell_at: None,
            ended: None,
            guarded,
        };
        machine.prepare();
        Ok(machine)
    }

    /// Questions and alarms are made once.
    fn prepare(&mut self) {
        for (index, process) in self.project.processes.iter().enumerate() {
            if let Some(schedule) = &process.schedule {
                self.alarms.insert(index, Alarm::new(schedule));
            }
            for kind in [ProbeKind::Startup, ProbeKind::Readiness, ProbeKind::Liveness] {
                let Some(probe) = probe_of(process, kind) else { continue };
                let question = match &probe.check {
                    Check::Tcp { host, port } => Question::Tcp { host: host.clone(), port: *port },
                    Check::Http { host, scheme, path, port, headers, status } => {
                        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
                        let slash = if path.starts_with('/') { "" } else { "/" };
                        let host =
                            if host.contains(':') { format!("[{host}]") } else { host.clone() };
                        let url = format!("{scheme}://{host}{port}{slash}{path}");
                        match Question::http(&url, headers, *status, probe.timeout) {
                            Ok(question) => question,
                            Err(error) => {
                                let place = self.project.place(probe.span);
                                self.io.warn(format!("{place}: `{url}`: {error}"));
                                continue;
                            }
                        }
                    }
                    _ => continue,
                };
                self.questions.insert((index, kind), Arc::new(question));
            }
        }
    }

    /// The time since the start of the run.
    pub(crate) fn now(&self) -> Duration {
        self.output.began().elapsed()
    }

    /// The state of everything.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The project.
    pub(crate) fn project(&self) -> &'a Project {
        self.project
    }

    /// What took how long.
    pub(crate) fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The last lines of a process.
    pub(crate) fn tail(&self, id: Id, count: usize) -> Vec<String> {
        self.output.tail(id.0, count)
    }

    /// Tells the engine something at the next turn.
    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Runs the project to its end.
    pub(crate) fn run(&mut self, watchman: &mut dyn Watchman) -> Result<Ended, MachineError> {
        let begin = Happening::Begin {
            t: 0.0,
            project: &self.project.name,
            pid: rustix::process::getpid().as_raw_nonzero().get(),
        };
        if let Some((events, _)) = self.output.events() {
            events.tell(&begin);
        }
        self.events.push_back(Event::Begin);
        while self.ended.is_none() {
            self.settle();
            watchman.look(self);
            self.settle();
            self.output.flush(self.io);
            self.pause_or_resume();
            if self.ended.is_some() {
                break;
            }
            let limit = self.limit(watchman);
            let ready = self.poller.wait(limit).map_err(MachineError::Wait)?;
            for ready in ready {
                self.take(ready, watchman);
            }
            self.look_at_clocks();
            self.events.push_back(Event::Tick);
        }
        self.finish()
    }

    /// Tells the engine all that happened, and does what it says, in order. Where that takes long, as with a thousand
    /// starts, the rest waits until signals and lines were looked at.
    fn settle(&mut self) {
        let begin = Instant::now();
        loop {
            while let Some(event) = self.events.pop_front() {
                let now = self.now();
                self.actions.extend(self.engine.handle(event, now));
            }
            match self.actions.pop_front() {
                None => return,
                Some(Action::Spawn { id, generation }) => self.spawn_from(id, generation),
                Some(action) => self.act(action),
            }
            if begin.elapsed() > PATIENCE {
                return;
            }
        }
    }

    /// Starts that process and those that are to be started next.
    fn spawn_from(&mut self, id: Id, generation: Generation) {
        let mut batch = vec![(id, generation)];
        while batch.len() < BATCH {
            match self.actions.front() {
                Some(Action::Show(id)) => {
                    let id = *id;
                    self.actions.pop_front();
                    self.show(id);
                }
                Some(Action::Spawn { id, generation }) => {
                    batch.push((*id, *generation));
                    self.actions.pop_front();
                }
                _ => break,
            }
        }
        self.spawn_all(&batch);
    }

    fn limit(&self, watchman: &dyn Watchman) -> Option<Duration> {
        if !self.actions.is_empty() || !self.events.is_empty() {
            return Some(Duration::ZERO);
        }
        let now = Instant::now();
        let helpers = self.helpers.values().filter_map(|helper| helper.until).min();
        let alarms = self.alarms.values().map(Alarm::at).min();
        let engine = self.engine.deadline().map(|at| self.output.began() + at);
        let own = [self.sweep_at, self.tell_at, helpers, alarms, engine, watchman.deadline()];
        let next = own.into_iter().flatten().min()?;
        Some(next.saturating_duration_since(now))
    }

    fn take(&mut self, ready: Ready, watchman: &mut dyn Watchman) {
        let number = ready.0 & 0xffff_ffff;
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        match ready.0 >> 32 {
            SIGNALS => self.take_signals(),
            WOKEN => self.take_woken(),
            GUARDIAN => {
                if let Some(fd) = self.guarded.handle().and_then(Handle::watched) {
                    self.poller.remove(fd, token(GUARDIAN, 0));
                }
                self.io.warn("the guardian was killed: stopping everything");
                self.events.push_back(Event::StopProject { code: 0 });
            }
            LEADER => self.take_leader(index),
            STREAM => self.take_stream(index / 2, index % 2),
            HELPER => self.take_helper(number, watchman),
            READY => self.take_ready(index),
            _ => {}
        }
    }

    fn look_at_clocks(&mut self) {
        let now = Instant::now();
        for (index, alarm) in &mut self.alarms {
            if alarm.rings() {
                self.events.push_back(Event::Due(Id(*index)));
            }
        }
        let late: Vec<u64> = self
            .helpers
            .iter()
            .filter(|(_, helper)| helper.until.is_some_and(|until| until <= now))
            .map(|(number, _)| *number)
            .collect();
        for number in late {
            self.end_helper(number, false);
        }
        if self.sweep_at.is_some_and(|at| at <= now) {
            self.sweep();
        }
        if self.engine.is_stopping() {
            match self.tell_at {
                None => self.tell_at = Some(now + TELL),
                Some(at) if at <= now => {
                    self.tell_at = Some(now + TELL);
                    self.tell_who_blocks();
                }
                Some(_) => {}
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Spawn { id, generation } => self.spawn_all(&[(id, generation)]),
            Action::Terminate { id, generation } => self.terminate(id, generation),
            Action::TerminateRest { id, generation } => {
                if let Some(body) = self.body(id, generation) {
                    body.is_rest_asked = true;
                    self.sweep_now();
                }
            }
            Action::RunStopCommand { id, generation } => self.run_stop_command(id, generation),
            Action::Kill { id, generation } => self.kill(id, generation),
            Action::Abandon { id, generation } => self.abandon(id, generation),
            Action::Probe { id, generation, kind } => self.check(Key { id, generation, kind }),
            Action::CancelProbes { id, .. } => {
                let numbers: Vec<u64> = self
                    .helpers
                    .iter()
                    .filter(
                        |(_, helper)| matches!(helper.purpose, Purpose::Probe(key) if key.id == id),
                    )
                    .map(|(number, _)| *number)
                    .collect();
                for number in numbers {
                    self.end_helper(number, false);
                }
            }
            Action::Show(id) => self.show(id),
            Action::Flapping(id) => {
                let name = &self.project.processes[id.0].name;
                self.io.warn(format!(
                    "{name}: restarted 10 times in a minute by changed files: its watch is off"
                ));
            }
            Action::End { code } => self.ended = Some(code),
        }
    }

    pub(super) fn body(&mut self, id: Id, generation: Generation) -> Option<&mut Body> {
        self.bodies[id.0].as_mut().filter(|body| body.generation == generation)
    }
}

impl std::fmt::Debug for Machine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("engine", &self.engine).finish_non_exhaustive()
    }
}

pub(super) fn failed(key: Key) -> Event {
    Event::Probed { id: key.id, generation: key.generation, kind: key.kind, ok: false }
}

/// The probe of that kind.
pub(super) fn probe_of(process: &Process, kind: ProbeKind) -> Option<&crate::config::model::Probe> {
    match kind {
        ProbeKind::Startup => process.startup_probe.as_ref(),
        ProbeKind::Readiness => process.readiness_probe.as_ref(),
        ProbeKind::Liveness => process.liveness_probe.as_ref(),
    }
}
