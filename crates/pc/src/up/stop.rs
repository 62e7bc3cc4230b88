//! Stopping a process: asking, killing, giving up.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpid};

use super::body::Body;
use super::machine::{LEADER, Machine, token};
use crate::engine::{Generation, Id};
use crate::events::{Happening, seconds};
use crate::os::{
    Handle, Relative, has_children, kill_group, relatives, send, signal_named, start_time,
};

/// So long a process that was killed may take to end, before it counts as one that was left.
const STRAY_DYING: Duration = Duration::from_millis(50);
/// How long what belongs to nobody may take to end by itself, at the end.
const STRAY_GRACE: Duration = Duration::from_secs(2);
/// How long killed strays may take to disappear.
const STRAY_BURIAL: Duration = Duration::from_secs(5);

impl Machine<'_> {
    /// Asks a process to end, as its project says.
    pub(super) fn terminate(&mut self, id: Id, generation: Generation) {
        let process = &self.project.processes[id.0];
        let shutdown = &process.shutdown;
        let has_terminal = process.is_tty || process.is_interactive;
        let Some(body) = self.bodies[id.0].as_ref().filter(|body| body.generation == generation)
        else {
            return;
        };
        if let (Some(keys), Some(master)) = (&shutdown.send_keys, &body.master) {
            // A terminal that takes no keys any more has nobody to read them.
            let _written = rustix::io::write(master, keys);
            return;
        }
        // A shell on a terminal heeds a hang-up, not SIGTERM.
        let signal = match signal_named(shutdown.signal) {
            Signal::TERM if has_terminal => Signal::HUP,
            signal => signal,
        };
        let only_leader = shutdown.parent_only || !body.has_session;
        signal_body(body, signal, only_leader);
        // One that is stopped cannot heed anything.
        signal_body(body, Signal::CONT, only_leader);
        let number = body.number();
        self.tell_signal(id, signal, number, false);
    }

    fn tell_signal(&mut self, id: Id, signal: Signal, pid: i32, escalation: bool) {
        let process = &self.project.processes[id.0].name;
        let signal = signal.as_raw();
        if let Some((events, t)) = self.output.events() {
            events.tell(&Happening::Signal { t: seconds(t), process, signal, pid, escalation });
        }
    }

    /// Kills all of a process.
    pub(super) fn kill(&mut self, id: Id, generation: Generation) {
        let Some(body) = self.body(id, generation) else { return };
        body.is_killed = true;
        let number = body.number();
        signal_body(body, Signal::KILL, !body.has_session);
        let name = &self.project.processes[id.0].name;
        if body_runs(self.bodies[id.0].as_ref()) {
            self.io.status(format!("{name} (pid {number}) did not end in time: killed"));
        }
        self.tell_signal(id, Signal::KILL, number, true);
        self.sweep_now();
    }

    /// Gives up on a process: what is left of it is told.
    pub(super) fn abandon(&mut self, id: Id, generation: Generation) {
        let Some(body) = self.bodies[id.0].take_if(|body| body.generation == generation) else {
            return;
        };
        let tree = relatives(getpid());
        let mut left: Vec<(i32, String)> = Vec::new();
        if body.code.is_none() {
            let name = tree.get(&body.number()).map_or_else(String::new, |one| one.name.clone());
            left.push((body.number(), name));
            if let Some(fd) = body.handle.watched() {
                self.poller.remove(fd, token(LEADER, id.0 as u64));
            }
        }
        let roots: Vec<i32> =
            std::iter::once(body.number()).chain(body.rest.iter().map(|one| one.pid)).collect();
        for one in below(&tree, &roots).filter(|one| !one.is_zombie) {
            if one.pid != body.number() {
                left.push((one.pid, one.name.clone()));
            }
        }
        self.has_left = true;
        for (pid, name) in left {
            self.survived(Some(id), pid, &name);
        }
    }

    fn survived(&mut self, id: Option<Id>, pid: i32, name: &str) {
        let process = id.map(|id| self.project.processes[id.0].name.as_str());
        let of = process.map(|process| format!(" of {process}")).unwrap_or_default();
        self.survivors.push(format!("{name} ({pid}){of}"));
        if let Some((events, t)) = self.output.events() {
            events.tell(&Happening::Survivor { t: seconds(t), process, name, pid });
        }
    }

    /// Ends what belongs to no process any more; the last act of a run.
    pub(super) fn end_strays(&mut self) {
        let begin = Instant::now();
        let mut asked: BTreeMap<i32, u64> = BTreeMap::new();
        while !self.has_left && has_children() {
            let tree = relatives(getpid());
            let mut left: Vec<&Relative> = Vec::new();
            for one in tree.values() {
                if one.is_zombie {
                    Pid::from_raw(one.pid).and_then(crate::os::bury);
                } else if self.kept.get(&one.pid) != Some(&one.start)
                    && !self.is_below_kept(&tree, one)
                {
                    left.push(one);
                }
            }
            if left.is_empty() {
                return;
            }
            let elapsed = begin.elapsed();
            if elapsed >= STRAY_GRACE + STRAY_BURIAL {
                let left: Vec<(i32, String)> =
                    left.iter().map(|one| (one.pid, one.name.clone())).collect();
                for (pid, name) in left {
                    self.survived(None, pid, &name);
                }
                return;
            }
            // What was killed with its group a moment ago is still on its way out.
            if elapsed < STRAY_DYING {
                std::thread::sleep(Duration::from_millis(2));
                continue;
            }
            for one in left {
                let is_new = asked.insert(one.pid, one.start).is_none();
                if is_new {
                    self.io.status(format!(
                        "ending {} ({}), which belongs to no process any more",
                        one.name, one.pid
                    ));
                }
                if elapsed >= STRAY_GRACE {
                    signal_relative(one, Signal::KILL);
                } else if is_new {
                    signal_relative(one, Signal::TERM);
                    signal_relative(one, Signal::CONT);
                }
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn is_below_kept(&self, tree: &BTreeMap<i32, Relative>, one: &Relative) -> bool {
        let mut next = tree.get(&one.parent);
        while let Some(parent) = next {
            if self.kept.get(&parent.pid) == Some(&parent.start) {
                return true;
            }
            next = tree.get(&parent.parent);
        }
        false
    }
}

fn body_runs(body: Option<&Body>) -> bool {
    body.is_some_and(|body| body.code.is_none())
}

/// Signals the leader, or its group. Neither number can be anybody else's: the leader is not reaped.
fn signal_body(body: &Body, signal: Signal, only_leader: bool) {
    if body.is_reaped {
        return;
    }
    if only_leader {
        // It may have ended.
        let _sent = send(&body.handle, signal);
    } else {
        kill_group(body.handle.pid, signal);
    }
}

/// Signals one descendant that was seen a moment ago, if it is still the same.
pub(super) fn signal_relative(one: &Relative, signal: Signal) {
    let Some(handle) = Pid::from_raw(one.pid).and_then(|pid| Handle::of(pid).ok()) else { return };
    if start_time(one.pid) == Some(one.start) {
        // It may have ended.
        let _sent = send(&handle, signal);
    }
}

/// Those processes and all below them.
pub(super) fn below<'t>(
    tree: &'t BTreeMap<i32, Relative>,
    roots: &[i32],
) -> impl Iterator<Item = &'t Relative> + use<'t> {
    let mut found: Vec<&Relative> = roots.iter().filter_map(|root| tree.get(root)).collect();
    let mut next = 0;
    while let Some(one) = found.get(next).copied() {
        found.extend(tree.values().filter(|other| other.parent == one.pid));
        next += 1;
    }
    found.into_iter()
}
