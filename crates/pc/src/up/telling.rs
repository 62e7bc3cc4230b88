//! What people and programs are told of the state of processes.

use super::body::Body;
use super::machine::Machine;
use crate::engine::{Health, Id};
use crate::events::{Happening, seconds};

impl Machine<'_> {
    /// Says who holds up the stop, and for how long.
    pub(super) fn tell_who_blocks(&self) {
        for (index, body) in self.bodies.iter().enumerate() {
            let Some(body) = body else { continue };
            let name = &self.project.processes[index].name;
            let since = self.timeline.stopping_since(index).map_or(0, |at| at.elapsed().as_secs());
            if body.code.is_none() {
                self.io
                    .status(format!("waiting for {name} (pid {}) since {since} s", body.number()));
            } else {
                let rest: Vec<String> =
                    body.rest.iter().map(|left| format!("{} ({})", left.name, left.pid)).collect();
                if !rest.is_empty() {
                    self.io.status(format!(
                        "waiting for what {name} left behind since {since} s: {}",
                        rest.join(", ")
                    ));
                }
            }
        }
    }

    pub(super) fn show(&mut self, id: Id) {
        let process = self.engine.process(id);
        let now = self.output.began().elapsed();
        let is_new = self.timeline.show(id.0, process, now);
        if !is_new {
            return;
        }
        let health = match process.health {
            Health::Unknown => "-",
            Health::Ready => "Ready",
            Health::NotReady => "Not Ready",
        };
        let pid = self.bodies[id.0].as_ref().filter(|body| body.code.is_none()).map(Body::number);
        let name = &self.project.processes[id.0].name;
        self.io.detail(format!("{name}: {}", process.display()));
        let (restarts, exit_code, status) = (process.restarts, process.code, process.status());
        if let Some((events, t)) = self.output.events() {
            let t = seconds(t);
            events.tell(&Happening::State {
                t,
                process: name,
                status,
                health,
                pid,
                restarts,
                exit_code,
            });
        }
    }
}
