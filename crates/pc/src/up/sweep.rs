//! Finding what processes leave behind. As a subreaper we get every orphan below us as a child; which process it is of
//! tell its session and, for one that made its own, the environment it was started with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpid};

use super::machine::{Machine, STREAM, token};
use super::stop::{below, signal_relative};
use crate::engine::{Event, Id};
use crate::events::{Happening, seconds};
use crate::logs::Stream;
use crate::os::{Relative, any_ended, bury, relatives, variable_of};

/// Nobody waits for what an ended process left: looking can wait.
const IDLE: Duration = Duration::from_millis(200);
/// A stop waits for it, and exits come in bunches.
const BUSY: Duration = Duration::from_millis(2);
/// Between looks at something that was asked to end; its end is told by SIGCHLD anyway.
const ASKED: Duration = Duration::from_millis(100);
/// Between looks at something that was killed.
const KILLED: Duration = Duration::from_millis(5);

impl Machine<'_> {
    /// Looks within that time.
    pub(super) fn sweep_soon(&mut self, delay: Duration) {
        // A look at all processes costs milliseconds where there are many: looking may take a third of the time.
        let at = (Instant::now() + delay).max(self.last_sweep.0 + self.last_sweep.1 * 2);
        self.sweep_at = Some(self.sweep_at.map_or(at, |other| other.min(at)));
    }

    pub(super) fn sweep_now(&mut self) {
        self.sweep_soon(Duration::ZERO);
    }

    /// A leader ended.
    pub(super) fn sweep_after_exit(&mut self) {
        if self.engine.is_stopping() {
            if self.nobody_runs() {
                self.sweep_at = Some(Instant::now());
            } else {
                self.sweep_soon(BUSY);
            }
        } else {
            self.sweep_soon(IDLE);
        }
    }

    /// Some child ended. Orphans are buried at once, if a leader that waits for its burial does not hide them.
    pub(super) fn child_changed(&mut self) {
        let mut has_buried = false;
        while let Some(pid) = any_ended() {
            let number = pid.as_raw_nonzero().get();
            let is_leader =
                self.bodies.iter().flatten().any(|body| body.number() == number && !body.is_reaped);
            if is_leader || self.helpers.values().any(|helper| helper.handle.pid == pid) {
                if self.bodies.iter().flatten().any(|body| body.code.is_some()) {
                    let delay = if self.waits_for_rest() { BUSY } else { IDLE };
                    self.sweep_soon(delay);
                }
                break;
            }
            bury(pid);
            has_buried = true;
        }
        if has_buried && self.waits_for_rest() {
            self.sweep_soon(Duration::from_millis(1));
        }
    }

    fn waits_for_rest(&self) -> bool {
        self.bodies.iter().flatten().any(|body| body.is_killed || body.is_rest_asked)
    }

    /// Looks for what is left, and does about it what was decided.
    pub(super) fn sweep(&mut self) {
        self.sweep_at = None;
        if self.engine.is_stopping() && self.bury_all() {
            for index in 0..self.bodies.len() {
                self.gone(index);
            }
            return;
        }
        let begin = Instant::now();
        let tree = relatives(getpid());
        self.last_sweep = (Instant::now(), begin.elapsed());
        let mut rests = self.orphans(&tree);
        let mut next: Option<Duration> = None;
        let mut sooner =
            |delay: Duration| next = Some(next.map_or(delay, |other| other.min(delay)));
        for index in 0..self.bodies.len() {
            let rest = rests.remove(&index).unwrap_or_default();
            let rest: Vec<Relative> =
                rest.into_iter().filter(|one| !self.is_kept(index, one)).collect();
            let Some(body) = self.bodies[index].as_mut() else { continue };
            body.rest = rest;
            if body.code.is_some() && body.rest.is_empty() {
                self.gone(index);
            } else if body.is_killed {
                self.kill_below(index, &tree);
                sooner(KILLED);
            } else if body.code.is_some() && body.is_rest_asked {
                self.ask_rest(index, &tree);
                sooner(ASKED);
            }
        }
        if let Some(delay) = next {
            self.sweep_soon(delay);
        }
    }

    /// Our children that we did not start, by the process they are of; dead ones are buried.
    fn orphans(&mut self, tree: &BTreeMap<i32, Relative>) -> BTreeMap<usize, Vec<Relative>> {
        let own = getpid().as_raw_nonzero().get();
        let leaders: BTreeMap<i32, usize> = self
            .bodies
            .iter()
            .enumerate()
            .filter_map(|(index, body)| Some((body.as_ref()?.number(), index)))
            .collect();
        let helpers: BTreeSet<i32> =
            self.helpers.values().map(|helper| helper.handle.pid.as_raw_nonzero().get()).collect();
        let mut found: BTreeMap<usize, Vec<Relative>> = BTreeMap::new();
        let mut owners = std::mem::take(&mut self.owners);
        owners.retain(|(pid, start), _| tree.get(pid).is_some_and(|one| one.start == *start));
        for one in tree.values().filter(|one| one.parent == own) {
            if helpers.contains(&one.pid) || leaders.contains_key(&one.pid) {
                continue;
            }
            if one.is_zombie {
                Pid::from_raw(one.pid).and_then(bury);
                continue;
            }
            let owner = *owners.entry((one.pid, one.start)).or_insert_with(|| {
                leaders.get(&one.session).copied().or_else(|| self.owner_by_environment(one.pid))
            });
            if let Some(owner) = owner {
                found.entry(owner).or_default().push(one.clone());
            }
        }
        self.owners = owners;
        found
    }

    fn owner_by_environment(&self, pid: i32) -> Option<usize> {
        let group = variable_of(pid, "PC_PROC_NAME")?;
        let replica = variable_of(pid, "PC_REPLICA_NUM");
        let replica = replica.and_then(|number| number.parse().ok()).unwrap_or(0);
        let mut processes = self.project.processes.iter();
        processes.position(|process| process.group == group && process.replica == replica)
    }

    /// Whether an orphan may live on; told once.
    fn is_kept(&mut self, index: usize, one: &Relative) -> bool {
        if self.kept.get(&one.pid) == Some(&one.start) {
            return true;
        }
        let process = &self.project.processes[index];
        let has_left = self.bodies[index].as_ref().is_some_and(|body| body.number() != one.session);
        let is_named = process.shutdown.keep.contains(&one.name);
        let is_kept = has_left && (self.manner.keep_detached || is_named) && !process.is_daemon;
        if is_kept {
            self.kept.insert(one.pid, one.start);
            self.io.status(format!(
                "{} left {} ({}) in a session of its own: kept",
                process.name, one.name, one.pid
            ));
            self.tell_detached(index, one, true);
        }
        is_kept
    }

    fn tell_detached(&mut self, index: usize, one: &Relative, kept: bool) {
        let process = Some(self.project.processes[index].name.as_str());
        if let Some((events, t)) = self.output.events() {
            let (t, name, pid) = (seconds(t), one.name.as_str(), one.pid);
            events.tell(&Happening::Detached { t, process, name, pid, kept });
        }
    }

    /// Asks what is left of a process to end, each once.
    fn ask_rest(&mut self, index: usize, tree: &BTreeMap<i32, Relative>) {
        let Some(body) = &self.bodies[index] else { return };
        let leader = body.number();
        let roots: Vec<i32> = body.rest.iter().map(|one| one.pid).collect();
        for one in below(tree, &roots) {
            if one.is_zombie || !self.asked.insert((one.pid, one.start)) {
                continue;
            }
            if one.session != leader && roots.contains(&one.pid) {
                let name = &self.project.processes[index].name;
                self.io.status(format!(
                    "{name} left {} ({}) in a session of its own: ending it",
                    one.name, one.pid
                ));
                self.tell_detached(index, one, false);
            }
            signal_relative(one, Signal::TERM);
            signal_relative(one, Signal::CONT);
        }
    }

    /// Kills what is left of a process, and what is below its leader.
    fn kill_below(&mut self, index: usize, tree: &BTreeMap<i32, Relative>) {
        let Some(body) = &self.bodies[index] else { return };
        let leader = (body.code.is_none()).then(|| body.number());
        let roots: Vec<i32> = body.rest.iter().map(|one| one.pid).chain(leader).collect();
        for one in below(tree, &roots) {
            if !one.is_zombie {
                signal_relative(one, Signal::KILL);
            }
        }
    }

    /// Nothing of a process is left: its leader is buried, and the engine told.
    fn gone(&mut self, index: usize) {
        if self.bodies[index].as_ref().is_none_or(|body| body.code.is_none()) {
            return;
        }
        for stream in 0..2 {
            self.pump(index, stream, super::body::DRAIN);
        }
        let Some(body) = self.bodies[index].take() else { return };
        for reader in &body.readers {
            let stream = u64::from(reader.stream == Stream::Stderr);
            self.poller.remove(&reader.fd, token(STREAM, index as u64 * 2 + stream));
        }
        if !body.is_reaped {
            body.handle.reap();
        }
        self.ready.close(index, &mut self.poller);
        self.events.push_back(Event::Gone { id: Id(index), generation: body.generation });
    }
}
